// A project whose desired schema is in schema.sql or models.py, and a real database to migrate.
//
// Threads: one thread. Ownership: owns the folder and the database.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

using Json = nlohmann::json;

struct SchemaScene {
  TempFolder folder;
  TestDatabase database{"schema"};
  std::map<std::string, std::optional<std::string>> environment;

  // Scratch databases are created on the server of the test run, which is already started.
  SchemaScene() { configure("desired_schema: schema.sql\n"); }

  void configure(const std::string& more) const {
    folder.write("athanor.yaml", "scratch_url: " + server_url() + "\n" + more);
    std::filesystem::create_directories(folder.path() / "migrations/versions");
  }
  void schema(const std::string& text) const { folder.write("schema.sql", text); }
  void use_models() const { configure("models: models:metadata\npython: " + python_with_alembic() + "\n"); }
  void models(const std::string& text) const {
    folder.write("models.py",
                 "from sqlalchemy import *\nfrom sqlalchemy.dialects.postgresql import *\nmetadata = MetaData()\n" + text);
  }

  [[nodiscard]] ProcessResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), athanor_binary());
    ProcessOptions options;
    options.environment = environment;
    options.environment.emplace("DATABASE_URL", database.url());
    options.environment["XDG_CACHE_HOME"] = folder / "cache";
    options.directory = folder.string();
    options.timeout_ms = 120'000;
    return run_process(arguments, options);
  }
  [[nodiscard]] Json json(std::vector<std::string> arguments) const {
    arguments.emplace_back("--json");
    const auto result = run(std::move(arguments));
    EXPECT_EQ(result.err, "");
    Json parsed = Json::parse(result.out);
    parsed["exit_code"] = result.exit_code;
    return parsed;
  }
  [[nodiscard]] ProcessResult autogenerate(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments{"revision", "--autogenerate", "-m", "Follow the schema"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(std::move(arguments));
  }
  [[nodiscard]] std::set<std::string> files() const {
    std::set<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path() / "migrations/versions")) {
      found.insert(entry.path().string());
    }
    return found;
  }
  // Runs autogenerate and returns the text of the new file; empty when there is none.
  std::string generated(std::vector<std::string> more = {}) const {
    const auto before = files();
    const auto result = autogenerate(std::move(more));
    EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
    for (const std::string& file : files()) {
      if (!before.contains(file)) {
        return read_file(file);
      }
    }
    return {};
  }
  void upgrade() const {
    const auto result = run({"upgrade", "heads"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  // Changes the desired schema to `text`, autogenerates a revision, applies it and expects no drift. Returns the revision's
  // text.
  std::string follow(const std::string& text, std::vector<std::string> more = {}) const {
    schema(text);
    return follow_desired(std::move(more));
  }
  std::string follow_desired(std::vector<std::string> more = {}) const {
    std::string revision = generated(std::move(more));
    EXPECT_NE(revision, "");
    upgrade();
    const auto check = run({"check", "--drift"});
    EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
    return revision;
  }
  // Expects that autogenerate finds no difference and writes no file.
  void expect_no_difference() const {
    const auto before = files();
    const auto result = autogenerate();
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(result.out, testing::HasSubstr("No difference")) << result.err;
    EXPECT_EQ(files(), before);
  }
};

}  // namespace athanor::test
