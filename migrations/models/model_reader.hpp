// Renders the schema of SQLAlchemy and SQLModel models as SQL, with the project's own Python.
//
// read_models() runs the package athanor_models, which is embedded in this program, in that Python: nothing needs to be
// installed. It runs in the folder of athanor.yaml with the unchanged environment, because models may read settings from it. No
// database is used. The models' output is discarded: it may contain a password.
//
// Importing models can be slow. The result records everything it depends on; while nothing of that changes
// (unchanged_model_schema()), it can be reused.
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
  std::string folder{};                 // working folder
  int server_major = 0;                 // version to render for; 0: SQLAlchemy's default
  std::vector<std::string> environment{};
};

struct ModelSchema {
  std::vector<std::string> statements{};
  std::size_t tables = 0;
  std::string inputs{};  // for unchanged_model_schema()
};

// The first that exists: --python, `python` of the configuration, $VIRTUAL_ENV, .venv next to the configuration, python3 on
// PATH.
struct PythonSearch {
  std::string flag{};
  std::string configured{};
  std::string virtual_environment{};
  std::string folder{};
  std::string path{};
};
[[nodiscard]] Result<std::string> find_python(const PythonSearch& search);

// Error: DesiredSchemaFailed, with the problem in the models, its position and a hint.
[[nodiscard]] Result<ModelSchema> read_models(const ModelSettings& settings, const StopToken& stop);

// Converts a ModelSchema to text for a cache, and back; empty when the text is not valid or anything it depends on has changed.
[[nodiscard]] std::string keep_model_schema(const ModelSchema& schema);
[[nodiscard]] std::optional<ModelSchema> unchanged_model_schema(const std::string& text,
                                                                const std::vector<std::string>& environment);

}  // namespace athanor
