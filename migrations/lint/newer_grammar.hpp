// Rewrites syntax of PostgreSQL 16 to 18, which the parser of version 15 rejects, to equivalents that it accepts.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Returns `text` with such syntax replaced: ADD [CONSTRAINT n] NOT NULL c [NOT VALID] becomes ADD … CHECK (c IS NOT NULL) …,
// and NOT ENFORCED becomes NOT VALID.
[[nodiscard]] std::string in_known_grammar(std::string text);
// Whether the statement may change what KnownSchema records: CREATE, ALTER, DROP or SELECT … INTO.
[[nodiscard]] bool changes_schema(std::string_view sql);

}  // namespace athanor
