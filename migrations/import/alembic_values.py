"""Values and placeholders as a PostgreSQL driver puts them into the text of a statement.

What a driver does with `%(name)s`, `%s` and `%%`, and the literal it makes of every kind of Python value: psycopg2's rules, because
they give text that PostgreSQL types by the column or operator beside it. A value that only a database could have given, and one that
no driver can send, are errors with the reason.
"""

import datetime
import decimal
import enum
import ipaddress
import math
import re
import sys
import uuid

_PLACEHOLDER = re.compile(r"%(?:%|\((?P<name>[^)]*)\)s|(?P<position>s)|)")
_UNREAD = "\ue000athanor:unread\ue000"  # stands in text for what was never read from a database


class NeedsDatabase(AttributeError):
    """A revision wants something only a database can answer. An AttributeError, because libraries probe with hasattr().

    A revision that catches it has asked all the same, and goes on as no database would make it: `raised` remembers the first.
    """

    raised = None

    def __init__(self, message):
        super().__init__(message)
        if NeedsDatabase.raised is None:
            NeedsDatabase.raised = self


class NotSendable(ValueError):
    """A value or a statement that the driver itself refuses: Alembic fails here too."""


class Unread:
    """A value that a statement would return. It may be handed on, but neither looked at nor sent."""

    def __init__(self, what):
        self._what = what

    def _refuse(self, *_args, **_kwargs):
        raise NeedsDatabase("uses %s, which only a database can give" % self._what)

    __bool__ = __len__ = __iter__ = __getitem__ = __int__ = __index__ = __float__ = _refuse
    __lt__ = __gt__ = __le__ = __ge__ = __ne__ = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __mod__ = _refuse

    def __eq__(self, other):
        return self is other or self._refuse()

    def __hash__(self):
        return id(self)

    def __str__(self):  # printing it is harmless; text with it in a statement is not, see check_text()
        return _UNREAD

    __repr__ = __str__

    def __format__(self, _specification):
        return _UNREAD

    def __getattr__(self, name):
        if name.startswith("__") or name.startswith("_sa_"):
            raise AttributeError(name)
        return self._refuse()


def check_text(sql):
    """Refuses what must not end in a file."""
    if _UNREAD in sql:
        raise NeedsDatabase("puts what a statement returns into another, which only a database can give")
    if "\0" in sql:
        raise NotSendable("a statement cannot contain NUL characters")
    if re.search(r"<[^<>]* at 0x[0-9a-fA-F]{6,}>", sql):
        raise NotSendable("its SQL holds the address of a Python object, another one every time")
    return sql


def merge(statement, parameters):
    """The statement with its parameters inside, as the driver sends it. `parameters` None: sent as it is."""
    if parameters is None:
        return check_text(statement)
    position = [0]

    def value(match):
        if match.group() == "%%":
            return "%"
        if match.group("name") is not None:
            if not isinstance(parameters, dict) or match.group("name") not in parameters:
                raise NotSendable("no value is given for %s" % match.group())
            found = parameters[match.group("name")]
        elif match.group("position"):
            if isinstance(parameters, dict) or position[0] >= len(parameters):
                raise NotSendable("the statement has a %s and no value for it; a percent sign is written %%%%")
            found = parameters[position[0]]
            position[0] += 1
        else:
            raise NotSendable("a percent sign stands in a statement for the driver, where it is written %%")
        text = literal(found)
        before = statement[match.start() - 1 : match.start()]
        return " " + text if text.startswith("-") and before in tuple("-+*/<>=~!@#%^&|?") else text

    return check_text(_PLACEHOLDER.sub(value, statement))


def quote(text):
    """A string constant under standard_conforming_strings, which has been on since PostgreSQL 9.1."""
    if "\0" in text:
        raise NotSendable("a string cannot contain NUL characters")
    if _UNREAD in text:
        check_text(text)
    return "'" + text.replace("'", "''") + "'"


def literal(value):
    """What the driver writes for one value."""
    adapted = registered(value)
    if adapted is not None:
        return adapted
    for kinds, write in _WRITERS:
        if isinstance(value, kinds):
            return write(value)
    if isinstance(value, Unread):
        value._refuse()
    if hasattr(value, "range_name"):
        return written_range(value)
    adapted = foreign(value)
    if adapted is None:
        raise NotSendable("the driver cannot send a value of type %s" % type(value).__name__)
    return adapted


def registered(value):
    """Through an adapter that the project registered for one of Python's own types, which wins over what is known here."""
    extensions = sys.modules.get("psycopg2.extensions")
    adapters = getattr(extensions, "adapters", {})
    kind = type(value)
    adapter = adapters.get((kind, getattr(extensions, "ISQLQuote", None)))
    if adapter is None or kind.__module__.startswith(("psycopg2", "datetime", "decimal")):
        return None
    if kind in (str, bytes, bytearray, memoryview, int, float, bool, type(None), list, tuple, uuid.UUID):
        return None
    return quoted_by(adapter(value), value)


def foreign(value):
    """Through psycopg2's own classes, where the project sends one of them."""
    extensions = sys.modules.get("psycopg2.extensions")
    if extensions is None:
        return None
    try:
        return quoted_by(extensions.adapt(value), value)
    except Exception as error:
        if type(error).__name__ == "ProgrammingError":
            return None
        raise


def quoted_by(adapter, value):
    if hasattr(adapter, "dumps") and hasattr(adapter, "adapted"):  # Json
        return quote(adapter.dumps(adapter.adapted))
    if type(value).__name__ in ("NumericRange", "DateRange", "DateTimeRange", "DateTimeTZRange"):
        return written_range(value)
    if hasattr(adapter, "encoding"):
        adapter.encoding = "utf-8"
    text = adapter.getquoted()
    text = text.decode("utf-8") if isinstance(text, bytes) else text
    if "\\" in text:
        # Without a connection libpq does not know how the server reads a backslash, and guesses.
        raise NotSendable("a value of type %s holds a backslash, and its adapter needs a connection" % type(value).__name__)
    return text


def written_float(value):
    if math.isnan(value):
        return "'NaN'::float"
    if math.isinf(value):
        return "'Infinity'::float" if value > 0 else "'-Infinity'::float"
    return float.__repr__(value)


def written_decimal(value):
    if value.is_nan():
        return "'NaN'::numeric"
    if value.is_infinite():
        return "'Infinity'::numeric" if value > 0 else "'-Infinity'::numeric"
    return str(value)


def written_interval(value):
    return "'%d days %d.%06d seconds'::interval" % (value.days, value.seconds, value.microseconds)


def written_array(values):
    if not values:
        return "'{}'"
    if all(isinstance(item, (list, Range)) or item is None for item in values):
        inner = [item for item in values if item is not None]
        if not any(leaf is not None for leaf in leaves(values)):  # ARRAY[] has no type then
            return "'" + braces(values) + "'"
        if inner and isinstance(inner[0], list):
            return "ARRAY[" + ",".join("NULL" if item is None else written_array(item) for item in values) + "]"
    return "ARRAY[" + ",".join(literal(item) for item in values) + "]"


def leaves(values):
    for item in values:
        if isinstance(item, list):
            for leaf in leaves(item):
                yield leaf
        else:
            yield item


def braces(values):
    return "{" + ",".join(braces(item) if isinstance(item, list) else "NULL" for item in values) + "}"


class Range:
    """What SQLAlchemy hands psycopg2 for a range; the class methods below are looked up by psycopg2's names."""

    range_name = None

    def __init__(self, lower=None, upper=None, bounds="[)", empty=False):
        self.lower, self.upper, self.bounds, self.isempty = lower, upper, bounds, empty


NumericRange = type("NumericRange", (Range,), {"range_name": ""})
DateRange = type("DateRange", (Range,), {"range_name": "::daterange"})
DateTimeRange = type("DateTimeRange", (Range,), {"range_name": "::tsrange"})
DateTimeTZRange = type("DateTimeTZRange", (Range,), {"range_name": "::tstzrange"})


def written_range(value):
    casts = {"DateRange": "::daterange", "DateTimeRange": "::tsrange", "DateTimeTZRange": "::tstzrange"}
    cast = casts.get(type(value).__name__, "")
    if getattr(value, "isempty", False):
        return "'empty'" + cast
    bounds = getattr(value, "bounds", None) or getattr(value, "_bounds", None) or "[)"

    def bound(edge):
        if edge is None:
            return ""
        return '"%s"' % edge.isoformat() if hasattr(edge, "isoformat") else str(edge)

    return "'" + bounds[0] + bound(value.lower) + "," + bound(value.upper) + bounds[1] + "'" + cast


def written_datetime(value):
    return "'%s'::%s" % (value.isoformat(), "timestamptz" if value.tzinfo else "timestamp")


def written_time(value):
    return "'%s'::%s" % (value.isoformat(), "timetz" if value.tzinfo else "time")


def written_bytes(value):
    return "'\\x" + bytes(value).hex() + "'::bytea"


# In this order: a bool is an int, a datetime a date, an Enum of strings a string.
_WRITERS = (
    (type(None), lambda value: "NULL"),
    (bool, lambda value: "true" if value else "false"),
    (str, lambda value: quote(str.__str__(value))),
    (int, lambda value: int.__repr__(int(value))),
    (float, written_float),
    (decimal.Decimal, written_decimal),
    ((bytes, bytearray, memoryview), written_bytes),
    (datetime.datetime, written_datetime),
    (datetime.date, lambda value: "'%s'::date" % value.isoformat()),
    (datetime.time, written_time),
    (datetime.timedelta, written_interval),
    (uuid.UUID, lambda value: "'%s'::uuid" % value),
    (list, written_array),
    (Range, written_range),
    (tuple, lambda value: "(" + ", ".join(literal(item) for item in value) + ")"),
    ((ipaddress.IPv4Network, ipaddress.IPv6Network), lambda value: "'%s'::cidr" % value),
    ((ipaddress.IPv4Interface, ipaddress.IPv6Interface), lambda value: "'%s'::inet" % value),
    ((ipaddress.IPv4Address, ipaddress.IPv6Address), lambda value: "'%s'::inet" % value),
    (enum.Enum, lambda value: refuse_enum(value)),
)


def refuse_enum(value):
    raise NotSendable("the driver cannot send a value of type %s" % type(value).__name__)
