// Credentials that stay fresh, and the plugins that hand them out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <thread>

#include "operator/kube/exec_plugin.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

std::optional<std::string> variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

class CredentialsTest : public ::testing::Test {
 protected:
  std::unique_ptr<CredentialProvider> make(const ClusterAccess& access) { return make_credentials(access, clock_, variable); }
  // A plugin that counts its runs in the file "runs" and prints what the file "answer" holds.
  ClusterAccess with_plugin(const std::string& script) {
    const auto path = folder_.write("plugin", "#!/bin/sh\necho run >> " + (folder_ / "runs") + "\n" + script + "\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
    ClusterAccess access;
    access.server = "https://10.0.0.1:6443";
    access.exec = ExecPlugin{};
    access.exec->api_version = "client.authentication.k8s.io/v1";
    access.exec->command = path;
    return access;
  }
  std::string answering(const std::string& status) {
    folder_.write("answer",
                  R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":)" + status + "}");
    return "cat " + (folder_ / "answer");
  }
  [[nodiscard]] std::size_t runs() const {
    const auto text = test::read_file(folder_.path() / "runs");
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  }

  test::FakeClock clock_;
  test::TempFolder folder_;
};

using Credentials = CredentialsTest;

TEST_F(Credentials, SendNothingWhenThereIsNothing) {
  const auto now = make({})->current();
  ASSERT_TRUE(now);
  EXPECT_EQ(now->authorization, "");
}

TEST_F(Credentials, SendATokenOrABasicPassword) {
  ClusterAccess access;
  access.token = "sesame";
  EXPECT_EQ(make(access)->current()->authorization, "Bearer sesame");
  access = {};
  access.username = "jane";
  access.password = "pass:word";
  EXPECT_EQ(make(access)->current()->authorization, "Basic amFuZTpwYXNzOndvcmQ=");
}

TEST_F(Credentials, ReadTheTokenFileAgainAfterAMinute) {
  ClusterAccess access;
  access.token_file = folder_.write("token", "first\n");
  const auto credentials = make(access);
  EXPECT_EQ(credentials->current()->authorization, "Bearer first");
  folder_.write("token", "second\n");
  clock_.advance(59s);
  EXPECT_EQ(credentials->current()->authorization, "Bearer first");
  clock_.advance(1s);
  EXPECT_EQ(credentials->current()->authorization, "Bearer second");
}

TEST_F(Credentials, ReadTheTokenFileAgainWhenRefused) {
  ClusterAccess access;
  access.token_file = folder_.write("token", "first");
  const auto credentials = make(access);
  EXPECT_EQ(credentials->current()->authorization, "Bearer first");
  folder_.write("token", "second");
  clock_.advance(2s);
  credentials->refused();
  EXPECT_EQ(credentials->current()->authorization, "Bearer second");
}

TEST_F(Credentials, KeepTheTokenWhileItsFileIsAway) {
  ClusterAccess access;
  access.token_file = folder_.write("token", "first");
  const auto credentials = make(access);
  EXPECT_EQ(credentials->current()->authorization, "Bearer first");
  ::unlink(access.token_file.c_str());
  clock_.advance(61s);
  EXPECT_EQ(credentials->current()->authorization, "Bearer first");
}

TEST_F(Credentials, FailWhenTheTokenFileWasNeverThere) {
  ClusterAccess access;
  access.token_file = folder_ / "token";
  const auto credentials = make(access);
  const auto now = credentials->current();
  ASSERT_FALSE(now);
  EXPECT_THAT(now.error().describe(), HasSubstr("token file"));
  folder_.write("token", "late");
  EXPECT_EQ(credentials->current()->authorization, "Bearer late");
}

TEST_F(Credentials, ChangeTheirVersionWithTheCertificateAlone) {
  ClusterAccess access;
  access.token_file = folder_.write("token", "first");
  access.client_certificate_file = folder_.write("crt", "CERT");
  access.client_key_file = folder_.write("key", "KEY");
  const auto credentials = make(access);
  const auto first = credentials->current();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->client_certificate_pem, "CERT");
  EXPECT_EQ(first->client_key_pem, "KEY");
  folder_.write("token", "second");
  clock_.advance(60s);
  EXPECT_EQ(credentials->current()->version, first->version);
  folder_.write("crt", "CERT2");
  clock_.advance(60s);
  const auto second = credentials->current();
  EXPECT_GT(second->version, first->version);
  EXPECT_EQ(second->client_certificate_pem, "CERT2");
}

// ---- plugins

TEST_F(Credentials, KeepAPluginsAnswerUntilShortlyBeforeItExpires) {
  const auto expiry = clock_.wall_now() + 1h;
  const auto text = format_iso8601(expiry);
  const auto credentials = make(with_plugin(answering(R"({"token":"t1","expirationTimestamp":")" + text + "\"}")));
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  clock_.advance(59min);
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  EXPECT_EQ(runs(), 1U);
  answering(R"({"token":"t2"})");
  clock_.advance(55s);
  while (credentials->current()->authorization == "Bearer t1") {  // good while the plugin is asked
    std::this_thread::yield();
  }
  EXPECT_EQ(credentials->current()->authorization, "Bearer t2");
  clock_.advance(100h);
  EXPECT_EQ(credentials->current()->authorization, "Bearer t2");  // it did not say that it expires
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Credentials, RunThePluginAgainWhenRefusedButOnceForManyRequests) {
  const auto credentials = make(with_plugin(answering(R"({"token":"t1"})")));
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  answering(R"({"token":"t2"})");
  clock_.advance(5s);
  for (int i = 0; i < 8; ++i) {  // eight requests were refused together
    credentials->refused();
    EXPECT_EQ(credentials->current()->authorization, "Bearer t2");
  }
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Credentials, TakeAClientCertificateFromAPlugin) {
  const auto credentials = make(with_plugin(answering(R"({"clientCertificateData":"CERT","clientKeyData":"KEY"})")));
  const auto now = credentials->current();
  ASSERT_TRUE(now) << now.error().describe();
  EXPECT_EQ(now->authorization, "");
  EXPECT_EQ(now->client_certificate_pem, "CERT");
  EXPECT_EQ(now->client_key_pem, "KEY");
}

TEST_F(Credentials, PassTheClusterToThePlugin) {
  auto access = with_plugin("printf %s \"$KUBERNETES_EXEC_INFO\" > " + (folder_ / "info") +
                            "\nprintf '%s ' \"$@\" \"$REGION\" > " + (folder_ / "arguments") + "\nread line || echo none > " +
                            (folder_ / "input") + "\n" + answering(R"({"token":"t"})"));
  access.exec->provide_cluster_info = true;
  access.exec->arguments = {"get", "two words; $HOME"};
  access.exec->environment = {{"REGION", "north"}};
  access.ca_pem = "PEM";
  access.tls_server_name = "name";
  ASSERT_TRUE(make(access)->current());
  const auto info = nlohmann::json::parse(test::read_file(folder_.path() / "info"));
  EXPECT_EQ(info, nlohmann::json::parse(R"({"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","spec":{
    "interactive":false,"cluster":{"server":"https://10.0.0.1:6443","tls-server-name":"name",
    "certificate-authority-data":"UEVN"}}})"));
  EXPECT_EQ(test::read_file(folder_.path() / "arguments"), "get two words; $HOME north ");  // no shell in between
  EXPECT_EQ(test::read_file(folder_.path() / "input"), "none\n");
}

TEST_F(Credentials, SayWhyAPluginFailedWithoutWhatItPrinted) {
  const std::string token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMzQ1Njc4OTAifQ";
  const auto now =
      make(with_plugin("echo secret-output; printf 'not\\033[31m logged in: " + token + "\\n\\n' >&2; exit 3"))->current();
  ASSERT_FALSE(now);
  EXPECT_EQ(now.error().code, ErrorCode::ApiUnauthorized);
  EXPECT_THAT(now.error().message, AllOf(HasSubstr("exit code 3"), HasSubstr("logged in: ***"), Not(HasSubstr("\033")),
                                         Not(HasSubstr(token)), Not(HasSubstr("secret-output"))));
}

TEST_F(Credentials, RefuseAnAnswerThatIsNone) {
  const ExecPlugin plugin{"client.authentication.k8s.io/v1", "login", {}, {}, {}, false};
  for (
      const char* answer :
      {"", "sesame", "[]", R"({"kind":"Secret"})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1"})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"sesame"}})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{}})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"clientKeyData":"sesame"}})",
       R"({"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{"token":"sesame","expirationTimestamp":"soon"}})"}) {
    const auto parsed = parse_exec_credential(answer, plugin);
    ASSERT_FALSE(parsed) << answer;
    EXPECT_EQ(parsed.error().code, ErrorCode::ApiUnauthorized);
    EXPECT_THAT(parsed.error().message, AllOf(HasSubstr("`login`"), Not(HasSubstr("sesame"))));
  }
}

TEST_F(Credentials, SayHowToInstallAPluginThatIsMissing) {
  ClusterAccess access;
  access.exec = ExecPlugin{"client.authentication.k8s.io/v1", "no-such-login-plugin", {}, {}, "apt install it", false};
  const auto now = make(access)->current();
  ASSERT_FALSE(now);
  EXPECT_THAT(now.error().message, HasSubstr("`no-such-login-plugin` is not installed"));
  EXPECT_EQ(now.error().hint, "apt install it");
}

TEST_F(Credentials, StayInUseWhileThePluginHangsUntilTheyExpire) {
  const auto access = with_plugin("cat " + (folder_ / "answer") + "; test ! -e " + (folder_ / "hang") + " || sleep 100");
  answering(R"({"token":"t1","expirationTimestamp":")" + format_iso8601(clock_.wall_now() + 1h) + "\"}");
  const auto credentials = make(access);
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  folder_.write("hang", "");
  clock_.advance(59min + 55s);
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  while (runs() < 2) {  // it is asked meanwhile
    std::this_thread::yield();
  }
  EXPECT_EQ(credentials->current()->authorization, "Bearer t1");
  clock_.advance(5s);
  const auto late = credentials->current({}, clock_.steady_now());
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, ErrorCode::ApiUnauthorized);
  EXPECT_THAT(late.error().message, HasSubstr("did not respond in time"));
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Credentials, StopAPluginThatRuns) {
  StopSource stop;
  const auto credentials = make(with_plugin("exec sleep 100"));
  std::thread stopper([&] {
    while (!std::filesystem::exists(folder_ / "runs")) {
      std::this_thread::yield();
    }
    stop.request();
  });
  const auto now = credentials->current(stop.token(), SteadyTime::max());
  stopper.join();
  ASSERT_FALSE(now);
  EXPECT_EQ(now.error().code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace athanor::controller
