// The real program, a project of a test's own and a real database.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

using Json = nlohmann::json;

struct CliScene {
  TempFolder folder;
  TestDatabase database{"cli"};

  void revision(const std::string& id, const std::string& revises, const std::string& up, const std::string& down,
                const std::string& more = {}) const {
    std::string text = "-- Revision " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + revises + "\n" + more + "\n";
    text += "-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\n" + down + "\n";
    folder.write("migrations/versions/" + id + ".sql", text);
  }
  // t1 ← t2 ← t3, a table each.
  void three_tables() const {
    revision("r1", "", "CREATE TABLE t1 (id int);", "DROP TABLE t1;");
    revision("r2", "r1", "CREATE TABLE t2 (id int);", "DROP TABLE t2;");
    revision("r3", "r2", "CREATE TABLE t3 (id int);", "DROP TABLE t3;");
  }

  [[nodiscard]] static std::vector<std::string> command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), athanor_binary());
    return arguments;
  }
  [[nodiscard]] ProcessOptions options() const {
    ProcessOptions made;
    made.environment = {{"DATABASE_URL", database.url()}};
    made.directory = folder.string();
    return made;
  }
  [[nodiscard]] ProcessResult run(std::vector<std::string> arguments) const {
    return run_process(command(std::move(arguments)), options());
  }
  // Standard output is exactly one object, standard error empty; the exit code is kept in "exit_code".
  [[nodiscard]] Json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto result = run(std::move(arguments));
    EXPECT_EQ(result.err, "");
    Json parsed = Json::parse(result.out);
    parsed["exit_code"] = result.exit_code;
    return parsed;
  }
  [[nodiscard]] std::vector<std::string> tables() {
    return database.connect().column(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename LIKE 't_' ORDER BY 1");
  }
  [[nodiscard]] std::vector<std::string> rows() {
    return database.connect().column("SELECT version_num FROM alembic_version ORDER BY 1");
  }
};

}  // namespace athanor::test
