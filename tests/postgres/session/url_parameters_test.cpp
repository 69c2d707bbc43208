// URLs that an application shares with us, with the parameters of its driver.
#include "migrations/text/url_parameters.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/postgres/connection_string.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string parameters(const std::string& query) {
  return "postgresql://app:SECRET@localhost/db?" + query;
}

Error error_of(const std::string& url) {
  const auto parsed = postgres::parse_connection_string(url);
  EXPECT_FALSE(parsed) << url;
  return parsed ? Error() : parsed.error();
}

std::string told(const Error& error) {
  EXPECT_EQ(error.code, ErrorCode::Configuration);
  EXPECT_THAT(error.describe() + error.hint, Not(HasSubstr("SECRET")));
  return error.describe() + " " + error.hint;
}

TEST(UrlParameters, ReadSslOfAsyncpgAsSslMode) {
  const std::vector<std::pair<const char*, const char*>> modes{{"require", "require"},     {"verify-full", "verify-full"},
                                                               {"verify-ca", "verify-ca"}, {"prefer", "prefer"},
                                                               {"allow", "allow"},         {"disable", "disable"},
                                                               {"true", "require"},        {"True", "require"},
                                                               {"1", "require"},           {"on", "require"},
                                                               {"false", "disable"},       {"off", "disable"}};
  for (const auto& [ssl, mode] : modes) {
    const auto parsed = postgres::parse_connection_string("postgresql+asyncpg://app@localhost/db?ssl=" + std::string(ssl) +
                                                          "&connect_timeout=3");
    ASSERT_TRUE(parsed) << ssl << parsed.error().describe();
    EXPECT_EQ(parsed->value("sslmode"), mode) << ssl;
    EXPECT_EQ(parsed->value("connect_timeout"), "3");
  }
}

TEST(UrlParameters, TakeTheLastWordOnSsl) {
  EXPECT_EQ(postgres::parse_connection_string(parameters("sslmode=verify-full&ssl=require"))->value("sslmode"), "require");
  EXPECT_EQ(postgres::parse_connection_string(parameters("ssl=require&sslmode=verify-full"))->value("sslmode"), "verify-full");
  EXPECT_EQ(ssl_mode_in({{"sslmode", "verify-full"}, {"ssl", "disable"}}), "disable");
  EXPECT_EQ(ssl_mode_in({{"ssl", "disable"}, {"sslmode", "verify-full"}}), "verify-full");
}

TEST(UrlParameters, NameTheMachinesAuthoritiesForSslrootcertSystem) {
  const test::TempFolder folder;
  ::setenv("SSL_CERT_FILE", (folder / "authorities.crt").c_str(), 1);
  const auto read = [](const std::string& query) { return postgres::parse_connection_string(parameters(query)); };
  EXPECT_EQ(read("sslrootcert=system&sslmode=verify-full")->value("sslrootcert"), folder / "authorities.crt");
  EXPECT_EQ(read("sslrootcert=system")->value("sslmode"), "verify-full");
  EXPECT_THAT(told(error_of(parameters("sslrootcert=system&sslmode=require"))), HasSubstr("verify-full"));
  ::setenv("PGSSLROOTCERT", "system", 1);
  EXPECT_EQ(read("sslmode=verify-full")->value("sslrootcert"), folder / "authorities.crt");
  EXPECT_EQ(read("sslmode=require")->value("sslrootcert"), "") << "asked for by name";
  ::unsetenv("PGSSLROOTCERT");
  ::unsetenv("SSL_CERT_FILE");
}

TEST(UrlParameters, RefuseAnSslThatMeansNothingWithoutQuotingIt) {
  EXPECT_THAT(told(error_of(parameters("ssl=SECRET"))), AllOf(HasSubstr("`ssl`"), HasSubstr("sslmode=")));
}

TEST(UrlParameters, NameThoseOfOtherToolsWithWhatDoesTheirWorkHere) {
  const std::vector<std::pair<const char*, const char*>> foreign{
      {"schema", "search_path"},
      {"currentSchema", "search_path"},
      {"search_path", "search_path"},
      {"schema_search_path", "search_path"},
      {"pgbouncer", "session pooler"},
      {"connection_limit", "one connection"},
      {"pool_timeout", "one connection"},
      {"pool", "one connection"},
      {"x-migrations-table", "version_table"},
      {"x-statement-timeout", "golang-migrate"},
      {"prepared_statement_cache_size", "prepared statements"},
      {"statement_cache_size", "prepared statements"},
      {"prepareThreshold", "prepared statements"},
      {"server_settings", "options=-c"},
      {"charset", "UTF-8"},
      {"encoding", "UTF-8"},
      {"sslaccept", "sslmode=require"},
      {"connectTimeout", "connect_timeout"},
      {"ApplicationName", "application_name"},
      {"async_fallback", "driver"},
      {"sslmod", "did you mean `sslmode`?"},
      {"frobnicate", "Parameter Key Words"},
  };
  for (const auto& [name, way_out] : foreign) {
    EXPECT_THAT(told(error_of(parameters("sslmode=disable&" + std::string(name) + "=SECRET"))),
                AllOf(HasSubstr("`" + std::string(name) + "`"), HasSubstr(way_out)));
  }
}

TEST(UrlParameters, NameAllOfThemAtOnce) {
  EXPECT_THAT(told(error_of(parameters("schema=public&pgbouncer=true&schema=x"))),
              AllOf(HasSubstr("parameters that PostgreSQL does not know: `schema`, `pgbouncer`"), HasSubstr("schema: set"),
                    HasSubstr("pgbouncer: remove")));
}

TEST(UrlParameters, LeaveThoseAloneThatPostgresqlKnows) {
  for (const char* const query :
       {"sslmode=require", "sslrootcert=/x", "application_name=a", "client_encoding=UTF8", "options=-csearch_path%3Dapp",
        "target_session_attrs=read-write", "ssl=true", "", "host=/run/postgresql&user=app@corp&password=p@ss"}) {
    EXPECT_TRUE(postgres::parse_connection_string(parameters(query))) << query;
  }
}

TEST(UrlParameters, WithAValueThatTheyCannotHaveAreNamedWithWhatTheyCan) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"sslmode=SECRET", "write disable, allow, prefer, require, verify-ca or verify-full"},
      {"sslmode=", "write disable"},
      {"target_session_attrs=SECRET", "write any, read-write, read-only, primary, standby or prefer-standby"},
      {"channel_binding=SECRET", "write disable, prefer or require"},
      {"gssencmode=SECRET", "write disable, prefer or require"},
      {"ssl_min_protocol_version=SECRET", "TLSv1.2"},
      {"sslsni=SECRET", "write 0 or 1"},
      {"connect_timeout=SECRET", "a whole number of seconds"},
      {"connect_timeout=-1", "a whole number of seconds"},
      {"connect_timeout=3s", "a whole number of seconds"},
      {"keepalives_idle=SECRET", "a whole number of seconds"},
      {"keepalives=SECRET", "a whole number 0 or 1"},
      {"tcp_user_timeout=99999999999", "a whole number of milliseconds"},
      {"replication=database", "migrations cannot run over"},
      {"replication=true", "migrations cannot run over"},
      {"client_encoding=LATIN1", "always uses UTF-8"},
  };
  for (const auto& [parameter, way_out] : wrong) {
    const std::string name = std::string(parameter).substr(0, std::string(parameter).find('='));
    EXPECT_THAT(told(error_of(parameters(parameter))), AllOf(HasSubstr("`" + name + "`"), HasSubstr(way_out))) << parameter;
  }
  EXPECT_THAT(told(error_of("host=localhost sslmode=SECRET")), HasSubstr("`sslmode`"));
}

TEST(UrlParameters, AreReadInEverySpellingThatLibpqReads) {
  for (const char* const query :
       {"sslmode=verify-full", "target_session_attrs=prefer-standby", "connect_timeout=10", "connect_timeout=%2010%20",
        "connect_timeout=0", "keepalives=0", "replication=off", "client_encoding=utf-8", "ssl_min_protocol_version=tlsv1.2",
        "options=-csearch_path%3Dapp%20-c%20work_mem%3D8MB%20--lock-timeout%3D3s", "options=-c%20search_path%3Da%5C%20b,c"}) {
    EXPECT_TRUE(postgres::parse_connection_string(parameters(query))) << query;
  }
}

TEST(UrlParameters, WhoseOptionsAreNoSettingsAreRefused) {
  const std::vector<std::pair<const char*, const char*>> wrong{
      {"-c%20search_path%3Dapp%20--bogus", "`bogus`"},
      {"-c%20bogus", "`bogus` without a value"},
      {"-cbogus", "`bogus` without a value"},
      {"-B%2010", "`-B`"},
      {"-c", "`-c`"},
      {"search_path%3Dapp", "a word that is not a setting"},
      {"-cclient_encoding%3DLATIN1", "client_encoding, which a migration session sets to UTF8"},
      {"--client-encoding%3DSQL_ASCII", "client_encoding, which a migration session sets to UTF8"},
      {"-c%20Standard_Conforming_Strings%3Doff", "standard_conforming_strings, which a migration session sets to on"},
  };
  for (const auto& [options, says] : wrong) {
    EXPECT_THAT(told(error_of(parameters("options=" + std::string(options)))),
                AllOf(HasSubstr("`options` of the database URL"), HasSubstr(says)))
        << options;
  }
}

TEST(UrlParameters, ThatCannotBeReadSayWhy) {
  const std::vector<std::pair<const char*, const char*>> unreadable{
      {"postgresql://app:SECRET@localhost:99999/db", "a number from 1 to 65535"},
      {"postgresql://app:SECRET@localhost:0/db", "a number from 1 to 65535"},
      {"postgresql://app:SECRET@a:5432,b:70000/db", "a number from 1 to 65535"},
      {"host=localhost port=99999 password=SECRET", "a number from 1 to 65535"},
      {"postgresql://app:SECRET@localhost/db?sslmode", "`sslmode` without a value"},
      {"postgresql://app:SECRET@localhost/db?connect_timeout=3&sslmode", "`sslmode` without a value"},
      {"postgresql://app:SECRET%00@localhost/db", "%00"},
      {"postgresql://app:SECRET%zz@localhost/db", "write %25"},
      {"host=localhost frobnicate=1 password=SECRET", "`frobnicate`"},
      {"host=localhost sslmod=require", "did you mean `sslmode`?"},
      {"host=localhost password=SECRET frobnicate=1", "unknown keyword in the connection string"},
      {"host=localhost dbname", "missing `=` in the connection string"},
      {"host=localhost password='SECRET", "unterminated quoted value"},
  };
  for (const auto& [url, says] : unreadable) {
    EXPECT_THAT(told(error_of(url)), HasSubstr(says)) << url;
  }
  EXPECT_THAT(told(error_of("host=localhost password=a frobnicate=1")), Not(HasSubstr("frobnicate")));
}

TEST(UrlParameters, ConnectTimeoutLimitsConnecting) {
  const auto of = [](const char* query) {
    return postgres::connect_timeout(*postgres::parse_connection_string(parameters(query)), milliseconds(7'000)).count();
  };
  EXPECT_EQ(of("connect_timeout=3"), 3'000);
  EXPECT_EQ(of("connect_timeout=0"), 7'000);
  EXPECT_EQ(of("sslmode=require"), 7'000);
  EXPECT_EQ(of("connect_timeout=2000000000"), 86'400'000);
}

TEST(UrlParameters, TellNoNameThatMayBePartOfAPassword) {
  for (const char* const url :
       {"postgresql://app:1/b?SECRET=d@localhost/db", "postgresql://localhost/db?password=a&SECRET=b",
        "postgresql://localhost/db?user=u&password=a&b=SECRET", "postgresql://localhost/db?SECRET%20x=1",
        "postgresql://localhost/db?user=u&SECRETx=1", "postgresql://app:b/c?SECRET=d", "host=localhost password=a SECRET=b"}) {
    told(error_of(url));
  }
}

TEST(UrlParameters, NameThemInAStringOfKeywordsToo) {
  EXPECT_THAT(told(error_of("host=localhost schema=SECRET dbname=db")), HasSubstr("`schema`"));
}

TEST(UrlParameters, ExplainAUrlOfJdbc) {
  EXPECT_THAT(told(error_of("jdbc:postgresql://localhost:5432/db?user=app&password=SECRET&ssl=true")),
              AllOf(HasSubstr("JDBC"), HasSubstr("postgresql://user:password@host:5432/database")));
}

TEST(UrlParameters, AreNamedByTheProgram) {
  const test::TempFolder folder;
  folder.write("athanor.yaml", "version_locations: [versions]\n");
  folder.write("versions/a1.sql", "-- m\n--\n-- Revision: a1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"current"}, {"upgrade", "head"}, {"backup", "--backup-folder", "backups"}}) {
    std::vector<std::string> command{test::athanor_binary()};
    command.insert(command.end(), words.begin(), words.end());
    const auto result = test::run_process(
        command,
        {.environment = {{"DATABASE_URL", "postgresql://u@localhost/db?schema=SECRET"}}, .directory = folder.string()});
    EXPECT_EQ(result.exit_code, 3) << words.front();
    EXPECT_THAT(result.err, HasSubstr("`schema`"));
    EXPECT_THAT(result.out + result.err, Not(HasSubstr("SECRET")));
    EXPECT_THAT(result.err, Not(HasSubstr("percent-encoded")));
  }
}

}  // namespace
}  // namespace athanor
