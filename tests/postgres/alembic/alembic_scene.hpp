// A real Alembic project in a folder of its own, and both tools to run on it.
//
// Threads: one thread. Ownership: owns the folder.
#pragma once

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

using Json = nlohmann::json;

// Who runs a command. Both know the same verbs.
enum class Tool : std::uint8_t { Athanor, Alembic };

class AlembicScene {
 public:
  // A copy of tests/postgres/alembic/project.
  AlembicScene();

  [[nodiscard]] std::string project() const { return folder_ / "project"; }
  [[nodiscard]] std::string sql() const { return folder_ / "project/versions_sql"; }
  [[nodiscard]] std::string file(std::string_view relative) const { return project() + "/" + std::string(relative); }
  // Adds a version file with the header made from the arguments; `parent` and `more` are Python.
  void add_version(std::string_view id, std::string_view parent, std::string_view body, std::string_view more = {}) const;

  using Environment = std::map<std::string, std::optional<std::string>>;
  // `athanor import alembic <words>` in just this environment, with neither DATABASE_URL nor VIRTUAL_ENV unless it says so.
  [[nodiscard]] static ProcessResult import_in(const Environment& environment, const std::vector<std::string>& words);
  // `athanor import alembic <project>` with the Python of the tests and DATABASE_URL pointing nowhere.
  [[nodiscard]] ProcessResult import(const std::vector<std::string>& flags = {}) const;
  // The same, which must succeed.
  void import_all() const;
  // Either tool on a database; Athanor works on the imported files, Alembic on the Python ones.
  [[nodiscard]] ProcessResult run(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const;
  // The same, which must succeed; returns what it printed.
  std::string succeed(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const;
  // Athanor on the Python files themselves.
  [[nodiscard]] ProcessResult run_in_place(const TestDatabase& database, const std::vector<std::string>& words) const;

 private:
  TempFolder folder_;
};

// `sql` through psql, which stops at the first error; fails the test then.
void apply_with_psql(const TestDatabase& database, const std::string& sql);

// Schema, comments, rows of every table: what two databases have in common when they are equal.
[[nodiscard]] std::string contents(TestDatabase& database);

// Files below a folder; empty when there is none.
[[nodiscard]] std::vector<std::string> files_below(const std::string& folder);

}  // namespace athanor::test
