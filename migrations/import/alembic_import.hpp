// Converts a rendered Alembic project to native revision files, and verifies them before and after writing.
//
// prepare_import() converts every revision to a file and reads it back: the header must match Alembic's data, and a revision
// must be allowed to contain every statement. A revision whose upgrade fails this gets no file; one whose downgrade fails it
// becomes irreversible. write_import() writes all files or none, never over an existing file, and compares the graph of the
// written files with Alembic's.
//
// Threads: one thread. Ownership: plain values.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/import/alembic_project.hpp"
#include "migrations/import/new_files.hpp"

namespace athanor {

// One direction of a revision that could not be converted, and why.
struct ImportLoss {
  std::string revision;
  std::string file;  // Alembic's file
  int line = 0;      // 0: unknown
  Direction direction = Direction::Upgrade;
  std::string type;  // Python's exception class, or one of our error codes
  std::string reason;
  // "project/versions/ab12_add.py:31"
  [[nodiscard]] std::string place() const;
};

struct ImportFile {
  std::string revision;
  std::string source;  // Alembic's file
  std::string path;
  std::string text;
  bool varies = false;   // contains values generated in Python, which differ in every run
  bool present = false;  // the file already exists with the same text, except for such values, which are kept
};

struct Import {
  std::vector<ImportFile> files;
  std::vector<ImportLoss> refused;       // failed upgrades: no file
  std::vector<ImportLoss> irreversible;  // failed downgrades
  std::vector<std::string> warnings;
};

// `folder` is where the files will be written; this writes nothing. Error: Io when a different file of the same name exists.
[[nodiscard]] Result<Import> prepare_import(const RenderedProject& project, const std::string& folder);
// Writes the files that do not exist yet, then reads the folder and compares. After an error no new file remains.
[[nodiscard]] Result<void> write_import(const Import& import, const RenderedProject& project, const std::string& folder);

}  // namespace athanor
