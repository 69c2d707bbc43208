// Builds a database URL from its parts, so that no password can change the URL's meaning; and reads the parameters of a URL or
// keyword string, split as libpq splits them.
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

// Encodes each part, so that none can end early.
[[nodiscard]] std::string database_url(const DatabaseParts& parts);
// Whether the text is a number from 1 to 65535.
[[nodiscard]] bool is_port(std::string_view text);

using ConnectionParameters = std::vector<std::pair<std::string, std::string>>;
// The parameters after the `?` of a URL, or all parameters of a keyword string; decoded. The list ends where libpq would stop
// reading.
[[nodiscard]] ConnectionParameters connection_parameters(std::string_view connection);
// The offset of a URL's parameters: its first `?` that is not part of user or password. npos when there is none, or `url` is
// not a URL.
[[nodiscard]] std::size_t query_of(std::string_view url);
// The last value of a parameter, which is the one libpq uses; empty when it is missing.
[[nodiscard]] std::string parameter_of(const ConnectionParameters& parameters, std::string_view name);
// The items of host, hostaddr or port, as libpq splits them: "a,,b" has an empty item, and so has an empty text.
[[nodiscard]] std::vector<std::string> listed_values(std::string_view list);
// Returns `connection` with one more parameter, which overrides earlier ones.
[[nodiscard]] std::string with_parameter(std::string connection, std::string_view name, std::string_view value);
// Without any parameter of this name. Unchanged when there is none.
[[nodiscard]] std::string without_parameter(const std::string& connection, std::string_view name);

}  // namespace athanor
