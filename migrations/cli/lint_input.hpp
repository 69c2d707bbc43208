// What `athanor lint` is to look at: pending revisions, named ones, ranges of them, or SQL files.
//
// Threads: one thread. Ownership: units keep their texts.
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
  std::vector<LintUnit> history;  // what comes before, in the order it is applied
  std::vector<LintUnit> units;    // what is judged, in that order
  std::size_t python = 0;         // Alembic files among them, which hold no SQL
};

// Whether the operand names a file or folder rather than a revision.
[[nodiscard]] bool is_sql_path(const std::string& operand);
// The *.sql files of a folder, by name, or the one file.
[[nodiscard]] Result<std::vector<std::string>> sql_files_of(const std::string& operand);
// As RevisionSource::read() gives a text.
[[nodiscard]] Result<std::string> read_sql_text(const std::string& path);
// What they hold. A file with a revision's header is read as a revision, any other as psql
// runs it.
[[nodiscard]] Result<LintInput> read_sql_paths(const std::vector<std::string>& operands, bool downgrade,
                                               bool single_transaction);
// Ids of revisions: symbols (head, an id, a label …) and ranges as `upgrade a:b` takes them.
[[nodiscard]] Result<std::vector<std::string>> chosen_revisions(const RevisionGraph& graph,
                                                                const std::vector<std::string>& operands,
                                                                const std::vector<std::string>& current_heads);
// Those that the database at `current_heads` has not.
[[nodiscard]] Result<std::vector<std::string>> pending_revisions(const RevisionGraph& graph,
                                                                 const std::vector<std::string>& current_heads);
[[nodiscard]] Result<LintInput> read_revisions(const Project& project, const std::vector<std::string>& ids, bool downgrade);

// What a linter is told by the configuration, and by the database where it was asked. `live` may be null. The linter stops with
// the command.
[[nodiscard]] LintContext lint_context(CommandContext& context, const Configuration& configuration, const LiveDatabase* live);
// What the database of the configuration knows, on a connection of its own.
[[nodiscard]] Result<LiveDatabase> ask_live_database(CommandContext& context, const Configuration& configuration);
// Learns the history, and judges the units. `statements`, when it is given: how many were judged. Interrupted when a stop was
// requested.
[[nodiscard]] Result<std::vector<Finding>> findings_of(const LintInput& input, const LintContext& context,
                                                       const LiveDatabase* live, std::size_t* statements = nullptr);

}  // namespace athanor::cli
