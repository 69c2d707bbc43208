// Normalises texts that the server prints differently after parsing them once.
//
// PostgreSQL prints `status IN ('a','b')` on a varchar column as `(status)::text = ANY ((ARRAY['a'::character varying,
// …])::text[])`, and after parsing that, as `… ANY (ARRAY[('a'::character varying)::text, …])`. Both are the same expression.
// Facts contain the second form, which no longer changes; statements use the first one without its casts.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/schema/fact.hpp"

namespace athanor::schema {

// Converts the definitions of a fact to the stable form. Bodies of routines and comments are not expressions and stay
// unchanged.
void settle_text(Fact& fact);
// The expression for use in a statement, written so that the server stores the same expression as in the database it was read
// from.
[[nodiscard]] std::string as_written(std::string_view expression);

}  // namespace athanor::schema
