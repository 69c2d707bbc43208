// sslrootcert=system: verify the server's certificate against the authorities that the machine trusts.
//
// libpq knows the word since version 16; before, it is the name of a file. So the file of the machine's authorities is named
// to an older libpq. As in version 16 it goes with sslmode=verify-full alone: any host can get a certificate from a public
// authority, so one that is not compared with the host's name proves nothing.
//
// Threads: safe from any; reads the environment and the file system.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::postgres {

// Replaces the word in `keywords`, or in PGSSLROOTCERT, by a file. With the word and without an sslmode, verify-full is added.
// Configuration when another sslmode goes with it, or when the machine has no such file (SSL_CERT_FILE names another).
[[nodiscard]] Result<void> name_system_authorities(std::vector<std::pair<std::string, std::string>>& keywords);

}  // namespace athanor::postgres
