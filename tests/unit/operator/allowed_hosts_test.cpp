// Which hosts resources may name.
#include "operator/reconcile/allowed_hosts.hpp"

#include <gtest/gtest.h>

#include "migrations/postgres/connection_string.hpp"
#include "operator/options.hpp"

namespace athanor::controller {
namespace {

bool database_allowed(const AllowedHosts& hosts, const std::string& url) {
  const auto keywords = postgres::connection_keywords(url);
  EXPECT_TRUE(keywords) << url;
  return keywords && hosts.check_database(*keywords);
}

TEST(AllowedHosts, AllowEveryHostUnlessSomeAreListed) {
  EXPECT_TRUE(database_allowed(AllowedHosts(), "postgresql://anywhere/app"));
  EXPECT_TRUE(database_allowed(AllowedHosts(), "postgresql:///app"));
  EXPECT_TRUE(AllowedHosts().check_source("https://anywhere/a"));
}

TEST(AllowedHosts, AllowTheNamesListedAndThoseBelowAStar) {
  const AllowedHosts hosts({"db.example.org", "*.Shop.example.org", "10.0.0.7", "fd00::7", "/run/postgresql"});
  for (const char* host : {"db.example.org", "DB.example.ORG", "db.example.org.", "a.shop.example.org", "a.b.shop.example.org",
                           "10.0.0.7", "fd00::7", "/run/postgresql"}) {
    EXPECT_TRUE(hosts.allow(host)) << host;
  }
  for (const char* host : {"/tmp/x.shop.example.org", "", ".", "example.org", "shop.example.org", "xshop.example.org",
                           ".shop.example.org.evil.org", "db.example.org.evil.org", "10.0.0.70", "/run/PostgreSQL",
                           "/run/postgresql/../x", "localhost"}) {
    EXPECT_FALSE(hosts.allow(host)) << host;
  }
}

TEST(AllowedHosts, CheckEveryHostThatLibpqWouldTry) {
  const AllowedHosts hosts({"a.example.org", "b.example.org", "10.0.0.7"});
  for (const char* url :
       {"postgresql://a.example.org/app", "postgresql://a.example.org,b.example.org:6432/app", "host=a.example.org dbname=app",
        "postgresql://a.example.org/app?hostaddr=10.0.0.7", "postgresql:///app?host=b.example.org",
        "hostaddr=10.0.0.7 dbname=app", "postgresql+psycopg2://a.example.org/app"}) {
    EXPECT_TRUE(database_allowed(hosts, url)) << url;
  }
  for (const char* url :
       {"postgresql://evil.org/app", "postgresql://a.example.org,evil.org/app", "postgresql://a.example.org/app?host=evil.org",
        "postgresql://a.example.org/app?hostaddr=10.0.0.8", "postgresql:///app", "postgresql://a.example.org,/app",
        "postgresql://%65vil.org/app", "postgresql://a.example.org/app?host=/run/postgresql",
        "host=a.example.org hostaddr=10.0.0.7,10.0.0.8 dbname=app",
        "postgresql://a.example.org,b.example.org/app?hostaddr=10.0.0.7,10.0.0.8", "postgresql://a.example.org@evil.org/app"}) {
    EXPECT_FALSE(database_allowed(hosts, url)) << url;
  }
}

TEST(AllowedHosts, NameNoHostThatMayComeFromASecret) {
  const auto refused = AllowedHosts({"a"}).check_database({{"host", "hidden.example.org"}, {"password", "hunter2"}});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::PolicyRefused);
  EXPECT_EQ(refused.error().describe().find("hidden"), std::string::npos);
  EXPECT_EQ(refused.error().retry, RetryClass::Terminal);
}

TEST(AllowedHosts, CheckTheHostOfARepository) {
  const AllowedHosts hosts({"git.example.org", "2001:db8::1"});
  for (const char* url : {"https://git.example.org/a", "https://git.example.org:8443/a/b", "ssh://git@git.example.org:22/a",
                          "https://[2001:db8::1]/a"}) {
    EXPECT_TRUE(hosts.check_source(url)) << url;
  }
  for (const char* url :
       {"https://evil.org/git.example.org", "ssh://git.example.org@evil.org/a", "https://git.example.org.evil.org/a",
        "https://evil.org?@git.example.org/a", "https://evil.org#@git.example.org/a", "ssh://a@evil.org@git.example.org/a",
        "git.example.org:a", "https:///a", "https://git.example.org%2f@evil.org/"}) {
    EXPECT_FALSE(hosts.check_source(url)) << url;
  }
}

TEST(AllowedHosts, AreReadFromTheCommandLine) {
  const auto options = parse_options({"--kube", "--database-host=*.db.svc", "--database-host=10.0.0.7",
                                      "--database-host=fd00::7", "--source-host", "git.example.org"});
  ASSERT_TRUE(options);
  EXPECT_EQ(options->database_hosts, (std::vector<std::string>{"*.db.svc", "10.0.0.7", "fd00::7"}));
  EXPECT_EQ(options->source_hosts, (std::vector<std::string>{"git.example.org"}));
  for (const char* bad :
       {"--database-host=", "--database-host=a,b", "--database-host=*", "--database-host=a.*.b",
        "--source-host=https://git.example.org", "--source-host=a@b", "--database-host=db:5432", "--database-host=[::1]"}) {
    EXPECT_FALSE(parse_options({"--kube", bad})) << bad;
  }
}

}  // namespace
}  // namespace athanor::controller
