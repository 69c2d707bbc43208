// A database server that goes away under the running operator: crashed, restarted, down for a while; or is there twice. Its own
// server, because nobody else's tests should notice.
#include <gtest/gtest.h>

#include "tests/postgres/operator/operator_scene.hpp"
#include "tests/support/own_server.hpp"

namespace athanor::test {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class OperatorRestart : public testing::Test {
 protected:
  OperatorRestart() {
    scene.revision("a1", "");
    scene.revision("a2", "a1", "CREATE TABLE t_a2 (id int); INSERT INTO gate VALUES (1);");
    scene.revision("a3", "a2");
    Client(server.url()).run("CREATE TABLE gate (id int)");
    scene.manifest("orders", server.url());
  }

  // Runs into the gate: a1 is applied, a2 waits for a table lock of `gatekeeper` inside its transaction.
  void start_and_wait_at_the_gate(Client& gatekeeper) {
    gatekeeper.run("BEGIN; LOCK TABLE gate");
    scene.start();
    Client watcher(server.url());
    for (int round = 0; round < 1'000; ++round) {
      if (watcher.value("SELECT count(*) FROM pg_locks WHERE relation = 'gate'::regclass AND NOT granted") == "1") {
        return;
      }
      watcher.run("SELECT pg_sleep(0.02)");
    }
    FAIL() << "a2 never came to the gate: " << scene.status("orders") << scene.process().err();
  }
  // What the status says while the server is away, and does not say.
  void expect_an_honest_status() {
    ASSERT_TRUE(scene.wait_for_status("orders", {"phase: Retrying", "reason: DatabaseUnreachable", "nextRetryTime: "}))
        << scene.status("orders");
    const std::string status = scene.status("orders");
    EXPECT_TRUE(holds(status, "type: Ready\n      status: \"False\"")) << status;
    EXPECT_TRUE(holds(status, "type: Reconciling\n      status: \"True\"")) << status;
    EXPECT_FALSE(holds(status, "type: Stalled")) << status;
    EXPECT_FALSE(holds(status, ":athanor@")) << status;
  }
  void expect_recovered(const std::string& revision) {
    ASSERT_TRUE(scene.wait_until_at("orders", revision)) << scene.status("orders") << scene.process().err();
    const std::string status = scene.status("orders");
    EXPECT_FALSE(holds(status, "lastError") || holds(status, "nextRetryTime") || holds(status, "failures")) << status;
    EXPECT_FALSE(holds(status, "type: Reconciling")) << status;
    Client database(server.url());
    EXPECT_EQ(database.column("SELECT version_num FROM alembic_version"), std::vector<std::string>{revision});
    // Every revision took place once, whatever was tried.
    EXPECT_EQ(database.value("SELECT count(*) FROM (SELECT revision FROM athanor.history WHERE outcome = 'applied'"
                             " GROUP BY revision HAVING count(*) > 1) twice"),
              "0");
  }

  OwnServer server;
  OperatorScene scene;
};

TEST_F(OperatorRestart, ACrashDuringARevisionIsRecoveredAutomatically) {
  {
    Client gatekeeper(server.url());
    start_and_wait_at_the_gate(gatekeeper);
    server.crash();
  }
  expect_an_honest_status();
  server.resume();
  expect_recovered("a3");
  EXPECT_EQ(Client(server.url()).value("SELECT count(*) FROM gate"), "1");
  EXPECT_EQ(scene.stop().exit_code, 0);
}

TEST_F(OperatorRestart, ARestartDuringARevisionIsRecoveredAutomatically) {
  {
    Client gatekeeper(server.url());
    start_and_wait_at_the_gate(gatekeeper);
    server.restart();
  }
  expect_recovered("a3");
  EXPECT_EQ(Client(server.url()).value("SELECT count(*) FROM gate"), "1");
}

TEST_F(OperatorRestart, ADatabaseAtItsTargetIsNotCalledReadyWhileItIsDown) {
  scene.start({"--resync", "1s"});
  expect_recovered("a3");
  server.crash();
  expect_an_honest_status();
  const std::string away = scene.status("orders");
  EXPECT_TRUE(holds(away, "currentRevisions:\n    - a3\n")) << away;  // as last seen
  scene.revision("a4", "a3");                                         // what is asked for meanwhile is done when it is back
  server.resume();
  expect_recovered("a4");
}

TEST_F(OperatorRestart, AServerThatComesUpAfterTheOperatorIsMigrated) {
  server.crash();
  scene.start();
  expect_an_honest_status();
  EXPECT_EQ(scene.get("/healthz"), "ok\n");
  server.resume();
  expect_recovered("a3");
}

// A copy of the files (pg_basebackup, a snapshot of a volume) has every number of the original, and is a database of its own.
TEST_F(OperatorRestart, APhysicalCopyOfTheServerIsNotTakenForTheServer) {
  const OwnServer copy = OwnServer::copy_of(server);
  const char* const files = "SELECT system_identifier FROM pg_control_system()";
  ASSERT_EQ(Client(copy.url()).value(files), Client(server.url()).value(files));
  scene.start();
  expect_recovered("a3");
  scene.manifest("orders-copy", copy.url());  // of one that is known to have its database already
  ASSERT_TRUE(scene.wait_until_at("orders-copy", "a3")) << scene.status("orders-copy");
  EXPECT_EQ(Client(copy.url()).value("SELECT count(*) FROM gate"), "1");
}

}  // namespace
}  // namespace athanor::test
