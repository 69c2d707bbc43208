// A real Alembic project in a temporary folder, and Athanor and Alembic to run on it.
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

// The tool that runs a command. Both have the same subcommands.
enum class Tool : std::uint8_t { Athanor, Alembic };

class AlembicScene {
 public:
  // A copy of tests/postgres/alembic/project.
  AlembicScene();

  [[nodiscard]] std::string project() const { return folder_ / "project"; }
  [[nodiscard]] std::string sql() const { return folder_ / "project/versions_sql"; }
  [[nodiscard]] std::string file(std::string_view relative) const { return project() + "/" + std::string(relative); }
  // Adds a version file whose header is made from the arguments; `parent` and `more` are Python source.
  void add_version(std::string_view id, std::string_view parent, std::string_view body, std::string_view more = {}) const;

  using Environment = std::map<std::string, std::optional<std::string>>;
  // `athanor import alembic <words>` with exactly this environment; DATABASE_URL and VIRTUAL_ENV are unset unless it sets them.
  [[nodiscard]] static ProcessResult import_in(const Environment& environment, const std::vector<std::string>& words);
  // `athanor import alembic <project>` with the Python of the tests and a DATABASE_URL that cannot be reached.
  [[nodiscard]] ProcessResult import(const std::vector<std::string>& flags = {}) const;
  // The same, which must succeed.
  void import_all() const;
  // Runs either tool on a database: Athanor with the imported files, Alembic with the Python files.
  [[nodiscard]] ProcessResult run(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const;
  // The same, which must succeed; returns what it printed.
  std::string succeed(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const;
  // Runs Athanor directly on the Python files.
  [[nodiscard]] ProcessResult run_in_place(const TestDatabase& database, const std::vector<std::string>& words) const;

 private:
  TempFolder folder_;
};

// Runs `sql` in psql with ON_ERROR_STOP; an error fails the test.
void apply_with_psql(const TestDatabase& database, const std::string& sql);

// The schema, comments and rows of every table, as text for comparing two databases.
[[nodiscard]] std::string contents(TestDatabase& database);

// All files below a folder; empty when the folder does not exist.
[[nodiscard]] std::vector<std::string> files_below(const std::string& folder);

}  // namespace athanor::test
