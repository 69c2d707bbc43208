// The real command line, killed at random moments, then run to the end: every effect exactly once, never a lie in the tables.
//
// The seed is printed; ATHANOR_SEED replays it.
#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {
namespace {

class Crash : public testing::Test {
 protected:
  Crash() {
    const char* given = std::getenv("ATHANOR_SEED");
    seed_ = given != nullptr ? static_cast<unsigned>(std::strtoul(given, nullptr, 10)) : std::random_device()();
    std::printf("seed %u (replay: ATHANOR_SEED=%u)\n", seed_, seed_);
    random_.seed(seed_);
  }

  void revision(int number, const std::string& up, const std::string& down) {
    const std::string id = "r" + std::to_string(number);
    const std::string parent = number == 1 ? "" : "r" + std::to_string(number - 1);
    folder_.write("versions/" + id + ".sql", "-- Step " + id + "\n--\n-- Revision: " + id + "\n-- Revises: " + parent +
                                                 "\n\n-- athanor:upgrade\n" + up + "\n\n-- athanor:downgrade\n" + down + "\n");
  }

  // Effects that show when they happen twice or half: rows counted per revision, objects with fixed names.
  void mixed_history() {
    revision(
        1,
        "CREATE TABLE effects (revision int, n int);\nCREATE TABLE work (id int PRIMARY KEY, done int NOT NULL DEFAULT 0);\n"
        "INSERT INTO work SELECT g FROM generate_series(1, 2000) g;",
        "DROP TABLE work;\nDROP TABLE effects;");
    int number = 2;
    for (; number <= 30; ++number) {
      const std::string n = std::to_string(number);
      revision(number, "CREATE TABLE t" + n + " (id int);\nINSERT INTO effects VALUES (" + n + ", 1);\nSELECT pg_sleep(0.01);",
               "DELETE FROM effects WHERE revision = " + n + ";\nDROP TABLE t" + n + ";");
    }
    revision(31,
             "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY work_done ON work (done);\n"
             "CREATE INDEX CONCURRENTLY work_both ON work (id, done);",
             "DROP INDEX work_both;\nDROP INDEX work_done;");
    revision(32,
             "-- athanor:step batch table=work key=id size=50 pause=2ms\nUPDATE work SET done = done + 1 WHERE {batch};\n"
             "-- athanor:step transaction\nINSERT INTO effects VALUES (32, 1);",
             "UPDATE work SET done = 0;\nDELETE FROM effects WHERE revision = 32;");
    for (number = 33; number <= 45; ++number) {
      const std::string n = std::to_string(number);
      revision(number, "INSERT INTO effects VALUES (" + n + ", 1);\nSELECT pg_sleep(0.01);",
               "DELETE FROM effects WHERE revision = " + n + ";");
    }
  }

  [[nodiscard]] ProcessOptions options() const {
    ProcessOptions options;
    options.environment["DATABASE_URL"] = database_.url();
    return options;
  }
  [[nodiscard]] std::vector<std::string> command(const std::string& verb, const std::string& target) const {
    return {athanor_binary(), verb, target, "--migrations", folder_ / "versions", "-q"};
  }
  int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  // The old backend may still be finishing its statement: the lock is free when it is gone.
  void wait_for_backend() {
    EXPECT_TRUE(
        database_.wait_until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND database ="
                             " (SELECT oid FROM pg_database WHERE datname = current_database())"));
  }

  // What the version table says is what happened, neither more nor less.
  void expect_honest() {
    if (!database_.has_relation("alembic_version") || database_.version_rows().empty()) {
      return;
    }
    const int at = std::stoi(database_.version_rows().at(0).substr(1));
    EXPECT_EQ(database_.value("SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM effects GROUP BY revision) s"),
              at >= 2 ? "1" : "0");
    const int open = std::stoi(database_.value("SELECT count(*) FROM athanor.step"));
    const std::string highest = database_.value("SELECT coalesce(max(revision), 0) FROM effects WHERE revision <> 32");
    if (open == 0 && at != 31 && at != 32) {
      EXPECT_EQ(highest, at >= 2 ? std::to_string(at) : "0");
    }
    EXPECT_EQ(
        database_.value("SELECT direction FROM athanor.history WHERE outcome = 'applied' ORDER BY id DESC LIMIT 1") == "upgrade"
            ? database_.value("SELECT revision FROM athanor.history WHERE outcome = 'applied' ORDER BY id DESC LIMIT 1")
            : "r" + std::to_string(at),
        "r" + std::to_string(at));
  }

  TestDatabase database_{"crash"};
  TempFolder folder_;
  unsigned seed_ = 0;
  std::mt19937 random_;
};

TEST_F(Crash, EveryEffectHappensOnceHoweverOftenTheProcessIsKilled) {
  mixed_history();
  int killed = 0;
  for (int round = 0; round < 40; ++round) {
    Process process(command("upgrade", "heads"), options());
    std::this_thread::sleep_for(std::chrono::milliseconds(between(5, 120)));
    if (process.running()) {
      process.signal(round % 4 == 3 ? SIGTERM : SIGKILL);
      ++killed;
    }
    const auto result = process.wait();
    wait_for_backend();
    expect_honest();
    if (result.exit_code == 0) {
      break;
    }
  }
  const auto last = run_process(command("upgrade", "heads"), options());
  ASSERT_EQ(last.exit_code, 0) << last.err;
  std::printf("killed %d times\n", killed);
  EXPECT_GT(killed, 3);
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"r45"});
  EXPECT_EQ(database_.value("SELECT count(*) || ' ' || count(DISTINCT revision) FROM effects"), "43 43");
  EXPECT_EQ(database_.value("SELECT bool_and(done = 1)::text || ' ' || count(*) FROM work"), "true 2000");
  EXPECT_EQ(
      database_.value("SELECT bool_and(indisvalid)::text || ' ' || count(*) FROM pg_index WHERE indrelid = 'work'::regclass"),
      "true 3");
  EXPECT_EQ(database_.value("SELECT count(*) FROM athanor.step"), "0");
  EXPECT_EQ(
      database_.value("SELECT count(*) || ' ' || count(DISTINCT revision) FROM athanor.history WHERE outcome = 'applied'"),
      "45 45");
}

TEST_F(Crash, AServerThatDiesInTheMiddleLeavesAStateToGoOnFrom) {
  mixed_history();
  // Backends die as in a crash of the server: without a word to the client.
  for (int round = 0; round < 15; ++round) {
    Process process(command("upgrade", "heads"), options());
    std::this_thread::sleep_for(std::chrono::milliseconds(between(20, 150)));
    database_.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'athanor' AND datname = "
        "current_database()");
    const auto result = process.wait();
    EXPECT_TRUE(result.exit_code == 0 || result.exit_code == 7) << result.exit_code << "\n" << result.err;
    wait_for_backend();
    expect_honest();
    if (result.exit_code == 0) {
      break;
    }
  }
  const auto last = run_process(command("upgrade", "heads"), options());
  ASSERT_EQ(last.exit_code, 0) << last.err;
  EXPECT_EQ(database_.value("SELECT count(*) || ' ' || count(DISTINCT revision) FROM effects"), "43 43");
  EXPECT_EQ(database_.value("SELECT bool_and(done = 1)::text FROM work"), "true");
}

}  // namespace
}  // namespace athanor::test
