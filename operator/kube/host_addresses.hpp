// The addresses behind a host that a resource names, and which of them nobody may name.
//
// Link-local addresses reach what is beside the operator's own pod: its node, and the service that hands out the node's
// credentials in most clouds.
//
// Threads: any; resolving blocks. Ownership: plain values.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// "169.254.1.1", "fe80::1%eth0", and either inside an IPv6 address that stands for an IPv4 one. Also fd00:ec2::254, where AWS
// has its metadata for IPv6.
[[nodiscard]] bool is_link_local(const std::string& address);

// As numbers, IPv6 without brackets. Io: transient when the host is not known, terminal when one of its addresses is link-local.
[[nodiscard]] Result<std::vector<std::string>> addresses_of(const std::string& host);

}  // namespace athanor::controller
