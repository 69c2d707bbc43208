// Settings of a revision's own making (`my.tenant`), by the names that its text gives them.
//
// The server lists no such setting, so a run that goes on with a half-applied revision can ask for their values by name alone.
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

#include "migrations/plan/script.hpp"

namespace athanor {

// Of SET and of set_config() with a literal name, in bodies between dollar signs too; lower case, each once, in order. A name
// that is put together at run time is missed.
[[nodiscard]] std::vector<std::string> custom_settings(const std::vector<ScriptStep>& steps);

}  // namespace athanor
