// A password with characters that are not encoded moves into the host, the port or the database's name, where libpq splits the
// URL. Whatever it splits to: no error may show it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Every password here holds SECRET, in what libpq takes for something else.
constexpr const char* kSplitUrls[] = {
    "postgresql://app:top@SECRET@127.0.0.1:5/db",
    "postgresql://app:top@SECRET:x@127.0.0.1:5/db",
    "postgresql://app:top@SE:CRET@127.0.0.1/db",
    "postgresql://app:SECRET@x@127.0.0.1:5/db",
    "postgresql://app:top@SECRET,more@127.0.0.1:5/db",
    "postgresql://app:top@SECRET/more@127.0.0.1:5/db",
    "postgresql://app:top@1/SECRET@127.0.0.1:5/db",
    "postgresql://app:top@SECRET?x@127.0.0.1:5/db",
    "postgresql://app:top@SECRET?host=x@127.0.0.1:5/db",
    "postgresql://app:top@SECRET#more@127.0.0.1:5/db",
    "postgresql://app:top@[SECRET@127.0.0.1:5/db",
    "postgresql://app:top@[SECRET]@127.0.0.1:5/db",
    "postgresql://app:top@%53ECRET%40@127.0.0.1:5/db",
    "postgresql://postgres:top/SECRET@127.0.0.1:5/db",
    "postgresql://SECRET:top/more@127.0.0.1:5/db",
    "postgresql://app:/SECRET@127.0.0.1:5/db",
    "postgresql://app:5/SECRET@127.0.0.1:5/db",
    "postgresql://app:SECRET/@127.0.0.1:5/db",
    "postgresql://app:5/SECRET?more@127.0.0.1:5/db",
    "postgresql://app:5/SECRET?dbname=x@127.0.0.1:5/db",
    "postgresql://app:SECRET%@127.0.0.1:5/db",
    "postgresql://app:SECRET%zz@127.0.0.1:5/db",
    "postgresql://app:SECRET%00@127.0.0.1:5/db",
    "postgresql://app:SECRET/db",
    "postgresql://app:SECRET",
    "postgresql://app:12345678SECRET/db",
    "postgresql://app@example.org:SECRET@127.0.0.1:5/db",
    "postgresql://127.0.0.1:5/app:SECRET@db",
    "postgresql:///db?host=app:SECRET@127.0.0.1",
    "postgresql:///db?host=app:SECRET",
    "postgresql:///db?hostaddr=SECRET@127.0.0.1",
    "postgresql:///db?port=SECRET",
    "postgresql:///?dbname=app:SECRET@127.0.0.1/db",
    "postgresql:///postgresql:%2f%2fapp:SECRET%40db%2fx",
    "postgresql+asyncpg://app:top@SECRET@127.0.0.1:5/db",
    "postgres://app:top@SECRET@127.0.0.1:5/db",
    "app:SECRET@127.0.0.1:5/db",
    "app:top=SECRET@127.0.0.1:5/db",
    "host=127.0.0.1 port=5 user=app password=top SECRET dbname=db",
    "host=127.0.0.1 port=5 user=app password=top SECRET=x dbname=db",
    "host=127.0.0.1 port=5 user=app password='top'SECRET' dbname=db",
    "host=127.0.0.1 port=5 user=app password='SECRET dbname=db",
    "host=app:SECRET@127.0.0.1 port=5 dbname=db",
    "host=127.0.0.1 port=app:SECRET dbname=db",
    "host=127.0.0.1 port=5 dbname=postgresql://app:SECRET@127.0.0.1/db",
    "host=127.0.0.1 port=5 dbname='host=x password=SECRET'",
    "dbname=app:SECRET@127.0.0.1/db",
};

TEST(UrlSplit, ShowsNothingOfAPasswordThatIsNotEncoded) {
  for (const auto* const url : kSplitUrls) {
    const auto parsed = postgres::parse_connection_string(url);
    EXPECT_FALSE(parsed) << url << " goes to " << (parsed ? parsed->place : "");
    auto factory = postgres::PostgresFactory::create(url, {});
    const Error error = factory ? (*factory)->open().error() : factory.error();
    EXPECT_EQ((error.describe() + error.message + error.hint).find("SECRET"), std::string::npos) << error.describe();
  }
}

TEST(UrlSplit, TellsHowToWriteThePassword) {
  for (const auto* const url : {"postgresql://app:top@SECRET@127.0.0.1:5/db", "postgresql://app:top/SECRET@127.0.0.1:5/db"}) {
    const auto parsed = postgres::parse_connection_string(url);
    ASSERT_FALSE(parsed);
    EXPECT_EQ(parsed.error().code, ErrorCode::Configuration);
    EXPECT_THAT(parsed.error().hint, HasSubstr("@ is %40"));
    EXPECT_THAT(parsed.error().hint, HasSubstr("/ is %2F"));
  }
}

TEST(UrlSplit, IsToldByTheProgramToo) {
  const test::TempFolder folder;
  folder.write("athanor.yaml", "version_locations: [versions]\n");
  folder.write("versions/a1.sql", "-- m\n--\n-- Revision: a1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
  for (const auto* const url : {kSplitUrls[0], kSplitUrls[13], kSplitUrls[23]}) {
    for (const auto* const command : {"upgrade", "current", "status"}) {
      std::vector<std::string> words{test::athanor_binary(), command};
      if (std::string_view(command) == "upgrade") {
        words.emplace_back("head");
      }
      const auto result = test::run_process(words, {.environment = {{"DATABASE_URL", url}}, .directory = folder.string()});
      EXPECT_NE(result.exit_code, 0);
      EXPECT_THAT(result.out + result.err, Not(HasSubstr("SECRET"))) << command;
      EXPECT_THAT(result.out + result.err, HasSubstr("%40")) << command;
    }
  }
}

TEST(UrlSplit, LeavesUrlsAloneThatAreMeantSo) {
  const std::vector<std::pair<const char*, const char*>> urls{
      {"postgresql://app:a:b#c?d&e=f@db.example.org:6432/shop", "db.example.org:6432/shop"},
      {"postgresql://app:a%40b%2Fc@db_1.example.org/shop?sslmode=require", "db_1.example.org/shop"},
      {"postgresql://app@a:5432,b:5433,c/shop?target_session_attrs=read-write", "a,b,c:5432,5433,/shop"},
      {"postgresql://[fe80::1%25eth0]:5432/shop", "fe80::1%eth0:5432/shop"},
      {"postgresql://[::1]/shop", "::1/shop"},
      {"postgresql:///shop?host=/run/postgresql&user=app@corp&password=p@ss", "/run/postgresql/shop"},
      {"postgresql://%2Frun%2Fpostgresql:5433/shop", "/run/postgresql:5433/shop"},
      {"postgresql://m\xc3\xbcller.example/b\xc3\xbc"
       "cher",
       "m\xc3\xbcller.example/b\xc3\xbc"
       "cher"},
      {"postgresql://db/a/b c", "db/a/b c"},
      {"postgresql://", "local socket"},
      {"host=db.example.org port=5432 dbname=shop password='top secret@x'", "db.example.org:5432/shop"},
      {"hostaddr=10.0.0.1 dbname=shop", "10.0.0.1/shop"},
      {"host=db port='5432 ' dbname=shop", "db:5432 /shop"},
  };
  for (const auto& [url, place] : urls) {
    const auto parsed = postgres::parse_connection_string(url);
    ASSERT_TRUE(parsed) << url;
    EXPECT_EQ(parsed->place, place);
  }
}

// The second net: a name that may hold an '@' is as good as any, but none is shown.
TEST(UrlSplit, ShowsNoPlaceWithAnAt) {
  const auto place = [](const char* url) { return postgres::parse_connection_string(url).value().place; };
  const std::string first = place("postgresql://db:5432/a%40SECRET");
  EXPECT_THAT(first, Not(HasSubstr("@")));
  EXPECT_THAT(first, Not(HasSubstr("SECRET")));
  EXPECT_THAT(first, HasSubstr("db:5432/"));
  EXPECT_NE(first, place("postgresql://db:5432/b%40SECRET")) << "two databases are two places";
  EXPECT_THAT(place("host=@SECRET dbname=shop"), Not(HasSubstr("SECRET")));
}

}  // namespace
}  // namespace athanor
