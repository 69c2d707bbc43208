// athanor-operator as it runs for weeks: changes of manifests, files and databases, metrics, and a stop in the middle.
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <filesystem>

#include "tests/postgres/operator/operator_scene.hpp"

namespace athanor::test {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class OperatorFollow : public testing::Test {
 protected:
  OperatorFollow() {
    scene.revision("a1", "");
    scene.revision("a2", "a1");
  }
  OperatorScene scene;
  TestDatabase database{"operator"};
};

TEST_F(OperatorFollow, AppliesABumpedTargetAndANewFile) {
  scene.manifest("orders", database.url(), "  targetRevision: a1\n");
  scene.start();
  ASSERT_TRUE(scene.wait_until_at("orders", "a1")) << scene.process().err();
  scene.manifest("orders", database.url(), "  targetRevision: a2\n");
  ASSERT_TRUE(scene.wait_until_at("orders", "a2"));
  scene.manifest_by_rename("orders", database.url(), "  targetRevision: head\n");
  ASSERT_TRUE(scene.wait_for_status("orders", {"generation: 3", "targetRevision: head", "phase: Ready"}));
  scene.revision("a3", "a2");
  ASSERT_TRUE(scene.wait_until_at("orders", "a3"));
  EXPECT_EQ(scene.stop().exit_code, 0);
  EXPECT_EQ(database.version_rows(), std::vector<std::string>{"a3"});
}

TEST_F(OperatorFollow, RunsABrokenStatementOnceAndRecoversWhenTheFileIsFixed) {
  scene.revision("a2", "a1", "CREATE TABLE broken (id int PRIMARY KEY, id int);");
  scene.manifest("orders", database.url());
  scene.start({"--resync", "1s"});
  ASSERT_TRUE(scene.wait_for_status("orders", {"sqlState: \"42701\"", "phase: Stalled", "type: Stalled"}))
      << scene.status("orders");
  const std::string stalled = scene.status("orders");
  // Several resyncs later nothing was tried again: the metric counts runs.
  ASSERT_TRUE(scene.process().wait_for_output("stalled"));
  for (int code = 0; !holds(scene.get("/metrics", &code), R"(result="error"} 3)");) {
    ASSERT_EQ(code, 200);
  }
  EXPECT_TRUE(holds(scene.get("/metrics"), R"(athanor_migrations_failed_total{reason="StatementFailed"} 1)"));
  EXPECT_EQ(scene.status("orders"), stalled);
  scene.revision("a2", "a1");
  ASSERT_TRUE(scene.wait_until_at("orders", "a2"));
  EXPECT_FALSE(holds(scene.status("orders"), "type: Stalled"));
  EXPECT_FALSE(holds(scene.status("orders"), "lastError"));
}

TEST_F(OperatorFollow, KeepsTheBackupOfTheFirstAttemptWhileTheRestIsTriedAgain) {
  database.run("CREATE TABLE legacy (id int); CREATE TABLE busy (id int)");
  scene.revision("a1", "", "DROP TABLE legacy;", "CREATE TABLE legacy (id int);");
  scene.revision("a2", "a1", "ALTER TABLE busy ADD COLUMN more int;", "ALTER TABLE busy DROP COLUMN more;");
  scene.manifest("orders", database.url(),
                 "  backup:\n    retention:\n      count: 1\n"
                 "  execution:\n    tableLockTimeout: 100ms\n    tableLockBudget: 200ms\n");
  auto holder = database.connect();
  holder.run("BEGIN; LOCK TABLE busy IN SHARE MODE");
  std::filesystem::create_directories(scene.folder / "backups");
  scene.start({"--backup-root", scene.folder / "backups"});
  ASSERT_TRUE(scene.wait_for_status("orders", {"reason: LockTimeout", "failures: 3"})) << scene.process().err();
  holder.run("ROLLBACK");
  ASSERT_TRUE(scene.wait_until_at("orders", "a2")) << scene.process().err();
  EXPECT_EQ(scene.stop().exit_code, 0);
  std::vector<std::string> rows;
  for (const auto& file : std::filesystem::directory_iterator(scene.folder / "backups/shop/orders")) {
    if (file.path().extension() == ".dump") {
      const std::string name = file.path().filename();
      rows.push_back(holds(name, "-base-") ? "base" : holds(name, "-a1-") ? "a1" : name);
    }
  }
  std::ranges::sort(rows);
  EXPECT_EQ(rows, (std::vector<std::string>{"a1", "base"})) << "one of each state, and the first of all is there";
}

TEST_F(OperatorFollow, TakesNewManifestsAndForgetsDeletedOnesWithoutTouchingData) {
  scene.start();
  scene.manifest("orders", database.url());
  ASSERT_TRUE(scene.wait_until_at("orders", "a2"));
  EXPECT_TRUE(holds(scene.get("/metrics"), "athanor_pending_revisions{name=\"orders\",namespace=\"shop\"} 0"));
  std::filesystem::remove(scene.folder / "manifests/orders.yaml");
  ASSERT_TRUE(scene.process().wait_for_output("a resource was removed"));
  EXPECT_TRUE(database.has_relation("public.t_a2"));
  EXPECT_EQ(scene.stop().exit_code, 0);
  EXPECT_EQ(scene.status("orders"), "");
}

TEST_F(OperatorFollow, ResumesWhenSuspendIsLifted) {
  scene.manifest("orders", database.url(), "  suspend: true\n");
  scene.start();
  ASSERT_TRUE(scene.wait_for_status("orders", {"phase: Suspended"}));
  EXPECT_FALSE(database.has_relation("public.t_a1"));
  scene.manifest("orders", database.url());
  EXPECT_TRUE(scene.wait_until_at("orders", "a2"));
}

TEST_F(OperatorFollow, RecoversFromAPasswordThatIsCorrectedInItsFile) {
  TestRole role(database);
  database.run("GRANT CREATE ON DATABASE " + database.name() + " TO " + role.name() + "; GRANT ALL ON SCHEMA public TO " +
               role.name());
  scene.folder.write("manifests/secrets/url", url_of(database.name(), role.name(), "old"));
  scene.folder.write(
      "manifests/orders.yaml",
      "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: orders, namespace: shop}\nspec:\n"
      "  database: {urlFrom: {file: secrets/url}}\n  source: {path: rev}\n");
  scene.start();
  ASSERT_TRUE(scene.wait_for_status("orders", {"reason: AuthenticationFailed"})) << scene.status("orders");
  scene.folder.write("manifests/secrets/url", role.url());
  EXPECT_TRUE(scene.wait_until_at("orders", "a2"));
}

TEST_F(OperatorFollow, WaitsForALockHeldElsewhereAndGoesOn) {
  scene.revision("a3", "a2", "SELECT pg_sleep(0.1); CREATE TABLE t_a3 (id int);");
  scene.manifest("orders", database.url(), "  targetRevision: a2\n  execution: {migrationLockWait: 100ms}\n");
  ASSERT_EQ(scene.once().exit_code, 0);
  // Another run of the same kind, stopped in the middle by a table lock that this test holds.
  Client blocker = database.connect();
  blocker.run("BEGIN; LOCK TABLE t_a1");
  scene.revision("a3", "a2", "ALTER TABLE t_a1 ADD COLUMN more int;", "ALTER TABLE t_a1 DROP COLUMN more;");
  OperatorScene rival;
  for (const std::string id : {"a1", "a2", "a3"}) {
    rival.folder.write("manifests/rev/" + id + ".sql", read_file(scene.folder / ("manifests/rev/" + id + ".sql")));
  }
  rival.manifest("orders", database.url());
  rival.start();
  ASSERT_TRUE(
      database.wait_until("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND granted AND "
                          "database = (SELECT oid FROM pg_database WHERE datname = current_database())"));
  scene.manifest("orders", database.url(), "  execution: {migrationLockWait: 100ms}\n");
  scene.start();
  ASSERT_TRUE(scene.wait_for_status("orders", {"reason: LockHeld", "phase: Waiting"})) << scene.status("orders");
  blocker.run("ROLLBACK");
  EXPECT_TRUE(rival.wait_until_at("orders", "a3"));
  EXPECT_TRUE(scene.wait_until_at("orders", "a3")) << scene.status("orders");
}

TEST_F(OperatorFollow, EndsAtASafePointOnSigterm) {
  scene.revision("a2", "a1", "SELECT pg_sleep(1.5); CREATE TABLE t_a2 (id int);");
  scene.revision("a3", "a2");
  scene.manifest("orders", database.url());
  scene.start();
  ASSERT_TRUE(
      database.wait_until("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE "
                          "'%pg_sleep(1.5)%' AND pid <> pg_backend_pid() AND state = 'active'"));
  const auto result = scene.stop();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_TRUE(holds(result.err, "operator stopped"));
  const auto rows = database.version_rows();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(database.has_relation("public.t_a2"), rows.front() != "a1");
  EXPECT_EQ(database.has_relation("public.t_a3"), rows.front() == "a3");
  EXPECT_TRUE(holds(scene.status("orders"), "reason: Interrupted") || rows.front() == "a3") << scene.status("orders");
  scene.start();
  EXPECT_TRUE(scene.wait_until_at("orders", "a3")) << scene.status("orders");
}

TEST_F(OperatorFollow, ServesHealthAndMetricsThatPromtoolAccepts) {
  TestDatabase other("operator");
  scene.manifest("orders", database.url());
  scene.manifest("users", other.url());
  scene.start();
  ASSERT_TRUE(scene.wait_until_at("orders", "a2"));
  ASSERT_TRUE(scene.wait_until_at("users", "a2"));
  int code = 0;
  EXPECT_EQ(scene.get("/healthz", &code), "ok\n");
  EXPECT_EQ(code, 200);
  EXPECT_EQ(scene.get("/readyz", &code), "ok\n");
  EXPECT_EQ(code, 200);
  (void)scene.get("/secrets", &code);
  EXPECT_EQ(code, 404);
  ProcessOptions options;
  options.standard_input = scene.get("/metrics", &code);
  EXPECT_EQ(code, 200);
  EXPECT_TRUE(holds(options.standard_input, "athanor_migrations_applied_total{direction=\"upgrade\"} 4"))
      << options.standard_input;
  const auto checked = run_process({"promtool", "check", "metrics"}, options);
  EXPECT_EQ(checked.exit_code, 0) << checked.out << checked.err;
}

TEST_F(OperatorFollow, RefusesOtherMethodsAndBodies) {
  scene.start();
  EXPECT_TRUE(holds(scene.raw("DELETE /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), " 405 "));
  EXPECT_TRUE(holds(scene.raw("BREW /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), " 405 "));
  EXPECT_TRUE(
      holds(scene.raw("GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 3\r\n\r\nabc"), " 413 "));
  EXPECT_EQ(scene.get("/healthz"), "ok\n");
}

TEST_F(OperatorFollow, SaysWhichAddressIsTaken) {
  scene.start();
  OperatorScene second;
  const auto started =
      run_process({operator_binary(), "--manifests", second.folder / "manifests", "--listen", scene.address()});
  EXPECT_EQ(started.exit_code, 3) << started.err;
  EXPECT_TRUE(holds(started.err, "--listen")) << started.err;
}

}  // namespace
}  // namespace athanor::test
