#include "migrations/backup/child_connection.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string output_of(const ProcessCommand& command) {
  std::string out;
  ProcessStreams streams;
  streams.out = keep_first(out, 65'536);
  const auto end = run_process(command, streams, {});
  return end ? out : "error: " + end.error().describe();
}

TEST(ChildConnection, HandsThePasswordOverInMemoryAndNowhereElse) {
  const ConnectionKeywords keywords{{"host", "db"}, {"user", "u"}, {"dbname", "shop"}, {"password", "s3:c\\ret"}};
  const auto connection = ChildConnection::create(keywords, "other", "athanor test",
                                                  {"HOME=/x", "DATABASE_URL=secret", "PGPASSWORD=old", "PGPASSFILE=/old"});
  ASSERT_TRUE(connection.has_value());
  ProcessCommand command =
      connection->command({"/bin/sh", "-c", "env; cat $PGSERVICEFILE; cat $PGPASSFILE; stat -Lc %a $PGPASSFILE"});
  command.environment.emplace_back("PATH=/usr/bin:/bin");
  for (const std::string& variable : command.environment) {
    EXPECT_THAT(variable, Not(HasSubstr("s3")));
    EXPECT_THAT(variable, Not(HasSubstr("secret")));
    EXPECT_THAT(variable, Not(HasSubstr("old")));
  }
  const std::string seen = output_of(command);
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

TEST(ChildConnection, FailsTheBackupWhenAClientProgramCannotBeStarted) {
  const auto end = run_process(client_command({"/no/such/program"}, {}), {}, {});
  ASSERT_FALSE(end.has_value());
  EXPECT_EQ(end.error().code, ErrorCode::BackupFailed);
}

TEST(ChildConnection, HoldsClientProgramsToLimits) {
  EXPECT_EQ(output_of(client_command({"/bin/sh", "-c", "ulimit -c; ulimit -f; ulimit -v"}, {})),
            "0\n2048\n" + std::to_string(memory_for_program(kClientMemory) / 1024) + "\n");
  ProcessCommand full = client_command({"/bin/sh", "-c", "head -c 2000000 /dev/zero"}, {"PATH=/usr/bin:/bin"});
  std::string out;
  const auto end = run_process(full, {{}, keep_first(out, 3'000'000), {}}, {});
  ASSERT_TRUE(end.has_value());
  EXPECT_EQ(out.size(), 2'000'000U) << "the limit is for files, not for what is streamed to us";
}

TEST(ChildConnection, RefusesWhatAServiceFileCannotSay) {
  EXPECT_EQ(ChildConnection::create({{"service", "x"}}, {}, "a", {}).error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(ChildConnection::create({{"host", "db"}}, {}, "a", {"PGSERVICE=x"}).error().code, ErrorCode::BackupRefused);
  EXPECT_EQ(ChildConnection::create({{"dbname", " lead"}}, {}, "a", {}).error().code, ErrorCode::Configuration);
  EXPECT_EQ(ChildConnection::create({{"password", "a\nb"}}, {}, "a", {}).error().code, ErrorCode::Configuration);
}

}  // namespace
}  // namespace athanor
