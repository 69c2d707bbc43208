#include "migrations/plan/statement_tree.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/plan/pg_query_access.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// libpg_query writes the tree recursively, using about 1 KiB of stack per level, and does not check the stack.
constexpr std::size_t kNestingLimit = 2'000;
constexpr std::size_t kBlockLimit = 200;
constexpr std::array<std::string_view, 4> kBlockWords{"begin", "if", "loop", "case"};

// A tree is never deeper than the number of words and symbols that can nest. Items of a list are siblings: a comma returns to
// the list's depth, so a long VALUES list is wide, not deep.
bool may_nest_too_deep(std::string_view sql) {
  SqlLexer lexer(sql);
  std::vector<std::size_t> outer;  // depth at the start of each open list
  std::size_t start = 0;
  std::size_t depth = 0;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const char symbol = token.kind == TokenKind::Symbol ? sql[token.begin] : '\0';
    if (symbol == '(' || symbol == '[') {
      outer.push_back(start);
      start = ++depth;
    } else if ((symbol == ')' || symbol == ']') && !outer.empty()) {
      depth = start;
      start = outer.back();
      outer.pop_back();
    } else if (symbol == ',' || symbol == ';') {
      depth = start;
    } else if (symbol != '\0' || token.kind == TokenKind::Word) {
      ++depth;
    }
    // An estimate from above: it may refuse a tree that would fit, but never accept one that does not.
    if (depth > kNestingLimit) {
      return true;
    }
  }
  return false;
}

// Counts substrings, so it overestimates; the parser recurses once per block.
bool has_too_many_blocks(std::string_view statement) {
  std::size_t blocks = 0;
  for (std::size_t index = 0; index < statement.size(); ++index) {
    const char letter = lower_ascii(statement[index]);
    if (letter == 'b' || letter == 'i' || letter == 'l' || letter == 'c') {
      blocks +=
          std::ranges::any_of(kBlockWords, [&](auto word) { return same_word(statement.substr(index, word.size()), word); })
              ? 1U
              : 0U;
    }
  }
  return blocks > kBlockLimit;
}

void append_utf8(std::string& text, unsigned code) {
  if (code < 0x80) {
    text += static_cast<char>(code);
  } else if (code < 0x800) {
    text += static_cast<char>(0xC0U | (code >> 6U));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    text += static_cast<char>(0xE0U | (code >> 12U));
    text += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    text += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

unsigned hex_value(std::string_view digits) {
  unsigned value = 0;
  for (const char digit : digits) {
    const char low = lower_ascii(digit);
    value = value * 16 + static_cast<unsigned>(low >= 'a' ? low - 'a' + 10 : low - '0');
  }
  return value;
}

}  // namespace

// Reads the JSON that libpg_query writes. Returns false for anything else.
class TreeReader {
 public:
  explicit TreeReader(StatementTree& tree) : text_(*tree.json_), entries_(tree.entries_) {}

  bool read() {
    std::vector<std::uint32_t> open;
    std::string_view key;
    bool done = false;
    while (skip_space() < text_.size() && !done) {
      const char letter = text_[position_];
      if (letter == '{' || letter == '[') {
        open.push_back(static_cast<std::uint32_t>(entries_.size()));
        entries_.push_back({std::exchange(key, {}), {}, 0});
        ++position_;
      } else if (letter == '}' || letter == ']') {
        if (open.empty()) {
          return false;
        }
        entries_[open.back()].end = static_cast<std::uint32_t>(entries_.size());
        open.pop_back();
        done = open.empty();
        ++position_;
      } else if (letter == ',') {
        ++position_;
      } else if (!read_scalar(key)) {
        return false;
      }
    }
    return done && skip_space() == text_.size();
  }

 private:
  std::size_t skip_space() {
    while (position_ < text_.size() && is_sql_space(text_[position_])) {
      ++position_;
    }
    return position_;
  }

  // Reads a key with its colon, or a value.
  bool read_scalar(std::string_view& key) {
    std::string_view scalar;
    if (text_[position_] == '"') {
      const std::size_t begin = ++position_;
      while ((position_ = text_.find_first_of("\"\\", position_)) != std::string_view::npos && text_[position_] == '\\') {
        position_ += 2;
      }
      if (position_ == std::string_view::npos) {
        return false;
      }
      scalar = text_.substr(begin, position_++ - begin);
      if (position_ < text_.size() && text_[position_] == ':') {
        ++position_;
        key = scalar;
        return true;
      }
    } else {
      const std::size_t begin = position_;
      position_ = std::min(text_.find_first_of(",}]\"", begin), text_.size());
      scalar = text_.substr(begin, position_ - begin);
      if (scalar.empty()) {
        return false;
      }
    }
    entries_.push_back({std::exchange(key, {}), scalar, static_cast<std::uint32_t>(entries_.size() + 1)});
    return true;
  }

  std::string_view text_;
  std::vector<StatementTree::Entry>& entries_;
  std::size_t position_ = 0;
};

StatementTree::StatementTree(std::string json) : json_(std::make_unique<const std::string>(std::move(json))) {
  entries_.reserve(json_->size() / 24 + 1);
  if (!TreeReader(*this).read()) {
    entries_.clear();
  }
}

std::optional<StatementTree> StatementTree::of_sql(std::string_view sql) {
  if (sql.size() > kMostBytes || sql.find('\0') != std::string_view::npos || may_nest_too_deep(sql)) {
    return std::nullopt;
  }
  auto json = parse_tree(std::string(sql));
  if (!json) {
    return std::nullopt;
  }
  StatementTree tree(std::move(*json));
  return tree.entries_.empty() ? std::nullopt : std::optional(std::move(tree));
}

std::optional<StatementTree> StatementTree::of_procedure(std::string_view statement) {
  if (statement.size() > kMostBytes || statement.find('\0') != std::string_view::npos || has_too_many_blocks(statement)) {
    return std::nullopt;
  }
  auto json = parse_procedure(std::string(statement));
  if (!json) {
    return std::nullopt;
  }
  StatementTree tree(std::move(*json));
  return tree.entries_.empty() ? std::nullopt : std::optional(std::move(tree));
}

TreeNode StatementTree::root() const {
  return {&entries_, 0};
}

std::string TreeNode::text() const {
  const std::string_view raw = value();
  std::string text;
  text.reserve(raw.size());
  for (std::size_t index = 0; index < raw.size(); ++index) {
    if (raw[index] != '\\' || index + 1 >= raw.size()) {
      text += raw[index];
      continue;
    }
    const char escape = raw[++index];
    constexpr std::string_view kEscapes = "nrtbf";
    constexpr std::string_view kMeant = "\n\r\t\b\f";
    if (const auto known = kEscapes.find(escape); known != std::string_view::npos) {
      text += kMeant[known];
    } else if (escape == 'u' && index + 4 < raw.size()) {
      append_utf8(text, hex_value(raw.substr(index + 1, 4)));
      index += 4;
    } else {
      text += escape;
    }
  }
  return text;
}

TreeNode TreeNode::operator[](std::string_view field) const {
  for (TreeNode node = first(); node; node = node.next(*this)) {
    if (node.key() == field) {
      return node;
    }
  }
  return {};
}

TreeNode TreeNode::first() const {
  return begin() < end() ? at(begin()) : TreeNode();
}

TreeNode TreeNode::next(const TreeNode& parent) const {
  return entry().end < parent.end() ? at(entry().end) : TreeNode();
}

}  // namespace athanor
