"""Databases on the throwaway server, one for each test that wants one."""
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
from throwaway_cluster import eventually

_numbers = itertools.count(1)
HISTORY = "SELECT revision, direction FROM athanor.history WHERE outcome = 'applied' ORDER BY id"
# Inside of a revision: goes no further until there is a row in `gate`. See Database.gate().
GATE = "DO $$ BEGIN LOOP EXIT WHEN EXISTS (SELECT FROM gate); PERFORM pg_sleep(0.02); END LOOP; END $$;"


def server_url() -> str:
    if url := os.environ.get("ATHANOR_TEST_URL"):
        return url
    return (Path(os.environ["ATHANOR_BINARY_DIR"]) / "postgres/url").read_text().strip()


def run(url: str, sql: str, **keywords: str) -> list[tuple]:
    """One statement in autocommit, and its rows. Keywords override those of the URL."""
    connection = psycopg2.connect(url, **keywords)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


class Database:
    def __init__(self) -> None:
        self.name = f"e2e_{os.getpid()}_{next(_numbers)}"
        self.parts = urlsplit(server_url())
        self.url = self.parts._replace(path=f"/{self.name}").geturl()
        self.roles: list[str] = []
        run(server_url(), f'CREATE DATABASE "{self.name}"')

    def drop(self) -> None:
        run(server_url(), f'DROP DATABASE "{self.name}" WITH (FORCE)')
        for role in self.roles:
            run(server_url(), f'DROP ROLE "{role}"')

    def rows(self, sql: str) -> list[tuple]:
        return run(self.url, sql)

    def revisions(self) -> list[str]:
        """Rows of the version table; none before there is one."""
        if self.rows("SELECT to_regclass('alembic_version')") == [(None,)]:
            return []
        return [row[0] for row in self.rows("SELECT version_num FROM alembic_version ORDER BY 1")]

    def tables(self) -> set[str]:
        return {row[0] for row in self.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")} - {"alembic_version", "gate"}

    def history(self) -> list[tuple]:
        return self.rows(HISTORY)

    def owner(self, password: str) -> str:
        """A role of the database's own, with this password and all rights here."""
        self.roles.append(f"{self.name}_{len(self.roles)}")
        run(self.url, f'CREATE ROLE "{self.roles[-1]}" LOGIN PASSWORD \'{password}\'')
        run(self.url, f'ALTER DATABASE "{self.name}" OWNER TO "{self.roles[-1]}"')
        run(self.url, f'GRANT ALL ON SCHEMA public TO "{self.roles[-1]}"')
        return self.roles[-1]

    def sessions(self, application: str) -> list[int]:
        """Process ids of those that are connected under this name."""
        return [row[0] for row in run(server_url(), "SELECT pid FROM pg_stat_activity WHERE datname = '" + self.name + "' AND "
                                      f"application_name = '{application}'")]

    def gate(self) -> None:
        """Revisions with GATE in them wait from here on."""
        self.rows("CREATE TABLE gate (open boolean)")

    def open_gate(self) -> None:
        self.rows("INSERT INTO gate VALUES (true)")

    def at_gate(self, seconds: float = 0) -> list[int]:
        """Process ids of the sessions that have waited at the gate for so long."""
        return [row[0] for row in self.rows("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
                                            "AND query LIKE '%FROM gate%' AND pid <> pg_backend_pid() "
                                            f"AND clock_timestamp() - query_start >= interval '{seconds} s'")]

    def wait_at_gate(self, seconds: float = 0) -> int:
        """The process id of the one session that waits there."""
        return eventually(lambda: len(found := self.at_gate(seconds)) == 1 and found, "a migration waits at the gate", within=30)[0]

    @contextmanager
    def lock(self, key: str) -> Iterator[int]:
        """An advisory lock held by somebody else; gives the process id."""
        connection = psycopg2.connect(self.url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(f"SELECT pg_backend_pid(), pg_advisory_lock({key})")
                yield cursor.fetchone()[0]
        finally:
            connection.close()
