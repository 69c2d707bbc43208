// Cuts a status to the limits of its schema. The API server rejects a whole status, again and again, if one text or list is too
// long, so everything is cut before it is compared or written.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Characters of a plan's hash that messages and names show.
inline constexpr std::size_t kShownHash = 12;

// Cut texts at a UTF-8 character boundary and append "..."; keep the first items of lists; remove invalid times. Cutting twice
// changes nothing.
void fit(DatabaseMigrationStatus& status);
void fit(ErrorStatus& error);
void fit(HistoryStatus& entry);
void fit(SourceStatus& source);

// Whether the status shows these heads, as far as they fit.
[[nodiscard]] bool shows_heads(const DatabaseMigrationStatus& status, const std::vector<std::string>& heads);

// Whether the status shows this version of the source, as far as it fits.
[[nodiscard]] bool shows_source_revision(const DatabaseMigrationStatus& status, const std::string& revision);

// Describes one field, for tests and documentation.
struct StatusField {
  std::string path;  // "plan.approvalHash", "history[].completionTime"
  std::string_view
      type;  // in the schema: "string", "date-time", "integer", "boolean", "object", "array"; "string[]" for lists of texts
  std::size_t max_length = 0;  // in bytes, of a text or of each text in a list; 0: not a text
  std::size_t max_items = 0;   // 0: not a list
};
[[nodiscard]] std::vector<StatusField> status_fields();

}  // namespace athanor::controller
