// Finds the names of custom settings (`my.tenant`) in a revision's text.
//
// The server does not list such settings, so a run that continues a half-applied revision can only query them by name.
//
// Threads: pure function.
#pragma once

#include <string>
#include <vector>

#include "migrations/plan/script.hpp"

namespace athanor {

// The names in SET and in set_config() with a literal name, also inside dollar-quoted bodies; lower case, each once, in order.
// Misses names that are composed at run time.
[[nodiscard]] std::vector<std::string> custom_settings(const std::vector<ScriptStep>& steps);

}  // namespace athanor
