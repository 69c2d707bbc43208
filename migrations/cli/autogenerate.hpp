// `revision --autogenerate`: the revision that takes the schema from where the revisions leave it to what is desired.
//
// The schema now is what all revisions make of an empty database (or the live database, where they cannot be run); the desired
// one is what athanor.yaml says. The difference becomes a revision file with both directions, and is proven on scratch copies
// before the file is written: whatever does not converge is refused with the difference shown.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/revision_writer.hpp"
#include "migrations/schema/diff.hpp"
#include "migrations/schema/schema_files.hpp"

namespace athanor::cli {

// The whole verb. NotUpToDate while revisions are pending; ProofFailed when the revision does not do what it should. No
// difference is success and writes nothing.
[[nodiscard]] Result<void> autogenerate(CommandContext& context, RevisionRequest request);

// The renames that somebody asked for, and what to say about the hints that ask for nothing.
struct ChosenRenames {
  std::vector<schema::Rename> renames{};
  std::vector<std::string> notes{};     // hints that were followed already
  std::vector<std::string> warnings{};  // hints that come too late: both names are there, and the old one goes
};

// What hints and `--rename OLD=NEW` mean between these two schemas. A hint whose new name is in `before` is stale and means
// nothing, and so does every hint while `before` has no table. Usage, with file and line: a hint whose new name comes and whose
// old name does not go, which would drop the old one; a flag that fits nothing.
[[nodiscard]] Result<ChosenRenames> chosen_renames(const schema::Catalog& before, const schema::Catalog& after,
                                                   const std::vector<schema::RenameHint>& hints,
                                                   const std::vector<std::string>& flags);
// The same, with the notes and warnings told.
[[nodiscard]] Result<std::vector<schema::Rename>> tell_chosen_renames(Output& output, const schema::Catalog& before,
                                                                      const schema::Catalog& after,
                                                                      const std::vector<schema::RenameHint>& hints,
                                                                      const std::vector<std::string>& flags);

}  // namespace athanor::cli
