// Reads the header of an Alembic version file without Python.
//
// Only literals at the left margin count: `revision`, `down_revision`, `branch_labels` and `depends_on` (annotated or not) and
// the module's docstring. A value that Python would have to compute is an error, because a wrong guess would make a wrong
// graph. Functions, classes and strings are skipped. Reading ends at the first top-level definition after all four names were
// assigned, so bodies are not read.
//
// Threads: pure functions; values own their text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// `whole` means that `text` is the complete file; if it is not and more is needed, the result is empty. A file without
// `revision` whose name consists of hexadecimal digits has that name as its id, as in Alembic. Errors have "path:line" as their
// context.
[[nodiscard]] Result<std::optional<Revision>> parse_alembic_header(std::string_view text, bool whole, const std::string& path);

}  // namespace athanor
