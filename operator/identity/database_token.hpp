// Tokens that a database accepts instead of a password: RDS IAM, Cloud SQL IAM, Microsoft Entra.
//
// A token authenticates one user for minutes to an hour, and is only needed while a connection is made: an existing connection
// outlives its token, and a new connection asks for a new one.
//
// Threads: a TokenSource is safe from any thread. Secrets: a DatabaseToken is a password: never log it. No error contains a
// token, or any text that a provider wrote, except its error code.
#pragma once

#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"
#include "operator/api/database_auth.hpp"

namespace athanor::controller {

// Which token: for one user of one database server, from one ServiceAccount.
struct TokenWanted {
  DatabaseAuth auth;
  std::string name_space;  // of the resource, and so of the ServiceAccount
  std::string host;
  std::string port;
  std::string user;
};

struct DatabaseToken {
  std::string value;
  WallTime expires_at;
  bool cached = false;  // made from an answer of the provider that was kept, so another one may still be accepted
};

struct TokenTerms {
  bool renew = false;             // ask the provider, whatever is kept
  milliseconds deadline{10'000};  // for each request to the provider
  StopToken stop{};
};

class TokenSource {
 public:
  virtual ~TokenSource() = default;
  // Blocks while the provider is asked. Errors: MissingDatabaseUrl (transient) when there is no such ServiceAccount, it may not
  // be used, or the provider refuses; those of the Kubernetes API; Interrupted on a stop.
  [[nodiscard]] virtual Result<DatabaseToken> token(const TokenWanted& wanted, const TokenTerms& terms) = 0;
};

}  // namespace athanor::controller
