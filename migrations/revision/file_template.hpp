// Names of new revision files: Alembic's file_template with its tokens, formatted as Python's % operator formats them.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// What the tokens of a template stand for.
struct FileNameParts {
  std::string rev;
  std::string slug;
  std::int64_t epoch = 0;
  int year = 1970;
  int month = 1;
  int day = 1;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

// The words of a message joined by "_", in lower case, cut at a word when longer than `longest` characters: Alembic's slug.
[[nodiscard]] std::string make_slug(std::string_view message, int longest);

// The template filled in, without an extension. A "/" makes folders; a name that is absolute, empty or climbs out with ".." is
// PathEscape. Unknown tokens and formats are Configuration errors without a context.
[[nodiscard]] Result<std::string> render_file_name(std::string_view file_template, const FileNameParts& parts);

// Proves that a template can be rendered at all.
[[nodiscard]] Result<void> check_file_template(std::string_view file_template);

}  // namespace athanor
