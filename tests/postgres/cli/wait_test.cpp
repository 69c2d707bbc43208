// `athanor wait` with a clock that the test moves: what changes in the world changes between two looks, so nothing here sleeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "migrations/cli/program.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "migrations/revision/source.hpp"
#include "tests/postgres/cli/cli_scene.hpp"
#include "tests/support/fake_clock.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

struct Ended {
  int exit_code = -1;
  std::string out;
  std::string err;
};

// The wait runs in this process, `athanor upgrade` and the like as programs.
struct WaitScene : CliScene {
  FakeClock clock;
  StopSource stop;
  std::string url = database.url();
  std::function<Error(const std::vector<std::string>&)> become;

  WaitScene() { three_tables(); }

  Ended wait(std::vector<std::string> arguments) {
    cli::ProcessEnvironment outside;
    outside.variable = [this](const char* name) {
      return std::string_view(name) == "DATABASE_URL" && !url.empty() ? std::optional(url) : std::nullopt;
    };
    outside.connect = [this](const std::string& to,
                             const ExecutionSettings& settings) -> Result<std::unique_ptr<SessionFactory>> {
      TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(to, settings, stop.token()));
      return std::unique_ptr<SessionFactory>(std::move(factory));
    };
    outside.connection_keywords = postgres::connection_keywords;
    outside.open_source = [](const Configuration& configuration) -> std::unique_ptr<RevisionSource> {
      return std::make_unique<FolderSource>(configuration.version_locations, false, configuration.limits);
    };
    outside.become = become;
    outside.clock = &clock;
    outside.stop = stop.token();
    arguments.insert(arguments.begin(), "wait");
    const std::vector<std::string_view> words(arguments.begin(), arguments.end());
    Ended ended;
    ended.exit_code = cli::run_program(
        words, outside, [&](std::string_view text) { ended.out += text; }, [&](std::string_view text) { ended.err += text; });
    return ended;
  }
  // Does `what` during the n-th pause, counted from 1.
  void meanwhile(std::size_t pause, std::function<void()> what) {
    clock.on_wait = [this, pause, what = std::move(what)](milliseconds) {
      if (clock.waits.size() == pause) {
        what();
      }
    };
  }
  void upgrade(const std::string& target) const { EXPECT_EQ(run({"upgrade", target}).exit_code, 0); }
  [[nodiscard]] std::string files() const { return folder.string() + "/migrations"; }
};

std::size_t lines_with(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST(Wait, PassesAtOnceWhenTheRevisionIsTheHead) {
  WaitScene scene;
  scene.upgrade("r2");
  const Ended ended = scene.wait({"--revision", "r2"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.out + ended.err, HasSubstr("is at r2, which includes revision r2"));
  EXPECT_THAT(scene.clock.waits, SizeIs(0));
}

TEST(Wait, PassesWhenADescendantIsAppliedByTheLedgerAlone) {
  WaitScene scene;
  scene.upgrade("head");
  EXPECT_EQ(scene.wait({"--revision", "r1"}).exit_code, 0);
}

TEST(Wait, WaitsForAVersionTableAndThenForTheRevisionAndSaysEachOnce) {
  WaitScene scene;
  scene.clock.on_wait = [&](milliseconds) {
    if (scene.clock.waits.size() == 3) {
      scene.upgrade("r1");
    }
    if (scene.clock.waits.size() == 6) {
      scene.upgrade("r3");
    }
  };
  const Ended ended = scene.wait({"--revision", "r2"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(scene.clock.waits, SizeIs(6));
  EXPECT_EQ(lines_with(ended.err, "waiting for revision r2"), 2U) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("has no version table yet"));
  EXPECT_THAT(ended.err, HasSubstr("is at r1"));
}

TEST(Wait, NeverPassesBeforeTheRevisionWhicheverIsAppliedInBetween) {
  WaitScene scene;
  scene.upgrade("r2");
  const Ended ended = scene.wait({"--revision", "r3", "--timeout", "7s", "--interval", "2s"});
  EXPECT_EQ(ended.exit_code, 6) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("revision r3 is not applied after 7s"));
  EXPECT_THAT(scene.clock.waits, ElementsAre(milliseconds(2000), milliseconds(2000), milliseconds(2000), milliseconds(1000)));
}

TEST(Wait, ChecksOnceWithoutATimeout) {
  WaitScene scene;
  EXPECT_EQ(scene.wait({"--revision", "r1", "--timeout", "0"}).exit_code, 6);
  EXPECT_THAT(scene.clock.waits, SizeIs(0));
}

TEST(Wait, KnowsABranchAndItsDependency) {
  WaitScene scene;
  scene.revision("b1", "", "CREATE TABLE t8 (id int);", "DROP TABLE t8;", "-- Depends-On: r2");
  scene.upgrade("b1");
  EXPECT_EQ(scene.wait({"--revision", "r2", "--timeout", "0"}).exit_code, 0);
  EXPECT_EQ(scene.wait({"--revision", "r1", "--timeout", "0"}).exit_code, 0);
  EXPECT_EQ(scene.wait({"--revision", "r3", "--timeout", "0"}).exit_code, 6);
  const Ended both = scene.wait({"--revision", "b1,r3", "--timeout", "0"});
  EXPECT_EQ(both.exit_code, 6);
  EXPECT_THAT(both.err, HasSubstr("without r3"));
}

TEST(Wait, SaysWhenDescentIsNotRecordedAndTakesItFromFiles) {
  WaitScene scene;
  EXPECT_EQ(scene.run({"stamp", "r3"}).exit_code, 0);
  const Ended unknown = scene.wait({"--revision", "r1", "--timeout", "0"});
  EXPECT_EQ(unknown.exit_code, 10) << unknown.err;
  EXPECT_THAT(unknown.err, HasSubstr("the ledger recorded no parents of r3"));
  EXPECT_EQ(scene.wait({"--revision", "r3", "--timeout", "0"}).exit_code, 0);  // the head itself needs no descent
  EXPECT_EQ(scene.wait({"--revision", "r1", "--timeout", "0", "--migrations", scene.files()}).exit_code, 0);
  EXPECT_EQ(scene.wait({"--revision", "head", "--timeout", "0", "--migrations", scene.files()}).exit_code, 0);
}

TEST(Wait, CountsTheParentOfARecordedRevisionAsApplied) {
  WaitScene scene;
  EXPECT_EQ(scene.run({"stamp", "r2"}).exit_code, 0);
  scene.upgrade("r3");
  EXPECT_EQ(scene.wait({"--revision", "r2", "--timeout", "0"}).exit_code, 0);
  EXPECT_EQ(scene.wait({"--revision", "r1", "--timeout", "0"}).exit_code, 10);
}

TEST(Wait, GoesOnWhileTheServerIsDown) {
  WaitScene scene;
  scene.upgrade("r1");
  const std::string right = std::exchange(scene.url, "postgresql://app@127.0.0.1:1/shop");
  const Ended down = scene.wait({"--revision", "r1", "--timeout", "5s"});
  EXPECT_EQ(down.exit_code, 7) << down.err;
  EXPECT_THAT(down.err, HasSubstr("revision r1 is not applied after 5s"));
  EXPECT_EQ(lines_with(down.err, "waiting for"), 1U) << down.err;
  // A URL file is read once; what changes under a running wait is the server behind it. The database comes into being here.
  scene.clock.waits.clear();
  scene.url = url_of("gate_not_there_yet");
  scene.meanwhile(2, [&] {
    Client admin(server_url());
    admin.run("CREATE DATABASE gate_not_there_yet TEMPLATE " + scene.database.name());
  });
  const Ended up = scene.wait({"--revision", "r1"});
  Client(server_url()).run("DROP DATABASE IF EXISTS gate_not_there_yet WITH (FORCE)");
  EXPECT_EQ(up.exit_code, 0) << up.err;
  EXPECT_THAT(scene.clock.waits, SizeIs(2));
}

TEST(Wait, ReadsThePasswordFileBeforeEachCheck) {
  WaitScene scene;
  scene.upgrade("r1");
  const TestRole reader(scene.database);
  scene.database.run("GRANT USAGE ON SCHEMA athanor TO " + reader.name() +
                     "; GRANT SELECT ON ALL TABLES IN SCHEMA athanor TO " + reader.name() +
                     "; GRANT SELECT ON alembic_version TO " + reader.name());
  const std::string url = reader.url();
  const std::size_t at = url.find(":" + reader.password() + "@");
  ASSERT_NE(at, std::string::npos);
  std::string bare = url;
  bare.erase(at, reader.password().size() + 1);
  scene.folder.write("password", "wrong\n");
  scene.meanwhile(2, [&] { scene.folder.write("password", reader.password() + "\n"); });
  const Ended ended = scene.wait({"--revision", "r1", "--url", bare, "--password-file", scene.folder.string() + "/password"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(scene.clock.waits, SizeIs(2));
  EXPECT_THAT(ended.err + ended.out, Not(HasSubstr(reader.password())));
}

TEST(Wait, TellsHeadsWithoutTheRightToReadTheLedger) {
  WaitScene scene;
  scene.upgrade("r2");
  const TestRole reader(scene.database);
  scene.database.run("GRANT SELECT ON alembic_version TO " + reader.name());
  scene.url = reader.url();
  const Ended head = scene.wait({"--revision", "r2", "--timeout", "0"});
  EXPECT_EQ(head.exit_code, 0) << head.err;
  const Ended below = scene.wait({"--revision", "r1", "--timeout", "0"});
  EXPECT_EQ(below.exit_code, 10) << below.err;
  EXPECT_THAT(below.err, HasSubstr("this user has no permission to read the ledger"));
  EXPECT_THAT(below.err, HasSubstr("GRANT USAGE ON SCHEMA athanor"));
}

TEST(Wait, WaitsForTheRightToReadTheVersionTable) {
  WaitScene scene;
  scene.upgrade("r1");
  const TestRole reader(scene.database);
  scene.url = reader.url();
  scene.meanwhile(1, [&] { scene.database.run("GRANT SELECT ON alembic_version TO " + reader.name()); });
  EXPECT_EQ(scene.wait({"--revision", "r1"}).exit_code, 0);
  EXPECT_THAT(scene.clock.waits, SizeIs(1));
}

TEST(Wait, GoesOnWhileTheVersionTableIsLocked) {
  WaitScene scene;
  scene.upgrade("r1");
  Client holder(scene.database.url());
  holder.run("BEGIN; LOCK TABLE alembic_version");
  scene.meanwhile(1, [&] { holder.run("COMMIT"); });
  const Ended ended = scene.wait({"--revision", "r1"});
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_THAT(ended.err, HasSubstr("lock timeout"));
  holder.run("BEGIN; LOCK TABLE alembic_version");
  const Ended once = scene.wait({"--revision", "r1", "--timeout", "0"});
  EXPECT_EQ(once.exit_code, 7) << once.err;
}

TEST(Wait, DoesNotPassWhileTheRevisionIsBeingUndone) {
  WaitScene scene;
  scene.revision("r4", "r3", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY i3 ON t3 (id);",
                 "-- athanor:step autocommit\nDROP INDEX CONCURRENTLY i3;\n-- athanor:step transaction\nSELECT 1/0;");
  scene.upgrade("head");
  ASSERT_NE(scene.run({"downgrade", "r3"}).exit_code, 0);
  ASSERT_THAT(scene.rows(), ElementsAre("r4"));
  EXPECT_EQ(scene.wait({"--revision", "r4", "--timeout", "0"}).exit_code, 6);
  EXPECT_EQ(scene.wait({"--revision", "r3", "--timeout", "0"}).exit_code, 0);
}

TEST(Wait, EndsAtASignal) {
  WaitScene scene;
  scene.meanwhile(2, [&] { scene.stop.request(); });
  EXPECT_EQ(scene.wait({"--revision", "r1"}).exit_code, 11);
}

TEST(Wait, FailsImmediatelyWhereWaitingDoesNotHelp) {
  WaitScene scene;
  struct Case {
    std::vector<std::string> arguments;
    int exit_code;
    std::string says;
  };
  const std::string nowhere = scene.folder.string() + "/nowhere";
  for (const Case& one : std::vector<Case>{
           {{}, 2, "--revision"},
           {{"--revision", "head"}, 2, "--migrations DIR"},
           {{"--revision", ""}, 2, "--revision"},
           {{"--revision", "r1", "--timeout", "5"}, 2, "--timeout"},
           {{"--revision", "r1", "--interval", "1ms"}, 2, "--interval"},
           {{"--revision", "r1", "--url", "postgresql://app:secret@db/shop"}, 2, "--password-file"},
           {{"--revision", "r1", "--url", "postgresql://app@db/shop?password=secret"}, 2, "--password-file"},
           {{"--revision", "r1", "--url", "postgresql://app@db/shop", "--url-file", nowhere}, 2, "cannot be combined"},
           {{"--revision", "r1", "--url-file", nowhere}, 3, "nowhere"},
           {{"--revision", "r1", "--password-file", nowhere}, 3, "nowhere"},
           {{"--revision", "nosuch", "--migrations", scene.files()}, 5, "nosuch"},
           {{"--revision", "r1", "--migrations", nowhere}, 3, "nowhere"},
       }) {
    const Ended ended = scene.wait(one.arguments);
    EXPECT_EQ(ended.exit_code, one.exit_code) << testing::PrintToString(one.arguments) << ended.err;
    EXPECT_THAT(ended.err, HasSubstr(one.says));
    EXPECT_THAT(ended.err, Not(HasSubstr("secret")));
  }
  scene.url.clear();
  EXPECT_EQ(scene.wait({"--revision", "r1"}).exit_code, 3);
  EXPECT_THAT(scene.clock.waits, SizeIs(0));
}

TEST(Wait, RefusesAVersionTableOfAnotherOwner) {
  WaitScene scene;
  scene.database.run("CREATE VIEW alembic_version AS SELECT 'r1'::text AS version_num");
  const Ended ended = scene.wait({"--revision", "r1"});
  EXPECT_EQ(ended.exit_code, 10) << ended.err;
  EXPECT_THAT(scene.clock.waits, SizeIs(0));
}

TEST(Wait, AnswersInJson) {
  WaitScene scene;
  scene.upgrade("r2");
  const Ended ended = scene.wait({"--revision", "r1", "--json"});
  const Json answer = Json::parse(ended.out);
  EXPECT_EQ(answer["success"], true) << answer;
  EXPECT_EQ(answer["revisions"], Json::array({"r1"}));
  EXPECT_EQ(answer["current_revision"], Json::array({"r2"}));
  EXPECT_EQ(answer["waited_ms"], 0);
  EXPECT_EQ(ended.err, "");
}

TEST(Wait, LeavesResourcesToTheProgramThatKnowsKubernetes) {
  WaitScene scene;
  std::vector<std::string> became;
  scene.become = [&](const std::vector<std::string>& command) {
    became = command;
    return Error(ErrorCode::Io, "not here");
  };
  EXPECT_EQ(scene.wait({"--resource", "shop/orders", "--timeout", "90s"}).exit_code, 3);
  EXPECT_THAT(became, ElementsAre("athanor-operator", "--wait-for=shop/orders", "--wait-timeout=1m30s"));
  EXPECT_EQ(scene.wait({"--resource", "shop/orders", "--revision", "r1"}).exit_code, 2);
}

TEST(Wait, IsAProgramThatEndsByItself) {
  const WaitScene scene;
  const auto ended = run_process({athanor_binary(), "wait", "--revision", "r1", "--timeout", "300ms", "--interval", "100ms"},
                                 {.environment = {{"DATABASE_URL", scene.database.url()}}});
  EXPECT_EQ(ended.exit_code, 6) << ended.err;
}

}  // namespace
}  // namespace athanor::test
