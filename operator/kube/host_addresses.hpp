// Resolves a host named in a resource, and refuses link-local addresses.
//
// Through a link-local address a resource's author could reach the operator's node and, in most clouds, the metadata service
// that issues the node's credentials.
//
// Threads: any; resolving blocks. Ownership: plain values.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Whether `address` is link-local: "169.254.1.1", "fe80::1%eth0", or an IPv4 link-local address embedded in an IPv6 address.
// Also true for fd00:ec2::254, the IPv6 address of AWS's metadata service.
[[nodiscard]] bool is_link_local(const std::string& address);

// Returns the addresses of `host` as numbers, IPv6 without brackets. Error: Io, transient when the host cannot be resolved,
// terminal when any of its addresses is link-local.
[[nodiscard]] Result<std::vector<std::string>> addresses_of(const std::string& host);

}  // namespace athanor::controller
