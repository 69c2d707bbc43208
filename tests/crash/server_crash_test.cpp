// The server itself goes away in the middle of a revision: for good, or for as long as a restart takes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/own_server.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Json = nlohmann::json;

class ServerCrash : public testing::Test {
 protected:
  ServerCrash() {
    revision("r1", "", "CREATE TABLE t1 (id int);");
    revision("r2", "r1", "CREATE TABLE t2 (id int);\nINSERT INTO gate VALUES (1);");
    revision("r3", "r2", "CREATE TABLE t3 (id int);");
    gatekeeper_.run("CREATE TABLE gate (id int)");
  }

  void revision(const std::string& id, const std::string& parent, const std::string& up) const {
    folder_.write("versions/" + id + ".sql", "-- Step " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + parent +
                                                 "\n\n-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\nSELECT 1;\n");
  }
  [[nodiscard]] std::vector<std::string> upgrade(std::vector<std::string> more) const {
    std::vector<std::string> words{athanor_binary(), "upgrade", "heads", "--migrations", folder_ / "versions"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  [[nodiscard]] ProcessOptions options() const {
    ProcessOptions options;
    options.environment["DATABASE_URL"] = server_.url();
    return options;
  }
  // r1 is in, r2 waits inside its transaction, r3 is in the pipeline behind it.
  void wait_at_the_gate(Process& process) const {
    Client watcher(server_.url());
    while (process.running()) {
      if (watcher.value("SELECT count(*) FROM pg_locks WHERE NOT granted") == "1") {
        return;
      }
      watcher.run("SELECT pg_sleep(0.02)");
    }
    FAIL() << "it ended before it came to the gate: " << process.wait().err;
  }
  void start_and_crash(Process& process) {
    wait_at_the_gate(process);
    server_.crash();
  }

  OwnServer server_;
  TempFolder folder_;
  Client gatekeeper_{server_.url()};
};

TEST_F(ServerCrash, ForGoodInTheMiddleOfARevisionIsAnUnknownOutcomeAndSaysWhatToDo) {
  gatekeeper_.run("BEGIN; LOCK TABLE gate");
  Process process(upgrade({"-x", "lock_wait=2s", "--json"}), options());
  start_and_crash(process);
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 7) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["error"]["code"], "commit-outcome-unknown");
  EXPECT_EQ(json["success"], false);
  const std::string text = json["error"].dump();
  EXPECT_THAT(text, AllOf(HasSubstr("outcome of the last transaction could not be read"), HasSubstr("athanor current"),
                          Not(HasSubstr(":athanor@"))));

  server_.resume();
  const auto again = run_process(upgrade({}), options());
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(Client(server_.url()).column("SELECT version_num FROM alembic_version"), std::vector<std::string>{"r3"});
}

TEST_F(ServerCrash, ForAWhileIsResolvedByAskingTheServerWhenItIsBack) {
  gatekeeper_.run("BEGIN; LOCK TABLE gate");
  Process process(upgrade({"-x", "lock_wait=60s", "--json"}), options());
  start_and_crash(process);
  server_.resume();
  const auto result = process.wait();
  EXPECT_EQ(result.exit_code, 7) << result.err;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["error"]["code"], "connection-lost") << json;
  EXPECT_THAT(json["error"]["message"].get<std::string>(), HasSubstr("1 of 3 revisions of this run were applied"));
  EXPECT_EQ(json["current_revision"], Json::array({"r1"}));
  Client client(server_.url());
  EXPECT_EQ(client.column("SELECT version_num FROM alembic_version"), std::vector<std::string>{"r1"});
  EXPECT_EQ(client.value("SELECT to_regclass('t2') IS NULL"), "t");

  const auto again = run_process(upgrade({}), options());
  EXPECT_EQ(again.exit_code, 0) << again.err;
  EXPECT_EQ(client.column("SELECT version_num FROM alembic_version"), std::vector<std::string>{"r3"});
  EXPECT_EQ(client.value("SELECT count(*) || ' ' || count(DISTINCT revision) FROM athanor.history"), "3 3");
}

TEST_F(ServerCrash, InAStepOutsideATransactionIsContinuedFromTheLedger) {
  revision("r4", "r3",
           "INSERT INTO t3 VALUES (1);\n-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY gate_id ON gate (id);\n"
           "-- athanor:step transaction\nINSERT INTO t3 VALUES (2);");
  gatekeeper_.run("BEGIN; LOCK TABLE gate IN ROW EXCLUSIVE MODE");
  Process process(upgrade({"-x", "lock_wait=60s", "-x", "lock_timeout=30s"}), options());
  start_and_crash(process);
  server_.resume();
  EXPECT_EQ(process.wait().exit_code, 7) << process.err();
  const auto again = run_process(upgrade({}), options());
  EXPECT_EQ(again.exit_code, 0) << again.err;
  Client client(server_.url());
  EXPECT_EQ(client.column("SELECT id FROM t3 ORDER BY id"), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(client.column("SELECT indisvalid FROM pg_index WHERE indrelid = 'gate'::regclass"), std::vector<std::string>{"t"});
  EXPECT_EQ(client.value("SELECT count(*) FROM athanor.step"), "0");
}

}  // namespace
}  // namespace athanor::test
