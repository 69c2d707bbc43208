// Credentials of Git: where they go, where they never are, and servers that do not behave.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <thread>

#include "tests/support/misbehaving_server.hpp"
#include "tests/support/test_certificates.hpp"
#include "tests/unit/sources/git_sketch.hpp"

namespace athanor::controller {
namespace {

using test::MisbehavingServer;
using test::ServerConnection;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class GitCredentialsTest : public sketch::GitTest {
 protected:
  static std::string of_all_processes(const char* what) {
    std::ostringstream lines;
    for (const auto& entry : fs::directory_iterator("/proc")) {
      std::ifstream file(entry.path() / what, std::ios::binary);
      lines << file.rdbuf() << '\n';
      lines.clear();
    }
    return lines.str();
  }
  // The files of the cache that contain `text`.
  [[nodiscard]] std::vector<std::string> files_with(const std::string& text) const {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(options_.folder)) {
      if (entry.is_regular_file() && test::read_file(entry.path()).find(text) != std::string::npos) {
        found.push_back(entry.path());
      }
    }
    return found;
  }
  // A program `ssh` that closes the descriptors it did not open, as ssh does, writes the names of the files it was given and
  // their modes and contents to `seen`, and fails.
  void put_ssh() {
    const std::string program = folder_.write("bin/ssh", R"(#!/usr/bin/env python3
import os, sys
os.closerange(3, 4096)
paths = [sys.argv[sys.argv.index("-i") + 1]] + [a[19:] for a in sys.argv if a.startswith("UserKnownHostsFile=")]
with open(")" + folder_ / "seen" + R"(.new", "w") as seen:
    for path in paths:
        seen.write(f"{os.stat(path).st_mode & 0o777:o} {os.readlink(path)} {open(path).read()}")
os.rename(")" + folder_ / "seen" + R"(.new", ")" + folder_ / "seen" +
                                                             R"(")
if os.path.exists(")" + folder_ / "wait" + R"("):
    sys.stdin.read()
sys.exit("no such host")
)");
    fs::permissions(program, fs::perms::owner_all);
    surroundings_.environment = {"PATH=" + folder_ / "bin" + ":/usr/local/bin:/usr/bin:/bin"};
    surroundings_.protocols = "ssh";
    put_secret("git", {{"identity", "PRIVATE CANARY"}, {"known_hosts", "host ssh-ed25519 AAAA"}});
  }
  static DatabaseMigration with_secret(const std::string& url, const std::string& secret) {
    DatabaseMigration made = resource(url);
    made.spec.source.git->secret_name = secret;
    return made;
  }
};

TEST_F(GitCredentialsTest, APasswordGoesIntoAHeaderAndNowhereElse) {
  put_secret("git", {{"username", "robot"}, {"password", "hunter2-very-secret\n"}});
  std::mutex mutex;
  std::string seen;
  std::string environments;
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    {
      const std::lock_guard lock(mutex);
      seen = of_all_processes("cmdline");
      environments = of_all_processes("environ");
    }
    connection.answer(403, "no");
  });
  const Error error = refused(with_secret(server.url() + "/shop.git", "git"));
  const std::lock_guard lock(mutex);
  EXPECT_THAT(environments, AllOf(HasSubstr("GIT_CONFIG_COUNT="), Not(HasSubstr("hunter2")),
                                  Not(HasSubstr(base64_encode("robot:hunter2-very-secret")))));
  EXPECT_THAT(server.requests().at(0), HasSubstr("Authorization: Basic " + base64_encode("robot:hunter2-very-secret")));
  EXPECT_THAT(seen, AllOf(HasSubstr("ls-remote"), Not(HasSubstr("hunter2")),
                          Not(HasSubstr(base64_encode("robot:hunter2-very-secret")))));
  EXPECT_THAT(error.describe(), AllOf(HasSubstr(server.url()), HasSubstr("403"), Not(HasSubstr("hunter2"))));
  EXPECT_THAT(error.hint, HasSubstr("secretRef"));
  EXPECT_EQ(error.retry, RetryClass::Transient);
}

TEST_F(GitCredentialsTest, OnlyTheAuthorityOfTheSecretIsTrusted) {
  surroundings_.protocols = GitEnvironment().protocols;
  const auto authority = test::make_authority();
  const auto certificate = test::issue_certificate(authority, {.common_name = "git", .names = {"IP:127.0.0.1"}});
  MisbehavingServer server(
      [](ServerConnection& connection) {
        if (!connection.read_request().empty()) {
          connection.answer(403, "no");
        }
      },
      test::ServerTls{certificate.certificate_pem, certificate.key_pem, {}});
  put_secret("ours", {{"password", "token"}, {"ca.crt", authority.certificate_pem}});
  put_secret("other", {{"password", "token"}, {"ca.crt", test::make_authority("other").certificate_pem}});
  EXPECT_THAT(refused(with_secret(server.url() + "/x.git", "ours")).message, HasSubstr("403"));
  ASSERT_EQ(server.requests().size(), 1U);
  EXPECT_THAT(refused(with_secret(server.url() + "/x.git", "other")).message, HasSubstr("certificate"));
  EXPECT_THAT(refused(resource(server.url() + "/x.git")).message, HasSubstr("certificate"));
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(GitCredentialsTest, NoRedirectTakesThemAlong) {
  put_secret("git", {{"password", "token"}});
  MisbehavingServer elsewhere([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(404, "no");
  });
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.answer(301, "", "Location: " + elsewhere.url() + "/stolen/info/refs?service=git-upload-pack\r\n");
  });
  const Error error = refused(with_secret(server.url() + "/shop.git", "git"));
  EXPECT_THAT(error.hint, HasSubstr("redirects"));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(GitCredentialsTest, NoRedirectIsFollowedWithoutThemEither) {
  MisbehavingServer elsewhere([](ServerConnection& connection) {
    connection.read_request();
    connection.answer(404, "no");
  });
  MisbehavingServer server([&](ServerConnection& connection) {
    connection.read_request();
    connection.answer(302, "", "Location: " + elsewhere.url() + "/inside/info/refs?service=git-upload-pack\r\n");
  });
  const Error error = refused(resource(server.url() + "/shop.git"));
  EXPECT_THAT(error.hint, HasSubstr("redirects"));
  EXPECT_EQ(elsewhere.connections(), 0);
}

TEST_F(GitCredentialsTest, ALinkLocalAddressIsNotContacted) {
  for (const char* host : {"169.254.169.254", "[fe80::1]", "2852039166", "[::ffff:169.254.169.254]"}) {
    const Error error = refused(resource(std::string("http://") + host + "/latest"));
    EXPECT_THAT(error.message, HasSubstr("link-local")) << host;
    EXPECT_EQ(error.retry, RetryClass::Terminal) << host;
  }
  EXPECT_EQ(asked("ls-remote"), 0U);
}

TEST_F(GitCredentialsTest, RequestsWithoutThemShareNothing) {
  const sketch::WorkTree tree(folder_ / "origin");
  tree.commit(sketch::line());
  put_secret("one", {{"password", "a"}});
  put_secret("two", {{"password", "b"}});
  put_secret("same", {{"password", "a"}});
  ASSERT_TRUE(load(with_secret(tree.url(), "one")));
  ASSERT_TRUE(load(with_secret(tree.url(), "two")));
  ASSERT_TRUE(load(resource(tree.url())));
  EXPECT_EQ(asked("fetch"), 3U);
  DatabaseMigration same = with_secret(tree.url(), "one");
  same.spec.source.git->secret_name = "same";
  same.metadata.generation = 1;
  const auto first = load(with_secret(tree.url(), "one"));
  const auto second = load(same);
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(asked("fetch"), 3U);
}

TEST_F(GitCredentialsTest, WhatASecretLacksIsSaid) {
  EXPECT_THAT(refused(with_secret("http://127.0.0.1/x", "git")).message, HasSubstr("Secret shop/git does not exist"));
  put_secret("git", {{"other", "x"}});
  EXPECT_THAT(refused(with_secret("http://127.0.0.1/x", "git")).message, HasSubstr("no credentials"));
  put_secret("git", {{"username", "robot"}});
  EXPECT_THAT(refused(with_secret("http://127.0.0.1/x", "git")).message, HasSubstr("no password"));
  put_secret("git", {{"username", "robot"}, {"password", "a\nb"}});
  const Error error = refused(with_secret("http://127.0.0.1/x", "git"));
  EXPECT_THAT(error.message, HasSubstr("not allowed in an HTTP header"));
  EXPECT_EQ(error.retry, RetryClass::Transient);  // nobody tells that a Secret changed
}

TEST_F(GitCredentialsTest, SshNeedsAKeyAndTheHostsKey) {
  EXPECT_THAT(refused(resource("ssh://git@127.0.0.1/x")).message, HasSubstr("private key"));
  put_secret("git", {{"identity", "key"}});
  const Error error = refused(with_secret("ssh://git@127.0.0.1/x", "git"));
  EXPECT_THAT(error.message, HasSubstr("host's key is unknown"));
  EXPECT_THAT(error.hint, HasSubstr("ssh-keyscan"));
  EXPECT_EQ(asked("ls-remote"), 0U);
}

TEST_F(GitCredentialsTest, SshIsRunStrictly) {
  const auto access = GitAccess::prepare({{}, {}, {}, "key", "host ssh-ed25519 AAAA"}, "ssh://git@host/x");
  ASSERT_TRUE(access);
  EXPECT_THAT(access->ssh_command(), AllOf(HasSubstr("-F /dev/null"), HasSubstr("StrictHostKeyChecking=yes"),
                                           HasSubstr("BatchMode=yes"), HasSubstr("GlobalKnownHostsFile=/dev/null")));
  // As a shell takes it apart, every word is one; ssh prints what it would do.
  const auto parsed = test::run_process({"/bin/sh", "-c", access->ssh_command() + " -G host"});
  EXPECT_EQ(parsed.exit_code, 0) << parsed.err;
  EXPECT_THAT(parsed.out, AllOf(HasSubstr("stricthostkeychecking true"), HasSubstr("batchmode yes"),
                                HasSubstr("userknownhostsfile /proc/"), HasSubstr("identitiesonly yes")));
}

TEST_F(GitCredentialsTest, SshReadsItsKeyFromMemory) {
  put_ssh();
  EXPECT_THAT(refused(with_secret("ssh://git@127.0.0.1/x", "git")).message, HasSubstr("no such host"));
  EXPECT_THAT(test::read_file(folder_ / "seen"),
              AllOf(HasSubstr("600 /memfd:athanor-identity (deleted) PRIVATE CANARY\n"),
                    HasSubstr("600 /memfd:athanor-known-hosts (deleted) host ssh-ed25519 AAAA\n")));
}

TEST_F(GitCredentialsTest, NoKeyIsOnDiskWhileSshRuns) {
  put_ssh();
  folder_.write("wait", "");
  surroundings_.timeout = milliseconds(3'000);
  std::thread run(
      [&] { EXPECT_THAT(refused(with_secret("ssh://git@127.0.0.1/x", "git")).message, HasSubstr("did not finish")); });
  while (!fs::exists(folder_ / "seen")) {
    std::this_thread::sleep_for(milliseconds(10));
  }
  // A kill of the operator at this moment would leave these files.
  const auto on_disk = files_with("CANARY");
  run.join();
  EXPECT_THAT(on_disk, ::testing::IsEmpty());
}

TEST_F(GitCredentialsTest, AServerThatSaysNothingIsGivenUpAtTheDeadline) {
  put_secret("git", {{"password", "token"}, {"ca.crt", "not used over http"}});
  surroundings_.timeout = milliseconds(700);
  MisbehavingServer server([](ServerConnection& connection) {
    connection.read_request();
    connection.hold();
  });
  const Error error = refused(with_secret(server.url() + "/shop.git", "git"));
  EXPECT_THAT(error.describe(), AllOf(HasSubstr("did not finish within 700 ms"), HasSubstr(server.url())));
  EXPECT_EQ(error.retry, RetryClass::Transient);
  EXPECT_THAT(files_with("not used over http"), ::testing::IsEmpty());
}

TEST_F(GitCredentialsTest, NobodyThereIsTransient) {
  const Error error = refused(resource("http://127.0.0.1:" + std::to_string(test::closed_port()) + "/x"));
  EXPECT_EQ(error.code, ErrorCode::Io);
  EXPECT_EQ(error.retry, RetryClass::Transient);
  EXPECT_THAT(error.message, HasSubstr("git ls-remote"));
}

TEST_F(GitCredentialsTest, ARepositoryThatIsTooLargeIsCutOff) {
  const sketch::WorkTree tree(folder_ / "origin");
  std::string noise;
  for (unsigned i = 0, state = 7; i < 3'000'000; ++i) {
    state = state * 1'103'515'245U + 12'345U;
    noise += static_cast<char>(state >> 16U);
  }
  tree.write("large.bin", noise);
  tree.commit(sketch::line());
  options_.max_repository_bytes = 1'000'000;
  const Error error = refused(resource(tree.url()));
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
}

}  // namespace
}  // namespace athanor::controller
