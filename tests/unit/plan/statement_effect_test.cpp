#include <gtest/gtest.h>

#include "migrations/plan/statement.hpp"

namespace athanor {
namespace {

TEST(Sanitise, LiteralsAndPasswordsAreReplaced) {
  EXPECT_EQ(sanitise_sql("ALTER ROLE app PASSWORD 'secret'"), "ALTER ROLE app PASSWORD $1");
  EXPECT_EQ(sanitise_sql("UPDATE t\n   SET a = 'secret', b = 42 -- secret\n WHERE c = E'se\\'cret'"),
            "UPDATE t SET a = $1, b = $2 WHERE c = $3");
  EXPECT_EQ(sanitise_sql("CREATE TABLE t (a varchar(20) DEFAULT 'secret')"), "CREATE TABLE t (a varchar(20) DEFAULT $1)");
}

TEST(Sanitise, NoSecretOfAnyKindOfStatementIsShown) {
  for (const std::string sql :
       {"CREATE USER u ENCRYPTED PASSWORD 'hunter2'",
        "CREATE USER MAPPING FOR u SERVER s OPTIONS (user 'u', password 'hunter2')",
        "CREATE SUBSCRIPTION s CONNECTION 'host=h password=hunter2' PUBLICATION p",
        "ALTER SYSTEM SET primary_conninfo = 'password=hunter2'",
        "DO $$ BEGIN EXECUTE 'ALTER ROLE x PASSWORD ''hunter2'''; END $$", "SELECT dblink_connect($a$password=hunter2$a$)",
        "ALTER ROLE x PASSWORD hunter2", "ALTER ROLE x PASSWORD \"hunter2\"", "ALTER ROLE x PASSWORD 'hunter2",
        "/* hunter2 */ SELECT 1", "hunter2 is no SQL", "SELECT 'a'\n'hunter2'", "COPY t FROM PROGRAM 'curl -u x:hunter2 y'"}) {
    EXPECT_EQ(sanitise_sql(sql).find("hunter2"), std::string::npos) << sanitise_sql(sql);
  }
}

TEST(Sanitise, TextThatCannotBeParsedIsReducedToItsLeadingKeywords) {
  EXPECT_EQ(sanitise_sql("ALTER ROLE x PASSWORD 'cut off by the ser"), "ALTER ROLE …");
  EXPECT_EQ(sanitise_sql("CREATE UNIQUE INDEX concurrently some thing"), "CREATE UNIQUE INDEX CONCURRENTLY …");
  EXPECT_EQ(sanitise_sql("gibberish"), "statement");
  EXPECT_EQ(sanitise_sql(""), "");
  EXPECT_EQ(sanitise_sql("SELECT '" + std::string(100'000, 'x') + "'"), "SELECT …");
}

TEST(Sanitise, TheAnswerIsNeverLongerThanItsLimit) {
  const std::string sql = "SELECT ääääääääääääääääääääääääääääää, ööööööööööööööööööö FROM t";
  for (std::size_t limit = 0; limit < sql.size() + 5; ++limit) {
    const auto shown = sanitise_sql(sql, limit);
    EXPECT_LE(shown.size(), limit);
    EXPECT_TRUE(shown.empty() || (static_cast<unsigned char>(shown.back()) & 0xC0U) != 0xC0U);
  }
  EXPECT_EQ(sanitise_sql("SELECT abcdefghijklmnopqrstuvwxyz", 16), "SELECT abcdef…");
}

}  // namespace
}  // namespace athanor
