#include "migrations/lint/psql_script.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "migrations/plan/statement_text.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// Commands for output, variables and connections: they run no SQL of the file.
constexpr std::array<std::string_view, 39> kPassedOver{"\\restrict",   "\\unrestrict",
                                                       "\\connect",    "\\c",
                                                       "\\encoding",   "\\echo",
                                                       "\\qecho",      "\\warn",
                                                       "\\pset",       "\\timing",
                                                       "\\set",        "\\unset",
                                                       "\\x",          "\\a",
                                                       "\\t",          "\\f",
                                                       "\\H",          "\\C",
                                                       "\\T",          "\\o",
                                                       "\\out",        "\\prompt",
                                                       "\\conninfo",   "\\cd",
                                                       "\\q",          "\\quit",
                                                       "\\r",          "\\reset",
                                                       "\\errverbose", "\\setenv",
                                                       "\\getenv",     "\\p",
                                                       "\\print",      "\\gset",
                                                       "\\gdesc",      "\\g",
                                                       "\\gx",         "\\crosstabview",
                                                       "\\\\"};
// Commands that send the preceding statement, as a semicolon does.
constexpr std::array<std::string_view, 7> kSends{"\\g", "\\gx", "\\gset", "\\gexec", "\\gdesc", "\\crosstabview", "\\watch"};

bool is_among(std::string_view word, auto& words) {
  return std::ranges::find(words, word) != words.end();
}

bool is_listing(std::string_view word) {  // \d, \dt+, \l …
  return word.starts_with("\\d") || word == "\\l" || word == "\\l+" || word.starts_with("\\s") || word == "\\z" ||
         word == "\\?" || word == "\\h";
}

// Whether the COPY statement reads rows from the file itself.
bool reads_rows(std::string_view sql) {
  SqlLexer lexer(sql);
  int depth = 0;
  bool from = false;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    const std::string_view word = lexer.text(token);
    depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    if (from && same_word(word, "stdin")) {
      return true;
    }
    from = depth == 0 && same_word(word, "from");
  }
  return false;
}

class PsqlReader {
 public:
  explicit PsqlReader(std::string& text) : text_(text), lines_(text_, 1), lexer_(text_) {}

  std::vector<PsqlCommand> read() {
    for (Token token = lexer_.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
         token = lexer_.next_code()) {
      if (token.kind == TokenKind::Backslash) {
        take_command(token.begin);
      } else if (lexer_.text(token) == ";") {
        send(token.begin);
      } else if (!started_) {
        started_ = true;
        begin_ = token.begin;
        copy_ = same_word(lexer_.text(token), "copy");
      }
    }
    return std::move(commands_);
  }

 private:
  void send(std::size_t end) {
    if (started_ && copy_ && reads_rows(std::string_view(text_).substr(begin_, end - begin_))) {
      blank_rows(end);
    }
    started_ = false;
  }

  // Blanks the lines up to one that contains only "\.", or to the end, as psql reads them.
  void blank_rows(std::size_t after) {
    std::size_t begin = text_.find('\n', after);
    bool ended = begin == std::string::npos;
    while (!ended) {
      ++begin;
      const std::size_t end = std::min(text_.find('\n', begin), text_.size());
      const std::string_view line = std::string_view(text_).substr(begin, end - begin);
      ended = end == text_.size() || line == "\\." || line == "\\.\r";
      blank(begin, end);
      begin = end;
    }
  }

  void take_command(std::size_t begin) {
    constexpr std::size_t kLongestWord = 40;
    const std::size_t end = end_of_command(begin);
    const std::string_view command = std::string_view(text_).substr(begin, end - begin);
    const std::string word(command.substr(0, std::min({command.find_first_of(" \t\r;", 1), command.size(), kLongestWord})));
    const bool rows = word == "\\copy" && reads_rows(command.substr(1));
    if (!is_among(word, kPassedOver) && !is_listing(word)) {
      commands_.push_back({word, lines_.line_of(begin)});
    }
    blank(begin, end);
    if (rows) {
      blank_rows(begin);
    }
    if (started_ && is_among(word, kSends)) {
      text_[begin] = ';';
      send(begin);
    }
  }

  // The end of the line, or the position after the "\\" that separates a command from SQL on the same line.
  [[nodiscard]] std::size_t end_of_command(std::size_t begin) const {
    bool quoted = false;
    for (std::size_t index = begin + 1; index < text_.size(); ++index) {
      const char c = text_[index];
      if (c == '\n') {
        return index;
      }
      quoted = c == '\'' ? !quoted : quoted;
      if (!quoted && c == '\\' && index + 1 < text_.size() && text_[index + 1] == '\\') {
        return index + 2;
      }
    }
    return text_.size();
  }

  void blank(std::size_t begin, std::size_t end) {
    std::fill(text_.begin() + static_cast<std::ptrdiff_t>(begin), text_.begin() + static_cast<std::ptrdiff_t>(end), ' ');
  }

  std::string& text_;
  LineCounter lines_;
  SqlLexer lexer_;  // reads the text after blanking, which is always ahead of it
  std::vector<PsqlCommand> commands_;
  std::size_t begin_ = 0;  // start of the statement
  bool started_ = false;
  bool copy_ = false;  // the statement begins with COPY
};

}  // namespace

std::vector<PsqlCommand> take_out_psql(std::string& text) {
  return PsqlReader(text).read();
}

}  // namespace athanor
