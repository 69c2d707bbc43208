// An Alembic project on disk, and the result of running its own Python.
//
// locate_alembic_project() finds the configuration and the interpreter. render_alembic_project() runs alembic_render.py in that
// interpreter, in the folder where users run `alembic` (or `flask`), with the unchanged environment, because env.py may read
// anything from it. The project's output is discarded: it may contain a URL with its password.
//
// Threads: one thread; rendering blocks until Python ends. Ownership: plain values.
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
  std::string folder;                    // the script folder, its versions folder, or the project's folder
  std::string config;                    // --alembic-config; empty: search for it
  std::string section = "alembic";       // alembic -n
  std::string python;                    // --python; empty: search for it
  std::vector<std::string> x_arguments;  // alembic -x
  std::string flask;                     // flask --app; empty: decided by the environment and env.py
  std::string server_version;            // version (major or major.minor) that SQLAlchemy renders for; empty: its default
  std::string against;                   // URL of an empty scratch database; empty: none is used
};

// Reads an environment variable.
using VariableReader = std::function<std::optional<std::string>(const char* name)>;

struct AlembicProject {
  std::string python;
  std::string working_folder;  // folder of the configuration
  std::string config;          // alembic.ini or pyproject.toml; may be empty
  std::string scripts;         // folder of env.py, if the user named that; may be empty
  std::string section;
  std::vector<std::string> x_arguments;
  std::string flask;  // "." when flask must find the application; empty: no Flask
  std::string server_version;
  std::string against;
};

// A part of one direction: SQL of one call (several statements, or none), a boundary of an autocommit block, or the end of a
// transaction that another one follows.
struct RenderedPart {
  enum class Kind : std::uint8_t { Sql, Commit, Begin, Next };
  Kind kind = Kind::Sql;
  std::string text;
  std::size_t indent = 0;  // of its first line in the Python source, if it began on its own line
};

struct RenderFault {
  std::string type;  // Python's exception class
  std::string message;
  int line = 0;  // in the version file; 0: unknown
};

struct RenderedDirection {
  std::vector<RenderedPart> parts;
  std::vector<std::string> remarks;  // differences from the original, for the user
  std::optional<RenderFault> fault;  // why there are no parts
  bool recorded = false;             // recorded on a scratch database, because the revision queries one
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
  std::size_t version_callbacks = 0;  // on_version_apply callbacks of env.py, which a file cannot express
  std::vector<std::string> heads;     // sorted
  std::vector<std::string> bases;     // sorted
  std::vector<std::string> warnings;  // about the whole run
  std::vector<RenderedRevision> revisions;
};

// Errors: Configuration or Io, with what to pass, when the project or its Python is not found.
[[nodiscard]] Result<AlembicProject> locate_alembic_project(const AlembicOptions& options, const VariableReader& variable);
// Runs the project's Python. Errors name the cause; a fault of one revision is in that revision's RenderedDirection.
[[nodiscard]] Result<RenderedProject> render_alembic_project(const AlembicProject& project);

}  // namespace athanor
