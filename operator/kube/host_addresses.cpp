#include "operator/kube/host_addresses.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

namespace athanor::controller {
namespace {

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

bool is_link_local_v4(const std::uint8_t* bytes) {
  return bytes[0] == 169 && bytes[1] == 254;
}

bool is_link_local_v6(const std::uint8_t* bytes) {
  // AWS's metadata service has this address although it is not link-local.
  constexpr std::array<std::uint8_t, 16> kMetadata{0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54};
  // IPv4 addresses embedded in IPv6: mapped (::ffff:a.b.c.d), compatible (::a.b.c.d) and NAT64 (64:ff9b::a.b.c.d).
  constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::array<std::uint8_t, 12> kCompatible{};
  constexpr std::array<std::uint8_t, 12> kTranslated{0x00, 0x64, 0xff, 0x9b};
  const auto begins_with = [bytes](const auto& prefix) { return std::equal(prefix.begin(), prefix.end(), bytes); };
  return (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) || begins_with(kMetadata) ||
         ((begins_with(kMapped) || begins_with(kCompatible) || begins_with(kTranslated)) && is_link_local_v4(bytes + 12));
}

}  // namespace

bool is_link_local(const std::string& address) {
  std::array<std::uint8_t, 16> bytes{};
  const std::string without_zone = address.substr(0, address.find('%'));
  if (::inet_pton(AF_INET, without_zone.c_str(), bytes.data()) == 1) {
    return is_link_local_v4(bytes.data());
  }
  return ::inet_pton(AF_INET6, without_zone.c_str(), bytes.data()) == 1 && is_link_local_v6(bytes.data());
}

Result<std::vector<std::string>> addresses_of(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int problem = ::getaddrinfo(host.c_str(), nullptr, &wanted, &raw);
  const Addresses found(problem == 0 ? raw : nullptr, &::freeaddrinfo);
  std::vector<std::string> addresses;
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
      addresses.emplace_back(text.data());
    }
  }
  if (addresses.empty()) {
    return fail(ErrorCode::Io, "could not resolve host: " + host);
  }
  // One forbidden address refuses the whole name: which of them the connection would use is not known here.
  if (std::ranges::any_of(addresses, is_link_local)) {
    return fail(Error(ErrorCode::Io, host + " is a link-local address, which is not allowed")
                    .with_retry(RetryClass::Terminal)
                    .advise("use a host name that does not resolve to a link-local address"));
  }
  return addresses;
}

}  // namespace athanor::controller
