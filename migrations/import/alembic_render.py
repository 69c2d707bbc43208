"""Renders every revision of an Alembic project to SQL, with the project's own Alembic, SQLAlchemy and env.py.

`athanor import alembic` runs this file in the project's Python and reads one JSON document from standard output. env.py runs first,
in Alembic's offline mode. Then every upgrade() and downgrade() runs as `alembic upgrade` would run it, on a driver that writes down
what it is sent (alembic_driver.py). No database is asked: whatever a revision would have to ask one for is reported as a reason why
it cannot be rendered, or is recorded on the scratch database of `--against` (alembic_record.py).

`upgrade()` runs twice, so that values a revision makes up (random ids, the time of day) are noticed before they are frozen into a file.

It must run on whatever Python and Alembic 1.x a project has: nothing newer than Python 3.7 below, and little of Alembic that is
not public.
"""

import argparse
import contextlib
import datetime
import json
import os
import re
import sys
import tempfile
import traceback
import warnings

from alembic_driver import Recorder, make_engine
from alembic_values import NeedsDatabase

# What the project prints belongs on standard error: standard output carries the document and nothing else.
_document = os.fdopen(os.dup(1), "w", encoding="utf-8")
os.dup2(2, 1)
sys.stdout = sys.stderr
# `python -` puts the current folder first; the alembic command does not. prepend_sys_path says what belongs there.
if sys.path and sys.path[0] == "":
    del sys.path[0]

_URL_PASSWORD = re.compile(r"(://[^\s:/@'\"]*:)[^\s@]+(?=@)")
_SECRET_NAME = re.compile(r"PASSWORD|PASSWD|SECRET|TOKEN|DATABASE_URL|CREDENTIAL", re.IGNORECASE)
_STANDARD_LINE = re.compile(r"\s*(Revision ID|Revises|Create Date)\s*:\s*(.*?)\s*$", re.IGNORECASE)
FLASK_FINDS_IT = "."  # as `flask` without --app
_SHORTEST_SECRET = 8  # shorter values turn up in SQL by chance


class NotAlembic(Exception):
    """The project cannot be rendered at all."""


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
        from alembic.script import ScriptDirectory

        self.options = options
        self.secrets = Secrets()
        self.config = self.configuration()
        if options.scripts and not options.flask:
            self.choose_scripts(ScriptDirectory)
        self.scripts = ScriptDirectory.from_config(self.config)
        self.revisions = []
        self.results = None
        self.state = None
        self.warnings = []
        self.engines = []  # ours, beside those of the project

    def configuration(self):
        from alembic.config import Config

        options = self.options
        if options.flask:
            return self.flask_configuration()
        arguments = argparse.Namespace(x=options.x, name=options.section, config=options.config, raiseerr=False, sql=True)
        settings = {"ini_section": options.section, "cmd_opts": arguments}
        if options.config and options.config.endswith(".toml"):
            return Config(toml_file=options.config, **settings)
        return Config(options.config or None, **settings)

    def flask_configuration(self):
        """The configuration that `flask db` makes, inside of the application's context."""
        from flask.cli import ScriptInfo, prepare_import

        name = self.options.flask
        sys.path[:0] = [path for path in (os.getcwd(), self.options.caller) if path and path not in sys.path]
        if name == FLASK_FINDS_IT:
            application = ScriptInfo().load_app()
        else:
            module, colon, rest = name.partition(":")
            if module.endswith(".py") or os.sep in module:
                module = prepare_import(module)
            application = ScriptInfo(app_import_path=module + colon + rest).load_app()
        application.app_context().push()
        if "migrate" not in application.extensions:
            raise NotAlembic("the Flask application %s has no Migrate extension" % application.name)
        configuration = application.extensions["migrate"].migrate.get_config(self.options.scripts or None, x_arg=self.options.x)
        if not os.path.isfile(configuration.config_file_name or ""):
            raise NotAlembic("there is no %s; name the folder with alembic.ini and env.py" % configuration.config_file_name)
        return configuration

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
        """Runs env.py, which runs the migrations, which are rendered instead. Offline, as `--sql`; if it cannot, online on a
        connection that leads nowhere."""
        try:
            self.run_environment(True)
        except NotAlembic:
            raise
        except BaseException as error:
            if self.state is not None or isinstance(error, KeyboardInterrupt):
                raise
            try:
                self.run_environment(False)
            except BaseException:
                if self.state is not None:
                    raise
                raise error
        if self.results is None:
            raise NotAlembic("env.py did not run the migrations")
        return self.state

    def run_environment(self, offline):
        from alembic.runtime.environment import EnvironmentContext

        arguments = {"as_sql": offline, "destination_rev": "heads", "tag": None}
        if offline:
            arguments["starting_rev"] = None
        environment = EnvironmentContext(self.config, self.scripts, fn=self.migrations, **arguments)
        # What Alembic itself writes around the revisions is of no use here.
        self.config.output_buffer = open(os.devnull, "w", encoding="utf-8")
        with environment, connections_leading_nowhere(self) if not offline else nothing():
            self.scripts.run_env()
        if self.results is None and offline:
            raise RuntimeError("env.py did not run the migrations in offline mode")

    def migrations(self, _heads, context):
        if self.state is not None:
            raise NotAlembic("env.py runs the migrations of more than one database; import them one at a time")
        self.state = {
            "dialect": context.dialect.name,
            "version_table": context.version_table,
            "version_table_schema": context.version_table_schema,
            "transaction_per_migration": bool(getattr(context, "_transaction_per_migration", False)),
            "on_version_apply": len(context.on_version_apply_callbacks or ()),
        }
        if context.dialect.name != "postgresql":
            raise NotAlembic("env.py configures the dialect %s; Athanor migrates PostgreSQL" % context.dialect.name)
        # What env.py hands to run_migrations() reaches every upgrade().
        self.arguments = sys._getframe(1).f_locals.get("kw") or {}
        self.load()
        driver = getattr(context.dialect, "driver", "")
        self.recorder = Recorder()
        self.engine = make_engine(self.recorder, self.options.server_version, driver == "asyncpg")
        self.engines.append(self.engine)
        before = context.as_sql, context.connection
        self.go_online(context)
        with refusing_other_connections(self.engine):
            self.results = [self.revision(context, script) for script in self.revisions]
        if self.options.against:
            self.record(context, driver)
        for result in self.results:
            for name in ("upgrade", "downgrade"):
                result[name].pop("asks", None)
        # The rest of env.py goes on as it began.
        context.as_sql, context.connection = context.impl.as_sql, context.impl.connection = before
        return []

    def load(self):
        """Now, because env.py may have changed sys.path and the environment before."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            self.revisions = list(self.scripts.walk_revisions("base", "heads"))
        self.revisions.reverse()
        for warning in caught:
            if "present more than once" in str(warning.message):
                raise NotAlembic(str(warning.message))

    def go_online(self, context):
        """The context as it is in `alembic upgrade`: a revision that asks must hear the same answer."""
        context.as_sql = context.impl.as_sql = False
        context.opts["as_sql"] = False
        if context.environment_context is not None:
            context.environment_context.context_opts["as_sql"] = False
        context.impl.transactional_ddl = True
        context.impl.literal_binds = False
        context._in_external_transaction = False
        context._start_from_rev = None

    def revision(self, context, script):
        from alembic import util

        lines, created = describe(script)
        labels = getattr(script, "_orig_branch_labels", None)
        if labels is None:
            labels = util.to_tuple(getattr(script.module, "branch_labels", None), default=())
        return {
            "id": script.revision,
            "file": os.path.abspath(script.path),
            "down": list(util.to_tuple(script.down_revision, default=())),
            "depends_on": list(util.to_tuple(script.dependencies, default=()) or ()),
            "labels": sorted(labels),
            "description": lines,
            "created": created,
            "upgrade": self.direction(context, script, "upgrade"),
            "downgrade": self.direction(context, script, "downgrade"),
        }

    def direction(self, context, script, name):
        function = getattr(script.module, name, None)
        if function is None:
            return {"error": {"type": "Missing", "message": "has no %s()" % name, "line": 1}}
        types = dict(self.recorder.types)
        try:
            parts, remarks = self.run(context, script, function)
            after = self.recorder.types if name == "upgrade" else types
            if name == "upgrade":
                self.recorder.types = types
                again = self.again(context, script, function)
            else:
                again = parts
            self.recorder.types = after
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # SystemExit of a script included
            self.recorder.types = types
            return {"error": self.explain(error, script.path), "asks": isinstance(error, NeedsDatabase)}
        answer = self.checked(parts, remarks, function)
        if "error" not in answer and again != parts:
            answer["varies"] = True
            answer["remarks"] = remarks + ["renders differently every time: a value generated in Python is now fixed in the file"]
        return answer

    def checked(self, parts, remarks, function):
        variable = self.secrets.variable_in(parts)
        if variable:
            message = "renders the value of the environment variable %s into its SQL" % variable
            return {"error": {"type": "Secret", "message": message, "line": function.__code__.co_firstlineno}}
        return {"parts": parts, "remarks": remarks}

    def run(self, context, script, function):
        recorder = self.recorder
        connection = self.engine.connect()
        context.connection = context.impl.connection = connection
        context.dialect = context.impl.dialect = self.engine.dialect
        context._transaction = None
        context.impl.memo = {}  # which types were created: a run of its own for every revision, as deployments are
        try:
            with context.begin_transaction(_per_migration=bool(context._transaction_per_migration)):
                NeedsDatabase.raised = None
                recorder.start(script.revision, function.__name__ == "upgrade")
                function(**self.arguments)
                recorder.stop()
                if NeedsDatabase.raised is not None:
                    raise NeedsDatabase.raised
            return list(recorder.parts), list(recorder.remarks)
        finally:
            recorder.stop()
            connection.close()

    def again(self, context, script, function):
        try:
            return self.run(context, script, function)[0]
        except Exception:  # it worked once: what is rendered is what the first run did
            return self.recorder.parts

    def record(self, context, driver):
        """Runs everything for real, and keeps what was sent where nothing could be rendered."""
        from alembic.runtime.migration import HeadMaintainer

        from alembic_record import Recording

        recording = Recording(context, self.options.against, driver, self.engines)
        recording.prepare()
        maintainer = HeadMaintainer(context, ())
        results = {result["id"]: result for result in self.results}
        scripts = {script.revision: script for script in self.revisions}
        for step in self.scripts._upgrade_revs("heads", ()):
            script, result = scripts[step.revision.revision], results[step.revision.revision]
            try:
                parts, remarks = recording.up(
                    script.module.upgrade, self.arguments, script.revision, lambda: maintainer.update_to_step(step)
                )
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                self.stopped(result, error, script)
                return
            if "error" in result["upgrade"]:
                result["upgrade"] = self.recorded(parts, remarks, script.module.upgrade, recording)
            if result["downgrade"].pop("asks", False):
                self.record_downgrade(recording, script, result)

    def stopped(self, result, error, script):
        fault = self.explain(error, script.path)
        fault["message"] = "Alembic itself stops here on an empty database: " + fault["message"]
        self.warnings.append("--against ended at revision %s: %s" % (result["id"], fault["message"]))
        if "error" in result["upgrade"]:
            result["upgrade"] = {"error": fault}

    def record_downgrade(self, recording, script, result):
        try:
            parts, remarks, committed = recording.down(script.module.downgrade, self.arguments, script.revision)
        except Exception as error:
            result["downgrade"] = {"error": self.explain(error, script.path)}
            return
        result["downgrade"] = self.recorded(parts, remarks, script.module.downgrade, recording)
        if committed:  # it left something behind, so the way up is gone again
            recording.up(script.module.upgrade, self.arguments, script.revision, lambda: None)

    def recorded(self, parts, remarks, function, recording):
        if recording.use.fault is not None:
            what, places = recording.use.fault
            own = os.path.realpath(function.__code__.co_filename)
            lines = [line for file, line in places if os.path.realpath(file) == own]
            return {"error": {"type": "NotSendable", "message": what + ", which cannot be recorded", "line": lines[0] if lines else 0}}
        answer = self.checked(parts, remarks, function)
        if "error" not in answer:
            answer["recorded"] = True
            remark = "queries the database: its SQL was recorded on an empty one, and may differ on a database with rows"
            answer["remarks"] = [remark] + remarks
        return answer

    def explain(self, error, path):
        kind = type(error).__name__
        message = " ".join(str(error).split("\n(Background on", 1)[0].split())
        if kind == "NoInspectionAvailable":
            kind, message = "NeedsDatabase", "inspects the schema, which only a database can answer"
        if isinstance(error, NeedsDatabase) and kind != "NeedsDatabase":
            kind = "NeedsDatabase"
        return {"type": kind, "message": repeatable(self.secrets.redact(message)), "line": line_in(error, path)}


def repeatable(message):
    """The words without what differs from run to run and from machine to machine."""
    message = re.sub(r" at 0x[0-9a-fA-F]+", "", message)
    message = message.replace(os.path.realpath(os.getcwd()) + os.sep, "").replace(os.getcwd() + os.sep, "")
    return re.sub(re.escape(tempfile.gettempdir()) + r"/\S+", "a temporary file", message)


@contextlib.contextmanager
def nothing():
    yield


@contextlib.contextmanager
def refusing_other_connections(engine):
    """A revision that opens a connection of its own would really connect to the project's database."""
    from sqlalchemy.engine import default

    stock = default.DefaultDialect.connect

    def connect(self, *arguments, **options):
        if self is engine.dialect:
            return stock(self, *arguments, **options)
        raise NeedsDatabase("opens its own connection besides that of the migration")

    default.DefaultDialect.connect = connect
    try:
        yield
    finally:
        default.DefaultDialect.connect = stock


@contextlib.contextmanager
def connections_leading_nowhere(project):
    """For an env.py without an offline branch: whatever engine it makes, its connections are those of our driver."""
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.engine import Engine

    engine = make_engine(Recorder(), project.options.server_version, False)
    patches = [
        (MigrationContext, "get_current_heads", lambda context: ()),
        (MigrationContext, "_ensure_version_table", lambda context, purge=False: None),
    ]
    stock = Engine.connect
    patches.append((Engine, "connect", lambda self, *_arguments, **_options: stock(self if self in project.engines else engine)))
    with contextlib.suppress(ImportError):
        from sqlalchemy.ext.asyncio import AsyncEngine

        patches.append((AsyncEngine, "connect", lambda self: AwaitedConnection(stock(engine))))
        patches.append((AsyncEngine, "begin", lambda self: AwaitedConnection(stock(engine))))
    kept = [(owner, name, getattr(owner, name)) for owner, name, _value in patches]
    for owner, name, value in patches:
        setattr(owner, name, value)
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


class AwaitedConnection:
    """What an async env.py does with its connection."""

    def __init__(self, connection):
        self.sync_connection = connection

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_error):
        self.sync_connection.close()

    def __await__(self):
        return self.__aenter__().__await__()

    async def run_sync(self, function, *arguments, **options):
        return function(self.sync_connection, *arguments, **options)

    def __getattr__(self, name):
        async def call(*arguments, **options):
            answer = getattr(self.sync_connection, name)(*arguments, **options)
            return self if answer is self.sync_connection else answer

        return call


def describe(script):
    """Lines of the docstring that a person wrote, and the date."""
    lines, created = [], ""
    for line in script.longdoc.splitlines():
        standard = _STANDARD_LINE.match(line)
        if standard:
            if standard.group(1).lower() == "create date" and is_date(standard.group(2)):
                created = standard.group(2)
        else:
            lines.append(line.rstrip())
    while lines and not lines[-1]:
        lines.pop()
    return lines, created


def is_date(text):
    """Alembic does not look; whoever wrote something else there loses nothing that anything depends on."""
    try:
        datetime.date(*(int(number) for number in text[:10].split("-")))
    except (TypeError, ValueError):
        return False
    return re.fullmatch(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d+)?)?\s*(Z|[-+]\d\d:?\d\d)?)?", text) is not None


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


def version(text):
    return tuple(int(number) for number in (text + ".0").split(".")[:2])


def main():
    parser = argparse.ArgumentParser(prog="alembic_render")
    parser.add_argument("--config", default="")
    parser.add_argument("--section", default="alembic")
    parser.add_argument("--scripts", default="")
    parser.add_argument("-x", action="append", default=[])
    parser.add_argument("--flask", default="")
    parser.add_argument("--caller", default="")
    parser.add_argument("--server-version", default=(15, 0), type=version)
    options = parser.parse_args()
    options.against = os.environ.pop("ATHANOR_AGAINST", "")  # with its password, so not an argument
    document = {}
    try:
        import alembic
        import sqlalchemy

        document["alembic"] = alembic.__version__
        document["sqlalchemy"] = sqlalchemy.__version__
        project = Project(options)
        document["context"] = project.render()
        document["script_folder"] = os.path.abspath(project.scripts.dir)
        document["version_locations"] = [os.path.abspath(str(path)) for path in project.scripts._version_locations]
        document["heads"] = sorted(project.scripts.get_heads())
        document["bases"] = sorted(project.scripts.get_bases())
        document["warnings"] = project.warnings
        document["revisions"] = project.results
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        file, line = user_place(error)
        message = Secrets().redact(" ".join(str(error).split()))
        document["error"] = {"type": type(error).__name__, "message": message, "file": file, "line": line}
    json.dump(document, _document)
    _document.close()


if __name__ == "alembic_render":
    main()
