// The header of an Alembic version file, read without Python.
//
// Only literals at the left margin count: `revision`, `down_revision`, `branch_labels` and `depends_on` (with or without an
// annotation) and the module's docstring. A value that Python would have to compute is an error that says so, because a wrong
// guess would be a wrong graph. What stands inside functions, classes and strings is passed over. Reading ends at the first
// top-level definition once all four names were assigned, so bodies cost nothing.
//
// Threads: pure functions; values own their text.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

// `whole` says that `text` is the file to its end; when it is not and more is needed, the answer is empty. A file without
// `revision` whose name is nothing but hexadecimal digits has that name as its id, as Alembic has it. Errors have
// "path:line" as their context.
[[nodiscard]] Result<std::optional<Revision>> parse_alembic_header(std::string_view text, bool whole, const std::string& path);

}  // namespace athanor
