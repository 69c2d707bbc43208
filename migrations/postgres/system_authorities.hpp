// sslrootcert=system: verify the server's certificate against the certificate authorities that the machine trusts.
//
// libpq supports the value since version 16; an older one takes it for a file name, so it is replaced by the file with the
// machine's authorities. As in version 16 it requires sslmode=verify-full: anybody can get a certificate from a public
// authority for their own host, so the host name must be checked as well.
//
// Threads: any thread; reads the environment and the file system.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::postgres {

// Replaces `system` in sslrootcert of `keywords`, or in PGSSLROOTCERT, by a file. Adds sslmode=verify-full if no sslmode is
// given. Error: Configuration if another sslmode is given, or if the machine has no such file (SSL_CERT_FILE can name one).
[[nodiscard]] Result<void> name_system_authorities(std::vector<std::pair<std::string, std::string>>& keywords);

}  // namespace athanor::postgres
