#include "migrations/postgres/message_values.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <string>

#include "migrations/base/utf8.hpp"
#include "migrations/text/printable.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::postgres {
namespace {

constexpr std::size_t kLongestLine = 500;

// Words that make the following quotation a name. Sorted.
constexpr auto kObjects = std::to_array<std::string_view>(
    {"aggregate", "attribute", "collation",  "column",     "columns",      "configuration", "constraint", "conversion",
     "cursor",    "database",  "dictionary", "directory",  "domain",       "encoding",      "extension",  "file",
     "function",  "group",     "index",      "language",   "library",      "locale",        "method",     "option",
     "parameter", "parser",    "partition",  "policy",     "portal",       "procedure",     "provider",   "publication",
     "relation",  "role",      "routine",    "rule",       "savepoint",    "schema",        "sequence",   "server",
     "setting",   "slot",      "statement",  "statistics", "subscription", "table",         "tablespace", "template",
     "transform", "trigger",   "type",       "user",       "variable",     "view",          "window",     "wrapper"});

// Unreserved words that begin statements and clauses: common places of a syntax error. Sorted.
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

// Whether messages of this SQLSTATE's class repeat the data or the statement. Classes about the server, its limits and
// connections keep their numbers.
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

// `syntax error at or near "INSERT"`: keywords and signs of the language are not values.
bool is_syntax(std::string_view token) {
  if (std::ranges::none_of(token, is_word)) {
    return token.find('\'') == std::string_view::npos;
  }
  const std::string folded = lower(token);
  const bool plain = std::ranges::all_of(folded, [](char c) { return std::islower(static_cast<unsigned char>(c)) != 0; });
  return plain && (quote_identifier(folded) != folded || std::ranges::binary_search(kPlainWords, folded));
}

std::set<std::string> identifiers_of(std::string_view sql) {
  std::set<std::string> identifiers;
  SqlLexer lexer(sql);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    if (token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier) {
      identifiers.insert(identifier_name(lexer.text(token)));
    }
  }
  return identifiers;
}

// SQLSTATEs that report a missing object. A cast to regclass, has_table_privilege() and the like look up names that are data.
bool speaks_of_lookup(std::string_view sqlstate) {
  static constexpr auto kStates =
      std::to_array<std::string_view>({"42P01", "42704", "42883", "42703", "42725", "3F000", "3D000"});
  return std::ranges::find(kStates, sqlstate) != kStates.end();
}

class Masking {
 public:
  Masking(std::string_view message, std::string_view sqlstate, const MessageNames& names)
      : text_(message),
        names_(names),
        numbers_(speaks_of_data(sqlstate)),
        last_number_(sqlstate.starts_with("54")),
        lookup_(names.sql && speaks_of_lookup(sqlstate)) {}

  std::string result() {
    while (at_ < text_.size()) {
      if (!quotation() && !apostrophes() && !number()) {
        masked_ += text_[at_++];
      }
    }
    // `invalid input syntax for type integer: "***"` says no more than the text before the colon.
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
      // A value may contain quotation marks, so it ends at the last one, or at the end of the message.
      end = rest.rfind(close);
      end = end == std::string_view::npos || end < open.size() ? rest.size() : end + close.size();
      masked_ += std::string(open) + std::string(kMasked) + std::string(close);
    }
    at_ += end;
    return true;
  }

  [[nodiscard]] bool is_name(std::string_view token) {
    if (!token.empty() && std::ranges::find(names_.fields, token) != names_.fields.end()) {
      return true;
    }
    const std::string before = lower(word_before(text_.substr(0, at_)));
    if (before == "near") {
      return is_syntax(token);
    }
    return std::ranges::binary_search(kObjects, before) && (!lookup_ || is_written(token));
  }

  // Whether the statement contains the name as an identifier.
  [[nodiscard]] bool is_written(std::string_view token) {
    if (!identifiers_) {
      identifiers_ = identifiers_of(*names_.sql);
    }
    if (identifiers_->contains(std::string(token))) {
      return true;
    }
    while (!token.empty()) {  // schema.table
      const std::size_t dot = std::min(token.find('.'), token.size());
      if (!identifiers_->contains(std::string(token.substr(0, dot)))) {
        return false;
      }
      token.remove_prefix(std::min(dot + 1, token.size()));
    }
    return true;
  }

  // 'text', but not an apostrophe inside a word.
  bool apostrophes() {
    if (text_[at_] != '\'' || (at_ > 0 && is_word(text_[at_ - 1]))) {
      return false;
    }
    // Like a quotation: the value may contain apostrophes, so it ends at the last one.
    const auto end = text_.rfind('\'');
    masked_ += "'" + std::string(kMasked) + "'";
    at_ = end > at_ ? end + 1 : text_.size();
    return true;
  }

  // A number that stands alone: not part of a name (t1, $1), a type (numeric(10,2)) or an encoding (UTF8).
  bool number() {
    const bool masks = numbers_ || (last_number_ && masked_.ends_with(": "));
    if (!masks || !is_digit(text_[at_]) || (at_ > 0 && (is_word(text_[at_ - 1]) || in_type()))) {
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

  // Whether the position is inside "(10,2)" directly after a word.
  [[nodiscard]] bool in_type() const {
    std::size_t open = at_;
    while (open > 0 && (is_digit(text_[open - 1]) || text_[open - 1] == ',')) {
      --open;
    }
    return open > 1 && text_[open - 1] == '(' && is_word(text_[open - 2]);
  }

  std::string_view text_;
  const MessageNames& names_;
  bool numbers_;
  bool last_number_;  // "requested character too large for encoding: 1234567"
  bool lookup_;
  std::optional<std::set<std::string>> identifiers_;
  std::size_t at_ = 0;
  std::string masked_;
};

}  // namespace

std::string mask_values(std::string_view message, std::string_view sqlstate, const MessageNames& names) {
  return Masking(message, sqlstate, names).result();
}

std::string without_password(std::string_view text, std::string_view password) {
  constexpr std::size_t kShortest = 4;
  std::string shown(text);
  if (password.size() < kShortest) {
    return shown;
  }
  for (std::size_t at = shown.find(password); at != std::string::npos; at = shown.find(password, at + kMasked.size())) {
    shown.replace(at, password.size(), kMasked);
  }
  return shown;
}

std::string one_safe_line(std::string_view text) {
  const std::string sound = well_formed(text.substr(0, std::min(text.find('\n'), 2 * kLongestLine)));
  return std::string(cut_at_character(printable(sound, LineEnds::Escape), kLongestLine));
}

}  // namespace athanor::postgres
