// Keeps revisions and desired schemas that run on scratch databases from changing the target's server.
//
// A scratch database is dropped, but what a statement does to its server, or outside it, remains. On a throwaway server, and
// on a server made for scratch databases, that does no harm. On the target's own server (scratch_on_target, or a scratch_url
// there) ALTER ROLE … PASSWORD of an old revision would be run again for real. So they are refused there before
// anything runs. Statements are judged by their text (plan/server_statement.hpp): what functions do when they are called
// is limited only by the privileges of the role.
//
// Threads: one thread. Ownership: borrows context and configuration.
#pragma once

#include <optional>
#include <span>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/plan/plan_reach.hpp"
#include "migrations/schema/schema_files.hpp"

namespace athanor::cli {

class ScratchGuard {
 public:
  ScratchGuard(CommandContext& context, const Configuration& configuration)
      : context_(context), configuration_(configuration) {}

  // Checks the statements that the plan runs. Connects only if one reaches beyond its database and scratch_url has to be
  // compared with the target. Errors: ScratchUnavailable with the first such statement; those of the connections.
  [[nodiscard]] Result<void> check(const Plan& plan);
  // The same for the statements of a desired schema.
  [[nodiscard]] Result<void> check(std::span<const schema::SchemaStatement> statements);

 private:
  enum class Server { Separate, Own, Unknown };
  // Whether scratch databases may be on the target's server.
  [[nodiscard]] bool concerns() const;
  [[nodiscard]] Result<void> refuse(const FarStatement& found);
  [[nodiscard]] Result<Server> server();
  [[nodiscard]] Result<Server> compare() const;

  CommandContext& context_;
  const Configuration& configuration_;
  std::optional<Server> server_;
};

}  // namespace athanor::cli
