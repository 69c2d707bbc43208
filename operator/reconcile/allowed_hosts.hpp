// The hosts that resources may name.
//
// The author of a resource chooses which hosts the operator connects to, from the operator's place in the network. The
// operator's settings can limit that with a list of database hosts and a list of source hosts. Names are compared as written,
// not by the address they resolve to: whoever controls the DNS of a listed name controls where it leads.
//
// Threads: immutable values.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

class AllowedHosts {
 public:
  AllowedHosts() = default;  // allows every host
  // `patterns`: names, addresses, folders of sockets (/run/postgresql), or *.example.org for all names below it. Without any,
  // every host is allowed.
  explicit AllowedHosts(std::vector<std::string> patterns) : patterns_(std::move(patterns)) {}

  [[nodiscard]] bool all() const { return patterns_.empty(); }
  // Returns whether a host is allowed. Ignores case, and a dot at the end.
  [[nodiscard]] bool allow(std::string_view host) const;

  // Checks every host and hostaddr of a connection string that libpq has parsed. An empty host is refused, because libpq would
  // choose one. Error: PolicyRefused; the message does not name the host, which may come from a Secret.
  [[nodiscard]] Result<void> check_database(const std::vector<std::pair<std::string, std::string>>& keywords) const;
  // Checks the host of an https:// or ssh:// URL. Error: PolicyRefused.
  [[nodiscard]] Result<void> check_source(const std::string& url) const;

  // Checks an entry of a list. Error: Usage.
  [[nodiscard]] static Result<void> check_pattern(std::string_view pattern);

 private:
  std::vector<std::string> patterns_;
};

}  // namespace athanor::controller
