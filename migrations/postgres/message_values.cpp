#include "migrations/postgres/message_values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <optional>

#include "migrations/base/utf8.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::postgres {
namespace {

constexpr std::size_t kLongestLine = 500;

// The word before a quotation that makes it a name. Sorted.
constexpr auto kObjects = std::to_array<std::string_view>(
    {"aggregate", "attribute",  "collation",   "column",    "columns",  "configuration", "constraint", "conversion",
     "cursor",    "database",   "dictionary",  "directory", "domain",   "encoding",      "extension",  "file",
     "function",  "group",      "index",       "key",       "language", "library",       "locale",     "member",
     "method",    "object",     "option",      "parameter", "parser",   "partition",     "policy",     "portal",
     "procedure", "provider",   "publication", "relation",  "role",     "routine",       "rule",       "savepoint",
     "schema",    "sequence",   "server",      "setting",   "slot",     "statement",     "statistics", "subscription",
     "table",     "tablespace", "template",    "transform", "trigger",  "type",          "user",       "variable",
     "view",      "window",     "wrapper"});

// Words that begin statements and clauses without being reserved: the common places of a syntax error. Sorted.
constexpr auto kPlainWords = std::to_array<std::string_view>(
    {"add",       "alter",   "begin",   "by",       "cascade",  "comment", "commit", "cycle",    "declare",
     "delete",    "drop",    "execute", "explain",  "if",       "insert",  "key",    "language", "merge",
     "partition", "prepare", "replace", "reset",    "restrict", "returns", "revoke", "rollback", "schema",
     "sequence",  "set",     "start",   "truncate", "type",     "update",  "vacuum", "view"});

constexpr auto kClosing = std::to_array<std::pair<std::string_view, std::string_view>>({{"\"", "\""},
                                                                                        {"\xc2\xbb", "\xc2\xab"},
                                                                                        {"\xc2\xab", "\xc2\xbb"},
                                                                                        {"\xe2\x80\x9e", "\xe2\x80\x9c"},
                                                                                        {"\xe2\x80\x9c", "\xe2\x80\x9d"},
                                                                                        {"\xe3\x80\x8c", "\xe3\x80\x8d"}});

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '$' || static_cast<unsigned char>(c) >= 0x80U;
}

bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

// Classes whose messages repeat the data or the statement. Those about the server, its limits and connections keep their
// numbers.
bool speaks_of_data(std::string_view sqlstate) {
  static constexpr auto kOthers =
      std::to_array<std::string_view>({"08", "0A", "25", "28", "3D", "3F", "40", "53", "54", "55", "57", "58"});
  return std::ranges::find(kOthers, sqlstate.substr(0, 2)) == kOthers.end();
}

std::string lower(std::string_view text) {
  std::string folded(text);
  std::ranges::transform(folded, folded.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return folded;
}

std::string_view word_before(std::string_view text) {
  const auto end = text.find_last_not_of(' ');
  if (end == std::string_view::npos || end + 1 == text.size()) {
    return {};
  }
  text = text.substr(0, end + 1);
  const auto begin = std::ranges::find_if_not(text.rbegin(), text.rend(), is_word).base();
  return text.substr(static_cast<std::size_t>(begin - text.begin()));
}

// `syntax error at or near "INSERT"`: the language's own words and signs are no values.
bool is_syntax(std::string_view token) {
  if (std::ranges::none_of(token, is_word)) {
    return token.find('\'') == std::string_view::npos;
  }
  const std::string folded = lower(token);
  const bool plain = std::ranges::all_of(folded, [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
  return plain && (quote_identifier(folded) != folded || std::ranges::binary_search(kPlainWords, folded));
}

class Masking {
 public:
  Masking(std::string_view message, std::string_view sqlstate, const std::vector<std::string_view>& names)
      : text_(message), names_(names), numbers_(speaks_of_data(sqlstate)) {}

  std::string result() {
    while (at_ < text_.size()) {
      if (!quotation() && !apostrophes() && !number()) {
        masked_ += text_[at_++];
      }
    }
    // `invalid input syntax for type integer: "***"` says no more than without the end.
    if (constexpr std::string_view kEnd = ": \"***\""; masked_.ends_with(kEnd)) {
      masked_.resize(masked_.size() - kEnd.size());
    }
    return std::move(masked_);
  }

 private:
  bool quotation() {
    const std::string_view rest = text_.substr(at_);
    const auto marks = std::ranges::find_if(kClosing, [&](const auto& pair) { return rest.starts_with(pair.first); });
    if (marks == kClosing.end()) {
      return false;
    }
    const auto& [open, close] = *marks;
    std::size_t end = rest.find(close, open.size());
    const std::string_view name = rest.substr(open.size(), end == std::string_view::npos ? end : end - open.size());
    if (end != std::string_view::npos && is_name(name)) {
      end += close.size();
      masked_ += rest.substr(0, end);
    } else {
      // A value may hold quotation marks: it ends at the last one, or with the message.
      end = rest.rfind(close);
      end = end == std::string_view::npos || end < open.size() ? rest.size() : end + close.size();
      masked_ += std::string(open) + std::string(kMasked) + std::string(close);
    }
    at_ += end;
    return true;
  }

  [[nodiscard]] bool is_name(std::string_view token) const {
    if (!token.empty() && std::ranges::find(names_, token) != names_.end()) {
      return true;
    }
    const std::string before = lower(word_before(text_.substr(0, at_)));
    return before == "near" ? is_syntax(token) : std::ranges::binary_search(kObjects, before);
  }

  // 'text', but not the apostrophe of a word.
  bool apostrophes() {
    if (text_[at_] != '\'' || (at_ > 0 && is_word(text_[at_ - 1]))) {
      return false;
    }
    const auto end = text_.rfind('\'');
    masked_ += "'" + std::string(kMasked) + "'";
    at_ = end > at_ ? end + 1 : text_.size();
    return true;
  }

  // A number that stands alone: no part of a name (t1, $1), of a type (numeric(10,2)) or of an encoding (UTF8).
  bool number() {
    if (!numbers_ || !is_digit(text_[at_]) || (at_ > 0 && (is_word(text_[at_ - 1]) || in_type()))) {
      return false;
    }
    std::size_t end = at_;
    while (end < text_.size() &&
           (is_word(text_[end]) || (std::string_view(".:-+/").find(text_[end]) != std::string_view::npos &&
                                    end + 1 < text_.size() && is_word(text_[end + 1])))) {
      ++end;
    }
    masked_ += kMasked;
    at_ = end;
    return true;
  }

  // Inside "(10,2)" right behind a word.
  [[nodiscard]] bool in_type() const {
    std::size_t open = at_;
    while (open > 0 && (is_digit(text_[open - 1]) || text_[open - 1] == ',')) {
      --open;
    }
    return open > 1 && text_[open - 1] == '(' && is_word(text_[open - 2]);
  }

  std::string_view text_;
  const std::vector<std::string_view>& names_;
  bool numbers_;
  std::size_t at_ = 0;
  std::string masked_;
};

std::uint32_t code_point(std::string_view character) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(character[i])); };
  switch (character.size()) {
    case 2:
      return ((byte(0) & 0x1fU) << 6U) | (byte(1) & 0x3fU);
    case 3:
      return ((byte(0) & 0x0fU) << 12U) | ((byte(1) & 0x3fU) << 6U) | (byte(2) & 0x3fU);
    default:
      return character.size() == 1 ? byte(0) : 0x10000U;
  }
}

// Controls, line and paragraph separators, and marks that reorder what stands around them.
bool is_control(std::uint32_t code) {
  return code < 0x20U || (code >= 0x7fU && code < 0xa0U) || code == 0x061cU || (code >= 0x200eU && code <= 0x200fU) ||
         (code >= 0x2028U && code <= 0x202eU) || (code >= 0x2066U && code <= 0x2069U) || code == 0xfeffU;
}

std::string escaped(std::uint32_t code) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text = code < 0x100U ? "\\x" : "\\u";
  for (unsigned shift = code < 0x100U ? 8U : 16U; shift > 0;) {
    shift -= 4U;
    text += kDigits[(code >> shift) & 0xfU];
  }
  return text;
}

}  // namespace

std::string mask_values(std::string_view message, std::string_view sqlstate, const std::vector<std::string_view>& names) {
  return Masking(message, sqlstate, names).result();
}

std::string one_safe_line(std::string_view text) {
  const std::string sound = well_formed(text.substr(0, std::min(text.find('\n'), 2 * kLongestLine)));
  std::string line;
  for (std::size_t at = 0; at < sound.size() && line.size() < kLongestLine;) {
    bool cut = false;
    const std::size_t length = std::max<std::size_t>(1, character_length(sound, at, cut));
    const std::string_view character = std::string_view(sound).substr(at, length);
    const std::uint32_t code = code_point(character);
    line += is_control(code) ? escaped(code) : std::string(character);
    at += length;
  }
  return std::string(cut_at_character(line, kLongestLine));
}

}  // namespace athanor::postgres
