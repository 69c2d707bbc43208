// Revisions that ask the database: recorded on an empty one, and the proof that both tools make the same of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/postgres/alembic/import_fixture.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr std::string_view kAsks = R"py(def upgrade():
    bind = op.get_bind()
    bind.execute(sa.text("INSERT INTO team VALUES (:id, :name)"), [{"id": 101, "name": "it's 5%"}, {"id": 102, "name": "b"}])
    if not sa.inspect(bind).has_table("extra"):
        op.create_table("extra", sa.Column("n", sa.Integer))
    for row in bind.execute(sa.text("SELECT id FROM team ORDER BY id")).all():
        op.execute("INSERT INTO extra VALUES (%d)" % row.id)
    bind.execute(sa.text("SELECT setval('team_id_seq', :n)"), {"n": 102})
    with op.get_context().autocommit_block():
        op.execute("CREATE INDEX CONCURRENTLY extra_n ON extra (n)")


def downgrade():
    if sa.inspect(op.get_bind()).has_table("extra"):
        op.drop_table("extra")
    op.execute("DELETE FROM team WHERE id > 100")
)py";

class RecordedImport : public AddedRevision {
 protected:
  TestDatabase scratch_{"scratch"};
};

TEST_F(RecordedImport, ContainsWhatAlembicSentAndSaysSo) {
  scene_.add_version(kAdded, "\"3a1b5c7d9e0f\"", kAsks);
  const Json answer = imported({"--against", scratch_.url(), "--check"});
  EXPECT_THAT(answer.at("differences"), IsEmpty());
  EXPECT_THAT(answer.at("warnings").dump(), HasSubstr("queries the database: its SQL was recorded on an empty one"));
  const std::string text = file();
  EXPECT_THAT(text, HasSubstr("-- athanor:upgrade\n-- Recorded, not rendered: it asks the database."));
  EXPECT_THAT(text, HasSubstr("INSERT INTO team VALUES (101, 'it''s 5%');"));
  EXPECT_THAT(text,
              HasSubstr("INSERT INTO extra VALUES (102);\nSELECT setval('team_id_seq', 102);\n\n-- athanor:step autocommit\n"));
  EXPECT_THAT(text, HasSubstr("-- athanor:downgrade\n-- Recorded"));
  EXPECT_THAT(text, HasSubstr("DROP TABLE extra;\nDELETE FROM team WHERE id > 100;"));
  EXPECT_THAT(text, Not(HasSubstr("pg_catalog")));
  EXPECT_THAT(text, Not(HasSubstr("SELECT id FROM team")));
  EXPECT_THAT(read_file(scene_.sql() + "/3a1b5c7d9e0f_accounts_and_teams.sql"), Not(HasSubstr("Recorded")));
  same_through_both("heads");
}

TEST_F(RecordedImport, ContainsWhatWasSentThroughTheDriversCursors) {
  add(R"py(def upgrade():
    from psycopg2.extras import RealDictCursor, execute_values
    bind = op.get_bind()
    assert bind.scalar(sa.text("SELECT 1")) == 1
    execute_values(bind.connection.cursor(), "INSERT INTO team VALUES %s", [(103, "it's"), (104, "5%")])
    with bind.connection.driver_connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM team")
        cursor.executemany("INSERT INTO team VALUES (%s, %s)", [(105, "a"), (106, "b")])
    cursor = bind.connection.cursor(cursor_factory=RealDictCursor)
    cursor.execute("INSERT INTO team VALUES (107, %s) RETURNING id", ("c",))
    assert cursor.fetchone()["id"] == 107
)py");
  const Json answer = imported({"--against", scratch_.url(), "--check"});
  EXPECT_THAT(answer.at("differences"), IsEmpty());
  const std::string text = file();
  EXPECT_THAT(text, HasSubstr("INSERT INTO team VALUES (103,'it''s'),(104,'5%');"));
  EXPECT_THAT(text, HasSubstr("INSERT INTO team VALUES (106, 'b');"));
  EXPECT_THAT(text, HasSubstr("INSERT INTO team VALUES (107, 'c') RETURNING id;"));
  EXPECT_THAT(text, Not(HasSubstr("count(*)")));
  same_through_both();
}

TEST_F(RecordedImport, RefusesByNameWhatTheDriverDoesWithoutSql) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"    import io\n    bind.connection.cursor().copy_expert('COPY team FROM STDIN', io.StringIO('9\\tx\\n'))\n",
       "sends COPY through the driver's cursor, which cannot be recorded"},
      {"    bind.connection.driver_connection.commit()\n    bind.connection.driver_connection.autocommit = True\n",
       "changes the transactions of the driver's connection, which cannot be recorded"},
  };
  for (const auto& [body, says] : cases) {
    SCOPED_TRACE(body);
    TestDatabase scratch("scratch");
    add("def upgrade():\n    bind = op.get_bind()\n    assert bind.scalar(sa.text('SELECT 1')) == 1\n    try:\n        pass\n"
        "    finally:\n        pass\n" +
        body);
    const ProcessResult result = scene_.import({"--json", "--against", scratch.url()});
    EXPECT_EQ(result.exit_code, 4);
    EXPECT_THAT(result.out, HasSubstr(says));
    EXPECT_THAT(result.out, HasSubstr("0badc0de2000"));
  }
}

TEST_F(RecordedImport, KeepsStatementsThatActButLookLikeReads) {
  add(R"py(def upgrade():
    bind = op.get_bind()
    assert bind.scalar(sa.text("SELECT 1")) == 1
    op.execute("CREATE TEMP TABLE picked (i int)")
    op.execute("WITH x AS (INSERT INTO picked VALUES (108) RETURNING i) SELECT count(*) FROM x")
    op.execute("INSERT INTO team SELECT i, 'picked' FROM picked")
    op.execute("SELECT lo_from_bytea(4711, 'x')")
    with op.get_context().autocommit_block():
        op.execute("SELECT pg_catalog.setval('team_id_seq', 108)")
        op.execute("SELECT count(*) FROM team")
)py");
  const Json answer = imported({"--against", scratch_.url(), "--check"});
  EXPECT_THAT(answer.at("differences"), IsEmpty());
  const std::string text = file();
  EXPECT_THAT(text, HasSubstr("WITH x AS (INSERT INTO picked"));
  EXPECT_THAT(text, HasSubstr("SELECT lo_from_bytea(4711, 'x');"));
  EXPECT_THAT(text, HasSubstr("SELECT pg_catalog.setval('team_id_seq', 108);"));
  EXPECT_THAT(text, Not(HasSubstr("count(*) FROM team")));
  same_through_both();
}

TEST_F(RecordedImport, NeedsTheSchemaOfTheVersionTable) {
  std::string environment = read_file(scene_.file("env.py"));
  environment.replace(environment.find("literal_binds=True"), 18, "literal_binds=True, version_table_schema='ops'");
  write_file(scene_.file("env.py"), environment);
  add("def upgrade():\n    if op.get_bind().scalar(sa.text('SELECT 1')):\n        op.execute('CREATE TABLE asked (n int)')\n");
  const ProcessResult refused = scene_.import({"--against", scratch_.url()});
  EXPECT_EQ(refused.exit_code, 4);
  EXPECT_THAT(refused.err, HasSubstr("the database of --against has no schema \"ops\""));
  EXPECT_THAT(refused.err, HasSubstr("create the schema there first"));
  EXPECT_THAT(refused.err, Not(HasSubstr("offline")));
  apply_with_psql(scratch_, "CREATE SCHEMA ops");
  EXPECT_THAT(imported({"--against", scratch_.url(), "--check"}).at("differences"), IsEmpty());
}

TEST_F(RecordedImport, NeedsAnEmptyDatabase) {
  scratch_.run("CREATE TABLE somebodys (n int)");
  for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--check"}}) {
    std::vector<std::string> flags{"--against", scratch_.url()};
    flags.insert(flags.end(), more.begin(), more.end());
    const ProcessResult result = scene_.import(flags);
    EXPECT_NE(result.exit_code, 0);
    EXPECT_THAT(result.err, HasSubstr("not empty"));
  }
  EXPECT_THAT(files_below(scene_.sql()), IsEmpty());
  EXPECT_EQ(scene_.import({"--check"}).exit_code, 2);
}

TEST_F(RecordedImport, NamesTheRevisionWhereAlembicItselfStops) {
  add("def upgrade():\n    if op.get_bind().scalar(sa.text('SELECT 1')):\n        op.execute('SELECT 1 FROM nowhere')\n");
  const ProcessResult result = scene_.import({"--json", "--against", scratch_.url()});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_THAT(result.out, HasSubstr("Alembic itself stops here on an empty database"));
  EXPECT_THAT(result.out, HasSubstr("0badc0de2000"));
}

TEST_F(RecordedImport, ShowsWhereTheTwoDatabasesDiffer) {
  scene_.import_all();
  // It looks at the name of its database: on the copy where Athanor migrates it leaves out a table and a row.
  add("def upgrade():\n    op.execute(\"INSERT INTO team SELECT 109, 'x' FROM pg_database WHERE datname = current_database()"
      " AND datname NOT LIKE '%athanor_check'\")\n    op.execute(\"DO $$ BEGIN IF current_database() NOT LIKE"
      " '%athanor_check' THEN CREATE TABLE lost (n int); END IF; END $$\")\n");
  const ProcessResult result = scene_.import({"--against", scratch_.url(), "--check"});
  EXPECT_EQ(result.exit_code, 4) << result.out << result.err;
  EXPECT_THAT(result.out, HasSubstr("only Alembic:  CREATE TABLE public.lost ("));
  EXPECT_THAT(result.out, HasSubstr("rows of team: 5 by Alembic, 4 by Athanor"));
}

}  // namespace
}  // namespace athanor::test
