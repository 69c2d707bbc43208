// A revision: one file that changes the schema from its parents' state to its own.
//
// This struct contains only the header; the body stays on disk until a plan needs it. The fields are Alembic's: id,
// down_revision (none: a base; several: a merge), depends_on, branch labels, message, create date.
//
// Threads: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace athanor {

enum class RevisionFormat : std::uint8_t {
  NativeSql,      // docs/spec/revision-file.md
  AlembicPython,  // an Alembic version file: the header is parsed, the body cannot be executed
};

struct Revision {
  std::string id;
  std::vector<std::string> down;        // parents, in file order
  std::vector<std::string> depends_on;  // ids or labels, as written
  std::vector<std::string> labels;      // as written in this revision, without inherited ones
  std::string message;                  // first line of the description
  std::string created;                  // as written: "2026-11-21T02:10:00+00:00"; may be empty
  std::string path;                     // as opened: location + "/" + relative name
  RevisionFormat format = RevisionFormat::NativeSql;
};

}  // namespace athanor
