#include "migrations/plan/statement_shape.hpp"

#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::size_t kLongestIdentifier = 63;

// The minimum number of bytes of the identifier: a U& escape may stand for several.
std::size_t identifier_bytes(std::string_view token) {
  const auto open = token.find('"');
  if (open == std::string_view::npos) {
    return token.size();
  }
  const bool unicode = open > 0;
  std::size_t bytes = 0;
  for (std::size_t index = open + 1; index + 1 < token.size(); ++index) {
    ++bytes;
    if (token[index] == '"') {
      ++index;
    } else if (unicode && token[index] == '\\') {
      const char next = token[index + 1];
      index += next == '\\' ? 1 : next == '+' ? 7 : 4;
    }
  }
  return bytes;
}

}  // namespace

StatementShape::StatementShape(std::string_view sql) {
  SqlLexer lexer(sql);
  int depth = 0;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const auto text = lexer.text(token);
    const bool identifier = token.kind == TokenKind::Word || token.kind == TokenKind::QuotedIdentifier;
    if (identifier && text.size() > kLongestIdentifier && !long_identifier) {
      if (const auto bytes = identifier_bytes(text); bytes > kLongestIdentifier) {
        long_identifier = LongIdentifier{token.begin, bytes, text};
      }
    }
    if (token.kind == TokenKind::Word) {
      see_word(text, depth);
      continue;
    }
    // Anything but a word ends the sequence of first words.
    run_open_ = false;
    previous_ = {};
    names_quoted = names_quoted || token.kind == TokenKind::QuotedIdentifier;
    if (token.kind == TokenKind::Symbol) {
      depth += text == "(" ? 1 : text == ")" ? -1 : 0;
      unbalanced = unbalanced || depth < 0;
    } else if (same_word(text, "0") && concurrently_option) {
      concurrently_option = false;  // (CONCURRENTLY 0)
    }
  }
  unbalanced = unbalanced || depth != 0;
}

void StatementShape::see_word(std::string_view word, int depth) {
  if (run_open_ && count_ < words_.size()) {
    words_[count_++] = word;
  }
  const auto before = previous_;
  previous_ = word;
  switch (word.size()) {  // the length rules out most words cheaply
    case 3:
      if (depth > 0 && same_word(before, "concurrently") && same_word(word, "off")) {
        concurrently_option = false;
      }
      break;
    case 4:
      selects = selects || (depth == 0 && same_word(word, "with"));
      break;
    case 5:
      if (depth > 0 && same_word(before, "concurrently") && same_word(word, "false")) {
        concurrently_option = false;
      }
      break;
    case 6:
      writes = writes || (depth == 0 && (same_word(word, "insert") || same_word(word, "update") || same_word(word, "delete")));
      selects = selects || (depth == 0 && same_word(word, "select"));
      break;
    case 7:
      names_create_slot = names_create_slot || (depth > 0 && same_word(word, "connect"));
      break;
    case 9:
      detaches_partition = detaches_partition || (depth == 0 && same_word(word, "partition") && same_word(before, "detach"));
      break;
    case 10:
      sets_tablespace = sets_tablespace || (depth == 0 && same_word(word, "tablespace") && same_word(before, "set"));
      break;
    case 11:
      names_create_slot = names_create_slot || (depth > 0 && same_word(word, "create_slot"));
      break;
    case 12:
      if (same_word(word, "concurrently")) {
        (depth == 0 ? concurrently : concurrently_option) = true;
      }
      break;
    case 22:
      unlocks_all = unlocks_all || same_word(word, "pg_advisory_unlock_all");
      break;
    default:
      break;
  }
  if (depth == 0 && ++words_outside == 2 && starts("reindex")) {
    reindexes_many = same_word(word, "schema") || same_word(word, "database") || same_word(word, "system");
  }
}

bool StatementShape::starts(std::string_view pattern) const {
  for (std::size_t index = 0; !pattern.empty(); ++index) {
    const auto space = pattern.find(' ');
    if (index >= count_ || !same_word(words_[index], pattern.substr(0, space))) {
      return false;
    }
    pattern = space == std::string_view::npos ? std::string_view() : pattern.substr(space + 1);
  }
  return true;
}

}  // namespace athanor
