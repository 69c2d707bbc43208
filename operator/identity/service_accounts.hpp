// The ServiceAccounts of a cluster, as far as tokens for databases need them.
//
// Threads: safe from any thread.
#pragma once

#include <map>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct ServiceAccountFacts {
  std::string uid;
  std::map<std::string, std::string> annotations;
};

class ServiceAccounts {
 public:
  virtual ~ServiceAccounts() = default;
  // Error: MissingDatabaseUrl (transient) when it does not exist or may not be used; those of the Kubernetes API.
  [[nodiscard]] virtual Result<ServiceAccountFacts> find(const std::string& name_space, const std::string& name) = 0;
  // Returns a new token of the ServiceAccount for this audience, valid for ten minutes. Requires find() before. Errors: those
  // of the Kubernetes API.
  [[nodiscard]] virtual Result<std::string> token(const std::string& name_space, const std::string& name,
                                                  const std::string& audience) = 0;
};

}  // namespace athanor::controller
