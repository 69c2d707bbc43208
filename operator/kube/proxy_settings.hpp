// Which HTTP proxy a request goes through, as the environment says: http_proxy, https_proxy, all_proxy and no_proxy, each also
// in capitals. They mean what they mean to git, which reads the same variables.
//
// Threads: immutable values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct HttpProxy {
  std::string host;  // an IPv6 address without brackets
  int port = 1080;   // curl's default
  std::string user;
  std::string password;
  bool operator==(const HttpProxy&) const = default;
};

class ProxySettings {
 public:
  // Returns the value of an environment variable.
  using Variable = std::function<std::optional<std::string>(const std::string& name)>;

  ProxySettings() = default;  // every server is reached directly
  // Reads the variables. In lower case they take precedence; an empty one counts as unset.
  [[nodiscard]] static ProxySettings read(const Variable& variable);

  // Returns the proxy for a server; nullopt when it is reached directly. `host`: without brackets, with or without a dot at the
  // end. Error: Configuration when the proxy is not http://[USER:PASSWORD@]HOST[:PORT]; the message names the variable only,
  // because the value may contain a password.
  [[nodiscard]] Result<std::optional<HttpProxy>> proxy_for(bool tls, const std::string& host, int port) const;

 private:
  struct Choice {
    std::string variable;  // its name; empty: none is set
    std::string value;
  };
  [[nodiscard]] bool is_exempt(std::string_view host, int port) const;

  Choice plain_;  // for http://
  Choice tls_;    // for https://
  std::vector<std::string> exempt_;
};

}  // namespace athanor::controller
