// A failed attempt is in the ledger, whatever its message looks like.
#include <gtest/gtest.h>

#include "migrations/postgres/server_error.hpp"
#include "migrations/text/text_encoding.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

class FailureRecord : public test::MigrationScene {
 protected:
  // What the ledger says of the only attempt.
  std::string recorded(const std::string& url = "") {
    return test::Client(url.empty() ? database_.url() : url)
        .value("SELECT coalesce(max(outcome || ' by ' || actor || ': ' || message), 'nothing') FROM athanor.history");
  }
};

TEST_F(FailureRecord, IsWrittenWhenItsMessageIsCut) {
  for (const std::string prefix : {"", "x", "xx", "xxx"}) {
    database_.run("DROP SCHEMA IF EXISTS athanor CASCADE");
    files_.clear();
    revision("a1", "", "DO $$ BEGIN RAISE EXCEPTION 'secret " + prefix + "%', repeat('é', 3000); END $$;");
    ASSERT_FALSE(upgrade().ok());
    EXPECT_EQ(recorded().substr(0, 25 + prefix.size()), "failed by tester: secret " + prefix);
    EXPECT_TRUE(recorded().ends_with("\xc3\xa9")) << recorded();
  }
}

TEST_F(FailureRecord, IsWrittenIntoADatabaseThatLacksACharacter) {
  database_.run("CREATE DATABASE " + database_.name() + "_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0");
  const std::string url = test::url_of(database_.name() + "_latin");
  settings_.actor = "ann \xe2\x86\x92 bob";
  revision("a1", "", "SELECT 1 / 0;");
  EXPECT_FALSE(run(Direction::Upgrade, "heads", *factory(url)).ok());
  EXPECT_EQ(recorded(url), "failed by ann ??? bob: division by zero");
  database_.run("DROP DATABASE " + database_.name() + "_latin WITH (FORCE)");
}

TEST(ServerError, IsAlwaysText) {
  const std::string accents = [] {
    std::string text;
    for (int count = 0; count < 1'000; ++count) {
      text += "\xf0\x9f\x9a\x80";
    }
    return text;
  }();
  for (const std::string& message :
       {accents, "x" + accents, "xx" + accents, "xxx" + accents, std::string("a\xff"), std::string("\xc3"),
        std::string(600, '\x80'), "short\n" + accents, std::string(499, 'x') + "\xc3\xa9"}) {
    const Error error = postgres::server_error("P0001", message);
    EXPECT_FALSE(find_non_text(error.message)) << error.message;
    EXPECT_LE(error.message.size(), 500U);
    EXPECT_FALSE(error.message.empty());
  }
  EXPECT_EQ(postgres::server_error("P0001", std::string(498, 'x') + "\xc3\xa9").message.size(), 500U) << "as much as fits";
}

}  // namespace
}  // namespace athanor
