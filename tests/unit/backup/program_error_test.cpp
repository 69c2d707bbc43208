#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/program_error.hpp"

namespace athanor {
namespace {

TEST(ProgramMessage, KeepsTheErrorAndNeitherRowsNorStatements) {
  EXPECT_EQ(program_message("pg_dump: last built-in OID is 16383\n"
                            "pg_dump: error: query failed: ERROR:  permission denied for table cards\n"
                            "pg_dump: detail: Query was: LOCK TABLE public.cards IN ACCESS SHARE MODE\n",
                            {}),
            "query failed: ERROR:  permission denied for table cards");
  EXPECT_EQ(program_message("pg_restore: error: COPY failed for table \"t\": ERROR:  invalid input syntax for type integer: "
                            "\"4111-1111\"\nCONTEXT:  COPY t, line 1\n",
                            {}),
            "COPY failed for table \"t\": ERROR:  invalid input syntax for type integer");
  EXPECT_EQ(program_message("something else\n", {}), "");
}

TEST(ProgramMessage, BlotsOutSecrets) {
  EXPECT_EQ(program_message("pg_dump: error: bad token s3cret in s3cret\n", {"", "s3cret"}), "bad token *** in ***");
}

TEST(ProgramError, TellsTheCausesApart) {
  const auto code = [](const std::string& text) {
    return program_error("pg_dump", 1, "pg_dump: error: " + text + "\n", {}, ErrorCode::BackupFailed).code;
  };
  EXPECT_EQ(code("query failed: ERROR:  canceling statement due to lock timeout"), ErrorCode::LockTimeout);
  EXPECT_EQ(code("query failed: ERROR:  canceling statement due to statement timeout"), ErrorCode::LockTimeout);
  EXPECT_EQ(code("query failed: ERROR:  permission denied for table a"), ErrorCode::InsufficientPrivilege);
  EXPECT_EQ(code("server version mismatch"), ErrorCode::BackupRefused);
  EXPECT_EQ(code("could not read from input file"), ErrorCode::BackupFailed);
  EXPECT_EQ(program_error("pg_dump", 137, "", {}, ErrorCode::BackupFailed).message, "pg_dump failed (ended by signal 9)");
  EXPECT_EQ(program_error("pg_dump", 3, "", {}, ErrorCode::BackupFailed).message, "pg_dump failed with exit code 3");
  ProcessCommand command;
  command.timeout = std::chrono::hours(168);
  const ProcessEnd end{137, "", true};
  EXPECT_EQ(program_error("pg_restore", command, end, {}, ErrorCode::BackupFailed).message,
            "pg_restore did not end within 168 hours and was ended");
  command.idle_timeout = std::chrono::hours(2);
  EXPECT_EQ(program_error("pg_dump", command, end, {}, ErrorCode::BackupFailed).message,
            "pg_dump neither read nor wrote anything for 2 hours and was ended");
}

}  // namespace
}  // namespace athanor
