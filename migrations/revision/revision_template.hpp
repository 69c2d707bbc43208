// Creates a new native revision: checks its message, names the file and renders its text.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"
#include "migrations/revision/revision_naming.hpp"

namespace athanor {

// Whether a message says nothing ("migration", "changes", "fix", "update schema", …), ignoring case and punctuation.
[[nodiscard]] bool is_generic_message(std::string_view message);

// Error: Usage for an empty or generic message, with the reason and what to write.
[[nodiscard]] Result<void> check_message(std::string_view message);

// The path of a new revision and its creation time.
struct NewRevisionFile {
  std::string path;     // location + "/" + rendered name + ".sql"
  std::string created;  // ISO 8601 in the configured time zone
};

// Names a new revision file in `location`. The template's time tokens use the configured zone.
[[nodiscard]] Result<NewRevisionFile> name_new_revision(const RevisionNaming& naming, const std::string& location,
                                                        std::string_view id, std::string_view message, WallTime now);

// The contents of a new file after its header. An empty section gets a comment that says what belongs there.
struct NativeBody {
  std::string upgrade;       // SQL and step directives
  std::string downgrade;     // the same
  std::string irreversible;  // a reason, which replaces the downgrade section
};

// Renders the file's text (docs/spec/revision-file.md); parse_native_header() reads the same fields back. Checks ids, labels
// and the message.
[[nodiscard]] Result<std::string> render_native_revision(const Revision& header, const NativeBody& body);

}  // namespace athanor
