// What an import writes, what it refuses, and that the result migrates as Alembic does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>

#include "tests/postgres/alembic/alembic_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr int kUsage = 2;
constexpr int kNotRenderable = 4;
const AlembicScene::Environment kAnyUrl{{"DATABASE_URL", "postgresql:///none"}};

TEST(ImportAlembic, KeepsIdsParentsLabelsDependenciesDatesAndMessages) {
  const AlembicScene scene;
  scene.import_all();
  EXPECT_THAT(files_below(scene.sql()), SizeIs(11));
  const std::string first = read_file(scene.sql() + "/3a1b5c7d9e0f_accounts_and_teams.sql");
  EXPECT_TRUE(
      first.starts_with("-- Accounts and teams\n--\n-- Revision: 3a1b5c7d9e0f\n-- Revises:\n"
                        "-- Created: 2026-01-10 09:15:00.123456\n"))
      << first;
  EXPECT_THAT(read_file(scene.sql() + "/8d4e8f0a2b3c_invoices.sql"), HasSubstr("-- Labels: billing\n"));
  EXPECT_THAT(read_file(scene.sql() + "/e4a51b5f809c_audit_entries.sql"), HasSubstr("-- Depends-On: 7c3d7e9f1a2b\n"));
  EXPECT_THAT(read_file(scene.sql() + "/c283943d6e7a_merge_billing_and_search.sql"),
              HasSubstr("-- Revises: 9e5f9a1b3c4d, b172832c5d6f\n"));
}

TEST(ImportAlembic, TurnsAutocommitBlocksIntoSteps) {
  const AlembicScene scene;
  scene.import_all();
  EXPECT_THAT(read_file(scene.sql() + "/b172832c5d6f_index_for_the_search.sql"),
              HasSubstr("-- athanor:step autocommit\n"
                        "CREATE INDEX CONCURRENTLY account_folded_idx ON account (fold(email));\n"
                        "ALTER TYPE role ADD VALUE IF NOT EXISTS 'guest';\n\n"
                        "-- athanor:step transaction\n"
                        "INSERT INTO account"));
}

TEST(ImportAlembic, MarksADowngradeThatRaisesAsIrreversibleAndSaysWhere) {
  const AlembicScene scene;
  const ProcessResult result = scene.import({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(read_file(scene.sql() + "/f5b62c6091ad_forget_what_was_done.sql"),
              HasSubstr("\n-- athanor:irreversible what was done is forgotten\n"));
  const Json answer = Json::parse(result.out);
  ASSERT_THAT(answer.at("irreversible"), SizeIs(1));
  const Json& loss = answer.at("irreversible").front();
  EXPECT_EQ(loss.at("revision"), "f5b62c6091ad");
  EXPECT_EQ(loss.at("type"), "NotImplementedError");
  EXPECT_THAT(loss.at("file").get<std::string>(), HasSubstr("versions/f5b62c6091ad_forget_what_was_done.py"));
  EXPECT_EQ(loss.at("line"), 25);
  EXPECT_THAT(answer.at("written"), SizeIs(11));
}

TEST(ImportAlembic, GivesTheDatabaseThatAlembicGives) {
  const AlembicScene scene;
  scene.import_all();
  TestDatabase ours("athanor");
  TestDatabase theirs("alembic");
  scene.succeed(Tool::Athanor, ours, {"upgrade", "heads"});
  scene.succeed(Tool::Alembic, theirs, {"upgrade", "heads"});
  EXPECT_EQ(contents(ours), contents(theirs));
  EXPECT_THAT(ours.version_rows(), ElementsAre("d3940a4e7f8b", "f5b62c6091ad"));
}

TEST(ImportAlembic, GoesBackStepByStepAsAlembicDoes) {
  const AlembicScene scene;
  scene.import_all();
  TestDatabase ours("athanor");
  TestDatabase theirs("alembic");
  const auto both = [&](const std::vector<std::string>& words) {
    scene.succeed(Tool::Athanor, ours, words);
    scene.succeed(Tool::Alembic, theirs, words);
    EXPECT_EQ(ours.version_rows(), theirs.version_rows()) << ::testing::PrintToString(words);
    EXPECT_EQ(contents(ours), contents(theirs)) << ::testing::PrintToString(words);
  };
  both({"upgrade", "d3940a4e7f8b"});
  both({"upgrade", "e4a51b5f809c"});
  both({"downgrade", "c283943d6e7a"});
  both({"downgrade", "9e5f9a1b3c4d"});  // through the merge: the other line stays
  both({"downgrade", "8d4e8f0a2b3c"});
  both({"downgrade", "a0617b2c4d5e"});  // DROP INDEX CONCURRENTLY, and a type made anew
  both({"downgrade", "5b2c6d8e0f1a"});  // both lines and the branch that depends on what goes
  both({"downgrade", "base"});
  EXPECT_THAT(ours.version_rows(), IsEmpty());
}

TEST(ImportAlembic, RefusesTheIrreversibleDowngradeThatAlembicWouldRunInto) {
  const AlembicScene scene;
  scene.import_all();
  TestDatabase database;
  scene.succeed(Tool::Athanor, database, {"upgrade", "heads"});
  const ProcessResult result = scene.run(Tool::Athanor, database, {"downgrade", "audit@base"});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("what was done is forgotten"));
  EXPECT_THAT(database.version_rows(), ElementsAre("d3940a4e7f8b", "f5b62c6091ad"));
}

constexpr std::string_view kAsksTheDatabase = R"(def upgrade():
    rows = op.get_bind().execute(sa.text("SELECT id FROM account")).fetchall()
    for row in rows:
        op.execute("SELECT %d" % row.id)


def downgrade():
    pass
)";

TEST(ImportAlembic, NamesRevisionsThatAskTheDatabaseAndWritesNothing) {
  const AlembicScene scene;
  scene.add_version("0badc0de0001", "\"d3940a4e7f8b\"", kAsksTheDatabase);
  const ProcessResult result = scene.import({"--json"});
  EXPECT_EQ(result.exit_code, kNotRenderable);
  const Json answer = Json::parse(result.out);
  EXPECT_EQ(answer.at("error").at("code"), "not-renderable");
  ASSERT_THAT(answer.at("not_rendered"), SizeIs(1));
  const Json& loss = answer.at("not_rendered").front();
  EXPECT_EQ(loss.at("revision"), "0badc0de0001");
  EXPECT_EQ(loss.at("line"), 16);
  EXPECT_THAT(loss.at("reason").get<std::string>(), HasSubstr("reads the result of a statement"));
  EXPECT_FALSE(std::filesystem::exists(scene.sql()));

  const ProcessResult plain = scene.import();
  EXPECT_THAT(plain.out, HasSubstr("versions/0badc0de0001_added.py:16: 0badc0de0001 upgrade(): NeedsDatabase"));
  EXPECT_THAT(plain.err, HasSubstr("--partial"));
}

TEST(ImportAlembic, WritesTheRestWithPartial) {
  const AlembicScene scene;
  scene.add_version("0badc0de0001", "\"d3940a4e7f8b\"", kAsksTheDatabase);
  const ProcessResult result = scene.import({"--partial"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr("1 revision left to write by hand"));
  EXPECT_THAT(files_below(scene.sql()), SizeIs(11));
}

// Every way of asking that must not pass for an answer: a wrong branch taken silently would be a wrong migration.
TEST(ImportAlembic, LetsNoQuestionToTheDatabasePassForAnAnswer) {
  const AlembicScene scene;
  const std::vector<std::string> questions{
      "if op.get_bind().execute(sa.text('SELECT 1')): op.execute('SELECT 2')",
      "op.get_bind().scalar(sa.text('SELECT 1'))",
      "sa.inspect(op.get_bind()).get_table_names()",
      "list(op.get_bind().execute(sa.text('SELECT 1')))",
      "op.get_bind().execute(sa.text('SELECT 1')).rowcount",
      "op.get_bind().dialect.has_table(op.get_bind(), 'account')",
      "import sqlalchemy.orm; sqlalchemy.orm.Session(bind=op.get_bind()).execute(sa.text('SELECT 1')).all()",
      "assert op.get_bind().execute(sa.text('SELECT 1')) == 0",
  };
  int number = 0;
  for (const std::string& question : questions) {
    scene.add_version("0badc0de10" + std::to_string(10 + number), "\"d3940a4e7f8b\"",
                      "def upgrade():\n    " + question + "\n\n\ndef downgrade():\n    pass\n");
    ++number;
  }
  const ProcessResult result = scene.import({"--json"});
  EXPECT_EQ(result.exit_code, kNotRenderable);
  const Json answer = Json::parse(result.out);
  ASSERT_THAT(answer.at("not_rendered"), SizeIs(questions.size())) << answer.at("not_rendered").dump(1);
  for (const Json& loss : answer.at("not_rendered")) {
    EXPECT_EQ(loss.at("line"), 16) << loss.dump();
  }
}

TEST(ImportAlembic, NeverChangesAFileThatIsThere) {
  const AlembicScene scene;
  const std::string path = scene.sql() + "/9e5f9a1b3c4d_gross_amounts.sql";
  write_file(path, "-- mine\n");
  const ProcessResult result = scene.import();
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.err, HasSubstr("9e5f9a1b3c4d_gross_amounts.sql already exists and differs"));
  EXPECT_EQ(read_file(path), "-- mine\n");
  EXPECT_THAT(files_below(scene.sql()), SizeIs(1));
}

TEST(ImportAlembic, AddsOnlyWhatIsNewWhenRunAgain) {
  const AlembicScene scene;
  scene.import_all();
  scene.add_version("0badc0de0002", "\"d3940a4e7f8b\"",
                    "def upgrade():\n    op.execute('SELECT 1')\n\n\ndef downgrade():\n    pass\n");
  const ProcessResult result = scene.import({"--json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const Json answer = Json::parse(result.out);
  EXPECT_THAT(answer.at("written"), SizeIs(1));
  EXPECT_THAT(answer.at("already_there"), SizeIs(11));
  EXPECT_THAT(files_below(scene.sql()), SizeIs(12));
}

TEST(ImportAlembic, TakesAnyOfTheFoldersThatPeopleMean) {
  const AlembicScene scene;
  // As it is, by its versions folder, and with the scripts below the folder of alembic.ini.
  const std::string nested = scene.file("nested");
  std::filesystem::create_directories(nested + "/migrations");
  for (const std::string name : {"env.py", "models.py", "versions"}) {
    std::filesystem::copy(scene.file(name), nested + "/migrations/" + name, std::filesystem::copy_options::recursive);
  }
  write_file(nested + "/alembic.ini",
             std::regex_replace(read_file(scene.file("alembic.ini")),
                                std::regex("(script_location = .*)|(prepend_sys_path = .*)"), "$1$2/migrations"));
  int number = 0;
  for (const std::string& folder : {scene.project(), scene.file("versions"), nested, nested + "/migrations"}) {
    const std::string output = scene.file("out_" + std::to_string(number++));
    const ProcessResult result =
        AlembicScene::import_in(kAnyUrl, {folder, "--python", python_with_alembic(), "--output", output});
    EXPECT_EQ(result.exit_code, 0) << folder << "\n" << result.err;
    EXPECT_THAT(files_below(output), SizeIs(11)) << folder;
  }
}

TEST(ImportAlembic, PutsTheFilesBesideTheVersionsFolder) {
  const AlembicScene scene;
  scene.import_all();
  EXPECT_THAT(files_below(scene.file("versions_sql")), SizeIs(11));
  EXPECT_THAT(files_below(scene.file("versions")), SizeIs(11));
}

TEST(ImportAlembic, ReadsItsOptionsFromPyprojectToo) {
  const AlembicScene scene;
  std::filesystem::remove(scene.file("alembic.ini"));
  write_file(scene.file("pyproject.toml"),
             "[project]\nname = \"shop\"\n\n[tool.alembic]\nscript_location = \"%(here)s\"\nprepend_sys_path = [\".\"]\n");
  scene.import_all();
  EXPECT_THAT(files_below(scene.sql()), SizeIs(11));
}

TEST(ImportAlembic, FindsThePythonOfTheEnvironmentOrOfTheAlembicOnPath) {
  const std::string bin = std::filesystem::path(python_with_alembic()).parent_path().string();
  auto by_environment = kAnyUrl;
  by_environment["VIRTUAL_ENV"] = bin.substr(0, bin.rfind('/'));
  auto by_path = kAnyUrl;
  by_path["PATH"] = bin + ":/usr/bin:/bin";
  for (const auto& environment : {by_environment, by_path}) {
    const AlembicScene scene;
    const ProcessResult result = AlembicScene::import_in(environment, {scene.project()});
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
}

TEST(ImportAlembic, SaysWhichPythonIsMissing) {
  const AlembicScene scene;
  const ProcessResult none = AlembicScene::import_in({{"PATH", "/nowhere"}}, {scene.project()});
  EXPECT_EQ(none.exit_code, kUsage) << none.err;
  EXPECT_THAT(none.err, HasSubstr("--python"));
  const ProcessResult missing = AlembicScene::import_in(kAnyUrl, {scene.project(), "--python", "/nowhere/python"});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/python"));
}

TEST(ImportAlembic, SaysWhichFolderIsNone) {
  const AlembicScene scene;
  const ProcessResult missing = AlembicScene::import_in(kAnyUrl, {scene.file("nowhere"), "--python", python_with_alembic()});
  EXPECT_NE(missing.exit_code, 0);
  EXPECT_THAT(missing.err, HasSubstr("there is no folder"));
  std::filesystem::create_directories(scene.file("a/b"));
  const ProcessResult empty = AlembicScene::import_in(kAnyUrl, {scene.file("a/b"), "--python", python_with_alembic()});
  EXPECT_NE(empty.exit_code, 0);
  EXPECT_THAT(empty.err, HasSubstr("contains neither env.py nor alembic.ini"));
}

TEST(ImportAlembic, SaysWhatEnvPyIsMissing) {
  const AlembicScene scene;
  const ProcessResult result = AlembicScene::import_in({}, {scene.project(), "--python", python_with_alembic()});
  EXPECT_EQ(result.exit_code, kNotRenderable);
  EXPECT_THAT(result.err, HasSubstr("env.py:15: "));
  EXPECT_THAT(result.err, HasSubstr("KeyError: 'DATABASE_URL'"));
  EXPECT_THAT(result.err, HasSubstr("hint: set the variables that env.py reads"));
}

TEST(ImportAlembic, NamesTheLineOfAVersionFileThatIsNoPython) {
  const AlembicScene scene;
  scene.add_version("0badc0de0003", "\"d3940a4e7f8b\"", "def upgrade(:\n    pass\n");
  const ProcessResult result = scene.import();
  EXPECT_EQ(result.exit_code, kNotRenderable);
  EXPECT_THAT(result.err, HasSubstr("0badc0de0003_added.py:15: "));
  EXPECT_FALSE(std::filesystem::exists(scene.sql()));
}

TEST(ImportAlembic, PrintsNoPasswordAndFreezesNoSecret) {
  const AlembicScene scene;
  const std::string file = scene.file("versions/0badc0de0004_added.py");
  scene.add_version("0badc0de0004", "\"d3940a4e7f8b\"",
                    "def upgrade():\n    op.execute(\"CREATE ROLE app PASSWORD '%s'\" % os.environ['APP_PASSWORD'])\n\n\n"
                    "def downgrade():\n    raise RuntimeError(os.environ['DATABASE_URL'])\n",
                    "import os\n");
  const auto import = [&] {
    return AlembicScene::import_in({{"DATABASE_URL", "postgresql://u:sesame-open@h/d"}, {"APP_PASSWORD", "tr0ub4dor&3"}},
                                   {scene.project(), "--python", python_with_alembic(), "--json"});
  };
  const ProcessResult frozen = import();
  EXPECT_EQ(frozen.exit_code, kNotRenderable);
  EXPECT_THAT(frozen.out, HasSubstr("environment variable APP_PASSWORD"));
  EXPECT_THAT(frozen.out + frozen.err, Not(HasSubstr("tr0ub4dor")));
  write_file(file, std::regex_replace(read_file(file), std::regex("op.execute.*"), "pass"));
  const ProcessResult printed = import();
  EXPECT_EQ(printed.exit_code, 0) << printed.err;
  EXPECT_THAT(printed.out, HasSubstr("RuntimeError"));
  EXPECT_THAT(printed.out + printed.err + read_file(scene.sql() + "/0badc0de0004_added.sql"), Not(HasSubstr("sesame-open")));
}

TEST(ImportAlembic, RefusesAnotherDialect) {
  const AlembicScene scene;
  const ProcessResult result =
      AlembicScene::import_in({{"DATABASE_URL", "sqlite:///x.db"}}, {scene.project(), "--python", python_with_alembic()});
  EXPECT_EQ(result.exit_code, kNotRenderable);
  EXPECT_THAT(result.err, HasSubstr("dialect sqlite"));
}

}  // namespace
}  // namespace athanor::test
