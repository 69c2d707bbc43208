// A new native revision: what it may be called, where it goes, and its text.
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

// True for messages that say nothing ("migration", "changes", "fix", "update schema", ...): alone, whatever the case and
// punctuation.
[[nodiscard]] bool is_generic_message(std::string_view message);

// Refuses an empty or generic message (Usage), with the reason and the way out.
[[nodiscard]] Result<void> check_message(std::string_view message);

// Where a new revision goes and when it says it was made.
struct NewRevisionFile {
  std::string path;     // location + "/" + rendered name + ".sql"
  std::string created;  // ISO 8601 in the configured time zone
};

// Names a new revision file inside `location`; the template's tokens take the time in the configured zone.
[[nodiscard]] Result<NewRevisionFile> name_new_revision(const RevisionNaming& naming, const std::string& location,
                                                        std::string_view id, std::string_view message, WallTime now);

// What a new file holds besides its header. An empty section gets a comment that says what belongs there.
struct NativeBody {
  std::string upgrade;       // SQL and step directives
  std::string downgrade;     // the same
  std::string irreversible;  // a reason: written instead of a downgrade
};

// The file's text (docs/spec/revision-file.md): parse_native_header() reads the same fields back. Ids, labels and the message
// are checked.
[[nodiscard]] Result<std::string> render_native_revision(const Revision& header, const NativeBody& body);

}  // namespace athanor
