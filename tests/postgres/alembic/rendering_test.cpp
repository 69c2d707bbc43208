// Values that Alembic's own `--sql` changes on their way to paper must arrive as `alembic upgrade` would have stored them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

constexpr int kNotRenderable = 4;
constexpr std::string_view kNoWayBack = "\n\ndef downgrade():\n    pass\n";

// An offline branch as short as it can be: no literal_binds, no paramstyle, every driver's habits in force.
constexpr std::string_view kBareOffline = R"(
def run_migrations_offline() -> None:
    context.configure(url=url)
    context.run_migrations()

)";

class Rendering : public ::testing::Test {
 protected:
  void bare_environment() {
    std::string text = read_file(scene_.file("env.py"));
    const std::size_t begin = text.find("\ndef run_migrations_offline");
    const std::size_t end = text.find("\ndef run_migrations_online");
    text.replace(begin, end - begin, kBareOffline);
    write_file(scene_.file("env.py"), text);
  }

  // The revision's effect through both tools, on top of the first tables.
  void same_through_both(std::string_view body, std::string_view more = {}) {
    scene_.add_version("0badc0de2000", "\"3a1b5c7d9e0f\"", std::string(body) + std::string(kNoWayBack), more);
    const ProcessResult imported = scene_.import();
    ASSERT_EQ(imported.exit_code, 0) << imported.out << imported.err;
    scene_.succeed(Tool::Athanor, ours_, {"upgrade", "0badc0de2000"});
    scene_.succeed(Tool::Alembic, theirs_, {"upgrade", "0badc0de2000"});
    EXPECT_EQ(contents(ours_), contents(theirs_));
  }

  [[nodiscard]] Json refused(std::string_view body, std::string_view more = {}) const {
    scene_.add_version("0badc0de2000", "\"3a1b5c7d9e0f\"", std::string(body) + std::string(kNoWayBack), more);
    const ProcessResult imported = scene_.import({"--json"});
    EXPECT_EQ(imported.exit_code, kNotRenderable) << imported.out;
    return Json::parse(imported.out).at("not_rendered").at(0);
  }

  AlembicScene scene_;
  TestDatabase ours_{"athanor"};
  TestDatabase theirs_{"alembic"};
};

TEST_F(Rendering, KeepsPercentSignsTabsBackslashesAndLineEnds) {
  bare_environment();
  same_through_both(R"py(team = sa.table("team", sa.column("id", sa.Integer), sa.column("name", sa.String))


def upgrade():
    op.bulk_insert(team, [{"id": 1, "name": "100% %s %(x)s %%"}, {"id": 2, "name": "C:\\temp\\\t'x'"}])
    op.execute("INSERT INTO team VALUES (3, 'tab\there; 50%')")
    op.execute(team.insert().values(id=4, name="a\n\n  b -- c"))
    op.execute("INSERT INTO team SELECT 5, name || '%' FROM team WHERE name LIKE '%\\\\temp%' ESCAPE '!'")
    op.execute(r"INSERT INTO team VALUES (6, '{\:key\: \:value}')")
    op.alter_column("team", "name", comment="ünï – 100%")
)py");
}

TEST_F(Rendering, IsTheSameWhateverTheDriver) {
  bare_environment();
  const ProcessResult usual = scene_.import();
  ASSERT_EQ(usual.exit_code, 0) << usual.err;
  const std::string environment = read_file(scene_.file("env.py"));
  for (const std::string driver : {"psycopg", "asyncpg", "pg8000"}) {  // none of them need be installed: nothing connects
    write_file(scene_.file("env.py"), std::regex_replace(environment, std::regex("psycopg2"), driver));
    const ProcessResult again = scene_.import({"--json"});
    EXPECT_EQ(again.exit_code, 0) << driver << "\n" << again.err;
    EXPECT_THAT(Json::parse(again.out).at("already_there"), SizeIs(11)) << driver;
  }
}

TEST_F(Rendering, BindsValuesThatAreSentApartFromTheStatement) {
  bare_environment();
  same_through_both(R"py(team = sa.table("team", sa.column("id", sa.Integer), sa.column("name", sa.String))


def upgrade():
    bind = op.get_bind()
    bind.execute(sa.text("INSERT INTO team VALUES (:id, :name)"), [{"id": 1, "name": "it's"}, {"id": 2, "name": "b"}])
    bind.execute(team.insert(), [{"id": 3, "name": "c"}, {"id": 4, "name": "d"}])
    bind.execute(team.update().where(team.c.id == sa.bindparam("which")).values(name="e"), {"which": 4})
    bind.exec_driver_sql("INSERT INTO team VALUES (5, 'five')")
    op.execute(sa.text("UPDATE team SET name = :name WHERE id = 5").bindparams(name="fünf"))
)py");
}

TEST_F(Rendering, KeepsEveryKindOfColumnDefaultAndComment) {
  same_through_both(R"py(from sqlalchemy.dialects import postgresql


def upgrade():
    op.create_table(
        "kinds",
        sa.Column("id", postgresql.UUID(as_uuid=True), server_default=sa.text("gen_random_uuid()"), primary_key=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False, comment="a\nb\t'c' 100%"),
        sa.Column("data", postgresql.JSONB(), server_default=sa.text("'{\"a\"\\: [1, 2]}'::jsonb")),
        sa.Column("share", sa.Numeric(5, 2), server_default=sa.text("round(5 % 3, 2)")),
        sa.Column("state", sa.Enum("new", "it's", "50%", name="state"), server_default="new"),
        sa.Column("on", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Index("kinds_data_idx", "data", postgresql_using="gin"),
    )
    op.create_index("kinds_share_idx", "kinds", ["share"], unique=True, postgresql_where=sa.text("share % 2 = 0"))
    op.create_check_constraint("kinds_share_check", "kinds", "share % 7 <> 1")
    op.create_exclude_constraint("kinds_excl", "kinds", ("share", "="), using="btree")
)py");
}

TEST_F(Rendering, ClosesStatementsWhereverTheyEnd) {
  same_through_both(R"py(def upgrade():
    op.execute("INSERT INTO team VALUES (1, 'a') -- ends in a comment")
    op.execute("INSERT INTO team VALUES (2, 'b'); INSERT INTO team VALUES (3, 'c;') /* block; */")
    op.execute("INSERT INTO team VALUES (4, 'd');;")
    op.execute("-- nothing but a comment\nSELECT 1")
    op.execute("DO $$ BEGIN INSERT INTO team VALUES (5, 'e;--'); END $$")
    op.execute("""
        CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql
        BEGIN ATOMIC
            SELECT n * 2;
        END
    """)
)py");
}

TEST_F(Rendering, TurnsTheOldCommitIdiomIntoAnAutocommitStep) {
  scene_.add_version("0badc0de2000", "\"3a1b5c7d9e0f\"",
                     "def upgrade():\n    op.execute('COMMIT')\n    op.execute(\"ALTER TYPE role ADD VALUE 'guest'\")" +
                         std::string(kNoWayBack));
  const ProcessResult imported = scene_.import();
  ASSERT_EQ(imported.exit_code, 0) << imported.out << imported.err;
  EXPECT_THAT(imported.err, HasSubstr("its COMMIT became the start of an autocommit step"));
  scene_.succeed(Tool::Athanor, ours_, {"upgrade", "0badc0de2000"});
  EXPECT_THAT(ours_.column("SELECT unnest(enum_range(NULL::role))::text"), ElementsAre("member", "admin", "guest"));
}

TEST_F(Rendering, WarnsOfValuesThatPythonMakesUp) {
  scene_.add_version(
      "0badc0de2000", "\"3a1b5c7d9e0f\"",
      "def upgrade():\n    op.execute(\"INSERT INTO team VALUES (1, '%s')\" % uuid.uuid4())" + std::string(kNoWayBack),
      "import uuid\n");
  const ProcessResult imported = scene_.import({"--json"});
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  const Json warnings = Json::parse(imported.out).at("warnings");
  ASSERT_THAT(warnings, SizeIs(1));
  EXPECT_THAT(warnings.front().get<std::string>(), HasSubstr("0badc0de2000_added.py: renders differently every time"));
}

TEST_F(Rendering, RefusesWhatNoRevisionFileCanHold) {
  EXPECT_THAT(refused("def upgrade():\n    op.execute('BEGIN; SELECT 1; COMMIT')").at("reason").get<std::string>(),
              HasSubstr("BEGIN would interfere with the transaction"));
  EXPECT_THAT(refused("def upgrade():\n    op.execute(\"SELECT 'a\\r\\nb'\")").at("reason").get<std::string>(),
              HasSubstr("carriage return"));
  EXPECT_THAT(refused("def upgrade():\n    op.create_index('i', 'team', ['name'], postgresql_concurrently=True)")
                  .at("reason")
                  .get<std::string>(),
              HasSubstr("CONCURRENTLY"));
}

TEST_F(Rendering, MarksCommentsThatReadAsDirectivesAsProse) {
  same_through_both(
      "def upgrade():\n    op.execute('CREATE TABLE a (i int);\\n-- athanor:downgrade\\nCREATE TABLE b (i int);\\n-- +goose "
      "Down')");
  EXPECT_THAT(read_file(scene_.sql() + "/0badc0de2000_added.sql"),
              HasSubstr("\n-- athanor:note athanor:downgrade\nCREATE TABLE b (i int);\n-- athanor:note +goose Down\n"));
}

TEST_F(Rendering, ADowngradeThatNoFileCanHoldLeavesTheUpgrade) {
  scene_.add_version(
      "0badc0de2000", "\"3a1b5c7d9e0f\"",
      "def upgrade():\n    op.execute('SELECT 1')\n\n\ndef downgrade():\n    op.execute('ROLLBACK; SELECT 1')\n");
  const ProcessResult imported = scene_.import({"--json"});
  ASSERT_EQ(imported.exit_code, 0) << imported.out;
  EXPECT_THAT(Json::parse(imported.out).at("irreversible"), SizeIs(2));
  EXPECT_THAT(read_file(scene_.sql() + "/0badc0de2000_added.sql"),
              HasSubstr("-- athanor:irreversible its Alembic downgrade could not be rendered"));
}

TEST_F(Rendering, SaysWhereEnvPyKeepsItsRows) {
  std::string text = read_file(scene_.file("env.py"));
  text.replace(text.find("literal_binds=True"), 18, "literal_binds=True, version_table='rows', version_table_schema='ops'");
  write_file(scene_.file("env.py"), text);
  const ProcessResult imported = scene_.import();
  ASSERT_EQ(imported.exit_code, 0) << imported.err;
  EXPECT_THAT(imported.err, HasSubstr("`version_table: rows` and `version_table_schema: ops`"));
}

}  // namespace
}  // namespace athanor::test
