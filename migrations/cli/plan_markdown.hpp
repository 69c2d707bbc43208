// A plan as Markdown, for the comment of a pull request.
//
// What a reviewer must see comes first: how many revisions, what is destroyed, what lint says; the SQL is folded away. Names,
// messages and findings are somebody's text: they are escaped, so that none of them can make a heading, a link or a mention.
// The whole stays below GitHub's limit for a comment; what had to be left out is said.
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

inline constexpr std::size_t kMarkdownLimit = 65'000;  // bytes; GitHub takes 65,536 characters

[[nodiscard]] std::string plan_markdown(const Plan& plan, const std::vector<Finding>& findings,
                                        std::size_t limit = kMarkdownLimit);

// Text between other Markdown text: on one line, and nothing in it means anything.
[[nodiscard]] std::string markdown_text(std::string_view text);
// `text` as code, also inside a table.
[[nodiscard]] std::string markdown_code(std::string_view text);

}  // namespace athanor::cli
