#include "operator/kube/proxy_settings.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <utility>

#include "migrations/text/letter_case.hpp"

namespace athanor::controller {
namespace {

struct Address {
  std::array<std::uint8_t, 16> bytes{};
  std::size_t size = 0;  // 4 or 16
};

std::optional<Address> parse_address(std::string_view text) {
  const std::string name(text);
  Address address;
  if (::inet_pton(AF_INET, name.c_str(), address.bytes.data()) == 1) {
    address.size = 4;
  } else if (::inet_pton(AF_INET6, name.c_str(), address.bytes.data()) == 1) {
    address.size = 16;
  } else {
    return std::nullopt;
  }
  return address;
}

std::optional<int> parse_number(std::string_view text, int most) {
  int value = 0;
  const auto [stopped, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && stopped == text.data() + text.size() && value >= 0 && value <= most ? std::optional(value)
                                                                                                     : std::nullopt;
}

bool is_within(const Address& address, std::string_view network, std::string_view prefix) {
  const auto base = parse_address(network);
  const auto bits = parse_number(prefix, 128);
  if (!base || !bits || base->size != address.size || static_cast<std::size_t>(*bits) > address.size * 8) {
    return false;
  }
  for (int bit = 0; bit < *bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    const auto index = static_cast<std::size_t>(bit / 8);
    if ((address.bytes.at(index) & mask) != (base->bytes.at(index) & mask)) {
      return false;
    }
  }
  return true;
}

// Splits "HOST:PORT", "[ADDRESS]:PORT" and an unbracketed IPv6 address, which has no port. nullopt: the port is not a number.
std::optional<std::pair<std::string_view, std::optional<int>>> split_port(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  const std::size_t end = bracketed ? text.find(']') : text.find(':');
  if (!bracketed && (end == std::string_view::npos || text.find(':', end + 1) != std::string_view::npos)) {
    return std::pair(text, std::optional<int>());
  }
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view host = bracketed ? text.substr(1, end - 1) : text.substr(0, end);
  std::string_view port = text.substr(bracketed ? end + 1 : end);
  if (port.empty()) {
    return std::pair(host, std::optional<int>());
  }
  const auto number = port.front() == ':' ? parse_number(port.substr(1), 65'535) : std::nullopt;
  return number && *number > 0 ? std::optional(std::pair(host, number)) : std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    std::uint8_t value = 0;
    const std::string_view digits = text.substr(i + 1, 2);
    const auto [stopped, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (digits.size() != 2 || error != std::errc() || stopped != digits.data() + digits.size()) {
      return std::nullopt;
    }
    decoded += static_cast<char>(value);
    i += 2;
  }
  return decoded;
}

std::optional<HttpProxy> parse_proxy(std::string_view text) {
  HttpProxy proxy;
  if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos) {
    if (lowered(text.substr(0, scheme)) != "http") {
      return std::nullopt;
    }
    text.remove_prefix(scheme + 3);
  }
  text = text.substr(0, text.find('/'));
  if (const std::size_t at = text.rfind('@'); at != std::string_view::npos) {
    const std::string_view login = text.substr(0, at);
    const std::size_t colon = std::min(login.find(':'), login.size());
    const auto user = percent_decoded(login.substr(0, colon));
    const auto password = percent_decoded(login.substr(std::min(colon + 1, login.size())));
    if (!user || !password) {
      return std::nullopt;
    }
    proxy.user = *user;
    proxy.password = *password;
    text.remove_prefix(at + 1);
  }
  const auto parts = split_port(text);
  if (!parts || parts->first.empty() || parts->first.find_first_of(" \t\r\n?#\\") != std::string_view::npos) {
    return std::nullopt;
  }
  proxy.host = parts->first;
  proxy.port = parts->second.value_or(proxy.port);
  return proxy;
}

}  // namespace

ProxySettings ProxySettings::read(const Variable& variable) {
  const auto first_of = [&variable](std::initializer_list<const char*> names) {
    for (const char* const name : names) {
      if (auto value = variable(name); value && !value->empty()) {
        return Choice{name, std::move(*value)};
      }
    }
    return Choice();
  };
  ProxySettings settings;
  settings.plain_ = first_of({"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
  settings.tls_ = first_of({"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  const std::string list = first_of({"no_proxy", "NO_PROXY"}).value;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find_first_of(", \t", begin), list.size());
    if (end > begin) {
      settings.exempt_.push_back(lowered(list.substr(begin, end - begin)));
    }
    begin = end + 1;
  }
  return settings;
}

Result<std::optional<HttpProxy>> ProxySettings::proxy_for(bool tls, const std::string& host, int port) const {
  const Choice& choice = tls ? tls_ : plain_;
  if (choice.variable.empty() || is_exempt(host, port)) {
    return std::optional<HttpProxy>();
  }
  auto proxy = parse_proxy(choice.value);
  if (!proxy) {
    return fail(Error(ErrorCode::Configuration, "the proxy in " + choice.variable + " cannot be used")
                    .advise("write http://HOST:PORT, or http://USER:PASSWORD@HOST:PORT"));
  }
  return proxy;
}

bool ProxySettings::is_exempt(std::string_view host, int port) const {
  std::string name = lowered(host);
  if (name.ends_with('.')) {
    name.pop_back();
  }
  const auto address = parse_address(name);
  return std::ranges::any_of(exempt_, [&](const std::string& entry) {
    if (entry == "*") {
      return true;
    }
    if (const std::size_t slash = entry.find('/'); slash != std::string::npos) {
      return address &&
             is_within(*address, std::string_view(entry).substr(0, slash), std::string_view(entry).substr(slash + 1));
    }
    const auto parts = split_port(entry);
    if (!parts || (parts->second && *parts->second != port)) {
      return false;
    }
    std::string_view wanted = parts->first;
    if (address) {
      const auto other = parse_address(wanted);
      return other && other->size == address->size && other->bytes == address->bytes;
    }
    // ".example.org" and "example.org" mean the same: the domain and every name below it.
    while (wanted.starts_with('.')) {
      wanted.remove_prefix(1);
    }
    if (wanted.ends_with('.')) {
      wanted.remove_suffix(1);
    }
    return !wanted.empty() && (name == wanted || name.ends_with("." + std::string(wanted)));
  });
}

}  // namespace athanor::controller
