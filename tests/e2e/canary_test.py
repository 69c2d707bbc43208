"""A password that must not be seen: it is looked for in everything a run of the operator or the command line leaves behind."""
import base64
import contextlib
import json
import os
import subprocess
import threading
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import Database
from declarations import Declarations, chain
from kubernetes import client
from operator_process import PROGRAMS, OperatorProcess

CANARY = "canary-Zq7w!k/9+x"
SHAPES = [CANARY, urllib.parse.quote(CANARY, safe=""), base64.b64encode(CANARY.encode()).decode().rstrip("=")]


class Children:
    """What the programs below a process show of themselves while they run: arguments and environment."""

    def __init__(self, parent: int) -> None:
        self.parent = parent
        self.seen: dict[str, bytes] = {}
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def _watch(self) -> None:
        while not self.over.wait(0.002):
            parents = {}
            for entry in os.listdir("/proc"):
                if entry.isdigit():
                    with contextlib.suppress(OSError):
                        parents[int(entry)] = int(Path(f"/proc/{entry}/stat").read_text().rpartition(")")[2].split()[1])
            below = {self.parent}
            for _ in range(4):
                below |= {pid for pid, parent in parents.items() if parent in below}
            for pid in below - {self.parent}:
                with contextlib.suppress(OSError):
                    name = Path(f"/proc/{pid}/comm").read_text().strip()
                    self.seen[name] = self.seen.get(name, b"") + Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()

    def stop(self) -> dict[str, bytes]:
        self.over.set()
        self.thread.join()
        return self.seen


@pytest.fixture
def guarded(database: Database) -> str:
    """The URL of the database for its owner, whose password is the canary."""
    login = f"{database.owner(CANARY)}:{urllib.parse.quote(CANARY, safe='')}"
    return database.parts._replace(netloc=f"{login}@{database.parts.hostname}:{database.parts.port}", path=f"/{database.name}").geturl()


def refuse(what: str, content: str | bytes) -> None:
    text = content if isinstance(content, bytes) else content.encode()
    for shape in SHAPES:
        assert shape.encode() not in text, f"the password is in {what}"


def refuse_files(folder: Path) -> None:
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            refuse(str(file), file.read_bytes())


def everything_in(database: Database) -> str:
    """Every row of every table, as text, but for the server's own catalog."""
    tables = database.rows("SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')")
    return "\n".join(row for (table,) in tables for (row,) in database.rows(f"SELECT t::text FROM {table} t"))


def test_the_operator_shows_the_password_nowhere(start: Callable[..., OperatorProcess], declare: Declarations, database: Database, guarded: str,
                                                 folder: Path) -> None:
    operator = start("--leader-elect=false", "--resync=2s")
    children = Children(operator.process.pid)
    try:
        orders = declare.migration(guarded, chain("a1", "a2"), backup={"when": "Always"})
        orders.at("a2")
        orders.patch(targetRevision="a1", policy={"downgrade": "Allow", "directionCooldown": "0s"})
        orders.at("a1")
        # Failures tell more than successes.
        declare.change_config_map("orders", {"a2.sql": "-- Revision a2\n--\n-- Revision: a2\n-- Revises: a1\n\n-- athanor:upgrade\nSELECT 1/0;\n"})
        orders.patch(targetRevision="head")
        orders.because("StatementFailed")
        declare.change_secret("orders", url=guarded.replace("//e2e_", "//nobody_"))
        orders.because("AuthenticationFailed")
    finally:
        seen = children.stop()
    assert "pg_dump" in seen, seen.keys()
    for name, shown in seen.items():
        refuse(f"arguments or environment of {name}", shown)
    for part in ("environ", "cmdline"):
        refuse(f"the operator's {part}", Path(f"/proc/{operator.process.pid}/{part}").read_bytes())
    refuse("the log", operator.log())
    refuse("the resource", json.dumps(orders.read()))
    events = client.EventsV1Api(declare.server.api()).list_namespaced_event(declare.namespace)
    assert events.items
    refuse("events", str(events))
    refuse("metrics", operator.scrape())
    refuse("the ledger", everything_in(database))
    refuse_files(folder)


def test_the_command_line_shows_the_password_nowhere(database: Database, guarded: str, tmp_path: Path) -> None:
    versions = tmp_path / "migrations/versions"
    versions.mkdir(parents=True)
    for name, text in chain("a1", "a2").items():
        (versions / name).write_text(text)
    (versions / "b1.sql").write_text("-- Revision b1\n--\n-- Revision: b1\n-- Revises: a2\n\n-- athanor:upgrade\nSELECT 1/0;\n")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "DATABASE_URL": guarded}
    for words, codes in ((["upgrade", "a2"], {0}), (["current"], {0}), (["history"], {0}), (["backup", "--to", str(tmp_path / "dumps")], {0, 2}),
                         (["upgrade", "head"], set(range(1, 30))), (["check"], set(range(30))), (["--json", "current"], {0, 2})):
        running = subprocess.Popen([PROGRAMS / "athanor", "--migrations", tmp_path / "migrations", *words], cwd=tmp_path, env=environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        children = Children(running.pid)
        out, err = running.communicate(timeout=60)
        seen = children.stop()
        assert running.returncode in codes, (words, running.returncode, out, err)
        refuse(f"the output of {words}", out + err)
        for name, shown in seen.items():
            refuse(f"arguments or environment of {name}", shown)
    refuse("the ledger", everything_in(database))
    refuse_files(tmp_path)
