"""What a revision returns or a source holds does not grow the operator: its peak stays far below the chart's limit of 512Mi. Bigger figures
are in docs/kubernetes.md; these take seconds."""
import os
import subprocess
import sys
from pathlib import Path

import pytest
from databases import Database
from operator_process import PROGRAMS

MIB = 1024  # of ru_maxrss, which counts in KiB
MEASURE = """
import os, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)
"""
ROWS = "SELECT repeat('x', 1000000) FROM generate_series(1, 200);"
NOTICES = "DO $$ BEGIN FOR i IN 1..100000 LOOP RAISE WARNING 'n %', repeat('y', 1000); END LOOP; END $$;"
ONE_MESSAGE = "DO $$ BEGIN RAISE WARNING '%', repeat('y', 200000000); END $$;"
ONE_ERROR = "DO $$ BEGIN RAISE EXCEPTION '%', repeat('y', 200000000); END $$;"
FILE_OF_4_MIB = "CREATE TABLE t (a text);\n" + ("INSERT INTO t VALUES ('" + "x" * 900 + "');\n") * 4500


def peak(tmp_path: Path, database: Database, *statements: str) -> tuple[int, int]:
    """Exit code and MiB of the operator in one pass over these revisions."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "revisions").mkdir(exist_ok=True)
    (tmp_path / "manifests/orders.yaml").write_text(f"""apiVersion: athanor.dev/v1alpha1
kind: DatabaseMigration
metadata: {{name: orders}}
spec:
  database: {{url: "{database.url}"}}
  source: {{path: ../revisions}}
""")
    for number, sql in enumerate(statements):
        (tmp_path / f"revisions/r{number}.sql").write_text(
            f"-- Revision: r{number}\n-- Revises: {f'r{number - 1}' if number else ''}\n\n-- athanor:upgrade\n{sql}\n")
    # In a process between: what a child of pytest's own peaked at before it became the operator is pytest's size.
    done = subprocess.run([sys.executable, "-c", MEASURE, PROGRAMS / "athanor-operator", "--manifests", tmp_path / "manifests", "--state", tmp_path / "state",
                           "--source-root", tmp_path, "--once"], capture_output=True, text=True, check=True, env=dict(os.environ))
    code, kibibytes = map(int, done.stdout.split())
    return code, kibibytes // MIB


@pytest.fixture(scope="module")
def nothing(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Of an operator that runs `SELECT 1`."""
    database = Database()
    code, size = peak(tmp_path_factory.mktemp("nothing"), database, "SELECT 1;")
    database.drop()
    assert code == 0
    return size


@pytest.mark.parametrize("sql, works, most", [(ROWS, True, 16), (NOTICES, True, 16), (ONE_MESSAGE, False, 100), (ONE_ERROR, False, 100)],
                         ids=["rows", "notices", "one message", "one error"])
def test_large_results_of_a_server_do_not_grow_the_operator(tmp_path: Path, database: Database, nothing: int, sql: str, works: bool, most: int) -> None:
    code, size = peak(tmp_path, database, sql)
    assert (code == 0) == works
    assert size - nothing < most, f"{size} MiB, and {nothing} MiB without it"


def test_a_file_takes_no_more_than_a_dozen_times_its_size(tmp_path: Path, database: Database, nothing: int) -> None:
    code, size = peak(tmp_path, database, FILE_OF_4_MIB)
    assert code == 0 and size - nothing < 12 * 4, f"{size} MiB, and {nothing} MiB without it"


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path, database: Database, nothing: int) -> None:
    (tmp_path / "revisions").mkdir()
    with (tmp_path / "revisions/huge.sql").open("wb") as huge:
        huge.truncate(1 << 31)
    code, size = peak(tmp_path, database, "SELECT 1;")
    assert code != 0 and size - nothing < 16
