"""The real Alembic on an empty database, with every statement it sends there written down.

For revisions that ask the database: what they send on an empty one is recorded, up and, in a transaction that is rolled back, down.
Statements that only read are left out: whether one does is known by trying it in a read-only subtransaction.
"""

import re

from alembic_direct import DirectUse, connect
from alembic_driver import Recorder
from alembic_values import NotSendable

_READS = re.compile(r"[\s(]*(?:/\*.*?\*/\s*)*(SELECT|SHOW|TABLE|VALUES|WITH|EXPLAIN)\b", re.IGNORECASE | re.DOTALL)
# Allowed in a read-only transaction, and yet done for what they do: on temporary tables and sequences even writing is.
_ACTS = re.compile(
    r"\b(?:(?:set_config|pg_\w*advisory\w*|pg_notify|pg_sleep\w*|pg_\w+_backend|pg_reload_conf|pg_logical_emit_message|dblink\w*"
    r"|setseed|nextval|setval|lo_\w+|lo(?:read|write))\s*\(|(?:INSERT|UPDATE|DELETE|MERGE|INTO)\b)",
    re.IGNORECASE,
)
_OBJECTS = """
SELECT x FROM (
  SELECT 'table or sequence ' || c.oid::pg_catalog.regclass::text FROM pg_catalog.pg_class c
    WHERE c.relnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
  UNION ALL
  SELECT 'type ' || t.oid::pg_catalog.regtype::text FROM pg_catalog.pg_type t WHERE t.typtype IN ('e', 'd')
    AND t.typnamespace NOT IN (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname ~ '^pg_' OR nspname = 'information_schema')
  UNION ALL
  SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public', %s)
) AS found (x) LIMIT 1
"""


class NotEmpty(Exception):
    """The database of --against holds something."""


class NoVersionSchema(Exception):
    """The database of --against lacks the schema that env.py names for the version table."""


def find_driver(preferred):
    """A driver of this Python that can wait for an answer: the project's own where it can."""
    for driver in [preferred, "psycopg2", "psycopg"]:
        if driver in ("psycopg2", "psycopg"):
            try:
                __import__(driver)
                return driver
            except ImportError:
                continue
    raise NotSendable("--against needs psycopg2 or psycopg in the project's Python: pip install psycopg2-binary")


class Recording:
    """Runs one direction after the other. Each of them returns its parts and remarks, or raises what Alembic raised."""

    def __init__(self, context, url, preferred, engines):
        from sqlalchemy import create_engine, event, pool
        from sqlalchemy.engine import url as urls

        self.context = context
        self.recorder = Recorder()
        self.driver = find_driver(preferred)
        address = urls.make_url(url)
        name = "postgresql+" + self.driver
        address = address.set(drivername=name) if hasattr(address, "set") else address
        self.engine = create_engine(address, poolclass=pool.NullPool)
        engines.append(self.engine)
        self.connection = None
        self.memo = {}  # one run of Alembic: it remembers which types it made
        self.use = DirectUse(self.recorder, self.sent_directly)
        event.listen(self.engine, "do_connect", self.connect)
        self.use.of_sqlalchemy(self.engine.dialect)
        self.inspect()
        event.listen(self.engine, "before_cursor_execute", self.sent)
        event.listen(self.engine, "commit", lambda connection: self.recorder.committed(False))
        event.listen(self.engine, "rollback", lambda connection: self.recorder.rolled_back())
        dialect = self.engine.dialect
        stock = dialect.set_isolation_level

        def isolated(dbapi_connection, level):
            self.recorder.isolated(level.replace("_", " "))
            stock(dbapi_connection, level)

        dialect.set_isolation_level = self.use.wrapped(isolated)
        dialect.do_savepoint = self.noted(dialect.do_savepoint)

    def connect(self, _dialect, _record, arguments, options):
        return connect(self.driver, self.use, arguments, options)

    def inspect(self):
        schema = self.context.version_table_schema
        with self.engine.connect() as connection:
            # The schema of the version table may be there: Alembic does not create it.
            found = connection.exec_driver_sql(_OBJECTS, (schema or "public",)).scalar()
            if found:
                raise NotEmpty("the database of --against is not empty: it contains the %s" % found)
            there = connection.exec_driver_sql("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = %s", (schema or "public",)).scalar()
            if schema and not there:
                raise NoVersionSchema('the database of --against has no schema "%s", in which env.py keeps the version table' % schema)

    def noted(self, function):
        def call(connection, name):
            self.recorder.remark("uses a savepoint: its handling of a failing statement was not kept")
            return function(connection, name)

        return call

    def sent(self, connection, cursor, statement, parameters, _context, executemany):
        if not self.recorder.open or re.match(r"\s*(SAVEPOINT|RELEASE|ROLLBACK TO)\b", statement, re.IGNORECASE):
            return
        # SQLAlchemy joins the rows of some of them itself, and then there is one set of parameters.
        for row in parameters if executemany and isinstance(parameters, list) else [parameters]:
            self.record(cursor.connection, self.mogrify(cursor.connection, statement, row))

    def sent_directly(self, connection, statement, parameters):
        self.record(connection, self.mogrify(connection, statement, parameters))

    def record(self, connection, text):
        with self.use.inside():
            if not (_READS.match(text) and self.only_reads(connection, text)):
                self.recorder.send(text)

    def mogrify(self, connection, statement, row):
        if self.driver == "psycopg":
            from psycopg import ClientCursor

            return ClientCursor(getattr(connection, "_conn", connection)).mogrify(statement, row)
        cursor = connection.cursor()
        text = cursor.mogrify(statement, row)
        cursor.close()
        return text.decode("utf-8") if isinstance(text, bytes) else text

    def only_reads(self, connection, text):
        if _ACTS.search(text):
            return False
        if self.recorder.autocommit:
            begin, end = ["BEGIN READ ONLY"], ["ROLLBACK"]
        else:
            begin = ["SAVEPOINT athanor_probe", "SET LOCAL transaction_read_only = on"]
            end = ["ROLLBACK TO SAVEPOINT athanor_probe", "RELEASE SAVEPOINT athanor_probe"]
        probe = connection.cursor()
        try:
            for statement in begin:
                probe.execute(statement)
            probe.execute(text)
            return True
        except Exception:  # it writes, or it fails: the revision will say so itself
            return False
        finally:
            for statement in end:
                probe.execute(statement)
            probe.close()

    def begin(self):
        context = self.context
        self.connection = self.engine.connect()
        context.connection = context.impl.connection = self.connection
        context.dialect = context.impl.dialect = self.engine.dialect
        context._transaction = None
        context._in_external_transaction = False
        context.impl.memo = self.memo

    def end(self):
        if hasattr(self.connection, "commit") and self.connection.in_transaction():
            self.connection.commit()
        self.connection.close()

    def prepare(self):
        self.begin()
        self.context._version.create(self.connection, checkfirst=True)
        self.end()

    def up(self, function, arguments, revision, maintain):
        """Runs and commits, the version row included."""
        context = self.context
        self.use.fault = None
        self.begin()
        try:
            self.recorder.start(revision)
            with context.begin_transaction(_per_migration=bool(context._transaction_per_migration)):
                function(**arguments)
                self.recorder.stop()
                maintain()
            self.end()
        finally:
            self.recorder.stop()
            if not self.connection.closed:
                self.connection.close()
        return list(self.recorder.parts), list(self.recorder.remarks)

    def down(self, function, arguments, revision):
        """Runs and rolls back. The third answer: whether something of it was committed all the same."""
        context = self.context
        self.use.fault = None
        self.begin()
        try:
            context._transaction = self.connection.begin()
            self.recorder.start(revision)
            function(**arguments)
            self.recorder.stop()
            if context._transaction is not None and context._transaction.is_active:
                context._transaction.rollback()
        finally:
            self.recorder.stop()
            self.connection.close()
            context._transaction = None
        parts = list(self.recorder.parts)
        return parts, list(self.recorder.remarks), any(part["kind"] != "sql" for part in parts)
