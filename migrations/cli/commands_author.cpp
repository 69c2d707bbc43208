#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
namespace athanor::cli {
Result<void> run_edit(CommandContext&) { return fail(ErrorCode::Internal, "todo"); }
Result<void> run_init(CommandContext&) { return fail(ErrorCode::Internal, "todo"); }
Result<void> run_merge(CommandContext&) { return fail(ErrorCode::Internal, "todo"); }
Result<void> run_revision(CommandContext&) { return fail(ErrorCode::Internal, "todo"); }
}
