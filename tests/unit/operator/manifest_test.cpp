#include "operator/api/manifest.hpp"
#include "operator/api/status_codec.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kGood = R"(apiVersion: athanor.dev/v1alpha1
kind: DatabaseMigration
metadata:
  name: orders
  namespace: shop
  annotations: {athanor.dev/retry-now: "1"}
spec:
  database:
    host: db.example.org
    port: 6432
    name: orders
    user: migrator
    passwordFrom: {env: ORDERS_PASSWORD}
    sslMode: verify-full
    role: owner
    schema: app
    versionTable: versions
  source:
    path: ../migrations
    recursive: true
    format: auto
  targetRevision: 8c1f0a2b7d3e
  policy: {downgrade: Allow}
  execution:
    migrationLockWait: 3s
    tableLockTimeout: 500ms
    tableLockBudget: 1m
    statementTimeout: 1h
  suspend: true
  dryRun: true
)";

std::string with_spec(const std::string& spec) {
  return "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata:\n  name: orders\nspec:\n" + spec;
}

// A spec whose `database` and `source` are fine, and which ends with the lines given (from line 10 on).
std::string with_more(const std::string& lines) {
  return with_spec("  database:\n    url: postgresql://localhost/orders\n  source:\n    path: rev\n" + lines);
}

// "context: message | hint" of the only problem.
std::string problem(const std::string& text) {
  const Manifest manifest = parse_manifest(text, "shop.yaml", "/manifests");
  if (manifest.problems.size() != 1) {
    return std::to_string(manifest.problems.size()) + " problems";
  }
  const Error& error = manifest.problems.front().error;
  return error.describe() + (error.hint.empty() ? "" : " | " + error.hint);
}

TEST(Manifest, ReadsEveryField) {
  const Manifest manifest = parse_manifest(kGood, "shop.yaml", "/manifests");
  ASSERT_TRUE(manifest.problems.empty()) << manifest.problems.front().error.describe();
  ASSERT_EQ(manifest.resources.size(), 1U);
  const DatabaseMigration& resource = manifest.resources.front();
  EXPECT_EQ(resource.key().text(), "shop/orders");
  EXPECT_EQ(resource.origin, "shop.yaml:1");
  EXPECT_EQ(resource.folder, "/manifests");
  EXPECT_EQ(resource.metadata.annotations.at("athanor.dev/retry-now"), "1");
  const auto& database = resource.spec.database;
  EXPECT_EQ(database.host, "db.example.org");
  EXPECT_EQ(database.port, 6432);
  EXPECT_EQ(database.name, "orders");
  EXPECT_EQ(database.user, "migrator");
  EXPECT_EQ(database.password_from, (SecretReference{SecretReference::Kind::Environment, "ORDERS_PASSWORD", ""}));
  EXPECT_EQ(database.ssl_mode, "verify-full");
  EXPECT_EQ(database.role, "owner");
  EXPECT_EQ(database.schema, "app");
  EXPECT_EQ(database.version_table, "versions");
  EXPECT_EQ(resource.spec.source, (SourceSpec{"../migrations", {}, {}, {}, {}, "", true}));
  EXPECT_EQ(resource.spec.target_revision, "8c1f0a2b7d3e");
  EXPECT_EQ(resource.spec.policy.downgrade, DowngradePolicy::Allow);
  EXPECT_EQ(resource.spec.execution.lock_wait, std::chrono::seconds(3));
  EXPECT_EQ(resource.spec.execution.lock_timeout, milliseconds(500));
  EXPECT_EQ(resource.spec.execution.lock_retry_budget, std::chrono::minutes(1));
  EXPECT_EQ(resource.spec.execution.statement_timeout, std::chrono::hours(1));
  EXPECT_TRUE(resource.spec.suspend);
  EXPECT_TRUE(resource.spec.dry_run);
}

TEST(Manifest, FillsInDefaults) {
  const Manifest manifest = parse_manifest(with_more(""), "shop.yaml", "/manifests");
  ASSERT_EQ(manifest.resources.size(), 1U);
  const DatabaseMigration& resource = manifest.resources.front();
  EXPECT_EQ(resource.key().text(), "default/orders");
  EXPECT_EQ(resource.spec.target_revision, "head");
  EXPECT_EQ(resource.spec.policy.downgrade, DowngradePolicy::Refuse);
  EXPECT_EQ(resource.spec.database.version_table, "alembic_version");
  EXPECT_FALSE(resource.spec.suspend);
}

TEST(Manifest, NamesFileLineAndFieldOfAnUnknownField) {
  EXPECT_EQ(problem(with_more("  polcy: {downgrade: Allow}\n")),
            "shop.yaml:10: field `spec.polcy`: unknown field | did you mean `policy`?");
}

TEST(Manifest, RefusesOtherKinds) {
  EXPECT_EQ(problem("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\nspec: {}\n"),
            "shop.yaml:2: field `kind`: is not DatabaseMigration | keep other resources out of this folder");
  EXPECT_EQ(problem("apiVersion: athanor.dev/v2\nkind: DatabaseMigration\nmetadata: {name: a}\nspec: {}\n"),
            "shop.yaml:1: field `apiVersion`: is not athanor.dev/v1alpha1");
  EXPECT_EQ(problem("- a\n- b\n"), "shop.yaml:1: expected a mapping, found a list");
}

TEST(Manifest, ReadsThePolicyOfLint) {
  const auto plain = parse_manifest(with_more("  policy: {lint: {}}\n"), "shop.yaml", "");
  ASSERT_TRUE(plain.problems.empty()) << plain.problems.front().error.describe();
  ASSERT_TRUE(plain.resources.front().spec.policy.lint);
  EXPECT_EQ(*plain.resources.front().spec.policy.lint, LintSettings());
  const auto full = parse_manifest(
      with_more("  policy: {lint: {levels: {drop-column: warning, varchar-n: off}, smallTableRows: 5}}\n"), "shop.yaml", "");
  ASSERT_TRUE(full.problems.empty()) << full.problems.front().error.describe();
  const LintSettings& lint = *full.resources.front().spec.policy.lint;
  EXPECT_EQ(lint.levels, (std::map<std::string, Severity>{{"drop-column", Severity::Warning}, {"varchar-n", Severity::Off}}));
  EXPECT_EQ(lint.small_table_rows, 5);
  EXPECT_NE(spec_hash(plain.resources.front().spec), spec_hash(full.resources.front().spec));
  EXPECT_THAT(
      problem(with_more("  policy: {lint: {levels: {drop-colum: error}}}\n")),
      testing::AllOf(testing::HasSubstr("unknown rule 'drop-colum'"), testing::HasSubstr("did you mean `drop-column`?")));
  EXPECT_THAT(problem(with_more("  policy: {lint: {levels: {drop-column: false}}}\n")),
              testing::HasSubstr("error, warning, info, off"));
  EXPECT_THAT(problem(with_more("  policy: {lint: {levels: [drop-column]}}\n")), testing::HasSubstr("is not a mapping"));
}

TEST(Manifest, RefusesWrongTypesAndValues) {
  EXPECT_EQ(problem(with_more("  suspend: yes\n")),
            "shop.yaml:10: field `spec.suspend`: expected true or false, found `yes` | write true or false");
  EXPECT_EQ(problem(with_more("  targetRevision: 1975\n")),
            "shop.yaml:10: field `spec.targetRevision`: expected text, found a number | put the value in quotes");
  EXPECT_EQ(problem(with_more("  policy: {downgrade: allow}\n")),
            "shop.yaml:10: field `spec.policy.downgrade`: is not one of Refuse, Keep, Allow | did you mean `Allow`?");
  EXPECT_NE(problem(with_more("  execution: {migrationLockWait: 10}\n"))
                .find("shop.yaml:10: field `spec.execution.migrationLockWait`"),
            std::string::npos);
  EXPECT_EQ(problem(with_more("  execution: {tableLockTimeout: 0ms}\n")),
            "shop.yaml:10: field `spec.execution.tableLockTimeout`: must lie between 1ms and 24h");
}

TEST(Manifest, NamesTheNewNameOfARenamedField) {
  const auto renamed = [](const std::string& field, const std::string& name) {
    return "shop.yaml:10: field `spec." + field + "`: has been renamed to " + name + " | move the value there";
  };
  EXPECT_EQ(problem(with_more("  execution: {lockWait: 10s}\n")), renamed("execution.lockWait", "migrationLockWait"));
  EXPECT_EQ(problem(with_more("  execution: {lockTimeout: 100ms}\n")), renamed("execution.lockTimeout", "tableLockTimeout"));
  EXPECT_EQ(problem(with_more("  execution: {lockRetryBudget: 1h}\n")),
            renamed("execution.lockRetryBudget", "tableLockBudget"));
  EXPECT_EQ(problem(with_more("  backup: {maxAge: 1h}\n")), renamed("backup.maxAge", "acceptYoungerThan"));
}

TEST(Manifest, TakesTheDefaultsThatServersStoredUnderFormerNames) {
  EXPECT_EQ(problem(with_more("  execution: {lockWait: 5s, lockTimeout: 2s, lockRetryBudget: 10m, tableLockTimeout: 1s}\n")),
            "0 problems");
}

TEST(StatusCodec, ReadsFormerNamesAndWritesTheNewOnes) {
  const Json written = {{"observedGeneration", 3},
                        {"plan", {{"hash", "h"}, {"contentHash", "c"}}},
                        {"approval", {{"planHash", "h"}, {"approvedAt", "2026-11-21T02:10:00Z"}}},
                        {"source", {{"checkedAt", "2026-11-21T02:11:00Z"}}},
                        {"lastBackup", {{"startedAt", "2026-11-21T02:12:00Z"}}},
                        {"lastError", {{"time", "2026-11-21T02:13:00Z"}, {"blockers", {{{"pid", 7}, {"since", "s"}}}}}},
                        {"nextRetry", "2026-11-21T02:14:00Z"},
                        {"history", {{{"time", "2026-11-21T02:15:00Z"}}}}};
  const DatabaseMigrationStatus status = status_from_json(written);
  EXPECT_EQ(status.plan->hash, "h");
  EXPECT_EQ(status.plan->content_hash, "c");
  EXPECT_EQ(status.approval->plan_hash, "h");
  EXPECT_EQ(status.approval->approved_at, "2026-11-21T02:10:00Z");
  EXPECT_EQ(status.source->checked_at, "2026-11-21T02:11:00Z");
  EXPECT_EQ(status.last_backup->started_at, "2026-11-21T02:12:00Z");
  EXPECT_EQ(status.last_error->time, "2026-11-21T02:13:00Z");
  EXPECT_EQ(status.last_error->blockers.at(0).since, "s");
  EXPECT_EQ(status.next_retry, "2026-11-21T02:14:00Z");
  EXPECT_EQ(status.history.at(0).time, "2026-11-21T02:15:00Z");
  EXPECT_EQ(status.observed_generation, -1) << "an equal status would never be written";

  DatabaseMigrationStatus again = status;
  again.observed_generation = 3;
  const Json now = status_to_json(again);
  EXPECT_EQ(status_from_json(now), again);
  EXPECT_EQ(now["plan"], (Json{{"approvalHash", "h"}, {"contentHash", "c"}, {"revisions", 0}}));
  EXPECT_EQ(now["history"][0]["completionTime"], "2026-11-21T02:15:00Z");
  EXPECT_FALSE(now.contains("nextRetry"));
}

TEST(Manifest, RefusesARevisionForASourceWithoutOne) {
  EXPECT_EQ(
      problem(with_spec("  database:\n    url: postgresql://localhost/orders\n  source:\n    path: rev\n    revision: abc\n")),
      "shop.yaml:10: field `spec.source.revision`: needs configMaps, git or fluxRef | a folder has no revision to compare "
      "with");
}

TEST(Manifest, RefusesHugeNumbers) {
  const auto window = [](const std::string& schedule, const std::string& duration) {
    return problem(with_more("  execution: {windows: [{schedule: '" + schedule + "', duration: " + duration + "}]}\n"));
  };
  EXPECT_EQ(window("1/2147483647 * * * *", "1h"),
            "shop.yaml:10: field `spec.execution.windows[0].schedule`: invalid minute in the schedule | "
            "write five fields as in cron, for example `0 2 * * SAT,SUN`");
  for (const auto* const duration : {"9223372036854775807h", "99999999999999999999ms", "1e300", "-1h"}) {
    EXPECT_NE(window("* * * * *", duration).find("shop.yaml:10: field `spec.execution.windows[0].duration`"), std::string::npos)
        << window("* * * * *", duration);
  }
}

TEST(Manifest, RefusesTargetsThatMeanSomethingElseEachTime) {
  const std::string expected =
      "shop.yaml:10: field `spec.targetRevision`: a declared target may not be relative, a range, or `current` | "
      "use head, heads, base, a revision id, or label@head";
  for (const char* target : {"'+1'", "'-1'", "ab12+1", "shop@+2", "shop@head-1", "ab12:cd34", "current"}) {
    EXPECT_EQ(problem(with_more(std::string("  targetRevision: ") + target + "\n")), expected) << target;
  }
  for (const char* target : {"head", "heads", "base", "shop@head", "ab12cd34"}) {
    EXPECT_EQ(problem(with_more(std::string("  targetRevision: ") + target + "\n")), "0 problems") << target;
  }
}

TEST(Manifest, SaysWhatNeedsAClusterOrComesLater) {
  EXPECT_EQ(problem(with_spec("  database:\n    urlFrom:\n      secretKeyRef: {name: a, key: b}\n  source: {path: rev}\n")),
            "shop.yaml:8: field `spec.database.urlFrom.secretKeyRef`: needs a cluster; use env or file in standalone mode | "
            "remove the field");
  EXPECT_EQ(problem(with_more("  verify: []\n")), "shop.yaml:10: field `spec.verify`: is not supported yet | remove the field");
  EXPECT_EQ(problem(with_more("  policy: {approval: Always}\n")),
            "shop.yaml:10: field `spec.policy.approval`: needs a cluster: approvals are MigrationApproval resources");
  EXPECT_EQ(problem(with_more("  execution: {mode: Job}\n")),
            "shop.yaml:10: field `spec.execution.mode`: needs a cluster | remove the field");
}

TEST(Manifest, RequiresExactlyOneWayToTheDatabase) {
  const std::string source = "  source: {path: rev}\n";
  EXPECT_EQ(problem(with_spec("  database: {schema: app}\n" + source)),
            "shop.yaml:6: field `spec.database.url`: no database is specified | set url, urlFrom, or host with name and user");
  EXPECT_EQ(problem(with_spec("  database: {url: 'postgresql://a/b', host: a}\n" + source)),
            "shop.yaml:6: field `spec.database.url`: only one of url, urlFrom and host may be set");
  EXPECT_EQ(problem(with_spec("  database: {host: a, name: b}\n" + source)),
            "shop.yaml:6: field `spec.database.user`: is required with host");
  EXPECT_EQ(problem(with_spec("  database: {url: 'postgresql://a/b', password: hunter2}\n" + source)),
            "shop.yaml:6: field `spec.database.password`: may only be set with host; put it in the URL instead");
  EXPECT_EQ(
      problem(with_spec("  database:\n    host: a\n    name: b\n    user: c\n    passwordFrom: {env: X, file: y}\n" + source)),
      "shop.yaml:10: field `spec.database.passwordFrom.env`: exactly one of env and file must be set");
}

TEST(Manifest, NeverRepeatsASecret) {
  for (const char* line : {"    password: [hunter2]\n", "    pasword: hunter2\n", "    password: {a: hunter2}\n"}) {
    const std::string text = problem(with_spec(std::string("  database:\n    host: a\n    name: b\n    user: c\n") + line));
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
  }
}

TEST(Manifest, RefusesNamesThatKubernetesWouldRefuse) {
  for (const char* name : {"Orders", "orders_db", "-orders", "orders.", "../orders", "a..b"}) {
    const auto text = problem("apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: '" +
                              std::string(name) + "'}\nspec: {}\n");
    EXPECT_NE(text.find("shop.yaml:3: field `metadata.name`: is not a valid resource name"), std::string::npos) << text;
  }
  const auto text =
      problem("apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: a, namespace: a.b}\nspec: {}\n");
  EXPECT_NE(text.find("field `metadata.namespace`: is not a valid namespace name"), std::string::npos) << text;
}

TEST(ResourceName, IsWhatAnApiServerTakes) {
  const std::string part(100, 'a');
  for (const auto& name :
       {std::string("a"), std::string("0"), std::string("a.0-b"), part, part + "." + part, std::string(253, 'a')}) {
    EXPECT_TRUE(is_resource_name(name)) << name;
  }
  for (const auto& name : {std::string(), std::string(254, 'a'), part + ".", part + ".-a", part + "..a", std::string("a_b"),
                           std::string("A"), std::string("a/b"), std::string("é")}) {
    EXPECT_FALSE(is_resource_name(name)) << name;
  }
  EXPECT_TRUE(is_namespace_name(std::string(63, 'a')));
  EXPECT_FALSE(is_namespace_name(std::string(64, 'a')));
}

TEST(Manifest, RefusesIdentifiersThatPostgresqlWouldCut) {
  EXPECT_EQ(problem(with_spec("  database:\n    url: postgresql://a/b\n    role: " + std::string(64, 'r') +
                              "\n  source: {path: rev}\n")),
            "shop.yaml:8: field `spec.database.role`: is longer than 63 bytes; PostgreSQL would truncate it | choose a shorter "
            "name");
}

TEST(Manifest, KeepsTheGoodDocumentsOfABrokenFile) {
  const Manifest manifest =
      parse_manifest("---\n" + with_more("  polcy: {}\n") + "---\n" + std::string(kGood) + "---\n", "shop.yaml", "/manifests");
  ASSERT_EQ(manifest.resources.size(), 1U);
  EXPECT_EQ(manifest.resources.front().key().text(), "shop/orders");
  ASSERT_EQ(manifest.problems.size(), 1U);
  ASSERT_TRUE(manifest.problems.front().key.has_value());
  EXPECT_EQ(manifest.problems.front().key->text(), "default/orders");
  EXPECT_EQ(manifest.problems.front().error.context, "shop.yaml:11");
}

TEST(Manifest, RefusesAliasBombsAndDeepNestingQuickly) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char name = 'b'; name < 'k'; ++name) {
    bomb += std::string(1, name) + ": &" + name + " [";
    for (int index = 0; index < 9; ++index) {
      bomb += std::string(index == 0 ? "" : ",") + "*" + static_cast<char>(name - 1);
    }
    bomb += "]\n";
  }
  const std::string deep = "spec: " + std::string(10'000, '[');
  const auto began = std::chrono::steady_clock::now();
  EXPECT_EQ(parse_manifest(bomb, "a.yaml", "/").problems.size(), 1U);
  EXPECT_EQ(parse_manifest(deep, "a.yaml", "/").problems.size(), 1U);
  EXPECT_LT(std::chrono::steady_clock::now() - began, milliseconds(100));
}

TEST(SpecHash, ChangesWithTheDeclarationAndNotWithThePassword) {
  DatabaseMigrationSpec spec;
  spec.database.url = "postgresql://user:one@db:5432/app?password=one&sslmode=require";
  const std::string before = spec_hash(spec);
  spec.database.url = "postgresql://user:two@db:5432/app?password=two&sslmode=require";
  EXPECT_EQ(spec_hash(spec), before);
  spec.database.url = "postgresql://user:two@db:5432/other?sslmode=require";
  EXPECT_NE(spec_hash(spec), before);
  const std::string other = spec_hash(spec);
  spec.target_revision = "base";
  EXPECT_NE(spec_hash(spec), other);
}

}  // namespace
}  // namespace athanor::controller
