"""Runs a page of docs/ as its reader does: in a clone, all bash blocks in one shell, in order, what each prints compared with the page.

A `text` block after a bash block is what that prints. Its lines must appear in this order, one below the other; a line `…` stands for
any lines, and `…` inside a line for any characters. Durations are not compared.

What a test machine lacks (a container engine, a network) is played by the programs in stand-ins/, which come first on PATH.
"""
import contextlib
import itertools
import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).with_name("stand-ins")
BUILD = Path(os.environ.get("ATHANOR_BINARY_DIR", ROOT / "build"))
SANITIZERS = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}  # of make sanitize, make tsan
_numbers = itertools.count(1)


@dataclass
class Block:
    line: int
    commands: str
    prints: str | None = None


def blocks(page: Path) -> list[Block]:
    """The bash blocks of a page, each with the text block that follows it, if one does before the next."""
    found: list[Block] = []
    for match in re.finditer(r"^```(\w+)\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
        language, body = match.groups()
        if language == "bash":
            found.append(Block(page.read_text().count("\n", 0, match.start()) + 2, body))
        elif language == "text":
            assert found and found[-1].prints is None, f"{page.name}: a text block without a bash block of its own"
            found[-1].prints = body
    return found


def clone(folder: Path) -> Path:
    """A folder that looks like a fresh clone of the checkout under test: links to all but its build folders."""
    made = folder / "athanor"
    made.mkdir()
    for entry in ROOT.iterdir():
        if not entry.name.startswith(("build", ".git")):
            (made / entry.name).symlink_to(entry)
    return made


def run(page: Path, folder: Path, replacements: dict[str, str], environment: dict[str, str], timeout: float = 240) -> None:
    """Runs all blocks of `page` in a clone below `folder`. `replacements` are texts of the page, such as a URL; each must be in it."""
    found = blocks(page)
    script = "set -euo pipefail\nexec 2>&1\n"
    for number, block in enumerate(found):
        script += f"echo '--- block {number}'\n{block.commands}"
    for old, new in replacements.items():
        assert old in script, f"{page.name} no longer says {old}"
        script = script.replace(old, new)
    inherited = {"PATH": f"{STAND_INS}:{os.environ.get('PATH', os.defpath)}", "HOME": str(folder), "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    own = {"GUIDE_PROGRAMS": str(BUILD / "bin")}
    process = subprocess.Popen(["bash", "-c", script], cwd=clone(folder), env=inherited | own | SANITIZERS | environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        printed, _ = process.communicate(timeout=timeout)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # an operator that a stand-in started, and the shell if it hangs
    print(printed)  # shown when the test fails
    parts = re.split(r"^--- block \d+\n", printed, flags=re.MULTILINE)[1:]
    last = found[len(parts) - 1] if parts else found[0]
    assert process.returncode == 0, f"{page.name}:{last.line}: exit code {process.returncode}\n{last.commands}\nprinted:\n{parts[-1] if parts else printed}"
    for block, part in zip(found, parts, strict=True):
        if block.prints is not None:
            pattern = expected(block.prints)
            assert re.search(pattern, comparable(part)), f"{page.name}:{block.line}: does not print what the page shows, but\n{part}"


def comparable(printed: str) -> str:
    """Without durations and spaces at the ends of lines."""
    return re.sub(r"[ \t]+$", "", re.sub(r"\b\d+ ms\b", "N ms", printed), flags=re.MULTILINE)


def expected(shown: str) -> str:
    """A regular expression of what a text block shows."""
    pattern = ""
    for line in comparable(shown).splitlines():
        pattern += r"(?:.*\n)*?" if line.strip() == "…" else re.escape(line).replace("…", ".*") + r"\n"
    return "(?m)^" + pattern


class Database:
    """A database of the throwaway server for one guide."""

    def __init__(self) -> None:
        self.name = f"guide_{os.getpid()}_{next(_numbers)}"
        server = os.environ.get("ATHANOR_TEST_URL") or (BUILD / "postgres/url").read_text().strip()
        self.server = server
        self.url = urlsplit(server)._replace(path=f"/{self.name}").geturl()
        self._statement(server, f'CREATE DATABASE "{self.name}"')

    def drop(self) -> None:
        self._statement(self.server, f'DROP DATABASE "{self.name}" WITH (FORCE)')

    def rows(self, sql: str) -> list[tuple]:
        return self._statement(self.url, sql)

    @staticmethod
    def _statement(url: str, sql: str) -> list[tuple]:
        connection = psycopg2.connect(url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()
