#include "migrations/plan/byte_settings.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "migrations/plan/statement_text.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::string_view kEncoding = "client_encoding";
constexpr std::string_view kStrings = "standard_conforming_strings";

bool is_setting(std::string_view name) {
  return name == kEncoding || name == kStrings;
}

bool keeps_the_bytes(std::string_view setting, std::string_view value) {
  if (value == "default") {
    return true;
  }
  if (setting == kStrings) {
    constexpr std::array<std::string_view, 9> kOn{"on", "t", "tr", "tru", "true", "y", "ye", "yes", "1"};
    return std::ranges::find(kOn, value) != kOn.end();
  }
  std::string letters;
  std::ranges::copy_if(value, std::back_inserter(letters),
                       [](char letter) { return letter != '-' && letter != '_' && letter != ' '; });
  return letters == "utf8" || letters == "unicode";
}

// The statement's tokens as names and values: folded words, unquoted names, contents of plain strings.
class Reader {
 public:
  explicit Reader(std::string_view sql) {
    SqlLexer lexer(sql);
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      words_.push_back(read(lexer.text(token), token.kind));
    }
  }

  // The first of the two settings that gets another value, and that value.
  [[nodiscard]] std::optional<std::pair<std::string, std::string>> find() const {
    const bool updates = at(0) == "update" && std::ranges::find(words_, "pg_settings") != words_.end();
    for (std::size_t index = 0; index < words_.size(); ++index) {
      std::string setting = words_[index];
      std::optional<std::string> value;
      if (setting == "names" && index > 0 && index < 3 && at(0) == "set") {
        setting = kEncoding;
        value = index + 1 < words_.size() ? at(index + 1) : "default";
      } else if (is_setting(setting)) {
        value = updates       ? std::optional<std::string>("another value")
                : sets(index) ? std::string(at(index + 2))
                              : configured(index);
      }
      if (value && !keeps_the_bytes(setting, *value)) {
        return std::pair(setting, *value);
      }
    }
    return std::nullopt;
  }

 private:
  static std::string read(std::string_view text, TokenKind kind) {
    if (kind == TokenKind::Word || kind == TokenKind::QuotedIdentifier) {
      return lowered(identifier_name(text));
    }
    if (kind == TokenKind::DollarString) {
      const std::size_t tag = text.find('$', 1) + 1;
      return lowered(text.substr(tag, text.size() - 2 * tag));
    }
    const auto open = kind == TokenKind::String ? text.find('\'') : std::string_view::npos;
    return open == std::string_view::npos ? lowered(text) : lowered(text.substr(open + 1, text.size() - open - 2));
  }

  [[nodiscard]] std::string_view at(std::size_t index) const {
    return index < words_.size() ? std::string_view(words_[index]) : std::string_view();
  }

  // SET [SESSION | LOCAL] name TO …, ALTER … SET name = …. The SET clause of CREATE FUNCTION is fine: it ends with the call.
  [[nodiscard]] bool sets(std::size_t index) const {
    if (index == 0 || (at(index + 1) != "to" && at(index + 1) != "=")) {
      return false;
    }
    const bool qualified = at(index - 1) == "session" || at(index - 1) == "local";
    const std::size_t set = index - (qualified ? 2 : 1);
    const bool alters = at(0) == "alter" && (at(1) == "database" || at(1) == "system" || alters_our_role());
    return index > (qualified ? 1U : 0U) && at(set) == "set" && (set == 0 || alters);
  }

  [[nodiscard]] bool alters_our_role() const {
    constexpr std::array<std::string_view, 4> kOurs{"all", "current_role", "current_user", "session_user"};
    return (at(1) == "role" || at(1) == "user") && std::ranges::find(kOurs, at(2)) != kOurs.end();
  }

  // set_config('client_encoding', 'value', …), with positional or named arguments.
  [[nodiscard]] std::optional<std::string> configured(std::size_t index) const {
    std::size_t open = index;
    while (open > 0 && at(open) != "(" && index - open < 12) {
      --open;
    }
    const bool named = index > 3 && at(index - 1) == ">" && at(index - 3) == "setting_name";
    if (open == 0 || at(open) != "(" || (open + 1 != index && !named) || at(open - 1) != "set_config") {
      return std::nullopt;
    }
    for (std::size_t next = open + 1; next < words_.size() && at(next) != ")"; ++next) {
      if (at(next) == "new_value" && at(next + 1) == "=" && at(next + 2) == ">") {
        return std::string(at(next + 3));
      }
    }
    return std::string(at(index + 2));
  }

  std::vector<std::string> words_;
};

}  // namespace

Result<void> check_byte_settings(const SqlStatement& statement) {
  // Most statements mention neither setting: do not tokenise them.
  const bool may_set = contains_word(statement.sql, kEncoding) || contains_word(statement.sql, kStrings) ||
                       (same_word(statement.sql.substr(0, 3), "set") && contains_word(statement.sql, "names"));
  if (!may_set) {
    return {};
  }
  const auto found = Reader(statement.sql).find();
  if (!found) {
    return {};
  }
  const bool encoding = found->first == kEncoding;
  return fail(Error(ErrorCode::UnsupportedStatement,
                    found->first + " must not be changed in a revision: the server would read the text " +
                        (encoding ? "that follows in another encoding" : "of later string constants differently"))
                  .at(line_context(statement.line))
                  .advise(encoding ? "remove the statement: revisions are UTF-8; convert bytes of data with convert_from()"
                                   : "remove the statement: write E'…' where a backslash begins an escape"));
}

bool depends_on_byte_settings(std::string_view sql) {
  return std::ranges::any_of(sql, [](char c) { return c == '\\' || static_cast<unsigned char>(c) >= 0x80U; });
}

}  // namespace athanor
