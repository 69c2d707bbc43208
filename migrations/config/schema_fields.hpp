// The schema part of athanor.yaml: the desired schema, where to create scratch databases, and what to compare.
//
// Threads: plain values.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "migrations/schema/inspect.hpp"
#include "migrations/schema/schema_source.hpp"
#include "migrations/text/yaml_fields.hpp"

namespace athanor {

struct SchemaConfiguration {
  schema::SchemaSource desired{};
  std::string python{};                 // to read models with; resolved
  std::vector<std::string> sys_path{};  // prepend_sys_path; resolved. Empty: the folder of the file
  std::string scratch_url{};
  bool scratch_on_target = false;  // scratch databases may be created on the target's own server
  std::string scratch_programs{};  // folder of initdb and postgres
  std::chrono::milliseconds scratch_keep{300'000};
  schema::InspectOptions compare{};
  bool check_drift = false;  // `check` also checks for drift
};

// Reads the fields that are present; `resolved` resolves a path against the folder of the file.
void read_schema_fields(YamlFields& fields, SchemaConfiguration& to, const std::function<std::string(std::string)>& resolved);

}  // namespace athanor
