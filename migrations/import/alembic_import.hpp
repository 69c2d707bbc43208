// Native revision files made from a rendered Alembic project, proven before and after they are written.
//
// prepare_import() turns every revision into a file and reads it back: the header must say what Alembic said, every statement
// must be one a revision may hold. A revision whose way up fails that gets no file; one whose way back fails it becomes
// irreversible. write_import() writes all files or none, never over a file that is there, and compares the graph of what it
// wrote with Alembic's.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/import/alembic_project.hpp"
#include "migrations/import/new_files.hpp"

namespace athanor {

// One direction of one revision that could not be kept, and why.
struct ImportLoss {
  std::string revision;
  std::string file;  // of Alembic
  int line = 0;      // 0: unknown
  Direction direction = Direction::Upgrade;
  std::string type;  // Python's class of error, or an error code of ours
  std::string reason;
  // "project/versions/ab12_add.py:31"
  [[nodiscard]] std::string place() const;
};

struct ImportFile {
  std::string revision;
  std::string source;  // of Alembic
  std::string path;
  std::string text;
  bool varies = false;   // holds values that Python made up: another run would have others
  bool present = false;  // there already, with the same text (or the same but for such values, which stay)
};

struct Import {
  std::vector<ImportFile> files;
  std::vector<ImportLoss> refused;       // upgrades: no file
  std::vector<ImportLoss> irreversible;  // downgrades
  std::vector<std::string> warnings;
};

// `folder` is where the files will go; nothing is written. Io when a different file of the same name is there.
[[nodiscard]] Result<Import> prepare_import(const RenderedProject& project, const std::string& folder);
// Writes the files that are not there yet, reads the folder and compares. After an error nothing new is left behind.
[[nodiscard]] Result<void> write_import(const Import& import, const RenderedProject& project, const std::string& folder);

}  // namespace athanor
