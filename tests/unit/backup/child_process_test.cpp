#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "migrations/backup/child_connection.hpp"
#include "migrations/backup/child_process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

ChildCommand shell(const std::string& script) {
  return {{"/bin/sh", "-c", script}, {"PATH=/usr/bin:/bin"}, {}};
}

std::string run_text(const ChildCommand& command) {
  std::string out;
  ChildStreams streams;
  streams.out = [&](std::string_view bytes) -> Result<void> {
    out += bytes;
    return {};
  };
  const auto end = run_child(command, streams, {});
  return end ? out : "error: " + end.error().describe();
}

TEST(ChildProcess, StreamsBothWaysAndKeepsTheFirstOfStandardError) {
  std::size_t fed = 0;
  std::size_t got = 0;
  ChildStreams streams;
  streams.in = [&](std::span<char> buffer) -> Result<std::size_t> {
    const std::size_t count = std::min<std::size_t>(buffer.size(), (std::size_t{3} << 20U) - fed);
    std::fill_n(buffer.begin(), count, 'x');
    fed += count;
    return count;
  };
  streams.out = [&](std::string_view bytes) -> Result<void> {
    got += bytes.size();
    return {};
  };
  const auto end = run_child(shell("cat; head -c 100000 /dev/zero | tr '\\0' 'e' >&2; exit 7"), streams, {});
  ASSERT_TRUE(end.has_value()) << end.error().describe();
  EXPECT_EQ(end->exit_code, 7);
  EXPECT_EQ(got, std::size_t{3} << 20U);
  EXPECT_EQ(end->err.size(), std::size_t{16} << 10U);
}

TEST(ChildProcess, SurvivesAChildThatReadsNothing) {
  ChildStreams streams;
  streams.in = [](std::span<char> buffer) -> Result<std::size_t> { return buffer.size(); };
  const auto end = run_child(shell("exec 0<&-; exit 3"), streams, {});
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(end->exit_code, 3);
}

TEST(ChildProcess, SaysThatAProgramCannotBeRun) {
  const auto end = run_child({{"/no/such/program"}, {}, {}}, {}, {});
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, ErrorCode::BackupFailed);
  EXPECT_THAT(end.error().message, HasSubstr("/no/such/program"));
}

TEST(ChildProcess, EndsTheWholeGroupWhenAStopIsRequested) {
  StopSource stop;
  std::string out;
  ChildStreams streams;
  streams.out = [&](std::string_view bytes) -> Result<void> {
    out += bytes;
    if (out.find('\n') != std::string::npos) {
      stop.request();
    }
    return {};
  };
  const auto end = run_child(shell("sleep 1000 & echo $!; wait"), streams, stop.token());
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, ErrorCode::Interrupted);
  const auto grandchild = static_cast<pid_t>(std::stol(out));
  for (int i = 0; i < 500 && ::kill(grandchild, 0) == 0; ++i) {  // init reaps it in its own time
    const std::string state = test::read_file("/proc/" + std::to_string(grandchild) + "/stat");
    if (state.find(") Z ") != std::string::npos) {
      return;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_NE(::kill(grandchild, 0), 0) << "it is still running";
}

TEST(ChildProcess, EndsTheChildWhenItsOutputCannotBeTaken) {
  ChildStreams streams;
  streams.out = [](std::string_view) -> Result<void> { return fail(ErrorCode::BackupFailed, "No space left on device"); };
  const auto end = run_child(shell("while :; do echo x; done"), streams, {});
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().message, "No space left on device");
}

TEST(ChildConnection, HandsThePasswordOverInMemoryAndNowhereElse) {
  const ConnectionKeywords keywords{{"host", "db"}, {"user", "u"}, {"dbname", "shop"}, {"password", "s3:c\\ret"}};
  const auto connection = ChildConnection::create(keywords, "other", "athanor test",
                                                  {"HOME=/x", "DATABASE_URL=secret", "PGPASSWORD=old", "PGPASSFILE=/old"});
  ASSERT_TRUE(connection.has_value());
  ChildCommand command =
      connection->command({"/bin/sh", "-c", "env; cat $PGSERVICEFILE; cat $PGPASSFILE; stat -Lc %a $PGPASSFILE"});
  command.environment.emplace_back("PATH=/usr/bin:/bin");
  for (const std::string& variable : command.environment) {
    EXPECT_THAT(variable, Not(HasSubstr("s3")));
    EXPECT_THAT(variable, Not(HasSubstr("secret")));
    EXPECT_THAT(variable, Not(HasSubstr("old")));
  }
  const std::string seen = run_text(command);
  EXPECT_THAT(seen, HasSubstr("[athanor]\nhost=db\nuser=u\ndbname=other\napplication_name=athanor test\n"));
  EXPECT_THAT(seen, HasSubstr("*:*:*:*:s3\\:c\\\\ret\n600\n"));
  EXPECT_THAT(seen, HasSubstr("HOME=/x"));
}

TEST(ChildConnection, KeepsTheSurroundingsPasswordWhenTheUrlHasNone) {
  const auto connection = ChildConnection::create({{"host", "db"}}, {}, "a", {"PGPASSWORD=mine"});
  ASSERT_TRUE(connection.has_value());
  EXPECT_THAT(connection->command({}).environment, ::testing::Contains("PGPASSWORD=mine"));
  EXPECT_THAT(connection->secrets(), ::testing::Contains("mine"));
}

TEST(ChildConnection, RefusesWhatAServiceFileCannotSay) {
  EXPECT_EQ(ChildConnection::create({{"service", "x"}}, {}, "a", {}).error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(ChildConnection::create({{"host", "db"}}, {}, "a", {"PGSERVICE=x"}).error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(ChildConnection::create({{"dbname", " lead"}}, {}, "a", {}).error().code, ErrorCode::Configuration);
  EXPECT_EQ(ChildConnection::create({{"password", "a\nb"}}, {}, "a", {}).error().code, ErrorCode::Configuration);
}

}  // namespace
}  // namespace athanor
