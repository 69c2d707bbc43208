// Runs the real `athanor` in a temporary project against a real database.
//
// Threads: one thread. Ownership: owns the folder and the database.
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
  // Revisions t1 ← t2 ← t3, each of which creates a table.
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
  // Expects exactly one JSON object on standard output and nothing on standard error. Adds the exit code as "exit_code".
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
