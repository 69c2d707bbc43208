// A database URL put together from its parts, so that no password can change what the URL means; and what a URL or a string of
// keywords declares besides the place, split as libpq splits it.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;
// Of a URL those behind its `?`, of a string of keywords all of them; decoded. What libpq would not read ends the list.
[[nodiscard]] ConnectionParameters connection_parameters(std::string_view connection);
// Where the parameters of a URL begin: its first `?` that belongs to no user and no password. npos: there are none, or it is no
// URL.
[[nodiscard]] std::size_t query_of(std::string_view url);
// The last value of a parameter, as libpq takes it; empty when it is not there.
[[nodiscard]] std::string parameter_of(const ConnectionParameters& parameters, std::string_view name);
// With one more parameter, which wins over those before it.
[[nodiscard]] std::string with_parameter(std::string connection, std::string_view name, std::string_view value);

}  // namespace athanor
