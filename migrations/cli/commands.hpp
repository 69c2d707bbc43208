// One function per verb; the table of commands refers to them. Each reads its flags, does the work, and fills in the output;
// its result determines the exit code.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include "migrations/base/result.hpp"

namespace athanor::cli {

class CommandContext;

// commands_about.cpp
Result<void> run_completion(CommandContext& context);
Result<void> run_help(CommandContext& context);
Result<void> run_man(CommandContext& context);
Result<void> run_version(CommandContext& context);
// commands_adopt.cpp
Result<void> run_adopt(CommandContext& context);
// commands_author.cpp
Result<void> run_edit(CommandContext& context);
Result<void> run_merge(CommandContext& context);
Result<void> run_revision(CommandContext& context);
// commands_backup.cpp
Result<void> run_backup(CommandContext& context);
Result<void> run_backups(CommandContext& context);
Result<void> run_prune(CommandContext& context);
Result<void> run_restore(CommandContext& context);
Result<void> run_verify_backup(CommandContext& context);
// commands_graph.cpp
Result<void> run_graph(CommandContext& context);
// commands_import.cpp
Result<void> run_import(CommandContext& context);
// commands_init.cpp
Result<void> run_init(CommandContext& context);
// commands_inspect.cpp
Result<void> run_branches(CommandContext& context);
Result<void> run_current(CommandContext& context);
Result<void> run_heads(CommandContext& context);
Result<void> run_history(CommandContext& context);
Result<void> run_show(CommandContext& context);
// commands_lint.cpp
Result<void> run_lint(CommandContext& context);
// commands_migrate.cpp
Result<void> run_downgrade(CommandContext& context);
Result<void> run_ensure_version(CommandContext& context);
Result<void> run_stamp(CommandContext& context);
Result<void> run_upgrade(CommandContext& context);
// commands_plan.cpp
Result<void> run_check(CommandContext& context);
Result<void> run_plan(CommandContext& context);
// commands_rehearse.cpp
Result<void> run_rehearse(CommandContext& context);
// commands_repair.cpp
Result<void> run_repair(CommandContext& context);
// commands_schema.cpp
Result<void> run_diff(CommandContext& context);
Result<void> run_drift(CommandContext& context);
Result<void> run_inspect(CommandContext& context);
// commands_status.cpp
Result<void> run_status(CommandContext& context);
// commands_squash.cpp
Result<void> run_squash(CommandContext& context);
// commands_test.cpp
Result<void> run_test(CommandContext& context);
// commands_wait.cpp
Result<void> run_wait(CommandContext& context);
// commands_verify.cpp
Result<void> run_verify(CommandContext& context);

}  // namespace athanor::cli
