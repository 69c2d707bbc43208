// The rules for every URL that a resource has the operator connect to: the database, and the server for scratch databases.
//
// Without an sslmode the connection is encrypted and the server verified, as far as the operator's default says; a server that
// is not verified may not ask for a password that it could read; on a cluster, no parameter leads into the operator's pod.
//
// Threads: pure functions and plain values.
#pragma once

#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct ConnectionRules {
  std::string field;       // for errors: "spec.database"
  std::string written_in;  // where the author finds the URL: "key url of Secret orders-db"
  // Whether the author administers the operator and may use its files and libpq environment. False on a cluster.
  bool own_environment = true;
  std::string default_ssl_mode;  // empty: libpq's
  std::string minimum_ssl_mode;  // empty: none
  bool sends_token = false;      // in place of a password: only to a server that is verified, whatever the default is
  // Paths of files; empty: none.
  std::string root_certificate{};
  std::string client_certificate{};
  std::string client_key{};
};

// Error: Configuration, when the URL has a parameter that `rules` forbid. secured_url() checks this too.
[[nodiscard]] Result<void> check_parameters(const std::string& url, const ConnectionRules& rules);
// Returns the URL with the parameters that `rules` require. Error: Configuration, when what it says itself is forbidden or too
// weak: it is refused rather than changed silently, because its author may not be aware of it.
[[nodiscard]] Result<std::string> secured_url(std::string url, const ConnectionRules& rules);

}  // namespace athanor::controller
