// `revision --autogenerate`: generates the revision that changes the schema of the revisions to the desired one.
//
// The current schema is the one that all revisions produce in an empty database (or that of the live database, if they cannot
// run here); the desired one is described by athanor.yaml. The difference becomes a revision file with both directions, and is
// proven on scratch copies before the file is written: a revision that does not produce the desired schema is rejected, with
// the difference.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/schema/diff.hpp"
#include "migrations/schema/schema_files.hpp"

namespace athanor::cli {

// Runs the verb. Errors: NotUpToDate while revisions are pending; ProofFailed if the proof fails. Without a difference it
// succeeds and writes nothing.
[[nodiscard]] Result<void> autogenerate(CommandContext& context, RevisionRequest request);

// The requested renames, and messages about hints without effect.
struct ChosenRenames {
  std::vector<schema::Rename> renames{};
  std::vector<std::string> notes{};     // hints that were applied earlier
  std::vector<std::string> warnings{};  // hints that came too late: both names exist, and the old one is dropped
};

// Resolves hints and `--rename OLD=NEW` between these two schemas. A hint whose new name exists in `before` is outdated and has
// no effect; neither has any hint while `before` contains no table. Error: Usage, with file and line, for a hint whose new name
// is added while its old name is not removed, because that would drop the old object, and for a flag that matches nothing.
[[nodiscard]] Result<ChosenRenames> chosen_renames(const schema::Catalog& before, const schema::Catalog& after,
                                                   const std::vector<schema::RenameHint>& hints,
                                                   const std::vector<std::string>& flags);
// The same, and prints the notes and warnings.
[[nodiscard]] Result<std::vector<schema::Rename>> print_chosen_renames(Output& output, const schema::Catalog& before,
                                                                       const schema::Catalog& after,
                                                                       const std::vector<schema::RenameHint>& hints,
                                                                       const std::vector<std::string>& flags);

}  // namespace athanor::cli
