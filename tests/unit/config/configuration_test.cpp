#include "migrations/config/configuration.hpp"

#include <gtest/gtest.h>

#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using std::chrono::milliseconds;

Configuration parsed(const std::string& text, std::string_view section = {}, const std::string& directory = "/app") {
  auto configuration = parse_configuration(text, "athanor.yaml", directory, section);
  if (!configuration) {
    ADD_FAILURE() << configuration.error().describe();
    return {};
  }
  return std::move(*configuration);
}

std::string refused(const std::string& text, std::string_view section = {}) {
  const auto configuration = parse_configuration(text, "athanor.yaml", "/app", section);
  return configuration ? "accepted" : configuration.error().describe() + " | " + configuration.error().hint;
}

using Texts = std::vector<std::string>;

TEST(Configuration, HasTheDefaultsOfTheContract) {
  const auto configuration = parsed("");
  EXPECT_EQ(configuration.version_locations, Texts{"/app/migrations/versions"});
  EXPECT_EQ(configuration.naming.file_template, "%(rev)s_%(slug)s");
  EXPECT_EQ(configuration.naming.truncate_slug_length, 40);
  EXPECT_EQ(configuration.version_table, "alembic_version");
  EXPECT_TRUE(configuration.version_table_pk);
  EXPECT_TRUE(configuration.transaction_per_migration);
  EXPECT_EQ(configuration.execution.lock_timeout, milliseconds(2'000));
  EXPECT_EQ(configuration.limits.max_file_bytes, 64U << 20U);
  EXPECT_TRUE(configuration.warnings.empty());
}

TEST(Configuration, ReadsEveryField) {
  const auto configuration = parsed(R"(
database_url: postgresql://u@h/d
version_locations: [one, /abs/two, "%(here)s/three/"]
recursive_version_locations: true
file_template: "%(year)d_%(month).2d_%(day).2d_%(rev)s_%(slug)s"
truncate_slug_length: 60
timezone: Europe/Zurich
output_encoding: UTF-8
post_write_hooks:
  - name: format
    type: exec
    entrypoint: pg_format
    options: "-i REVISION_SCRIPT_FILENAME"
    cwd: "%(here)s"
  - {name: check, type: module, entrypoint: sqlfluff}
version_table: my_version
version_table_schema: ops
version_table_pk: false
transaction_per_migration: false
ledger_schema: ledger
execution:
  lock_wait: 1m
  lock_timeout: 500ms
  lock_retry_budget: 0s
  statement_timeout: 1h
  connect_timeout: 3s
  stop_grace: 5s
  max_replica_lag: 2s
  role: owner
  search_path: app, public
  application_name: deploy
  allow_session_pooler: true
limits: {file_size: 1MiB, files: 500}
)");
  EXPECT_EQ(configuration.database_url, "postgresql://u@h/d");
  EXPECT_EQ(configuration.version_locations, (Texts{"/app/one", "/abs/two", "/app/three"}));
  EXPECT_TRUE(configuration.recursive_version_locations);
  EXPECT_EQ(configuration.naming.truncate_slug_length, 60);
  EXPECT_EQ(configuration.naming.timezone, "Europe/Zurich");
  EXPECT_EQ(configuration.output_encoding, "utf-8");
  ASSERT_EQ(configuration.post_write_hooks.size(), 2U);
  EXPECT_EQ(configuration.post_write_hooks[0].cwd, "/app");
  EXPECT_EQ(configuration.post_write_hooks[0].options, "-i REVISION_SCRIPT_FILENAME");
  EXPECT_EQ(configuration.post_write_hooks[1].type, "module");
  EXPECT_EQ(configuration.version_table, "my_version");
  EXPECT_EQ(configuration.version_table_schema, "ops");
  EXPECT_FALSE(configuration.version_table_pk);
  EXPECT_FALSE(configuration.transaction_per_migration);
  EXPECT_EQ(configuration.ledger_schema, "ledger");
  const auto& execution = configuration.execution;
  EXPECT_EQ(execution.lock_wait, milliseconds(60'000));
  EXPECT_EQ(execution.lock_timeout, milliseconds(500));
  EXPECT_EQ(execution.lock_retry_budget, milliseconds(0));
  EXPECT_EQ(execution.statement_timeout, milliseconds(3'600'000));
  EXPECT_EQ(execution.connect_timeout, milliseconds(3'000));
  EXPECT_EQ(execution.stop_grace, milliseconds(5'000));
  EXPECT_EQ(execution.max_replica_lag, milliseconds(2'000));
  EXPECT_EQ(execution.role, "owner");
  EXPECT_EQ(execution.search_path, "app, public");
  EXPECT_EQ(execution.application_name, "deploy");
  EXPECT_TRUE(execution.allow_session_pooler);
  EXPECT_EQ(configuration.limits.max_file_bytes, 1U << 20U);
  EXPECT_EQ(configuration.limits.max_files, 500U);
}

TEST(Configuration, FindsVersionsBelowAlembicsScriptLocation) {
  EXPECT_EQ(parsed("script_location: alembic\n").version_locations, Texts{"/app/alembic/versions"});
  EXPECT_EQ(parsed("script_location: '%(here)s/db'\n").version_locations, Texts{"/app/db/versions"});
  EXPECT_EQ(parsed("script_location: alembic\nversion_locations: x\n").version_locations, Texts{"/app/x"});
  EXPECT_EQ(refused("script_location: myapp:migrations\n"),
            "athanor.yaml:1: field `script_location`: is a Python package, not a folder | write the folder instead: Athanor "
            "does not import Python");
}

TEST(Configuration, ResolvesAgainstTheFolderOfTheFile) {
  EXPECT_EQ(parsed("version_locations: ../x\n", {}, "deploy/db").version_locations, Texts{"deploy/x"});
  EXPECT_EQ(parsed("version_locations: '%(here)s/x'\n", {}, "deploy").version_locations, Texts{"deploy/x"});
  EXPECT_EQ(parsed("version_locations: '%(here)s/x'\n", {}, "").version_locations, Texts{"x"});
  EXPECT_EQ(parsed("version_locations: ./x\n", {}, "").version_locations, Texts{"x"});
}

TEST(Configuration, LaysTheChosenEnvironmentOverTheRest) {
  const std::string text = R"(
version_table: base_table
execution: {lock_wait: 1s, role: app}
environments:
  test:
    execution: {lock_wait: 5s}
  production:
    database_url: postgresql://prod/d
    version_table: prod_table
)";
  EXPECT_EQ(parsed(text).version_table, "base_table");
  const auto test = parsed(text, "test");
  EXPECT_EQ(test.execution.lock_wait, milliseconds(5'000));
  EXPECT_EQ(test.execution.role, "app");
  EXPECT_EQ(test.version_table, "base_table");
  EXPECT_EQ(parsed(text, "production").version_table, "prod_table");
  EXPECT_EQ(refused(text, "prodution"), "athanor.yaml:5: unknown environment `prodution` | did you mean `production`?");
  EXPECT_EQ(refused("version_table: x\n", "test"), "athanor.yaml:1: unknown environment `test` | add it under `environments:`");
}

TEST(Configuration, ChecksEnvironmentsThatWereNotChosen) {
  EXPECT_EQ(
      refused("environments:\n  a: {}\n  b:\n    lokc_wait: 1s\n", "a"),
      "athanor.yaml:4: field `environments.b.lokc_wait`: unknown field | known names: database_url, sqlalchemy.url, "
      "recursive_version_locations, script_location, version_locations, file_template, truncate_slug_length, timezone, "
      "output_encoding, post_write_hooks, version_table, version_table_schema, version_table_pk, ledger_schema, "
      "transaction_per_migration, execution, backup, lint, limits, header_cache, models, desired_schema, prepend_sys_path, "
      "python, scratch_url, scratch_on_target, scratch_programs, scratch_keep, compare, check_drift, ledger, sourceless, "
      "revision_environment, path_separator, version_path_separator");
  EXPECT_EQ(refused("environments: {a: {environments: {}}}\n").substr(0, 66),
            "athanor.yaml:1: field `environments.a.environments`: unknown field");
}

TEST(Configuration, WarnsAboutAlembicsOptionsWithoutMeaningHere) {
  EXPECT_EQ(parsed("sourceless: true\npath_separator: os\nrevision_environment: true\n").warnings,
            (Texts{"athanor.yaml:1: field `sourceless` has no effect: only source files are read",
                   "athanor.yaml:3: field `revision_environment` has no effect: there is no env.py to run",
                   "athanor.yaml:2: field `path_separator` has no effect: `version_locations` is a list"}));
}

TEST(Configuration, RefusesWhatItCannotMean) {
  EXPECT_EQ(refused("versoin_table: x\n"),
            "athanor.yaml:1: field `versoin_table`: unknown field | did you mean `version_table`?");
  EXPECT_EQ(refused("execution:\n  lock_timout: 2s\n"),
            "athanor.yaml:2: field `execution.lock_timout`: unknown field | did you mean `lock_timeout`?");
  EXPECT_EQ(refused("execution:\n  lock_timeout: 2\n"),
            "athanor.yaml:2: field `execution.lock_timeout`: the duration has no unit | add the unit: 2ms, 2s or 2m");
  EXPECT_EQ(refused("version_locations: []\n"),
            "athanor.yaml:1: field `version_locations`: needs at least one folder, and none may be empty | ");
  EXPECT_EQ(refused("output_encoding: latin-1\n"),
            "athanor.yaml:1: field `output_encoding`: revision files are always UTF-8 | remove the option");
  EXPECT_EQ(refused("file_template: '%(nope)s'\n"),
            "athanor.yaml:1: field `file_template`: unknown token `%(nope)` | known names: rev, slug, epoch, year, month, day, "
            "hour, minute, second");
  EXPECT_EQ(refused("version_table: ''\n"), "athanor.yaml:1: field `version_table`: must not be empty | ");
  EXPECT_EQ(refused("version_table: " + std::string(64, 'x') + "\n"),
            "athanor.yaml:1: field `version_table`: is longer than 63 bytes, PostgreSQL's limit for names | ");
  EXPECT_EQ(refused("post_write_hooks:\n- name: x\n  type: shell\n  entrypoint: y\n"),
            "athanor.yaml:3: field `post_write_hooks[0].type`: is not one of exec, console_scripts, module | ");
  EXPECT_EQ(refused("database_url: x\nsqlalchemy.url: y\n"),
            "athanor.yaml:2: field `sqlalchemy.url`: means the same as `database_url`, which is also set | keep one of them");
  EXPECT_EQ(refused("- a\n"), "athanor.yaml:1: expected a mapping, found a list | ");
  EXPECT_EQ(refused("a: 1\n---\nb: 2\n"),
            "athanor.yaml:3: a configuration file is one document | remove the `---` and what follows; use `environments:` for "
            "variants");
}

TEST(Configuration, LoadsAFileAndKnowsItsFolder) {
  const test::TempFolder folder;
  folder.write("db/athanor.yaml", "version_locations: v\n");
  const auto configuration = load_configuration(folder / "db/athanor.yaml", true);
  ASSERT_TRUE(configuration);
  EXPECT_EQ(configuration->version_locations, Texts{folder / "db/v"});
  EXPECT_EQ(configuration->file, folder / "db/athanor.yaml");
}

TEST(Configuration, FallsBackToDefaultsOnlyWhenTheFileMayBeMissing) {
  const test::TempFolder folder;
  const auto missing = load_configuration(folder / "athanor.yaml", true);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::Io);
  EXPECT_EQ(missing.error().describe(),
            (folder / "athanor.yaml") + ": cannot open the configuration: No such file or directory");
  const auto defaults = load_configuration(folder / "athanor.yaml", false);
  ASSERT_TRUE(defaults);
  EXPECT_TRUE(defaults->file.empty());
  EXPECT_EQ(defaults->version_locations, Texts{"migrations/versions"});
  EXPECT_FALSE(load_configuration(folder / "athanor.yaml", false, "test"));
}

TEST(Configuration, RefusesAFolderAndAFileBeyondReason) {
  const test::TempFolder folder;
  EXPECT_FALSE(load_configuration(folder.string(), true));
  folder.write("big.yaml", std::string((1U << 20U) + 1, '#'));
  const auto big = load_configuration(folder / "big.yaml", true);
  ASSERT_FALSE(big);
  EXPECT_EQ(big.error().code, ErrorCode::FileTooLarge);
}

}  // namespace
}  // namespace athanor
