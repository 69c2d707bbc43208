#include "migrations/plan/custom_settings.hpp"

#include <algorithm>
#include <set>
#include <string_view>

#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

std::string lowered(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), lower_ascii);
  return lower;
}

bool is_custom_name(std::string_view name) {
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && dot > 0 && dot + 1 < name.size() && std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$' || c == '.' ||
                  static_cast<unsigned char>(c) >= 0x80U;
         });
}

// The text inside the quotes of a string or dollar-quoted string.
std::string_view content(std::string_view text, TokenKind kind) {
  if (kind == TokenKind::DollarString) {
    const std::size_t tag = text.find('$', 1) + 1;
    return text.substr(tag, text.size() - 2 * tag);
  }
  const std::size_t open = text.find('\'');
  return open == std::string_view::npos ? std::string_view() : text.substr(open + 1, text.size() - open - 2);
}

class Search {
 public:
  explicit Search(std::set<std::string>& names, int depth = 0) : names_(names), depth_(depth) {}

  void look_into(std::string_view sql) {
    SqlLexer lexer(sql);
    std::string name;         // after SET: "my", "my.", "my.tenant"
    bool expects = false;     // the name of a setting may begin or continue here
    bool configures = false;  // "set_config" was the last word
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      const std::string_view text = lexer.text(token);
      const bool is_word = token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier;
      if (expects && (is_word ? name.empty() || name.ends_with('.') : text == "." && !name.empty())) {
        const std::string part = is_word ? lowered(identifier_name(text)) : ".";
        name = name.empty() && (part == "session" || part == "local") ? "" : name + part;
        continue;
      }
      keep(name);
      name.clear();
      if (configures && token.kind == TokenKind::String) {
        keep(lowered(content(text, token.kind)));
      } else if (token.kind == TokenKind::DollarString) {
        if (configures) {
          keep(lowered(content(text, token.kind)));
        }
        if (depth_ < kDeepest) {
          Search(names_, depth_ + 1).look_into(content(text, token.kind));
        }
      }
      const std::string word = is_word ? lowered(identifier_name(text)) : std::string();
      expects = word == "set";
      configures = word == "set_config" || (configures && text == "(");
    }
    keep(name);
  }

 private:
  static constexpr int kDeepest = 3;  // nested bodies; each level reads the text again

  void keep(const std::string& name) {
    if (is_custom_name(name)) {
      names_.insert(name);
    }
  }

  std::set<std::string>& names_;
  int depth_;
};

}  // namespace

std::vector<std::string> custom_settings(const std::vector<ScriptStep>& steps) {
  std::set<std::string> names;
  for (const ScriptStep& step : steps) {
    for (const SqlStatement& statement : step.statements) {
      if (contains_word(statement.sql, "set")) {
        Search(names).look_into(statement.sql);
      }
    }
  }
  return {names.begin(), names.end()};
}

}  // namespace athanor
