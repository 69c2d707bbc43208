#include "tests/postgres/alembic/alembic_scene.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

namespace athanor::test {
namespace {

namespace fs = std::filesystem;

constexpr int kTimeoutMs = 120'000;

ProcessOptions options_for(const std::string& url, const std::string& folder) {
  ProcessOptions options;
  options.environment = {
      {"DATABASE_URL", url}, {"PYTHONDONTWRITEBYTECODE", "1"}, {"VIRTUAL_ENV", std::nullopt}, {"ATHANOR_CONFIG", std::nullopt}};
  options.directory = folder;
  options.timeout_ms = kTimeoutMs;
  return options;
}

}  // namespace

AlembicScene::AlembicScene() {
  fs::copy(ATHANOR_SOURCE_DIR "/tests/postgres/alembic/project", project(), fs::copy_options::recursive);
}

void AlembicScene::add_version(std::string_view id, std::string_view parent, std::string_view body,
                               std::string_view more) const {
  std::string text =
      "\"\"\"Revision " + std::string(id) + "\n\nRevision ID: " + std::string(id) +
      "\nCreate Date: 2026-04-01 10:00:00\n\"\"\"\nimport sqlalchemy as sa\nfrom alembic import op\n\nrevision = \"" +
      std::string(id) + "\"\ndown_revision = " + std::string(parent) + "\nbranch_labels = None\ndepends_on = None\n" +
      std::string(more) + "\n\n" + std::string(body);
  write_file(file("versions/" + std::string(id) + "_added.py"), text);
}

ProcessResult AlembicScene::import_in(const Environment& environment, const std::vector<std::string>& words) {
  ProcessOptions options = options_for("", "");
  options.environment["DATABASE_URL"] = std::nullopt;
  for (const auto& [name, value] : environment) {
    options.environment[name] = value;
  }
  std::vector<std::string> all{athanor_binary(), "import", "alembic"};
  all.insert(all.end(), words.begin(), words.end());
  return run_process(all, options);
}

ProcessResult AlembicScene::import(const std::vector<std::string>& flags) const {
  std::vector<std::string> words{athanor_binary(), "import", "alembic", project(), "--python", python_with_alembic()};
  words.insert(words.end(), flags.begin(), flags.end());
  return run_process(words, options_for("postgresql://nobody:sesame-open@nowhere.invalid/none", folder_.string()));
}

void AlembicScene::import_all() const {
  const ProcessResult result = import();
  ASSERT_EQ(result.exit_code, 0) << result.out << result.err;
}

ProcessResult AlembicScene::run(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const {
  std::vector<std::string> all = tool == Tool::Athanor ? std::vector<std::string>{athanor_binary(), "--migrations", sql()}
                                                       : std::vector<std::string>{python_with_alembic(), "-m", "alembic"};
  all.insert(all.end(), words.begin(), words.end());
  return run_process(all, options_for(database.url(), project()));
}

std::string AlembicScene::succeed(Tool tool, const TestDatabase& database, const std::vector<std::string>& words) const {
  const ProcessResult result = run(tool, database, words);
  EXPECT_EQ(result.exit_code, 0) << (tool == Tool::Athanor ? "athanor " : "alembic ") << ::testing::PrintToString(words) << "\n"
                                 << result.out << result.err;
  return result.out;
}

ProcessResult AlembicScene::run_in_place(const TestDatabase& database, const std::vector<std::string>& words) const {
  std::vector<std::string> all{athanor_binary(), "--migrations", project()};
  all.insert(all.end(), words.begin(), words.end());
  return run_process(all, options_for(database.url(), project()));
}

void apply_with_psql(const TestDatabase& database, const std::string& sql) {
  ProcessOptions options;
  options.standard_input = sql;
  const ProcessResult result = run_process({"psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", database.url()}, options);
  ASSERT_EQ(result.exit_code, 0) << result.err << "\n" << sql;
}

std::string contents(TestDatabase& database) {
  std::string text = database.schema_fingerprint();
  for (const std::string& comment :
       database.column("SELECT line FROM (SELECT format('comment %s %s', classoid::regclass, description) AS line"
                       " FROM pg_description WHERE objoid >= 16384) x ORDER BY line COLLATE \"C\"")) {
    text += comment + "\n";
  }
  for (const std::string& table : database.column("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"
                                                  " ORDER BY tablename COLLATE \"C\"")) {
    for (const std::string& row : database.column("SELECT x::text FROM " + table + " x ORDER BY x::text COLLATE \"C\"")) {
      text += table + " " + row + "\n";
    }
  }
  return text;
}

std::vector<std::string> files_below(const std::string& folder) {
  std::vector<std::string> names;
  if (fs::exists(folder)) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace athanor::test
