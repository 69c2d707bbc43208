#include "operator/reconcile/allowed_hosts.hpp"

#include <algorithm>

#include "migrations/text/database_url.hpp"
#include "migrations/text/letter_case.hpp"

namespace athanor::controller {
namespace {

// Returns the host in the form in which DNS names are compared. Folders of sockets keep their case.
std::string normalized(std::string_view host) {
  if (host.starts_with('/')) {
    return std::string(host);
  }
  std::string name = lowered(host);
  if (name.size() > 1 && name.back() == '.') {
    name.pop_back();
  }
  return name;
}

// Returns the host of a URL; empty when git could read it differently.
std::string_view host_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    return {};
  }
  std::string_view authority = url.substr(scheme + 3);
  authority = authority.substr(0, authority.find('/'));
  if (authority.find_first_of("?#\\%, \t\r\n") != std::string_view::npos) {
    return {};
  }
  if (const std::size_t at = authority.find('@'); at != std::string_view::npos) {
    authority.remove_prefix(at + 1);
  }
  if (authority.find('@') != std::string_view::npos) {
    return {};
  }
  if (authority.starts_with('[')) {
    const std::size_t end = authority.find(']');
    return end == std::string_view::npos ? std::string_view() : authority.substr(1, end - 1);
  }
  return authority.substr(0, authority.find(':'));
}

}  // namespace

bool AllowedHosts::allow(std::string_view host) const {
  if (patterns_.empty()) {
    return true;
  }
  const std::string name = normalized(host);
  return !name.empty() && std::ranges::any_of(patterns_, [&name](const std::string& pattern) {
    const std::string wanted = normalized(pattern);
    // The folder of a socket is no name below a domain, however it ends.
    return wanted.starts_with("*.") && !name.starts_with('/')
               ? name.size() + 1 > wanted.size() && name.ends_with(wanted.substr(1))
               : name == wanted;
  });
}

Result<void> AllowedHosts::check_database(const std::vector<std::pair<std::string, std::string>>& keywords) const {
  if (patterns_.empty()) {
    return {};
  }
  const auto hosts = listed_values(parameter_of(keywords, "host"));
  const auto addresses = listed_values(parameter_of(keywords, "hostaddr"));
  for (std::size_t i = 0; i < std::max(hosts.size(), addresses.size()); ++i) {
    const std::string_view host = i < hosts.size() ? hosts[i] : std::string_view();
    const std::string_view address = i < addresses.size() ? addresses[i] : std::string_view();
    // If both are given, libpq connects to the address and checks the certificate against the name.
    const bool good =
        !(host.empty() && address.empty()) && (host.empty() || allow(host)) && (address.empty() || allow(address));
    if (!good) {
      return fail(
          Error(ErrorCode::PolicyRefused, host.empty() && address.empty()
                                              ? "the database has no host, and this operator only connects to listed hosts"
                                              : "this operator may not connect to a host of the database")
              .at("spec.database")
              .advise("ask for it to be added to policy.databaseHosts of the chart (--database-host)"));
    }
  }
  return {};
}

Result<void> AllowedHosts::check_source(const std::string& url) const {
  if (allow(host_of(url))) {
    return {};
  }
  return fail(Error(ErrorCode::PolicyRefused, "this operator may not fetch from the host of the repository")
                  .at("spec.source.git.url")
                  .advise("ask for it to be added to policy.sourceHosts of the chart (--source-host)"));
}

Result<void> AllowedHosts::check_pattern(std::string_view pattern) {
  const std::string_view rest = pattern.starts_with("*.") ? pattern.substr(2) : pattern;
  const bool has_port = std::ranges::count(rest, ':') == 1 || rest.find_first_of("[]") != std::string_view::npos;
  if (rest.empty() || has_port || rest.find_first_of("*, \t\r\n@") != std::string_view::npos ||
      (rest.find('/') != std::string_view::npos && !pattern.starts_with('/'))) {
    return fail(
        Error(ErrorCode::Usage,
              "is not a host: write db.example.org, *.example.org, an address, or the folder of a socket, without a port"));
  }
  return {};
}

}  // namespace athanor::controller
