// What readers of other tools' folders share: lines, versions, names, and the rule that what is applied is a beginning of the
// line.
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

// The file as text: UTF-8 proven, byte order mark removed, CRLF turned into LF. A file that is no text is refused in `folder`.
[[nodiscard]] std::optional<std::string> foreign_text(const ForeignFile& file, ForeignFolder& folder);

struct TextLine {
  std::string_view text;  // without its line feed
  int number = 1;
};
[[nodiscard]] std::vector<TextLine> lines_of(std::string_view text);

// The digits that `name` begins with.
[[nodiscard]] std::string_view leading_digits(std::string_view name);
// Without leading zeros; "0" stays.
[[nodiscard]] std::string plain_number(std::string_view digits);
// Whether the number `a` is smaller than `b`: digits alone, of any length.
[[nodiscard]] bool smaller_number(std::string_view a, std::string_view b);

// "add_users" as "add users".
[[nodiscard]] std::string words_of_name(std::string_view name);
// The last part of a path; what stands before the last '.' in it.
[[nodiscard]] std::string_view base_name(std::string_view path);
[[nodiscard]] std::string_view without_extension(std::string_view name);

// ${name} replaced by its value. A name without a value is added to `missing`.
[[nodiscard]] std::string fill_placeholders(std::string_view text, const ForeignOptions& options,
                                            std::vector<std::string>& missing);

// Revisions of equal versions are refused; those of the folder are put in order by `less`.
void order_revisions(ForeignFolder& folder, bool (*less)(const ForeignRevision& a, const ForeignRevision& b));

// The length of the beginning of the line that `applied` is. NotUpToDate when one is missing before another that is applied;
// UnknownDatabaseRevision when one is in no file.
[[nodiscard]] Result<std::size_t> applied_beginning(const ForeignFormat& format, const ForeignFolder& folder,
                                                    const std::set<std::string>& applied);
// NotUpToDate: the tool stopped half-way.
[[nodiscard]] Error half_done(const ForeignFormat& format, std::string_view version, std::string_view way_out);
// ChecksumMismatch: the file is not the one that was applied.
[[nodiscard]] Error changed_since(const ForeignFormat& format, const ForeignRevision& revision, std::string_view way_out);

// A row's cell; empty for NULL.
[[nodiscard]] std::string cell_text(const std::vector<std::optional<std::string>>& row, std::size_t column);

}  // namespace athanor
