#include "migrations/revision/revision_id.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

constexpr std::string_view kOperators = "+-:@";
constexpr std::array<std::string_view, 5> kReserved{"base", "current", "head", "heads", "none"};

std::string quoted(std::string_view id) {
  constexpr std::size_t kShown = 64;
  std::string text = "`";
  for (const char c : id.substr(0, kShown)) {
    text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
  }
  return text + (id.size() > kShown ? "...`" : "`");
}

// The common case in one pass: thousands of ids are checked at every start.
bool is_plain_word(std::string_view id) {
  return std::ranges::all_of(id, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.';
  });
}

Result<void> check_operators(std::string_view id, std::string_view noun) {
  if (is_plain_word(id)) {
    return {};
  }
  std::string operators;
  for (const char c : kOperators) {
    if (id.find(c) != std::string_view::npos) {
      operators += operators.empty() ? "" : ", ";
      operators += c;
    }
  }
  if (!operators.empty()) {
    return fail(Error(ErrorCode::InvalidRevisionId,
                      std::string(noun) + " " + quoted(id) + " may not contain " + operators + ", an operator of targets")
                    .advise("use letters, digits and underscores"));
  }
  return {};
}

Result<void> check(std::string_view id, std::string_view noun) {
  if (id.empty()) {
    return fail(Error(ErrorCode::InvalidRevisionId, std::string(noun) + " is empty"));
  }
  TRY(check_operators(id, noun));
  const bool bad = !is_plain_word(id) && std::ranges::any_of(id, [](char c) {
    return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F || c == ',' || c == '\'' || c == '"';
  });
  if (bad) {
    return fail(Error(ErrorCode::InvalidRevisionId,
                      std::string(noun) + " " + quoted(id) + " may not contain white space, commas or quotes")
                    .advise("use letters, digits and underscores"));
  }
  if (std::ranges::find(kReserved, id) != kReserved.end()) {
    return fail(Error(ErrorCode::InvalidRevisionId, std::string(noun) + " " + quoted(id) + " is a reserved word of targets")
                    .advise("choose another name"));
  }
  return {};
}

Result<void> check_length(std::string_view id, std::size_t longest) {
  TRY(check(id, "revision id"));
  const std::size_t length = id.size() <= longest ? id.size() : count_characters(id);
  if (length > longest) {
    return fail(Error(ErrorCode::InvalidRevisionId, "revision id " + quoted(id) + " has " + std::to_string(length) +
                                                        " characters, more than " + std::to_string(longest))
                    .advise("shorten the id"));
  }
  return {};
}

}  // namespace

Result<void> check_revision_id(std::string_view id) {
  return check_length(id, kMaxRevisionIdLength);
}

Result<void> check_new_revision_id(std::string_view id) {
  return check_length(id, kDefaultIdLength);
}

Result<void> check_revision_label(std::string_view label) {
  return check(label, "name");
}

Result<void> check_alembic_id(std::string_view id) {
  if (id.empty()) {
    return fail(Error(ErrorCode::InvalidRevisionId, "revision id is empty"));
  }
  return check_operators(id, "revision id");
}

}  // namespace athanor
