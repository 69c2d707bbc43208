// Takes over the history of another tool: converts its folder to revision files and determines the revision that a database is
// at.
//
// read_foreign_files() reads the folder. prepare_adoption() makes a revision file of every migration, in one line, and reads
// each back. write_adoption() writes all files or none, and never over an existing file. Nothing is executed.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/import/foreign_history.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

// Reads the files of `folder` (or the single file it names), by name; with `recursive` also those of its subfolders. Follows
// links to files, not to folders. Errors: Io; FileTooLarge beyond the limits.
[[nodiscard]] Result<std::vector<ForeignFile>> read_foreign_files(const std::string& folder, bool recursive,
                                                                  const SourceLimits& limits);

struct AdoptedFile {
  std::string revision;
  std::string version;  // as the tool names it
  std::string source;   // relative to the tool's folder
  std::string path;
  std::string text;
  bool present = false;  // the file already exists, with the same text
};

struct Adoption {
  std::vector<AdoptedFile> files{};  // in revision order
  ForeignFolder folder{};            // as read, with the ids of the revisions added
  std::vector<ForeignProblem> refused{};
  std::vector<ForeignProblem> irreversible{};
  std::vector<std::string> warnings{};
};

struct AdoptionRequest {
  const ForeignFormat& format;
  std::string output;    // where to write the files
  bool partial = false;  // a migration that cannot be converted becomes a revision that always fails
};

// Prepares the files without writing. `folder` comes from the format's reader. If anything is refused, there are no files.
// Error: Io when a different file of the same name exists.
[[nodiscard]] Result<Adoption> prepare_adoption(const AdoptionRequest& request, ForeignFolder folder);

// Writes the files that do not exist yet. After an error no new file remains.
[[nodiscard]] Result<void> write_adoption(const Adoption& adoption, const std::string& output);

}  // namespace athanor
