"""Connections of psycopg2 and psycopg that notice what a revision sends through the driver itself.

A revision may take the driver's connection from SQLAlchemy. What it sends on the driver's own cursors passes none of SQLAlchemy's
events, so connection and cursors report it: statements are recorded, and what has no SQL (COPY, large objects, transaction control)
is noted, so that the revision can be refused by name.
"""

import contextlib
import sys


class DirectUse:
    """Tells what a revision does from what SQLAlchemy does for it."""

    def __init__(self, recorder, send):
        self.recorder = recorder
        self.send = send  # (driver's connection, query, parameters)
        self.depth = 0  # calls of SQLAlchemy or of the driver that are not over
        self.fault = None  # the first thing that cannot be recorded: (words, [(file, line), ...])

    @property
    def direct(self):
        return self.recorder.open and self.depth == 0

    @contextlib.contextmanager
    def inside(self):
        self.depth += 1
        try:
            yield
        finally:
            self.depth -= 1

    def wrapped(self, function):
        def call(*arguments, **options):
            with self.inside():
                return function(*arguments, **options)

        return call

    def note(self, what):
        """The call goes on, so that later revisions find what it leaves."""
        if not self.direct or self.fault is not None:
            return
        frame, places = sys._getframe(2), []
        while frame is not None:
            places.append((frame.f_code.co_filename, frame.f_lineno))
            frame = frame.f_back
        self.fault = what, places

    def of_sqlalchemy(self, dialect):
        for name in ("do_execute", "do_executemany", "do_execute_no_params", "do_commit", "do_rollback", "do_begin", "do_close", "do_terminate"):
            if hasattr(dialect, name):
                setattr(dialect, name, self.wrapped(getattr(dialect, name)))


_NO_SQL = {
    "copy_from": "sends COPY through the driver's cursor",
    "copy_to": "sends COPY through the driver's cursor",
    "copy_expert": "sends COPY through the driver's cursor",
    "copy": "sends COPY through the driver's cursor",
    "callproc": "calls callproc() of the driver's cursor",
    "stream": "calls stream() of the driver's cursor",
    "lobject": "writes large objects through the driver's connection",
    "set_session": "changes the transactions of the driver's connection",
    "set_isolation_level": "changes the transactions of the driver's connection",
    "set_autocommit": "changes the transactions of the driver's connection",
    "transaction": "changes the transactions of the driver's connection",
    "pipeline": "uses a pipeline of the driver's connection",
    "tpc_begin": "uses a two-phase transaction",
}


def noting(base, name, use):
    stock = getattr(base, name)

    def call(self, *arguments, **options):
        use.note(_NO_SQL[name])
        with use.inside():
            return stock(self, *arguments, **options)

    return call


def noted_methods(base, names, use):
    return {name: noting(base, name, use) for name in names if hasattr(base, name)}


def cursor_class(base, use):
    """`base`, recording what a revision sends on it."""
    if getattr(base, "athanor_use", None) is not None:
        return base

    def execute(self, query, parameters=None, *more, **options):
        if use.direct:
            use.send(self.connection, query, parameters)
        with use.inside():
            return base.execute(self, query, parameters, *more, **options)

    def executemany(self, query, rows, *more, **options):
        rows = list(rows)
        for row in rows if use.direct else ():
            use.send(self.connection, query, row)
        with use.inside():
            return base.executemany(self, query, rows, *more, **options)

    members = noted_methods(base, ("copy_from", "copy_to", "copy_expert", "copy", "callproc", "stream"), use)
    members.update(execute=execute, executemany=executemany, athanor_use=use)
    return type(base.__name__, (base,), members)


def connection_class(base, use):
    def commit(self):
        if use.direct:
            use.recorder.committed(True)
        with use.inside():
            return base.commit(self)

    def rollback(self):
        if use.direct:
            use.recorder.rolled_back()
        with use.inside():
            return base.rollback(self)

    def set_autocommit(self, value):
        use.note(_NO_SQL["set_autocommit"])
        base.autocommit.__set__(self, value)

    names = ("lobject", "set_session", "set_isolation_level", "set_autocommit", "transaction", "pipeline", "tpc_begin")
    members = noted_methods(base, names, use)
    members.update(commit=commit, rollback=rollback)
    members["autocommit"] = property(lambda self: base.autocommit.__get__(self), set_autocommit)
    return type(base.__name__, (base,), members)


def connect_psycopg2(use, arguments, options):
    import psycopg2
    from psycopg2 import extensions

    def cursor(self, name=None, cursor_factory=None, **more):
        factory = cursor_factory or self.cursor_factory or extensions.cursor
        return extensions.connection.cursor(self, name, cursor_factory=cursor_class(factory, use), **more)

    made = connection_class(extensions.connection, use)
    made.cursor = cursor
    return psycopg2.connect(*arguments, **dict(options, connection_factory=made))


def connect_psycopg(use, arguments, options):
    import psycopg

    connection = connection_class(psycopg.Connection, use).connect(*arguments, **options)
    connection.cursor_factory = cursor_class(connection.cursor_factory, use)
    connection.server_cursor_factory = cursor_class(connection.server_cursor_factory, use)
    return connection


def connect(driver, use, arguments, options):
    """A connection of `driver` ("psycopg2" or "psycopg") that reports to `use`."""
    with use.inside():
        return (connect_psycopg if driver == "psycopg" else connect_psycopg2)(use, arguments, options)
