"""A PostgreSQL driver without a database: SQLAlchemy runs on it as it runs on psycopg2, and what it sends is written down.

Everything that SQLAlchemy and a driver do to a statement on its way to the server happens here too: compilation for the server's
version, bind processors, `%%`, autobegin, savepoints, isolation levels. What comes back is nothing: reading a result is refused by name.

Two questions have an answer that every database would act on in the same way: `checkfirst` asks whether something is there, and the
answer is left to the server (a DO block, or IF EXISTS).
"""

import contextlib
import re
import sys
import types

from alembic_values import NeedsDatabase, NotSendable, Unread, check_text, merge
import alembic_values

_COMMIT = re.compile(r"(?:COMMIT|END)(?:\s+(?:WORK|TRANSACTION))?\s*;*", re.IGNORECASE)
_BEGIN = re.compile(r"(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)\s*;*", re.IGNORECASE)
_NAME = r'(?:"((?:[^"]|"")+)"|([\w$]+))'
_TYPE = re.compile(
    r"\s*(CREATE|DROP|ALTER)\s+TYPE\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?(?:%s\s*\.\s*)?%s\s*(?:(RENAME\s+TO)\s+%s)?" % (_NAME, _NAME, _NAME),
    re.IGNORECASE,
)
_DROP_IF_EXISTS = re.compile(r"DROP (TABLE|TYPE|DOMAIN|SEQUENCE|INDEX|VIEW) (?!IF EXISTS)")
_WITHOUT_TRANSACTION = "AUTOCOMMIT"

# What SQLAlchemy asks while it gets to know a server.
_ANSWERS = {
    "show standard_conforming_strings": "on",
    "show transaction isolation level": "read committed",
    "select current_schema()": "public",
}


class Recorder:
    """What one direction of one revision sends, part by part."""

    def __init__(self):
        self.open = False
        self.parts = []
        self.remarks = []
        self.savepoints = []
        self.begun = 0  # where the parts of the transaction begin that a rollback would undo
        self.autocommit = False
        self.guard = None
        self.types = {}  # name of a type -> the revision that created it, along all revisions
        self.revision = None
        self.upgrades = True

    def start(self, revision, upgrades=True):
        self.upgrades = upgrades
        self.parts, self.remarks, self.savepoints = [], [], []
        self.begun, self.autocommit, self.guard, self.revision = 0, False, None, revision
        self.open = True

    def stop(self):
        self.open = False

    def remark(self, text):
        if text not in self.remarks:
            self.remarks.append(text)

    def send(self, sql, element=None):
        if not self.open:
            return
        lead = sql[: len(sql) - len(sql.lstrip())]
        indent = len(lead.rsplit("\n", 1)[1].expandtabs(4)) if "\n" in lead else 0
        sql = sql.strip()
        if self.guard is not None:
            self.guard.add(sql, element)
        elif _COMMIT.fullmatch(sql):
            self.remark("its COMMIT became the start of an autocommit step")
            self.parts.append({"kind": "commit"})
            self.begun = len(self.parts)
        elif _BEGIN.fullmatch(sql):
            self.parts.append({"kind": "begin"})
        elif sql:
            sql = self.watch_types(sql, element)
            self.parts.append({"kind": "sql", "text": sql, "indent": indent})

    def committed(self, explicit):
        if not self.open or self.autocommit:
            return
        if explicit and any(part["kind"] == "sql" for part in self.parts[self.begun :]):
            self.remark("its commit() became the end of a step")
        self.parts.append({"kind": "next"})
        self.begun = len(self.parts)
        self.savepoints = []

    def rolled_back(self):
        if self.open and not self.autocommit:
            del self.parts[self.begun :]
            self.savepoints = []

    def isolated(self, level):
        if not self.open:
            return
        autocommit = level == _WITHOUT_TRANSACTION
        if autocommit != self.autocommit:
            self.parts.append({"kind": "commit" if autocommit else "begin"})
            self.begun = len(self.parts)
        elif level not in (None, "READ COMMITTED", _WITHOUT_TRANSACTION):
            self.remark("its isolation level %s was not kept" % level)
        self.autocommit = autocommit

    def watch_types(self, sql, element):
        """A type that two revisions create: alone each of them works, one after the other they do not."""
        match = _TYPE.match(sql)
        if not match or not self.upgrades:  # a way back begins where the way up ended, and need not remember more
            return sql
        verb, name = match.group(1).upper(), match.group(4) or (match.group(5) or "").lower()
        new_name = match.group(7) or (match.group(8) or "").lower()
        if verb == "DROP":
            self.types.pop(name, None)
        elif verb == "ALTER" and new_name:
            self.types[new_name] = self.types.pop(name, self.revision)
        elif verb == "CREATE":
            other = self.types.setdefault(name, self.revision)
            if other != self.revision and element is not None and "Create" in type(element).__name__:
                # One run of Alembic remembers the type and leaves the second CREATE out; a run of its own would fail.
                self.remark("creates the type %s, as %s does: the file creates it only if it does not exist" % (name, other))
                guard = Guard(True)
                guard.ask("type", element.element.name, element.element.schema)
                guard.add(sql, element)
                return guard.block()
            if other != self.revision:
                self.remark("creates the type %s, as %s does" % (name, other))
        return sql

    @contextlib.contextmanager
    def guarding(self, creates):
        if self.guard is not None:
            yield
            return
        self.guard = guard = Guard(creates)
        try:
            yield
        finally:
            self.guard = None
        if guard.statements and self.open:
            for kind, name, _schema in guard.questions if self.upgrades else ():
                if kind == "type" and creates:
                    self.types.setdefault(name, self.revision)
                elif kind == "type":
                    self.types.pop(name, None)
            for text in guard.rendered():
                self.parts.append({"kind": "sql", "text": text, "indent": 0})


class Guard:
    """Statements that run only if what they create is missing, or what they drop is there."""

    def __init__(self, creates):
        self.creates = creates
        self.questions = []
        self.statements = []  # (index of the question or None, text)

    def ask(self, kind, name, schema):
        question = (kind, str(name), schema and str(schema))
        if question not in self.questions:
            self.questions.append(question)
        return not self.creates

    def add(self, sql, element):
        self.statements.append((self.subject(element), sql))

    def subject(self, element):
        thing = getattr(element, "element", None)
        table = getattr(thing, "table", thing)
        for candidate in (thing, table):
            for index, (_kind, name, schema) in enumerate(self.questions):
                if getattr(candidate, "name", None) == name and getattr(candidate, "schema", schema) == schema:
                    return index
        # A listener of the project's own: it belongs to what was sent before it.
        return self.statements[-1][0] if element is None and self.statements else None

    def rendered(self):
        if not self.creates and all(_DROP_IF_EXISTS.match(sql) for _index, sql in self.statements):
            return [_DROP_IF_EXISTS.sub(r"DROP \1 IF EXISTS ", sql, count=1) for _index, sql in self.statements]
        if all(index is None for index, _sql in self.statements):
            return [sql for _index, sql in self.statements]
        return [self.block()]

    def block(self):
        used = sorted({index for index, _sql in self.statements if index is not None})
        single = len(used) == 1 and all(index is not None for index, _sql in self.statements)
        # Asked once, before anything is made: a table is there after its CREATE, and its indexes are still to come.
        lines = [] if single else ["DECLARE"]
        if not single:
            lines += ["    do_%d CONSTANT boolean := %s;" % (index + 1, self.condition(index)) for index in used]
        lines.append("BEGIN")
        current = None
        for index, sql in self.statements:
            if index != current and current is not None:
                lines.append("    END IF;")
            if index != current and index is not None:
                lines.append("    IF %s THEN" % (self.condition(index) if single else "do_%d" % (index + 1)))
            current = index
            lines.append(("        " if index is not None else "    ") + sql.rstrip(";") + ";")
        if current is not None:
            lines.append("    END IF;")
        body = "\n".join(lines + ["END"])
        tag = "do"
        while "$%s$" % tag in body:
            tag += "_"
        return "DO $%s$\n%s\n$%s$" % (tag, body, tag)

    def condition(self, index):
        kind, name, schema = self.questions[index]
        name = name.encode("utf-8")[:63].decode("utf-8", "ignore")  # as the server has cut it
        exists = "NOT EXISTS" if self.creates else "EXISTS"
        if kind == "schema":
            return "%s (SELECT FROM pg_catalog.pg_namespace WHERE nspname = %s)" % (exists, alembic_values.quote(name))
        catalog, column, namespace, visible = {
            "type": ("pg_type", "typname", "typnamespace", "pg_type_is_visible"),
        }.get(kind, ("pg_class", "relname", "relnamespace", "pg_table_is_visible"))
        kinds = {"table": "'r', 'p', 'f', 'v', 'm'", "sequence": "'S'", "index": "'i', 'I'"}.get(kind)
        tests = ["c.%s = %s" % (column, alembic_values.quote(name))]
        if kinds:
            tests.append("c.relkind IN (%s)" % kinds)
        if schema:
            tests.append("n.nspname = %s" % alembic_values.quote(schema))
        else:
            tests.append("pg_catalog.%s(c.oid) AND n.nspname <> 'pg_catalog'" % visible)
        return "%s (SELECT FROM pg_catalog.%s c JOIN pg_catalog.pg_namespace n ON n.oid = c.%s WHERE %s)" % (
            exists,
            catalog,
            namespace,
            " AND ".join(tests),
        )


class Cursor:
    """The driver's side of one statement."""

    arraysize = 1
    lastrowid = None

    def __init__(self, connection):
        self.connection = connection
        self.columns = 1  # of the result; None: no rows. The execution context knows better.
        self.implicit = False  # the rows are for SQLAlchemy, which asked for keys by itself
        self.element = None
        self.verbatim = False
        self.answer = None
        self.rowcount = Unread("how many rows a statement met")

    @property
    def description(self):
        if self.columns is None:
            return None
        return [("column_%d" % number, None, None, None, None, None, None) for number in range(self.columns)]

    def execute(self, statement, parameters=None):
        recorder = self.connection.recorder
        self.answer = None if recorder.open else _ANSWERS.get(statement.strip().lower())
        if self.answer is None:
            recorder.send(check_text(statement) if self.verbatim else merge(statement, parameters), self.element)

    def executemany(self, statement, rows):
        for row in rows:
            self.execute(statement, row)

    def fetchone(self):
        rows = self.fetchall()
        return rows[0] if rows else None

    def fetchmany(self, _size=None):
        return self.fetchall()

    def fetchall(self):
        if self.answer is not None:
            return [(self.answer,)]
        if self.implicit:
            rows, self.columns = self.columns, 0  # one row, and then no more
            if not rows:
                return []
            return [tuple(Unread("a value that the database makes in an INSERT") for _ in range(rows))]
        raise NeedsDatabase("reads the result of a statement, which only a database can give")

    def close(self):
        pass


class DriverConnection:
    def __init__(self, recorder):
        self.recorder = recorder
        self.notices = []
        self.closed = False

    def cursor(self, *_args, **_kwargs):
        return Cursor(self)

    def commit(self):
        self.recorder.committed(not inside("autocommit_block"))

    def rollback(self):
        self.recorder.rolled_back()

    def close(self):
        self.closed = True

    def __getattr__(self, name):
        raise NeedsDatabase("uses %s of the driver's connection, which only a database has" % name)


def inside(function):
    frame = sys._getframe(2)
    while frame is not None:
        if frame.f_code.co_name == function:
            return True
        frame = frame.f_back
    return False


def driver_module():
    """What SQLAlchemy looks for in a DBAPI module."""
    module = types.ModuleType("athanor_driver")
    module.paramstyle = "pyformat"
    module.apilevel, module.threadsafety, module.__version__ = "2.0", 1, "2.9.9 (dt dec pq3 ext lo64)"
    module.Error = type("Error", (Exception,), {})
    for name in ("InterfaceError", "DatabaseError"):
        setattr(module, name, type(name, (module.Error,), {}))
    for name in ("OperationalError", "ProgrammingError", "IntegrityError", "DataError", "InternalError", "NotSupportedError"):
        setattr(module, name, type(name, (module.DatabaseError,), {}))
    module.Binary = bytes
    module.STRING = module.BINARY = module.NUMBER = module.DATETIME = module.ROWID = object()
    return module


def make_engine(recorder, server_version, verbatim_driver_sql):
    """An engine on the driver above. `verbatim_driver_sql`: the project's own driver leaves exec_driver_sql() as it is."""
    from sqlalchemy import create_engine, pool
    from sqlalchemy.dialects import registry
    from sqlalchemy.dialects.postgresql import psycopg2
    from sqlalchemy.engine import base
    from sqlalchemy.engine.cursor import CursorResult

    class UnreadResult(CursorResult):
        """Not even whether it is there, or equal to something, may be asked: such a revision takes a branch."""

        __slots__ = ()

        def _refuse(self, *_args, **_kwargs):
            raise NeedsDatabase("reads the result of a statement, which only a database can give")

        __bool__ = __len__ = __getitem__ = __eq__ = __ne__ = __lt__ = __gt__ = keys = _refuse
        rowcount = property(_refuse)
        __hash__ = CursorResult.__hash__

    class Context(psycopg2.PGExecutionContext_psycopg2):
        def pre_exec(self):
            super().pre_exec()
            cursor = self.cursor
            compiled = self.compiled
            cursor.verbatim = verbatim_driver_sql and compiled is None
            if verbatim_driver_sql and compiled is None and self.parameters and any(self.parameters):
                raise NotSendable("sends parameters in the driver's own form")
            if self.isddl:
                cursor.element, cursor.columns = compiled.statement, None
            elif compiled is not None and not self.is_text:
                columns = len(getattr(compiled, "_result_columns", ()) or ())
                cursor.columns = columns or (None if self.is_crud else 1)
                # Keys that SQLAlchemy asks for by itself, whether the revision looks at them or not.
                explicit = getattr(self, "_is_explicit_returning", False)
                cursor.implicit = bool(self.isinsert and self._is_implicit_returning and not explicit)

        def post_exec(self):
            pass

        def _setup_result_proxy(self):
            result = super()._setup_result_proxy()
            if type(result) is CursorResult or type(result).__name__ == "LegacyCursorResult":
                with contextlib.suppress(TypeError):  # a class of another shape stays what it is
                    result.__class__ = UnreadResult if type(result) is CursorResult else legacy(type(result), UnreadResult)
            return result

    class Dialect(psycopg2.PGDialect_psycopg2):
        supports_statement_cache = False
        execution_ctx_cls = Context
        use_insertmanyvalues = use_insertmanyvalues_wo_returning = False
        supports_sane_rowcount = supports_sane_multi_rowcount = False

        def on_connect(self):
            return None

        def initialize(self, connection):
            super().initialize(connection)
            self.supports_sane_rowcount = self.supports_sane_multi_rowcount = False

        _psycopg2_extras = alembic_values

        def _get_server_version_info(self, _connection):
            return server_version

        def do_executemany(self, cursor, statement, parameters, context=None):
            cursor.executemany(statement, parameters)

        def set_isolation_level(self, dbapi_connection, level):
            dbapi_connection.recorder.isolated(level.replace("_", " "))

        def reset_isolation_level(self, dbapi_connection):
            dbapi_connection.recorder.isolated(None)

        def get_isolation_level(self, dbapi_connection):
            return _WITHOUT_TRANSACTION if dbapi_connection.recorder.autocommit else "READ COMMITTED"

        def do_savepoint(self, connection, name):
            recorder.savepoints.append((name, len(recorder.parts)))
            recorder.remark("uses a savepoint: its handling of a failing statement was not kept")

        def do_release_savepoint(self, connection, name):
            recorder.savepoints = [(other, at) for other, at in recorder.savepoints if other != name]

        def do_rollback_to_savepoint(self, connection, name):
            for other, at in recorder.savepoints:
                if other == name:
                    del recorder.parts[at:]

        def do_begin_twophase(self, connection, xid):
            raise NeedsDatabase("uses a two-phase transaction, which only a database has")

    def question(name, kind):
        def ask(self, connection, *names, **options):
            if recorder.guard is None:
                raise NeedsDatabase("inspects the schema, which only a database can answer")
            thing = names[-1] if kind == "index" else names[0]
            return recorder.guard.ask(kind, thing, options.get("schema") or (names[1] if kind != "index" and len(names) > 1 else None))

        ask.__name__ = name
        return ask

    def has_multi_table(self, connection, names, schema=None, **_options):
        return [((schema, name), self.has_table(connection, name, schema=schema)) for name in names]

    Dialect.has_multi_table = has_multi_table

    def refuse(self, *_args, **_kwargs):
        raise NeedsDatabase("inspects the schema, which only a database can answer")

    for name in dir(psycopg2.PGDialect_psycopg2):
        if re.match(r"get_(multi_)?(columns|pk_|foreign|unique|check|index|table|view|temp|schema|sequence|enum|domain|mat)", name):
            setattr(Dialect, name, refuse)
    for name, kind in (("has_table", "table"), ("has_type", "type"), ("has_sequence", "sequence"), ("has_index", "index"), ("has_schema", "schema")):
        setattr(Dialect, name, question(name, kind))

    class Connection(base.Connection):
        def _run_ddl_visitor(self, visitorcallable, element, **options):
            if not options.get("checkfirst"):
                return super()._run_ddl_visitor(visitorcallable, element, **options)
            with recorder.guarding("Drop" not in visitorcallable.__name__):
                return super()._run_ddl_visitor(visitorcallable, element, **options)

    def connect(*_args, **_kwargs):
        if recorder.open:
            raise NeedsDatabase("opens its own connection besides that of the migration")
        return DriverConnection(recorder)

    global athanor_dialect
    athanor_dialect = Dialect
    registry.register("postgresql.athanor", __name__, "athanor_dialect")
    options = {"module": driver_module(), "creator": connect, "poolclass": pool.NullPool, "use_native_hstore": False}
    engine = create_engine("postgresql+athanor://", **options)
    engine._connection_cls = Connection
    return engine


athanor_dialect = None  # where SQLAlchemy finds the class that make_engine() makes


def legacy(kind, unread):
    """SQLAlchemy 1.4's class of results, refusing what the newer one refuses."""
    names = {name: value for name, value in vars(unread).items() if not name.startswith("__slots")}
    return type("UnreadResult", (kind,), dict(names, __slots__=()))
