// -x KEY=VALUE: one setting of a run, laid over the configuration. Keys are those of athanor.yaml's execution section and of
// the version table; anything else is an error that lists them. The database's URL is not among them: arguments of a process
// are visible to every user of the machine.
//
// Threads: pure function.
#pragma once

#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor {

// `assignment` is "key=value" as given on the command line. Usage for an unknown key; nothing is changed on an error.
[[nodiscard]] Result<void> override_setting(Configuration& configuration, std::string_view assignment);

}  // namespace athanor
