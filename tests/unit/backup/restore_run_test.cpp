#include "migrations/backup/restore_run.hpp"

#include <gtest/gtest.h>

#include <string>

namespace athanor::test {
namespace {

const std::string kRefused =
    "pg_restore: error: could not execute query: ERROR:  unrecognized configuration parameter \"transaction_timeout\"\n"
    "Command was: SET transaction_timeout = 0;\n";
const std::string kInGerman =
    "pg_restore: error: could not execute query: FEHLER:  unbekannter Konfigurationsparameter »transaction_timeout«\n"
    "Command was: SET transaction_timeout = 0;\n";
const std::string kOther =
    "pg_restore: error: could not execute query: ERROR:  relation \"t\" already exists\nCommand was: CREATE TABLE t (id "
    "int);\n";

std::string ignored(int errors) {
  return "pg_restore: warning: errors ignored on restore: " + std::to_string(errors) + "\n";
}

TEST(RefusesOnlyTransactionTimeout, AcceptsThatOneErrorOfEachSession) {
  EXPECT_TRUE(refuses_only_transaction_timeout("pg_restore: while INITIALIZING:\n" + kRefused + ignored(1)));
  EXPECT_TRUE(refuses_only_transaction_timeout(kRefused + kInGerman + kRefused + ignored(3)));
}

TEST(RefusesOnlyTransactionTimeout, AcceptsNoOtherError) {
  EXPECT_FALSE(refuses_only_transaction_timeout(""));
  EXPECT_FALSE(refuses_only_transaction_timeout(ignored(0)));
  EXPECT_FALSE(refuses_only_transaction_timeout(ignored(1)));
  EXPECT_FALSE(refuses_only_transaction_timeout(kRefused + kOther + ignored(2)));
  EXPECT_FALSE(refuses_only_transaction_timeout(kOther + ignored(1)));
  EXPECT_FALSE(
      refuses_only_transaction_timeout(kRefused + "pg_restore: error: COPY failed for table \"t\": ERROR:  x\n" + ignored(2)));
}

TEST(RefusesOnlyTransactionTimeout, RequiresTheCountAtTheEnd) {
  EXPECT_FALSE(refuses_only_transaction_timeout(kRefused));
  EXPECT_FALSE(refuses_only_transaction_timeout(kRefused + ignored(2)));
  EXPECT_FALSE(refuses_only_transaction_timeout(kRefused + kRefused + ignored(1)));
}

// The text of an error may come from the dump: RAISE in a function that a CHECK calls.
TEST(RefusesOnlyTransactionTimeout, IsNotDeceivedByAMessageThatImitatesTheCommand) {
  EXPECT_FALSE(refuses_only_transaction_timeout(
      "pg_restore: error: could not execute query: ERROR:  x\nCommand was: SET transaction_timeout = 0;\n"
      "Command was: ALTER TABLE t ADD CONSTRAINT c CHECK (f());\n" +
      ignored(1)));
  EXPECT_FALSE(refuses_only_transaction_timeout(
      "pg_restore: error: could not execute query: ERROR:  x\nCommand was: SET transaction_timeout = 0;\n" + ignored(1) +
      "Command was: ALTER TABLE t ADD CONSTRAINT c CHECK (f());\n" + ignored(1)));
}

}  // namespace
}  // namespace athanor::test
