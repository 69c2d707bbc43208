// The schema of SQLAlchemy and SQLModel models, written as SQL by the project's own Python.
//
// read_models() runs the package athanor_models, which this program carries, in that Python: nothing has to be installed. It
// runs in the folder of athanor.yaml with the environment as it is, because models may read settings from it. No database is
// asked. What the models print is thrown away: it may hold a password.
//
// Importing models takes as long as the project's imports take. The answer names everything it was made of; as long as none
// of that changes (unchanged()), it need not be asked again.
//
// Threads: one thread; read_models() blocks until Python ends. Ownership: plain values.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor {

struct ModelSettings {
  std::vector<std::string> targets{};   // "shop.models:SQLModel.metadata"
  std::string python{};                 // find_python()
  std::vector<std::string> sys_path{};  // prepend_sys_path
  std::string folder{};                 // to run in
  int server_major = 0;                 // to write for; 0: SQLAlchemy's default
  std::vector<std::string> environment{};
};

struct ModelSchema {
  std::vector<std::string> statements{};
  std::size_t tables = 0;
  std::string inputs{};  // for unchanged()
};

// --python, `python` of the configuration, $VIRTUAL_ENV, .venv beside the configuration, python3 on PATH; the first there is.
struct PythonSearch {
  std::string flag{};
  std::string configured{};
  std::string virtual_environment{};
  std::string folder{};
  std::string path{};
};
[[nodiscard]] Result<std::string> find_python(const PythonSearch& search);

// DesiredSchemaFailed with what is wrong with the models, where, and the way out.
[[nodiscard]] Result<ModelSchema> read_models(const ModelSettings& settings, const StopToken& stop);

// A ModelSchema as text for a cache, and back; nothing when the text is none, or when anything it was made of has changed.
[[nodiscard]] std::string keep_model_schema(const ModelSchema& schema);
[[nodiscard]] std::optional<ModelSchema> unchanged_model_schema(const std::string& text,
                                                                const std::vector<std::string>& environment);

}  // namespace athanor
