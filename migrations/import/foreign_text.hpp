// Helpers for readers of other tools' folders: lines, versions, names, and the rule that the applied revisions must be the
// first ones.
//
// Threads: pure functions.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/import/foreign_history.hpp"

namespace athanor {

// The file as text: checked to be UTF-8, without byte order mark, with CRLF replaced by LF. If it is not text, adds a refusal
// to `folder`.
[[nodiscard]] std::optional<std::string> foreign_text(const ForeignFile& file, ForeignFolder& folder);

struct TextLine {
  std::string_view text;  // without its line feed
  int number = 1;
};
// The lines of a text; they point into it.
[[nodiscard]] std::vector<TextLine> lines_of(std::string_view text);

// The digits at the start of `name`.
[[nodiscard]] std::string_view leading_digits(std::string_view name);
// Removes leading zeros; keeps "0".
[[nodiscard]] std::string plain_number(std::string_view digits);
// Whether the number `a` is smaller than `b`; both are digits only, of any length.
[[nodiscard]] bool smaller_number(std::string_view a, std::string_view b);

// "add_users" as "add users".
[[nodiscard]] std::string words_of_name(std::string_view name);
// The last part of a path; and a name up to its last '.'.
[[nodiscard]] std::string_view base_name(std::string_view path);
[[nodiscard]] std::string_view without_extension(std::string_view name);

// Replaces ${name} by its value. Adds names without a value to `missing`.
[[nodiscard]] std::string fill_placeholders(std::string_view text, const ForeignOptions& options,
                                            std::vector<std::string>& missing);

// Refuses revisions with equal versions, and sorts those of the folder by `less`.
void order_revisions(ForeignFolder& folder, bool (*less)(const ForeignRevision& a, const ForeignRevision& b));

// How many revisions from the first on are in `applied`. Errors: NotUpToDate when one is missing before another that is
// applied; UnknownDatabaseRevision when an applied one is in no file.
[[nodiscard]] Result<std::size_t> applied_beginning(const ForeignFormat& format, const ForeignFolder& folder,
                                                    const std::set<std::string>& applied);
// NotUpToDate: the tool stopped half-way through a migration.
[[nodiscard]] Error half_done(const ForeignFormat& format, std::string_view version, std::string_view way_out);
// ChecksumMismatch: the file differs from the one that was applied.
[[nodiscard]] Error changed_since(const ForeignFormat& format, const ForeignRevision& revision, std::string_view way_out);

// The text of a row's cell; empty for NULL.
[[nodiscard]] std::string cell_text(const std::vector<std::optional<std::string>>& row, std::size_t column);

}  // namespace athanor
