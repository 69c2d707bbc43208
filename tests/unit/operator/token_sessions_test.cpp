// Sessions whose password is a token: when one is asked for, and what the server may not make appear in a message.
#include "operator/reconcile/token_sessions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/text/database_url.hpp"
#include "operator/reconcile/session_cache.hpp"

namespace athanor::controller {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class CountedTokens final : public TokenSource {
 public:
  Result<DatabaseToken> token(const TokenWanted& wanted, const TokenTerms& terms) override {
    EXPECT_EQ(wanted.user, "migrator");
    if (refusal) {
      return fail(*refusal);
    }
    if (terms.renew) {
      ++renewed;
      cached = false;
    }
    longest = std::max(longest, terms.deadline);
    return DatabaseToken{"TOKEN&=" + std::to_string(++made), {}, cached};
  }

  int made = 0;
  int renewed = 0;
  bool cached = false;
  milliseconds longest{0};
  std::optional<Error> refusal;
};

// Records the passwords it gets, and answers with one error after the other.
class RecordingServer {
 public:
  class Factory final : public SessionFactory {
   public:
    Factory(RecordingServer& server, std::string password) : server_(server), password_(std::move(password)) {}
    Result<std::unique_ptr<Session>> open() override {
      server_.passwords.push_back(password_);
      return fail(server_.next(password_));
    }
    Result<std::unique_ptr<ReadSession>> open_observer() override {
      server_.passwords.push_back(password_);
      return fail(server_.next(password_));
    }
    [[nodiscard]] std::string describe() const override { return "db:5432/orders"; }

   private:
    RecordingServer& server_;
    std::string password_;
  };

  Error next(const std::string& password) {
    return code == ErrorCode::AuthenticationFailed ? Error(code, "the server says: " + password + " is wrong")
                                                   : Error(code, "gone");
  }
  SessionFactoryMaker connect = [this](const std::string& url, const ExecutionSettings&,
                                       const StopToken&) -> Result<std::unique_ptr<SessionFactory>> {
    return std::make_unique<Factory>(*this, parameter_of(connection_parameters(url), "password"));
  };

  std::vector<std::string> passwords;
  ErrorCode code = ErrorCode::DatabaseUnreachable;
};

class TokenSessionsTest : public ::testing::Test {
 protected:
  TokenSessionsTest() {
    target.url = "postgresql://migrator@db:5432/orders?sslmode=verify-full";
    target.token = TargetToken{&tokens, {{}, "shop", "db", "5432", "migrator"}};
    sessions = *sessions_of(target, server.connect, {}, {});
  }

  CountedTokens tokens;
  RecordingServer server;
  DatabaseTarget target;
  std::unique_ptr<SessionFactory> sessions;
};

TEST_F(TokenSessionsTest, EveryConnectionGetsATokenOfItsOwn) {
  EXPECT_EQ(sessions->describe(), "db:5432/orders");
  EXPECT_EQ(tokens.made, 0) << "none is made before a connection";
  EXPECT_FALSE(sessions->open());
  EXPECT_FALSE(sessions->open_observer());
  EXPECT_FALSE(sessions->open());
  EXPECT_THAT(server.passwords, ElementsAre("TOKEN&=1", "TOKEN&=2", "TOKEN&=3"));
}

TEST_F(TokenSessionsTest, ARefusedTokenOfAKeptAnswerIsRenewedOnce) {
  server.code = ErrorCode::AuthenticationFailed;
  tokens.cached = true;
  const auto opened = sessions->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(tokens.renewed, 1);
  EXPECT_EQ(server.passwords.size(), 2U);
  EXPECT_FALSE(sessions->open());
  EXPECT_EQ(tokens.renewed, 1) << "a new one is not renewed";
  EXPECT_EQ(server.passwords.size(), 3U);
}

TEST_F(TokenSessionsTest, AnErrorHoldsNoTokenEvenIfTheServerRepeatsIt) {
  server.code = ErrorCode::AuthenticationFailed;
  const auto opened = sessions->open();
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().describe(), Not(HasSubstr("TOKEN")));
  EXPECT_THAT(opened.error().describe(), HasSubstr("(hidden)"));
  EXPECT_THAT(opened.error().hint, HasSubstr("rds_iam")) << "not to check a password";
}

TEST_F(TokenSessionsTest, WithoutATokenNoConnectionIsMade) {
  tokens.refusal = Error(ErrorCode::MissingDatabaseUrl, "AWS gives no token");
  const auto opened = sessions->open();
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().message, "AWS gives no token");
  EXPECT_TRUE(server.passwords.empty());
}

TEST_F(TokenSessionsTest, ATargetWithAPasswordKeepsIt) {
  target.token.reset();
  target.url = "postgresql://migrator:plain@db:5432/orders?password=plain";
  sessions = *sessions_of(target, server.connect, {}, {});
  EXPECT_FALSE(sessions->open());
  EXPECT_THAT(server.passwords, ElementsAre("plain"));
  EXPECT_EQ(tokens.made, 0);
}

TEST_F(TokenSessionsTest, SessionsOfDifferentServiceAccountsAreNotShared) {
  const std::string key = SessionCache::key_of(target);
  EXPECT_EQ(SessionCache::key_of(target), key);
  DatabaseTarget other = target;
  other.token->wanted.name_space = "warehouse";
  EXPECT_NE(SessionCache::key_of(other), key);
  other = target;
  other.token->wanted.auth.service_account = "another";
  EXPECT_NE(SessionCache::key_of(other), key);
  other = target;
  other.token.reset();
  EXPECT_NE(SessionCache::key_of(other), key) << "nor with somebody who has no token at all";
}

}  // namespace
}  // namespace athanor::controller
