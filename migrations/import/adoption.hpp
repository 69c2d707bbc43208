// Taking over the history of another tool: its folder as revision files, and the revision that a database is at.
//
// read_foreign_files() reads the folder; prepare_adoption() makes a revision file of every migration, in one line, and reads
// each back; write_adoption() writes all files or none, never over one that is there. Nothing is run.
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

// The files of `folder` (or the one file it names), by name; with `recursive` those of its folders too. Links are followed to
// files, not to folders. Io, or FileTooLarge beyond the limits.
[[nodiscard]] Result<std::vector<ForeignFile>> read_foreign_files(const std::string& folder, bool recursive,
                                                                  const SourceLimits& limits);

struct AdoptedFile {
  std::string revision;
  std::string version;  // as the tool names it
  std::string source;   // below its folder
  std::string path;
  std::string text;
  bool present = false;  // there already, with the same text
};

struct Adoption {
  std::vector<AdoptedFile> files{};  // in the order of the line
  ForeignFolder folder{};            // as read, with the ids of the revisions filled in
  std::vector<ForeignProblem> refused{};
  std::vector<ForeignProblem> irreversible{};
  std::vector<std::string> warnings{};
};

struct AdoptionRequest {
  const ForeignFormat& format;
  std::string output;    // where the files go
  bool partial = false;  // what cannot be read becomes a revision that stops there
};

// Nothing is written. `folder` is what the format's reader made. While anything is refused there are no files. Io when a
// different file of the same name is there.
[[nodiscard]] Result<Adoption> prepare_adoption(const AdoptionRequest& request, ForeignFolder folder);

// Writes the files that are not there yet. After an error nothing new is left behind.
[[nodiscard]] Result<void> write_adoption(const Adoption& adoption, const std::string& output);

}  // namespace athanor
