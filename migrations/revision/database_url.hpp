// A database URL put together from its parts, so that no password can change what the URL means.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

struct DatabaseParts {
  std::string host;  // name, address, or the folder of a Unix socket
  std::string port;
  std::string name;
  std::string user;
  std::string password;  // empty: none
};

[[nodiscard]] std::string database_url(const DatabaseParts& parts);
[[nodiscard]] bool is_port(std::string_view text);

}  // namespace athanor
