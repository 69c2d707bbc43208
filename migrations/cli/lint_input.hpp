// The input of `athanor lint`: pending revisions, named ones, ranges of them, or SQL files.
//
// Threads: one thread. Ownership: units own their texts.
#pragma once

#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/lint/lint_context.hpp"
#include "migrations/lint/lint_unit.hpp"
#include "migrations/lint/live_facts.hpp"

namespace athanor::cli {

struct LintInput {
  std::vector<LintUnit> history;  // what is applied earlier, in order
  std::vector<LintUnit> units;    // what is checked, in order
  std::size_t python = 0;         // number of Alembic files among them, which contain no SQL
};

// Whether the operand names a file or folder rather than a revision.
[[nodiscard]] bool is_sql_path(const std::string& operand);
// The *.sql files of a folder, by name, or the one file.
[[nodiscard]] Result<std::vector<std::string>> sql_files_of(const std::string& operand);
// Reads a regular file like RevisionSource::read(), with its limit. Errors: Io, FileTooLarge.
[[nodiscard]] Result<std::string> read_sql_text(const std::string& path, const SourceLimits& limits);
// Reads these files. A file with a revision's header is read as a revision, any other as psql would run it.
[[nodiscard]] Result<LintInput> read_sql_paths(const std::vector<std::string>& operands, bool downgrade,
                                               bool single_transaction, const SourceLimits& limits);
// The ids that the operands name: symbols (head, an id, a label …) and ranges as in `upgrade a:b`.
[[nodiscard]] Result<std::vector<std::string>> chosen_revisions(const RevisionGraph& graph,
                                                                const std::vector<std::string>& operands,
                                                                const std::vector<std::string>& current_heads);
// The revisions that a database at `current_heads` does not have.
[[nodiscard]] Result<std::vector<std::string>> pending_revisions(const RevisionGraph& graph,
                                                                 const std::vector<std::string>& current_heads);
[[nodiscard]] Result<LintInput> read_revisions(const Project& project, const std::vector<std::string>& ids, bool downgrade);

// The linter's context from the configuration, and from the database if `live` is not null. The linter stops with the command.
[[nodiscard]] LintContext lint_context(CommandContext& context, const Configuration& configuration, const LiveDatabase* live);
// Reads the sizes and versions that lint needs from the configured database, on its own connection.
[[nodiscard]] Result<LiveDatabase> ask_live_database(CommandContext& context, const Configuration& configuration);
// Applies the history, then checks the units. `statements`, if given, receives the number of checked statements. Error:
// Interrupted after a stop request.
[[nodiscard]] Result<std::vector<Finding>> findings_of(const LintInput& input, const LintContext& context,
                                                       const LiveDatabase* live, std::size_t* statements = nullptr);

}  // namespace athanor::cli
