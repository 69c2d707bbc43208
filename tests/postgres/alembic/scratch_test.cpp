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
