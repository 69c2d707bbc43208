// What fits into a status. An API server refuses one with a single text or list that is longer than its schema allows, whole
// and for ever, so everything is cut to it before it is compared or written.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Cut at a character boundary of UTF-8, with "..." at the end; lists keep what comes first. A time that is none is left out.
// What was cut once stays as it is.
void fit(DatabaseMigrationStatus& status);
void fit(ErrorStatus& error);
void fit(HistoryStatus& entry);
void fit(SourceStatus& source);

// Whether the status says that the version table has these heads, as far as they fit.
[[nodiscard]] bool shows_heads(const DatabaseMigrationStatus& status, const std::vector<std::string>& heads);

// Whether the status speaks of this version of the source, as far as it fits.
[[nodiscard]] bool shows_source_revision(const DatabaseMigrationStatus& status, const std::string& revision);

// Every field there is, for tests and documentation.
struct StatusField {
  std::string path;       // "plan.approvalHash", "history[].completionTime"
  std::string_view type;  // of the schema: "string", "date-time", "integer", "boolean", "object", "array"; of each: "string[]"
  std::size_t max_length = 0;  // of a text, or of each in a list; 0: no text
  std::size_t max_items = 0;   // 0: no list
};
[[nodiscard]] std::vector<StatusField> status_fields();

}  // namespace athanor::controller
