#include "migrations/revision/database_url.hpp"

#include <charconv>

#include "migrations/base/percent_encoding.hpp"

namespace athanor {
namespace {

std::string host_part(const std::string& host) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? "[" + host + "]" : percent_encoded(host);
}

}  // namespace

std::string database_url(const DatabaseParts& parts) {
  std::string url = "postgresql://" + percent_encoded(parts.user);
  if (!parts.password.empty()) {
    url += ":" + percent_encoded(parts.password);
  }
  return url + "@" + host_part(parts.host) + ":" + parts.port + "/" + percent_encoded(parts.name);
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

}  // namespace athanor
