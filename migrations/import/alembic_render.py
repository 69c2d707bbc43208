"""Renders every revision of an Alembic project to SQL, with the project's own Alembic, SQLAlchemy and env.py.

`athanor import alembic` runs this file in the project's Python and reads one JSON document from standard output. No database is
asked: the environment runs in Alembic's offline mode, and whatever a revision would have to ask a database for is reported as a
reason why it cannot be rendered.

Alembic's `--sql` output is for people to read. Four things that it changes on the way are kept as they are here: tabs, percent
signs, backslashes and bound values. `upgrade()` runs twice, so that values a revision makes up (random ids, the time of day) are
noticed before they are frozen into a file.

It must run on whatever Python and Alembic 1.x a project has: nothing newer than Python 3.7 below, and little of Alembic that is
not public.
"""

import argparse
import json
import os
import re
import sys
import traceback
import warnings

# What the project prints belongs on standard error: standard output carries the document and nothing else.
_document = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
sys.stdout = sys.stderr
# `python -` puts the current folder first; the alembic command does not. prepend_sys_path says what belongs there.
if sys.path and sys.path[0] == "":
    del sys.path[0]

_COMMIT = re.compile(r"(?:COMMIT|END)(?:\s+(?:WORK|TRANSACTION))?\s*;*", re.IGNORECASE)
_BEGIN = re.compile(r"(?:BEGIN(?:\s+(?:WORK|TRANSACTION))?|START\s+TRANSACTION)\s*;*", re.IGNORECASE)
_URL_PASSWORD = re.compile(r"(://[^\s:/@'\"]*:)[^\s@]+(?=@)")
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|DATABASE_URL|CREDENTIAL", re.IGNORECASE)
_STANDARD_LINE = re.compile(r"\s*(Revision ID|Revises|Create Date)\s*:\s*(.*?)\s*$", re.IGNORECASE)
_SHORTEST_SECRET = 8  # shorter values turn up in SQL by chance


class NeedsDatabase(AttributeError):
    """A revision wants something only a database can answer. An AttributeError, because libraries probe with hasattr()."""


class NotAlembic(Exception):
    """The project cannot be rendered at all."""


class NoResult:
    """What a statement returns offline: nothing may be read from it, not even whether there is something."""

    def _refuse(self, *_args, **_kwargs):
        raise NeedsDatabase("reads the result of a statement, which only a database can give")

    __iter__ = __bool__ = __len__ = __getitem__ = __eq__ = __ne__ = __lt__ = __gt__ = __call__ = _refuse
    __hash__ = None

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return self._refuse()


_NO_RESULT = NoResult()


class Recorder:
    """Stands between a revision and Alembic's offline output, and writes down what comes out, part by part."""

    def __init__(self, context):
        self.context = context
        self.impl = context.impl
        self.dialect = context.dialect
        self.parts = []
        self.remarks = []
        # Parameters never go to a driver, so nothing is to be doubled for one.
        self.dialect.paramstyle = "named"
        self.dialect.positional = False
        self.dialect.identifier_preparer._double_percents = False
        # standard_conforming_strings has been on since PostgreSQL 9.1.
        self.dialect._backslash_escapes = False
        self.impl.literal_binds = True
        # False would keep autocommit_block() from marking its edges.
        self.impl.transactional_ddl = True
        self.impl._exec = self.execute
        self.impl.static_output = self.text
        self.impl.emit_begin = lambda: self.parts.append({"kind": "begin"})
        self.impl.emit_commit = lambda: self.parts.append({"kind": "commit"})
        connection = self.offline_connection(context.connection)
        context.connection = self.impl.connection = connection

    def start(self):
        self.parts = []
        self.remarks = []
        self.impl.memo = {}  # which types were created: a run of its own for every revision, as deployments are

    def execute(self, construct, execution_options=None, multiparams=None, params=None, **_rest):
        from sqlalchemy import schema, text

        if multiparams or params:
            raise NeedsDatabase("sends parameters apart from the statement")
        if isinstance(construct, str):
            construct = text(construct)
        options = {} if isinstance(construct, schema.DDLElement) else {"compile_kwargs": {"literal_binds": True}}
        self.statement(str(construct.compile(dialect=self.dialect, **options)))
        return _NO_RESULT

    def statement(self, sql):
        lead = sql[: len(sql) - len(sql.lstrip())]
        indent = len(lead.rsplit("\n", 1)[1].expandtabs(4)) if "\n" in lead else 0
        sql = sql.strip()
        if _COMMIT.fullmatch(sql):
            self.remarks.append("its COMMIT became the start of an autocommit step")
            self.parts.append({"kind": "commit"})
        elif _BEGIN.fullmatch(sql):
            self.parts.append({"kind": "begin"})
        elif sql:
            self.parts.append({"kind": "sql", "text": sql, "indent": indent})

    def text(self, text):
        if text.strip():
            self.parts.append({"kind": "sql", "text": text.strip()})

    def offline_connection(self, mock):
        recorder = self

        class OfflineConnection(type(mock)):
            """op.get_bind(): statements are recorded, questions are refused by name."""

            def execute(self, statement, parameters=None, *more, **named):
                if more:
                    parameters = [parameters] + list(more)
                named.pop("execution_options", None)
                if named:
                    parameters = named
                rows = parameters if isinstance(parameters, (list, tuple)) else [parameters]
                for row in rows:
                    recorder.execute(bind(statement, row))
                return _NO_RESULT

            def exec_driver_sql(self, statement, parameters=None, execution_options=None):
                if parameters:
                    raise NeedsDatabase("sends parameters apart from the statement")
                recorder.statement(statement)
                return _NO_RESULT

            def __getattr__(self, name):
                raise NeedsDatabase("uses %s of the connection, which only a database has" % name)

        connection = OfflineConnection.__new__(OfflineConnection)
        connection.__dict__.update(mock.__dict__)
        connection.__dict__.pop("execute", None)
        return connection


def bind(statement, row):
    """The statement with its parameters inside."""
    from sqlalchemy import text
    from sqlalchemy.sql import visitors
    from sqlalchemy.sql.elements import TextClause

    if isinstance(statement, str):
        statement = text(statement)
    if not row:
        return statement
    if isinstance(statement, TextClause):
        return statement.bindparams(**row)
    columns = dict(row)

    def fill(parameter):
        if parameter.key in row:
            parameter.value = row[parameter.key]
            parameter.callable = None
            parameter.required = False
            columns.pop(parameter.key, None)

    statement = visitors.cloned_traverse(statement, {}, {"bindparam": fill})
    return statement.values(**columns) if columns else statement


class Secrets:
    """Values of the environment that must neither be printed nor end in a file."""

    def __init__(self):
        self.values = {}
        for name, value in os.environ.items():
            if _SECRET_NAME.search(name) and len(value) >= _SHORTEST_SECRET:
                self.values[value] = name
                password = re.search(r"://[^:/@]*:([^@]+)@", value)
                if password and len(password.group(1)) >= _SHORTEST_SECRET:
                    self.values[password.group(1)] = name

    def redact(self, text):
        for value in sorted(self.values, key=len, reverse=True):
            text = text.replace(value, "***")
        return _URL_PASSWORD.sub(r"\1***", text)

    def variable_in(self, parts):
        for part in parts:
            for value, name in self.values.items():
                if value in part.get("text", ""):
                    return name
        return None


class Project:
    def __init__(self, options):
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        self.options = options
        self.secrets = Secrets()
        arguments = argparse.Namespace(x=options.x, name=options.section, config=options.config, raiseerr=False, sql=True)
        settings = {"ini_section": options.section, "cmd_opts": arguments}
        if options.config and options.config.endswith(".toml"):
            self.config = Config(toml_file=options.config, **settings)
        else:
            self.config = Config(options.config or None, **settings)
        if options.scripts:
            self.choose_scripts(ScriptDirectory)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.scripts = ScriptDirectory.from_config(self.config)
            self.revisions = list(self.scripts.walk_revisions("base", "heads"))
        self.revisions.reverse()
        for warning in caught:
            if "present more than once" in str(warning.message):
                raise NotAlembic(str(warning.message))
        self.results = None

    def choose_scripts(self, directory):
        """The folder that was named wins over the one the configuration names."""
        from configparser import Error

        wanted = os.path.realpath(self.options.scripts)
        sections = [self.config.config_ini_section] + self.config.file_config.sections()
        for section in sections:
            self.config.config_ini_section = section
            try:
                found = directory.from_config(self.config)
                if os.path.realpath(found.dir) == wanted:
                    return
            except (Exception, Error):  # a section for something else, or a configuration without scripts
                continue
        self.config.config_ini_section = self.options.section
        self.config.set_main_option("script_location", self.options.scripts.replace("%", "%%"))

    def render(self):
        from alembic.runtime.environment import EnvironmentContext

        state = {}

        def migrations(_heads, context):
            if "context" in state:
                raise NotAlembic("env.py runs the migrations of more than one database; import them one at a time")
            state["context"] = {
                "dialect": context.dialect.name,
                "version_table": context.version_table,
                "version_table_schema": context.version_table_schema,
                "transaction_per_migration": bool(getattr(context, "_transaction_per_migration", False)),
                "on_version_apply": len(context.on_version_apply_callbacks or ()),
            }
            if context.dialect.name != "postgresql":
                raise NotAlembic("env.py configures the dialect %s; Athanor migrates PostgreSQL" % context.dialect.name)
            recorder = Recorder(context)
            self.results = [self.revision(recorder, script) for script in self.revisions]
            recorder.start()  # older versions of Alembic drop the version table at the end
            return []

        environment = EnvironmentContext(
            self.config, self.scripts, fn=migrations, as_sql=True, starting_rev=None, destination_rev="heads", tag=None
        )
        # What Alembic itself writes around the revisions is of no use here.
        self.config.output_buffer = open(os.devnull, "w", encoding="utf-8")
        with environment:
            self.scripts.run_env()
        if self.results is None:
            raise NotAlembic("env.py did not run the migrations in offline mode")
        return state["context"]

    def revision(self, recorder, script):
        from alembic import util

        lines, created = describe(script)
        labels = getattr(script, "_orig_branch_labels", None)
        if labels is None:
            labels = util.to_tuple(getattr(script.module, "branch_labels", None), default=())
        recorder.context._start_from_rev = util.to_tuple(script.down_revision, default=None)
        return {
            "id": script.revision,
            "file": os.path.abspath(script.path),
            "down": list(util.to_tuple(script.down_revision, default=())),
            "depends_on": list(util.to_tuple(script.dependencies, default=()) or ()),
            "labels": sorted(labels),
            "description": lines,
            "created": created,
            "upgrade": self.direction(recorder, script, "upgrade", True),
            "downgrade": self.direction(recorder, script, "downgrade", False),
        }

    def direction(self, recorder, script, name, twice):
        try:
            function = getattr(script.module, name, None)
            if function is None:
                return {"error": {"type": "Missing", "message": "has no %s()" % name, "line": 1}}
            recorder.start()
            function()
            parts, remarks = list(recorder.parts), list(recorder.remarks)
            if twice and parts != self.again(recorder, function):
                remarks.append("renders differently every time: a value made up in Python is now fixed in the file")
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit of a script included
            return {"error": self.explain(error, script.path)}
        variable = self.secrets.variable_in(parts)
        if variable:
            message = "renders the value of the environment variable %s into its SQL" % variable
            return {"error": {"type": "Secret", "message": message, "line": function.__code__.co_firstlineno}}
        return {"parts": parts, "remarks": remarks}

    @staticmethod
    def again(recorder, function):
        recorder.start()
        try:
            function()
        except Exception:  # it worked once: what is rendered is what the first run did
            pass
        return recorder.parts

    def explain(self, error, path):
        kind = type(error).__name__
        message = " ".join(str(error).split("\n(Background on", 1)[0].split())
        if kind == "NoInspectionAvailable":
            kind, message = "NeedsDatabase", "inspects the schema, which only a database can answer"
        if isinstance(error, NeedsDatabase) and kind != "NeedsDatabase":
            kind = "NeedsDatabase"
        return {"type": kind, "message": self.secrets.redact(message), "line": line_in(error, path)}


def describe(script):
    """Lines of the docstring that a person wrote, and the date."""
    lines, created = [], ""
    for line in script.longdoc.splitlines():
        standard = _STANDARD_LINE.match(line)
        if standard:
            if standard.group(1).lower() == "create date":
                created = standard.group(2)
        else:
            lines.append(line.rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines, created


def line_in(error, path):
    """The innermost line of `path` on the way to the error; 0 when it is not on the way."""
    line = 0
    for frame in traceback.extract_tb(error.__traceback__):
        if os.path.realpath(frame.filename) == os.path.realpath(path):
            line = frame.lineno
    if isinstance(error, SyntaxError) and error.filename and os.path.realpath(error.filename) == os.path.realpath(path):
        line = error.lineno or 0
    return line


def user_place(error):
    """File and line of the project's own code that an error came from."""
    if isinstance(error, SyntaxError) and error.filename:
        return error.filename, error.lineno or 0
    place = ("", 0)
    for frame in traceback.extract_tb(error.__traceback__):
        own = not frame.filename.startswith("<") and "site-packages" not in frame.filename
        if own and not frame.filename.startswith(os.path.dirname(os.__file__)):
            place = (frame.filename, frame.lineno)
    return place


def main():
    parser = argparse.ArgumentParser(prog="alembic_render")
    parser.add_argument("--config", default="")
    parser.add_argument("--section", default="alembic")
    parser.add_argument("--scripts", default="")
    parser.add_argument("-x", action="append", default=[])
    options = parser.parse_args()
    document = {}
    try:
        import alembic
        import sqlalchemy

        document["alembic"] = alembic.__version__
        document["sqlalchemy"] = sqlalchemy.__version__
        project = Project(options)
        document["script_folder"] = os.path.abspath(project.scripts.dir)
        document["version_locations"] = [os.path.abspath(str(path)) for path in project.scripts._version_locations]
        document["heads"] = sorted(project.scripts.get_heads())
        document["bases"] = sorted(project.scripts.get_bases())
        document["context"] = project.render()
        document["revisions"] = project.results
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        file, line = user_place(error)
        message = Secrets().redact(" ".join(str(error).split()))
        document["error"] = {"type": type(error).__name__, "message": message, "file": file, "line": line}
    json.dump(document, _document)
    _document.close()


main()
