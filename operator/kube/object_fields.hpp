// Reads fields of API objects without trusting their types: a field of another type counts as absent.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

// Returns the object at `name`; nullptr when there is none.
[[nodiscard]] inline const KubeObject* part_of(const KubeObject& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_object() ? &*found : nullptr;
}

// Returns the string at `name`; empty when there is none.
[[nodiscard]] inline std::string text_of(const KubeObject& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Returns the integer at `name`; 0 when there is none.
[[nodiscard]] inline std::int64_t number_of(const KubeObject& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

}  // namespace athanor::controller
