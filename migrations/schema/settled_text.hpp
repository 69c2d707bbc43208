// Texts of the server that it would print differently after reading them once.
//
// PostgreSQL prints `status IN ('a','b')` on a varchar column as `(status)::text = ANY ((ARRAY['a'::character varying,
// …])::text[])`, and what that is read as prints `… ANY (ARRAY[('a'::character varying)::text, …])`. The two are one
// expression; facts hold the second, which stays as it is, and statements say the first with the casts left out.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "migrations/schema/fact.hpp"

namespace athanor::schema {

// Brings the definitions of a fact into the form that stays. Bodies of routines and comments are not expressions.
void settle_text(Fact& fact);
// The expression as a statement says it, so that the server stores what it stored where the text comes from.
[[nodiscard]] std::string as_written(std::string_view expression);

}  // namespace athanor::schema
