// Forms of PostgreSQL 16 to 18 that the parser of 15 does not know, written in ones that it does, for the rules to read.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// `text` as it is, or with such forms replaced: ADD [CONSTRAINT n] NOT NULL c [NOT VALID] reads as ADD … CHECK (c IS NOT NULL)
// …, and NOT ENFORCED as NOT VALID.
[[nodiscard]] std::string in_known_grammar(std::string text);
// Whether the statement can change what KnownSchema knows: CREATE, ALTER, DROP and SELECT … INTO.
[[nodiscard]] bool changes_schema(std::string_view sql);

}  // namespace athanor
