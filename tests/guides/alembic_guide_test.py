"""docs/getting-started-alembic.md from its first command to its last."""
import sys
from pathlib import Path

from guide import ROOT, Database, run


def test_every_command_of_the_page_does_what_the_page_shows(database: Database, tmp_path: Path) -> None:
    run(ROOT / "docs/getting-started-alembic.md", tmp_path,
        replacements={"postgresql://postgres:example@127.0.0.1:5433/postgres": database.url},
        environment={"GUIDE_PYTHON": sys.executable})
    # Back with Alembic, and nothing of Athanor left.
    assert database.rows("SELECT version_num FROM alembic_version") == [("3c8e0f2a5b71",)]
    assert database.rows("SELECT FROM pg_namespace WHERE nspname = 'athanor'") == []
