// An Alembic project as it stands on disk, and what the project's own Python makes of it.
//
// locate() finds the configuration and the interpreter; render() runs alembic_render.py in that interpreter, in the folder
// people run `alembic` (or `flask`) in, with the environment as it is, because env.py may read anything from it. Everything the
// project prints is thrown away: it may hold a URL with its password.
//
// Threads: one thread; render() blocks until Python ends. Ownership: plain values.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor {

struct AlembicOptions {
  std::string folder;                    // script folder, its versions folder, or the project's folder
  std::string config;                    // --alembic-config; empty: looked for
  std::string section = "alembic";       // alembic -n
  std::string python;                    // --python; empty: looked for
  std::vector<std::string> x_arguments;  // alembic -x
  std::string flask;                     // flask --app; empty: as the environment and env.py say
  std::string server_version;            // major, or major.minor, of the server SQLAlchemy is told of; empty: its default
  std::string against;                   // URL of an empty scratch database; empty: none is asked
};

// Reads a variable of the environment.
using VariableReader = std::function<std::optional<std::string>(const char* name)>;

struct AlembicProject {
  std::string python;
  std::string working_folder;  // where the configuration stands
  std::string config;          // alembic.ini or pyproject.toml; may be empty
  std::string scripts;         // folder of env.py when that is what was named; may be empty
  std::string section;
  std::vector<std::string> x_arguments;
  std::string flask;  // "." when flask is to find the application; empty: no Flask
  std::string server_version;
  std::string against;
};

// A piece of one direction: SQL as one call sent it (several statements, or none), an edge of an autocommit block, or the end
// of a transaction that another one follows.
struct RenderedPart {
  enum class Kind : std::uint8_t { Sql, Commit, Begin, Next };
  Kind kind = Kind::Sql;
  std::string text;
  std::size_t indent = 0;  // of its first line in the Python source, when it began on a line of its own
};

struct RenderFault {
  std::string type;  // Python's class of error
  std::string message;
  int line = 0;  // in the version file; 0: unknown
};

struct RenderedDirection {
  std::vector<RenderedPart> parts;
  std::vector<std::string> remarks;  // what is not quite as it was, for people
  std::optional<RenderFault> fault;  // why there are no parts
  bool recorded = false;             // on a scratch database, because the revision asks one
  bool varies = false;               // renders differently every time
};

struct RenderedRevision {
  std::string id;
  std::string file;  // absolute
  std::vector<std::string> down;
  std::vector<std::string> depends_on;
  std::vector<std::string> labels;
  std::vector<std::string> description;  // lines
  std::string created;                   // as written; may be empty
  RenderedDirection upgrade;
  RenderedDirection downgrade;
};

struct RenderedProject {
  std::string alembic_version;
  std::string script_folder;
  std::vector<std::string> version_locations;
  std::string version_table;
  std::string version_table_schema;   // may be empty
  std::size_t version_callbacks = 0;  // on_version_apply of env.py, which no file can hold
  std::vector<std::string> heads;     // sorted
  std::vector<std::string> bases;     // sorted
  std::vector<std::string> warnings;  // of the run as a whole
  std::vector<RenderedRevision> revisions;
};

[[nodiscard]] Result<AlembicProject> locate_alembic_project(const AlembicOptions& options, const VariableReader& variable);
[[nodiscard]] Result<RenderedProject> render_alembic_project(const AlembicProject& project);

}  // namespace athanor
