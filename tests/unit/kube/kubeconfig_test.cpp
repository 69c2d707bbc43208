// What is read from kubeconfigs and inside a pod, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>

#include "operator/kube/base64.hpp"
#include "operator/kube/cluster_access.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr const char* kWhole = R"(apiVersion: v1
kind: Config
preferences: {colors: true}
current-context: shop
contexts:
- name: shop
  context: {cluster: main, user: jane, namespace: orders, extensions: [{name: x, extension: {anything: [1]}}]}
- name: other
  context: {cluster: spare, user: bot}
clusters:
- name: main
  cluster:
    server: https://10.0.0.1:6443
    certificate-authority: pki/ca.crt
    tls-server-name: kubernetes.example
    disable-compression: true
- name: spare
  cluster: {server: "https://10.0.0.2:6443/k8s", certificate-authority-data: UEVN, insecure-skip-tls-verify: false}
users:
- name: jane
  user:
    client-certificate: pki/jane.crt
    client-key: /etc/jane.key
    as: ann
    as-uid: "7"
    as-groups: [ops, dev]
- name: bot
  user: {client-certificate-data: Q0VSVA==, client-certificate: gone.crt, client-key-data: S0VZ, client-key: gone.key, token: sesame}
)";

class Kubeconfig : public ::testing::Test {
 protected:
  // One cluster and one user from these mappings in flow style.
  std::string write(const std::string& cluster, const std::string& user, const std::string& name = "config") {
    return folder_.write(name,
                         "current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters:\n- name: k\n" +
                             ("  cluster: " + cluster) + "\nusers:\n- name: u\n  user: " + user + "\n");
  }
  Error refusal(const std::string& cluster, const std::string& user) {
    const auto access = read_kubeconfig({write(cluster, user)}, {});
    EXPECT_FALSE(access) << cluster << user;
    return access ? Error() : access.error();
  }
  static constexpr const char* kCluster = "{server: 'https://h:1'}";
  test::TempFolder folder_;
};

TEST_F(Kubeconfig, ReadsTheCurrentContext) {
  const auto path = folder_.write("home/config", kWhole);
  const auto access = read_kubeconfig({path}, {});
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->server, "https://10.0.0.1:6443");
  EXPECT_EQ(access->tls_server_name, "kubernetes.example");
  EXPECT_EQ(access->ca_file, folder_ / "home/pki/ca.crt");  // from the kubeconfig's own folder
  EXPECT_EQ(access->client_certificate_file, folder_ / "home/pki/jane.crt");
  EXPECT_EQ(access->client_key_file, "/etc/jane.key");
  EXPECT_EQ(access->name_space, "orders");
  EXPECT_EQ(access->impersonate, "ann");
  EXPECT_EQ(access->impersonate_uid, "7");
  EXPECT_THAT(access->impersonate_groups, ElementsAre("ops", "dev"));
  EXPECT_FALSE(access->skip_tls_verify);
}

TEST_F(Kubeconfig, PrefersDataToFilesInANamedContext) {
  const auto access = read_kubeconfig({folder_.write("config", kWhole)}, "other");
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->server, "https://10.0.0.2:6443/k8s");
  EXPECT_EQ(access->ca_pem, "PEM");
  EXPECT_EQ(access->ca_file, "");
  EXPECT_EQ(access->client_certificate_pem, "CERT");
  EXPECT_EQ(access->client_certificate_file, "");
  EXPECT_EQ(access->client_key_pem, "KEY");
  EXPECT_EQ(access->client_key_file, "");
  EXPECT_EQ(access->token, "sesame");
  EXPECT_EQ(access->name_space, "default");
}

TEST_F(Kubeconfig, PrefersTheTokenFileToTheToken) {
  const auto access = read_kubeconfig({write(kCluster, "{token: old, tokenFile: run/token}")}, {});
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->token, "");
  EXPECT_EQ(access->token_file, folder_ / "run/token");
}

TEST_F(Kubeconfig, ReadsJson) {
  const auto path =
      folder_.write("config", R"({"current-context":"c","contexts":[{"name":"c","context":{"cluster":"k","user":""}}],
    "clusters":[{"name":"k","cluster":{"server":"https://h:1"}}]})");
  const auto access = read_kubeconfig({path}, {});
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->server, "https://h:1");
}

TEST_F(Kubeconfig, MergesFilesAndTheFirstOneWins) {
  const auto first = folder_.write("a/config", "current-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: u}\n");
  const auto second = folder_.write("b/config", R"(current-context: elsewhere
contexts: [{name: c, context: {cluster: wrong}}]
clusters: [{name: k, cluster: {server: "https://second:1", certificate-authority: ca.crt}}]
)");
  const auto third = folder_.write("c/config", R"(clusters: [{name: k, cluster: {server: "https://third:1"}}]
users: [{name: u, user: {token: third}}]
)");
  const auto access = read_kubeconfig({first, folder_ / "missing", second, third}, {});
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->server, "https://second:1");
  EXPECT_EQ(access->ca_file, folder_ / "b/ca.crt");
  EXPECT_EQ(access->token, "third");
}

TEST_F(Kubeconfig, ReadsAnExecPlugin) {
  const auto access =
      read_kubeconfig({write(kCluster, R"({exec: {apiVersion: client.authentication.k8s.io/v1, command: ./bin/login,
    args: [get, "--cluster=x"], env: [{name: REGION, value: north}, {name: EMPTY}], installHint: get it, provideClusterInfo: true,
    interactiveMode: IfAvailable}})")},
                      {});
  ASSERT_TRUE(access) << access.error().describe();
  ASSERT_TRUE(access->exec);
  EXPECT_EQ(access->exec->command, folder_ / "bin/login");
  EXPECT_THAT(access->exec->arguments, ElementsAre("get", "--cluster=x"));
  EXPECT_THAT(access->exec->environment, ElementsAre(Pair("REGION", "north"), Pair("EMPTY", "")));
  EXPECT_EQ(access->exec->install_hint, "get it");
  EXPECT_TRUE(access->exec->provide_cluster_info);
}

TEST_F(Kubeconfig, LooksUpAPluginWithoutASlashInThePath) {
  const auto access =
      read_kubeconfig({write(kCluster, "{exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: login}}")}, {});
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->exec->command, "login");
}

TEST_F(Kubeconfig, RefusesWhatItDoesNotSupportByName) {
  const std::string exec = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: x, ";
  for (const auto& [cluster, user, field] : std::vector<std::tuple<std::string, std::string, std::string>>{
           {"{server: 'https://h:1', proxy-url: 'http://p'}", "{}", "cluster.proxy-url"},
           {"{}", "{}", "cluster.server"},
           {"{server: 'https://h:1', insecure-skip-tls-verify: true, certificate-authority: x}", "{}",
            "insecure-skip-tls-verify"},
           {"{server: 'https://h:1', insecure-skip-tls-verify: maybe}", "{}", "insecure-skip-tls-verify"},
           {"{server: 'https://h:1', certificate-authority-data: '!!'}", "{}", "certificate-authority-data"},
           {kCluster, "{auth-provider: {name: gcp}}", "user.auth-provider"},
           {kCluster, "{as: a, as-user-extra: {x: [y]}}", "user.as-user-extra"},
           {kCluster, "{as-groups: [x]}", "user.as"},
           {kCluster, "{token: sesame, username: u, password: p}", "user.username"},
           {kCluster, "{client-certificate: x}", "user.client-key"},
           {kCluster, "{client-key-data: S0VZ}", "user.client-certificate"},
           {kCluster, "{client-certificate-data: 'S0', client-key-data: S0VZ}", "user.client-certificate-data"},
           {kCluster, "{token: [sesame]}", "user.token"},
           {kCluster, "{exec: {apiVersion: client.authentication.k8s.io/v1alpha1, command: x}}", "user.exec.apiVersion"},
           {kCluster, "{exec: {apiVersion: client.authentication.k8s.io/v1}}", "user.exec.command"},
           {kCluster, exec + "interactiveMode: Always}}", "user.exec.interactiveMode"},
           {kCluster, exec + "interactiveMode: Perhaps}}", "user.exec.interactiveMode"},
           {kCluster, exec + "env: [{value: x}]}}", "user.exec.env"},
           {kCluster, exec + "args: {a: b}}}", "user.exec.args"},
           {kCluster, "[]", "user"},
       }) {
    const Error error = refusal(cluster, user);
    EXPECT_EQ(error.code, ErrorCode::Configuration) << field;
    EXPECT_THAT(error.message, AllOf(HasSubstr("field `"), HasSubstr(field + "`"))) << field;
    EXPECT_THAT(error.context, HasSubstr("config:")) << field;
    EXPECT_THAT(error.describe() + error.hint, Not(HasSubstr("sesame")));
  }
}

TEST_F(Kubeconfig, NamesWhatIsMissing) {
  const auto path = folder_.write("config", kWhole);
  EXPECT_THAT(read_kubeconfig({path}, "nowhere").error().message, HasSubstr("no context `nowhere`"));
  for (const auto& [text, missing] : std::vector<std::pair<std::string, std::string>>{
           {"contexts: []", "no current-context"},
           {"current-context: c\ncontexts: [{name: c, context: {cluster: k}}]", "no cluster `k`"},
           {"current-context: c\ncontexts: [{name: c, context: {user: u}}]", "context.cluster`"},
           {"current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\nclusters: [{name: k, cluster: {server: "
            "x}}]",
            "no user `u`"},
           {"current-context: c\ncontexts: {}", "`contexts`: expected a list"},
           {"", "no kubeconfig"},
           {"text", "not a kubeconfig"},
           {"a: 1\n---\nb: 2", "single YAML document"}}) {
    const auto access = read_kubeconfig({folder_.write("bad", text)}, {});
    ASSERT_FALSE(access) << text;
    EXPECT_EQ(access.error().code, ErrorCode::Configuration);
    EXPECT_THAT(access.error().message, HasSubstr(missing)) << text;
  }
}

TEST_F(Kubeconfig, SaysWhichFileCannotBeRead) {
  EXPECT_THAT(read_kubeconfig({folder_ / "gone"}, {}).error().describe(), AllOf(HasSubstr("gone"), HasSubstr("No such file")));
  EXPECT_THAT(read_kubeconfig({folder_.string()}, {}).error().describe(), HasSubstr("Is a directory"));
  EXPECT_FALSE(read_kubeconfig({}, {}));
  EXPECT_FALSE(read_kubeconfig({folder_ / "gone", folder_ / "gone too"}, {}));
}

TEST_F(Kubeconfig, RefusesYamlThatBlowsUp) {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    bomb += std::string(1, c) + ": &" + c + " [" + "*" + static_cast<char>(c - 1) + ",*" + static_cast<char>(c - 1) + "]\n";
  }
  EXPECT_FALSE(read_kubeconfig({folder_.write("bomb", bomb)}, {}));
  EXPECT_FALSE(read_kubeconfig({folder_.write("deep", std::string(10'000, '['))}, {}));
  EXPECT_FALSE(read_kubeconfig({folder_.write("large", "a: " + std::string(2U << 20U, 'x'))}, {}));
  EXPECT_FALSE(read_kubeconfig({folder_.write("twice", "current-context: a\ncurrent-context: b\n")}, {}));
}

TEST(Base64, GoesBothWays) {
  for (const auto& [plain, text] : std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                                                    {"f", "Zg=="},
                                                                                    {"fo", "Zm8="},
                                                                                    {"foo", "Zm9v"},
                                                                                    {"foob", "Zm9vYg=="},
                                                                                    {std::string("\0\xff\x80", 3), "AP+A"}}) {
    EXPECT_EQ(base64_encode(plain), text);
    EXPECT_EQ(base64_decode(text), plain);
  }
  EXPECT_EQ(base64_decode(" Zm\n9v\r\n"), "foo");
  for (const char* text : {"Z", "Zg", "Zg=", "Zg===", "Z=g=", "Zm9v!", "Zm-v", "Zm9v----", "====", "Zg==Zg=="}) {
    EXPECT_EQ(base64_decode(text), std::nullopt) << text;
  }
}

class PodAccess : public ::testing::Test {
 protected:
  PodAccess() {
    folder_.write("token", "sesame\n");
    folder_.write("ca.crt", "PEM");
    folder_.write("namespace", "orders\n");
  }
  Result<ClusterAccess> read(const std::string& host) {
    const std::map<std::string, std::string> variables{{"KUBERNETES_SERVICE_HOST", host}, {"KUBERNETES_SERVICE_PORT", "443"}};
    return read_pod_access(folder_.string(), [&](const std::string& name) -> std::optional<std::string> {
      const auto found = variables.find(name);
      return found == variables.end() ? std::nullopt : std::optional(found->second);
    });
  }
  test::TempFolder folder_;
};

TEST_F(PodAccess, UsesTheServiceAccountOfThePod) {
  const auto access = read("10.96.0.1");
  ASSERT_TRUE(access) << access.error().describe();
  EXPECT_EQ(access->server, "https://10.96.0.1:443");
  EXPECT_EQ(access->token_file, folder_ / "token");
  EXPECT_EQ(access->ca_file, folder_ / "ca.crt");
  EXPECT_EQ(access->name_space, "orders");
  EXPECT_EQ(access->token, "");
}

TEST_F(PodAccess, WritesAnIpv6AddressInBrackets) {
  EXPECT_EQ(read("fd00::1")->server, "https://[fd00::1]:443");
}

TEST_F(PodAccess, SaysThatThisIsNoPod) {
  const auto access = read_pod_access(folder_.string(), [](const std::string&) { return std::nullopt; });
  ASSERT_FALSE(access);
  EXPECT_EQ(access.error().code, ErrorCode::Configuration);
  EXPECT_THAT(access.error().message, HasSubstr("KUBERNETES_SERVICE_HOST"));
}

TEST_F(PodAccess, SaysWhichFileIsMissing) {
  ::unlink((folder_ / "ca.crt").c_str());
  EXPECT_THAT(read("10.96.0.1").error().describe(), HasSubstr("ca.crt"));
  folder_.write("ca.crt", "PEM");
  folder_.write("token", "\n");
  EXPECT_THAT(read("10.96.0.1").error().describe(), AllOf(HasSubstr("token"), HasSubstr("empty")));
}

}  // namespace
}  // namespace athanor::controller
