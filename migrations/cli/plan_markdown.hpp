// Formats a plan as Markdown, for a comment on a pull request.
//
// What a reviewer must see comes first: how many revisions, what is destroyed, what lint reports; the SQL is collapsed. Names,
// messages and findings are untrusted text: they are escaped, so that they cannot create a heading, a link or a mention. The
// whole stays below GitHub's limit for a comment, and says what was omitted.
//
// Threads: pure function.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/lint/finding.hpp"
#include "migrations/plan/plan.hpp"

namespace athanor::cli {

inline constexpr std::size_t kMarkdownLimit = 65'000;  // bytes; GitHub accepts 65,536 characters

// Returns at most `limit` bytes.
[[nodiscard]] std::string plan_markdown(const Plan& plan, const std::vector<Finding>& findings,
                                        std::size_t limit = kMarkdownLimit);

// Escapes text for use inside Markdown: on one line, and without special meaning.
[[nodiscard]] std::string markdown_text(std::string_view text);
// Formats `text` as code, also inside a table.
[[nodiscard]] std::string markdown_code(std::string_view text);

}  // namespace athanor::cli
