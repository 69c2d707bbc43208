"""Finds the metadata that was named and writes its DDL.

Nothing connects: SQLAlchemy's mock engine hands over every statement that create_all() would send, those of DDL() events among
them. Works with SQLAlchemy 1.4 and 2.x, and with SQLModel.
"""

import gc
import importlib
import re
import sys

from athanor_models.faults import Fault, first_line, import_fault, listed, place_of

_TARGET = re.compile(r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")

# Types that an extension brings, by the module that defines them in Python.
_EXTENSION_OF_MODULE = {"pgvector": "vector", "geoalchemy2": "postgis"}
_EXTENSION_OF_TYPE = {"HSTORE": "hstore", "CITEXT": "citext", "LTREE": "ltree", "LtreeType": "ltree"}


def sqlalchemy():
    try:
        module = importlib.import_module("sqlalchemy")
    except ModuleNotFoundError:
        raise Fault(
            "%s has no SQLAlchemy" % sys.executable,
            "run with the Python of the project: --python .venv/bin/python, or activate its virtual environment",
        )
    version = tuple(int(part) for part in re.findall(r"\d+", module.__version__)[:2])
    if version < (1, 4):
        raise Fault("SQLAlchemy %s is too old" % module.__version__, "use 1.4 or newer")
    return module


def load_target(target):
    """The MetaData that `package.module:attribute` names."""
    if not _TARGET.match(target):
        raise Fault("`%s` does not name a metadata object" % target, "write package.module:attribute, for example shop.models:SQLModel.metadata")
    module_name, _, attribute = target.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Fault:
        raise
    except BaseException as error:  # models may raise anything, SystemExit too
        if isinstance(error, KeyboardInterrupt):
            raise
        raise import_fault(error, module_name)
    found = module
    walked = module_name
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise Fault("`%s` has no `%s`" % (walked, name), suggestion(module, module_name))
        found = getattr(found, name)
        walked += (":" if found is not module and walked == module_name else ".") + name
    return checked_metadata(found, target, module, module_name)


def checked_metadata(found, target, module, module_name):
    metadata_class = sqlalchemy().MetaData
    if isinstance(found, metadata_class):
        return found
    if isinstance(getattr(found, "metadata", None), metadata_class):
        kind = "the class `%s`" % found.__name__ if isinstance(found, type) else "an object of type %s" % type(found).__name__
        raise Fault("`%s` is %s, not a MetaData" % (target, kind), "write %s.metadata" % target)
    kind = "the class `%s`" % found.__name__ if isinstance(found, type) else "of type %s" % type(found).__name__
    raise Fault("`%s` is %s, not a MetaData" % (target, kind), suggestion(module, module_name))


def suggestion(module, module_name):
    """Where in the module a MetaData is."""
    metadata_class = sqlalchemy().MetaData
    found = []
    for name, value in sorted(vars(module).items()):
        if isinstance(value, metadata_class):
            found.append("%s:%s" % (module_name, name))
        elif isinstance(value, type) and isinstance(getattr(value, "metadata", None), metadata_class):
            # A base, not one of its models.
            if getattr(value, "__table__", None) is None:
                found.append("%s:%s.metadata" % (module_name, name))
    if found:
        return "use " + listed(found)
    return "name the MetaData of your declarative base, for example %s:Base.metadata or %s:SQLModel.metadata" % (module_name, module_name)


def subclasses(base):
    for one in base.__subclasses__():
        yield one
        for below in subclasses(one):
            yield below


def refuse_empty(metadata, target):
    """Refuses a MetaData without tables: autogenerate would drop every table of the database."""
    if metadata.tables:
        return
    module_name = target.partition(":")[0]
    sqlmodel = sys.modules.get("sqlmodel")
    if sqlmodel is not None and metadata is sqlmodel.SQLModel.metadata:
        without = [
            "%s.%s" % (one.__module__, one.__name__)
            for one in subclasses(sqlmodel.SQLModel)
            if not hasattr(one, "__table__") and not one.__module__.startswith("sqlmodel")
        ]
        if without:
            raise Fault(
                "`%s` has no table: %s %s no `table=True`" % (target, listed(without), "has" if len(without) == 1 else "have"),
                "write class %s(SQLModel, table=True)" % without[0].rpartition(".")[2],
            )
    others = others_with_tables(metadata)
    if others:
        raise Fault("`%s` has no table, another MetaData has: %s" % (target, listed(others)), "use that one in the configuration, or use this one in the models")
    raise Fault(
        "`%s` has no table: the modules with the models are not imported" % target,
        "import them in %s, or name a module that imports them all" % module_name,
    )


def others_with_tables(metadata):
    """Tables of any MetaData that is alive, for the message."""
    metadata_class = sqlalchemy().MetaData
    found = []
    for one in gc.get_objects():
        try:
            if isinstance(one, metadata_class) and one is not metadata:
                # SQLAlchemy describes the system catalogs with a MetaData of its own.
                found.extend(sorted(key for key, table in one.tables.items() if table.schema not in ("pg_catalog", "information_schema")))
        except ReferenceError:
            continue
    return found


class Writer:
    """Collects statements; SQLAlchemy's mock engine calls it for each."""

    def __init__(self, server_version):
        alchemy = sqlalchemy()
        create = getattr(alchemy, "create_mock_engine", None) or importlib.import_module("sqlalchemy.engine.mock").create_mock_engine
        self.statements = []
        self.seen_types = set()
        # Named parameters keep `%` as it is.
        self.engine = create("postgresql+psycopg2://", self.take, paramstyle="named")
        dialect = self.engine.dialect
        if server_version:
            dialect.server_version_info = (server_version, 0)
        # What SQLAlchemy asks a server when it connects.
        dialect._backslash_escapes = False
        if hasattr(dialect, "supports_virtual_generated_columns"):
            dialect.supports_virtual_generated_columns = server_version >= 18
        give_driver_methods(self.engine, self)

    def take(self, sql, *_arguments, **_parameters):
        text = sql if isinstance(sql, str) else str(sql.compile(dialect=self.engine.dialect, compile_kwargs={"literal_binds": True}))
        self.add(text)

    def add(self, text):
        text = text.strip().rstrip(";").strip()
        if not text:
            return
        # An enum that two metadata use is created by both.
        if text.upper().startswith("CREATE TYPE"):
            if text in self.seen_types:
                return
            self.seen_types.add(text)
        self.statements.append(text)


def give_driver_methods(engine, writer):
    """Event listeners are written for a Connection, which has more methods than the mock."""
    kind = type(engine)

    class Connection(kind):
        def execute(self, statement, parameters=None, **_options):
            writer.take(statement)

        def exec_driver_sql(self, statement, parameters=None, **_options):
            writer.take(statement)

        def scalar(self, statement, *_arguments, **_options):
            raise Fault("an event listener of the models queries the database: %s" % first_line(statement), "models are read without a database")

        def begin_nested(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *_arguments):
            return False

    engine.__class__ = Connection


def schemas_of(metadata):
    names = []
    for table in metadata.sorted_tables:
        names.append(table.schema)
        for column in table.columns:
            names.append(getattr(column.type, "schema", None))
            names.append(getattr(getattr(column, "default", None), "schema", None))
    names.extend(getattr(sequence, "schema", None) for sequence in getattr(metadata, "_sequences", {}).values())
    return sorted({name for name in names if isinstance(name, str)} - {"public"})


def type_names(kind):
    """The type and the types inside of it: an array of vectors, a decorated type."""
    while kind is not None and not isinstance(kind, type):
        yield kind
        kind = getattr(kind, "item_type", None) or getattr(kind, "impl", None)


def extensions_of(metadata):
    found = set()
    for table in metadata.tables.values():
        for column in table.columns:
            seen = set()
            for kind in type_names(column.type):
                if id(kind) in seen:
                    break
                seen.add(id(kind))
                package = type(kind).__module__.split(".")[0]
                found.add(_EXTENSION_OF_MODULE.get(package) or _EXTENSION_OF_TYPE.get(type(kind).__name__))
    return sorted(found - {None})


def replaceable_entities():
    """What alembic_utils registered: functions, views, triggers, in the order they were registered."""
    module = sys.modules.get("alembic_utils.replaceable_entity")
    registry = getattr(module, "registry", None)
    entities = registry.entities() if registry is not None else []
    order = ["PGExtension", "PGFunction", "PGView", "PGMaterializedView", "PGTrigger", "PGPolicy", "PGGrantTable"]
    return sorted(entities, key=lambda entity: order.index(type(entity).__name__) if type(entity).__name__ in order else len(order))


def write_schema(targets, server_version):
    metadata = []
    for target in targets:
        one = load_target(target)
        refuse_empty(one, target)
        if not any(one is other for other in metadata):
            metadata.append(one)
    writer = Writer(server_version)
    for name in sorted({name for one in metadata for name in schemas_of(one)}):
        writer.add("CREATE SCHEMA IF NOT EXISTS %s" % writer.engine.dialect.identifier_preparer.quote(name))
    for name in sorted({name for one in metadata for name in extensions_of(one)}):
        writer.add('CREATE EXTENSION IF NOT EXISTS "%s"' % name)
    for one, target in zip(metadata, targets):
        try:
            one.create_all(writer.engine, checkfirst=False)
        except Fault:
            raise
        except Exception as error:
            raise Fault("`%s` cannot be written as SQL: %s: %s" % (target, type(error).__name__, first_line(error)), "", place_of(error))
    for entity in replaceable_entities():
        created = entity.to_sql_statement_create()
        for statement in created if isinstance(created, list) else [created]:
            writer.take(statement)
    return writer.statements, sum(len(one.tables) for one in metadata)
