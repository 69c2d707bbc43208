// Offline scripts: run by psql as their readers would, and compared with those of the real Alembic.
#include <gtest/gtest.h>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/plan/history.hpp"

namespace athanor {
namespace {

using test::Entry;
using test::History;
using test::TempFolder;
using test::TestDatabase;

std::string rendered(const History& history, Direction direction, const std::string& range,
                     const OfflineOptions& options = {}) {
  const auto plan = history.offline(direction, range);
  if (!plan) {
    ADD_FAILURE() << plan.error().describe();
    return "";
  }
  return render_offline(*plan, options);
}

void run_with_psql(const TestDatabase& database, const std::string& script) {
  const auto result = test::run_process({"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database.url()},
                                        {.environment = {}, .standard_input = script, .directory = ""});
  EXPECT_EQ(result.exit_code, 0) << result.err << script;
}

TEST(OfflineScript, PsqlTakesADatabaseUpAndBackDown) {
  const auto history = test::small_history();
  for (const bool per_migration : {true, false}) {
    TestDatabase database("offline");
    OfflineOptions options;
    options.transaction_per_migration = per_migration;
    run_with_psql(database, rendered(history, Direction::Upgrade, "aaa1", options));
    database.run("INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'eve')");
    run_with_psql(database, rendered(history, Direction::Upgrade, "aaa1:eee5", options));
    EXPECT_EQ(database.version_rows(), std::vector<std::string>{"eee5"});
    EXPECT_EQ(database.value("SELECT string_agg(email, ',' ORDER BY id) FROM users"), "ann,bob,eve");
    EXPECT_EQ(database.value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'users_email_idx'::regclass"), "t");
    run_with_psql(database, rendered(history, Direction::Downgrade, "eee5:base", options));
    EXPECT_EQ(database.version_rows(), std::vector<std::string>{});
    EXPECT_FALSE(database.has_relation("public.users"));
    EXPECT_TRUE(database.has_relation("public.alembic_version"));
  }
}

TEST(OfflineScript, StopsBeforeTextThatTheServerWouldReadDifferently) {
  const std::vector<std::pair<std::string, std::string>> changes{{"client_encoding", "LATIN1"},
                                                                 {"standard_conforming_strings", "off"}};
  for (const auto& [setting, value] : changes) {
    const std::string call = "PERFORM set_config('" + setting + "', '" + value + "', false)";
    for (const std::string& change :
         {"DO $$ BEGIN " + call + "; END $$;\n",
          "CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN " + call +
              "; END $$;\nCREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f();\nCREATE TABLE plain (i int);\n"}) {
      SCOPED_TRACE(change);
      TestDatabase database("offline");
      const History history({{"aaa1", "", "-- athanor:upgrade\n" + change + "CREATE TABLE t (note text DEFAULT 'é\\b');\n"}});
      const auto result = test::run_process(
          {"psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", database.url()},
          {.environment = {}, .standard_input = rendered(history, Direction::Upgrade, "heads"), .directory = ""});
      EXPECT_EQ(result.exit_code, 3) << result.out;
      EXPECT_NE(result.err.find("revision aaa1 changed client_encoding or standard_conforming_strings"), std::string::npos)
          << result.err;
      EXPECT_FALSE(database.has_relation("public.t"));
    }
  }
}

TEST(OfflineScript, LetsARevisionChangeThemWhereNoTextDependsOnThem) {
  TestDatabase database("offline");
  const History history({{"aaa1", "",
                          "-- athanor:upgrade\nCREATE TABLE t (note text DEFAULT 'é');\nDO $$ BEGIN PERFORM "
                          "set_config('client_encoding', 'LATIN1',"
                          " false); END $$;\nCREATE TABLE u (i int);\n"},
                         {"bbb2", "aaa1", "-- athanor:upgrade\nCOMMENT ON TABLE u IS 'ü';\nCOMMENT ON COLUMN u.i IS 'ü';\n"}});
  run_with_psql(database, rendered(history, Direction::Upgrade, "heads"));
  EXPECT_EQ(database.value("SELECT obj_description('u'::regclass) || col_description('u'::regclass, 1)"), "üü");
}

// The history of the comparison, once for us and once for Alembic.
struct Twin {
  std::string id;
  std::vector<std::string> down;
  std::string upgrade;
  std::string concurrent;  // outside of a transaction, after `upgrade`
  std::string downgrade;
};

const std::vector<Twin>& twins() {
  static const std::vector<Twin> all{
      {"aaa1", {}, "CREATE TABLE t (id int, note text DEFAULT 'it''s; \"so\"')", "", "DROP TABLE t"},
      {"bbb2",
       {"aaa1"},
       "ALTER TABLE t ADD COLUMN a int",
       "CREATE INDEX CONCURRENTLY i ON t (a)",
       "ALTER TABLE t DROP COLUMN a"},
      {"ccc3", {"bbb2"}, "", "", ""},
      {"ddd4", {"bbb2"}, "CREATE TYPE mood AS ENUM ('ok')", "", "DROP TYPE mood"},
      {"eee5", {"ccc3", "ddd4"}, "", "", ""},
      {"fff6", {"eee5"}, "UPDATE t SET a = 1", "", "UPDATE t SET a = NULL"},
  };
  return all;
}

History our_history() {
  std::vector<Entry> entries;
  for (const auto& twin : twins()) {
    std::string revises;
    for (const auto& parent : twin.down) {
      revises += (revises.empty() ? "" : ", ") + parent;
    }
    std::string body = "-- athanor:upgrade\n" + twin.upgrade + ";\n";
    if (!twin.concurrent.empty()) {
      body += "-- athanor:step autocommit\n" + twin.concurrent + ";\n";
    }
    entries.push_back({twin.id, revises, body + "-- athanor:downgrade\n" + twin.downgrade + ";\n"});
  }
  return History(entries);
}

void write_alembic_project(const TempFolder& folder) {
  folder.write("alembic.ini", "[alembic]\nscript_location = %(here)s/scripts\n");
  folder.write("scripts/env.py",
               "import json\nimport os\n\nfrom alembic import context\n\ncontext.configure(url='postgresql://h/d', "
               "**json.loads(os.environ['OPTIONS']))\nwith context.begin_transaction():\n    context.run_migrations()\n");
  const auto execute = [](const std::string& sql, const std::string& indent) {
    return sql.empty() ? indent + "pass\n" : indent + "op.execute(r\"\"\"" + sql + "\"\"\")\n";
  };
  for (const auto& twin : twins()) {
    std::string parents;
    for (const auto& parent : twin.down) {
      parents += "'" + parent + "', ";
    }
    std::string text = "from alembic import op\n\nrevision = '" + twin.id +
                       "'\ndown_revision = " + (twin.down.empty() ? "None" : "(" + parents + ")") + "\n\ndef upgrade():\n" +
                       execute(twin.upgrade, "    ");
    if (!twin.concurrent.empty()) {
      text += "    with op.get_context().autocommit_block():\n" + execute(twin.concurrent, "        ");
    }
    folder.write("scripts/versions/" + twin.id + "_step.py", text + "\ndef downgrade():\n" + execute(twin.downgrade, "    "));
  }
}

// Statements with white space folded, Alembic's RETURNING and what we do to the session left out; Alembic's comments count,
// ours must say the same.
std::vector<std::string> normalised(const std::string& script) {
  std::vector<std::string> statements;
  std::string statement;
  std::size_t begin = 0;
  while (begin < script.size()) {
    const auto end = std::min(script.find("\n\n", begin), script.size());
    statement.clear();
    for (const char letter : script.substr(begin, end - begin)) {
      const bool space = letter == ' ' || letter == '\n';
      if (!space || (!statement.empty() && statement.back() != ' ')) {
        statement += space ? ' ' : letter;
      }
    }
    if (const auto returning = statement.find(" RETURNING"); returning != std::string::npos) {
      statement.replace(returning, std::string::npos, ";");
    }
    const std::string qualified = "OPERATOR(pg_catalog.=)";
    if (const auto operation = statement.find(qualified); operation != std::string::npos) {
      statement.replace(operation, qualified.size(), "=");
    }
    if (!statement.empty() && !statement.starts_with("-- Session: ")) {
      statements.push_back(statement);
    }
    begin = end + 2;
  }
  return statements;
}

// Every command in one interpreter, each script behind a line of its own: starting Alembic takes most of a second.
constexpr const char* kDriver = R"(import os
import sys

from alembic.config import main

for line in sys.stdin:
    command, target, os.environ["OPTIONS"] = line.rstrip("\n").split(" ", 2)
    print("=====", flush=True)
    main(["-c", "alembic.ini", command, target, "--sql"])
    sys.stdout.flush()
)";

std::vector<std::string> alembic_scripts(const TempFolder& folder, const std::string& commands) {
  const auto result = test::run_process({test::python_with_alembic(), "-c", kDriver},
                                        {.environment = {}, .standard_input = commands, .directory = folder.string()});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::vector<std::string> scripts;
  const std::string mark = "=====\n";
  for (auto begin = result.out.find(mark); begin != std::string::npos;) {
    begin += mark.size();
    const auto end = result.out.find(mark, begin);
    scripts.push_back(result.out.substr(begin, end - begin));
    begin = end;
  }
  return scripts;
}

TEST(OfflineScript, SaysWhatAlembicSays) {
  const TempFolder folder;
  write_alembic_project(folder);
  const auto history = our_history();
  const std::vector<std::pair<std::string, OfflineOptions>> configurations{
      {"{}", {"alembic_version", "", true, false, "", ""}},
      {R"({"transaction_per_migration": true})", {"alembic_version", "", true, true, "", ""}},
      {R"({"version_table": "Vt", "version_table_schema": "order", "version_table_pk": false})",
       {"Vt", "order", false, false, "", ""}},
  };
  const std::vector<std::pair<Direction, std::string>> ranges{
      {Direction::Upgrade, "fff6"},        {Direction::Upgrade, "base:bbb2"},   {Direction::Upgrade, "aaa1:eee5"},
      {Direction::Upgrade, "aaa1:aaa1"},   {Direction::Upgrade, "bbb2:ccc3"},   {Direction::Downgrade, "bbb2:aaa1"},
      {Direction::Downgrade, "aaa1:base"}, {Direction::Downgrade, "fff6:eee5"}, {Direction::Downgrade, "fff6:-1"},
      {Direction::Stamp, "fff6"},          {Direction::Stamp, "aaa1:eee5"},     {Direction::Stamp, "bbb2:base"},
  };
  std::string commands;
  std::vector<std::string> ours;
  for (const auto& [json, options] : configurations) {
    for (const auto& [direction, range] : ranges) {
      commands.append(direction_name(direction)).append(" ").append(range).append(" ").append(json).append("\n");
      ours.push_back(rendered(history, direction, range, options));
    }
  }
  const auto theirs = alembic_scripts(folder, commands);
  ASSERT_EQ(theirs.size(), ours.size());
  for (std::size_t index = 0; index < ours.size(); ++index) {
    EXPECT_EQ(normalised(ours[index]), normalised(theirs[index]))
        << direction_name(ranges[index % ranges.size()].first) << " " << ranges[index % ranges.size()].second << " "
        << configurations[index / ranges.size()].first;
  }
}

}  // namespace
}  // namespace athanor
