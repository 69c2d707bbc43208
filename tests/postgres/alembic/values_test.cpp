// Values arrive in the database as a driver would have sent them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/alembic/import_fixture.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;

class ImportedValues : public AddedRevision {};

TEST_F(ImportedValues, OfEveryTypeAreThoseOfTheDriver) {
  add(R"py(import datetime as d
import decimal
import enum
import uuid

from sqlalchemy.dialects import postgresql as pg


class Mood(enum.Enum):
    good = 1
    bad = 2


mood = pg.ENUM(Mood, name="mood", create_type=False)
v = sa.table("v", *[sa.column(n, t) for n, t in {
    "n": sa.Integer(), "j": pg.JSONB(), "js": sa.JSON(), "b": sa.LargeBinary(), "a": pg.ARRAY(sa.Text()),
    "aa": pg.ARRAY(sa.Integer(), dimensions=2), "f": sa.Float(), "num": sa.Numeric(), "day": sa.Date(), "at": sa.DateTime(),
    "tz": sa.DateTime(timezone=True), "clock": sa.Time(), "span": sa.Interval(), "u": pg.UUID(as_uuid=True),
    "yes": sa.Boolean(), "r": pg.INT4RANGE(), "tr": pg.TSTZRANGE(), "m": mood, "t": sa.Text(), "h": pg.HSTORE(),
    "ip": pg.INET(), "big": sa.BigInteger(),
}.items()])
utc = d.timezone.utc


def upgrade():
    op.execute("CREATE EXTENSION IF NOT EXISTS hstore")
    mood.create(op.get_bind())
    op.execute("CREATE TABLE v (n int, j jsonb, js json, b bytea, a text[], aa int[], f float, num numeric, day date, at timestamp,"
               " tz timestamptz, clock time, span interval, u uuid, yes bool, r int4range, tr tstzrange, m mood, t text, h hstore,"
               " ip inet, big bigint)")
    op.bulk_insert(v, [
        {"n": 1, "j": {"k": "it's 50% \\ \"q\" \u20ac"}, "js": [1, None, {"a": True}], "b": b"\x00\xff'\\", "a": ["x", "it's", None, "{}"],
         "aa": [[1, 2], [3, 4]], "f": float("inf"), "num": decimal.Decimal("-1E+3"), "day": d.date(2020, 2, 29),
         "at": d.datetime(2020, 1, 2, 3, 4, 5, 678), "tz": d.datetime(2020, 1, 2, tzinfo=utc), "clock": d.time(1, 2, 3),
         "span": d.timedelta(days=-1, seconds=5, microseconds=7), "u": uuid.UUID(int=7), "yes": True,
         "r": pg.Range(1, 5), "tr": pg.Range(d.datetime(2020, 1, 1, tzinfo=utc), None, bounds="[)"), "m": Mood.bad,
         "t": "%s %(x)s %% \\' :x", "h": {"a": "1", "b": None}, "ip": "10.0.0.1", "big": -(2 ** 60)},
        {"n": 2, "j": sa.JSON.NULL, "js": None, "b": b"", "a": [], "aa": [], "f": float("nan"), "num": decimal.Decimal("NaN"), "day": None,
         "at": None, "tz": None, "clock": None, "span": None, "u": None, "yes": False, "r": pg.Range(empty=True), "tr": None,
         "m": None, "t": "", "h": {}, "ip": None, "big": 0},
    ])
    bind = op.get_bind()
    bind.execute(sa.text("UPDATE v SET a = :a, day = :day WHERE n = ANY(:n)"),
                 {"a": ["p", "q"], "day": d.date(2021, 1, 1), "n": [1, 2]})
    bind.execute(sa.text("INSERT INTO v (n, num) VALUES (5 -:x, -:x)"), {"x": -3})
    bind.execute(sa.text("INSERT INTO v (n, b) VALUES (:n, :b)"), {"n": 9, "b": b"raw"})
    bind.execute(sa.text("UPDATE v SET day = 'infinity', at = '-infinity' WHERE n = 9 AND n IN :ns").bindparams(
        sa.bindparam("ns", [9, 10], expanding=True)))
)py");
  static_cast<void>(imported());
  same_through_both();
}

TEST_F(ImportedValues, KeepPercentSignsOfDriverStatementsAsTheDriverDoes) {
  add(R"py(def upgrade():
    bind = op.get_bind()
    bind.exec_driver_sql("INSERT INTO team VALUES (1, '100%%')")
    bind.exec_driver_sql("INSERT INTO team VALUES (%s, %s)", (2, "50%"))
    bind.exec_driver_sql("INSERT INTO team VALUES (%(id)s, %(name)s)", [{"id": 3, "name": "%s"}, {"id": 4, "name": "%%"}])
    bind.execution_options(no_parameters=True).exec_driver_sql("INSERT INTO team VALUES (5, '7%')")
)py");
  static_cast<void>(imported());
  same_through_both();
}

TEST_F(ImportedValues, ThatNoDriverCanSendAreRefusedByName) {
  add("def upgrade():\n    op.get_bind().execute(sa.text('SELECT :x'), {'x': {'a': 1}})\n");
  const ProcessResult result = scene_.import({"--json"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.out, HasSubstr("cannot send a value of type dict"));
}

TEST_F(ImportedValues, AreRenderedForTheVersionOfTheServer) {
  add("def upgrade():\n    op.create_table('c', sa.Column('id', sa.Integer), sa.Column('twice', sa.Integer, sa.Computed('id * "
      "2')))\n");
  static_cast<void>(imported());
  EXPECT_THAT(file(), HasSubstr("GENERATED ALWAYS AS (id * 2) STORED"));
  same_through_both();
  EXPECT_THAT(scene_.import({"--server-version", "new"}).err, HasSubstr("--server-version takes a version of PostgreSQL"));
}

TEST_F(ImportedValues, AreKeptByASecondImport) {
  add("def upgrade():\n    op.execute(\"INSERT INTO team VALUES (%d, '%s')\" % (random.randrange(10**6), uuid.uuid4()))\n",
      "import random\nimport uuid\n");
  static_cast<void>(imported());
  const std::string first = file();
  EXPECT_EQ(imported().at("written").size(), 0U);
  EXPECT_EQ(file(), first);
}

TEST_F(ImportedValues, OfPythonsAddressesStayOutOfTheFiles) {
  scene_.add_version(kAdded, "\"3a1b5c7d9e0f\"",
                     "def upgrade():\n    op.create_foreign_key(None, 'account', 'team', ['team_id'], ['id'])\n\n\n"
                     "def downgrade():\n    op.drop_constraint(None, 'account', type_='foreignkey')\n");
  static_cast<void>(imported());
  EXPECT_EQ(imported().at("written").size(), 0U);
  EXPECT_THAT(file(), ::testing::Not(HasSubstr(" at 0x")));
}

TEST_F(ImportedValues, InNamesOver63BytesAreCutAsPostgresCutsThem) {
  const std::string name = std::string(62, 'n') + "\xc3\xa4\xc3\xb6";  // the 63rd byte is half an ä
  add("def upgrade():\n    op.create_table('" + name + "', sa.Column('id', sa.Integer))\n    op.execute('CREATE VIEW " +
      std::string(70, 'v') + " AS SELECT 1 AS one')\n");
  EXPECT_THAT(imported().at("warnings").dump(), HasSubstr("is over 63 bytes: written as PostgreSQL cuts it"));
  same_through_both();
}

}  // namespace
}  // namespace athanor::test
