// Sessions whose password is a token (spec.database.auth): every connection gets a token of its own.
//
// A run may last for hours and connect again in between, so the token is asked for when a connection is made and never kept
// here. If the database refuses a token that was made from a kept answer of the provider, one more is made anew: the provider
// may have revoked it.
//
// Threads: as SessionFactory. Ownership: a factory borrows the token source of its target. Secrets: errors of connecting do not
// contain the token, even if the server repeats it.
#pragma once

#include <memory>
#include <string>

#include "operator/reconcile/database_access.hpp"

namespace athanor::controller {

// A factory of sessions to the target, with or without tokens. `connect` must outlive it. Errors: those of `connect`.
[[nodiscard]] Result<std::unique_ptr<SessionFactory>> sessions_of(const DatabaseTarget& target,
                                                                  const SessionFactoryMaker& connect,
                                                                  const ExecutionSettings& settings, const StopToken& stop);

// A token for a program that connects by itself. Requires target.token. Errors: those of TokenSource.
[[nodiscard]] Result<std::string> token_password(const DatabaseTarget& target, const StopToken& stop);

// Whose token a target uses, as text without secrets; empty without tokens. Targets that differ in it are different users, even
// if their URLs are equal.
[[nodiscard]] std::string token_identity(const DatabaseTarget& target);

}  // namespace athanor::controller
