// -x KEY=VALUE: overrides one setting of the configuration for a run. Keys are those of the execution section of athanor.yaml
// and of the version table; any other key is an error that lists them. The database URL is excluded, because every user of the
// machine can see the arguments of a process.
//
// Threads: pure function.
#pragma once

#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/config/configuration.hpp"

namespace athanor {

// `assignment` is "key=value" from the command line. Error: Usage for an unknown key. After an error nothing is changed.
[[nodiscard]] Result<void> override_setting(Configuration& configuration, std::string_view assignment);

}  // namespace athanor
