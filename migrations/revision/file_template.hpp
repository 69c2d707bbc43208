// Renders the names of new revision files: Alembic's file_template with its tokens, formatted like Python's % operator.
//
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor {

// The values of a template's tokens.
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

// The words of a message in lower case, joined by "_" and cut at a word boundary to `longest` characters: Alembic's slug.
[[nodiscard]] std::string make_slug(std::string_view message, int longest);

// Renders the template, without an extension. A "/" creates folders. Errors: PathEscape for a name that is absolute, empty or
// leaves the folder with ".."; Configuration, without context, for unknown tokens and formats.
[[nodiscard]] Result<std::string> render_file_name(std::string_view file_template, const FileNameParts& parts);

// Checks that a template can be rendered.
[[nodiscard]] Result<void> check_file_template(std::string_view file_template);

}  // namespace athanor
