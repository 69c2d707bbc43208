// Which proxy a request goes through.
#include "operator/kube/proxy_settings.hpp"

#include <gtest/gtest.h>

#include <map>

namespace athanor::controller {
namespace {

ProxySettings settings(const std::map<std::string, std::string>& variables) {
  return ProxySettings::read([&variables](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string proxy(const ProxySettings& settings, bool tls, const std::string& host, int port = 443) {
  const auto found = settings.proxy_for(tls, host, port);
  if (!found) {
    return "error";
  }
  return *found ? (**found).host + ":" + std::to_string((**found).port) : "direct";
}

TEST(ProxySettings, ReachEveryServerDirectlyUnlessAVariableNamesAProxy) {
  EXPECT_EQ(proxy(ProxySettings(), true, "example.org"), "direct");
  EXPECT_EQ(proxy(settings({{"HTTPS_PROXY", ""}}), true, "example.org"), "direct");
  EXPECT_EQ(proxy(settings({{"HTTPS_PROXY", "http://p:3128"}}), true, "example.org"), "p:3128");
  EXPECT_EQ(proxy(settings({{"HTTPS_PROXY", "http://p:3128"}}), false, "example.org"), "direct");
  EXPECT_EQ(proxy(settings({{"http_proxy", "p:3128"}}), false, "example.org"), "p:3128");
  EXPECT_EQ(proxy(settings({{"ALL_PROXY", "http://p"}}), false, "example.org"), "p:1080");
  EXPECT_EQ(proxy(settings({{"https_proxy", "http://a:1"}, {"HTTPS_PROXY", "http://b:1"}}), true, "example.org"), "a:1");
  EXPECT_EQ(proxy(settings({{"https_proxy", "http://[2001:db8::1]:3128/"}}), true, "example.org"), "2001:db8::1:3128");
}

TEST(ProxySettings, ExemptTheHostsOfNoProxy) {
  const auto rules = settings({{"ALL_PROXY", "http://p:1"},
                               {"NO_PROXY", ".svc, Example.org,10.0.0.0/8 ,192.0.2.7,[2001:db8::7],other.org:8443,fd00::/8"}});
  for (const char* host : {"source-controller.flux-system.svc", "source-controller.flux-system.svc.", "example.org",
                           "a.EXAMPLE.org", "10.1.2.3", "192.0.2.7", "2001:db8:0::7", "fd00::1"}) {
    EXPECT_EQ(proxy(rules, true, host), "direct") << host;
  }
  for (const char* host : {"svcs", "notexample.org", "example.org.evil.org", "11.0.0.1", "192.0.2.70", "other.org",
                           "2001:db8::8", "10.evil.org"}) {
    EXPECT_EQ(proxy(rules, true, host), "p:1") << host;
  }
  EXPECT_EQ(proxy(rules, true, "other.org", 8443), "direct");
  EXPECT_EQ(proxy(settings({{"ALL_PROXY", "http://p:1"}, {"no_proxy", "*"}}), true, "example.org"), "direct");
}

TEST(ProxySettings, DecodeUserAndPassword) {
  const auto found = settings({{"HTTPS_PROXY", "http://me:p%40ss%3a@p:3128"}}).proxy_for(true, "example.org", 443);
  ASSERT_TRUE(found && *found);
  EXPECT_EQ(**found, (HttpProxy{"p", 3128, "me", "p@ss:"}));
}

TEST(ProxySettings, RefuseWhatIsNoHttpProxyWithoutShowingIt) {
  for (const char* value : {"socks5://me:secret@p:1080", "https://me:secret@p", "http://", "http://me:secret@",
                            "http://me:sec%zzret@p", "http://p:0", "http://p:secret", "http://[::1"}) {
    const auto found = settings({{"HTTPS_PROXY", value}}).proxy_for(true, "example.org", 443);
    ASSERT_FALSE(found) << value;
    EXPECT_EQ(found.error().code, ErrorCode::Configuration);
    EXPECT_EQ(found.error().describe().find("secret"), std::string::npos) << value;
  }
}

}  // namespace
}  // namespace athanor::controller
