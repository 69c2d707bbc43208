#include "migrations/plan/statement_text.hpp"

#include <array>

namespace athanor {
namespace {

struct MetaCommand {
  std::string_view names;  // separated and surrounded by spaces
  std::string_view hint;
};
constexpr std::array<MetaCommand, 8> kMetaCommands{{
    {" copy ", "load rows with INSERT, or with COPY … FROM a file that the server can read"},
    {" . ", "COPY … FROM STDIN needs psql to send its data lines: load rows with INSERT (pg_dump --inserts)"},
    {" i ir include include_relative ", "put the statements of the included file here, or into their own revision"},
    {" c connect ", "a revision works on one database: set the URL instead"},
    {" g gx gexec gset gdesc crosstabview ",
     "end the statement with a semicolon; use a DO block with EXECUTE for generated SQL"},
    {" set unset if elif else endif ", "write the values out, or use a DO block"},
    {" restrict unrestrict ", "pg_dump writes this line for psql: remove it"},
    {" ! o w ", "a revision cannot reach the client's shell or files: remove the line"},
}};

}  // namespace

std::string_view trimmed(std::string_view text, std::size_t begin, std::size_t end) {
  while (end > begin && is_sql_space(text[end - 1])) {
    --end;
  }
  return text.substr(begin, end - begin);
}

std::string line_context(int line) {
  return "line " + std::to_string(line);
}

bool copies_client_data(std::string_view sql) {
  SqlLexer lexer(sql);
  Token token = lexer.next_code();
  if (token.kind != TokenKind::Word || !same_word(lexer.text(token), "copy")) {
    return false;
  }
  int depth = 0;
  bool direction = false;
  for (token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const auto word = lexer.text(token);
    if (token.kind == TokenKind::Symbol) {
      depth += word == "(" ? 1 : word == ")" ? -1 : 0;
    }
    const bool is_word = token.kind == TokenKind::Word && depth == 0;
    if (direction && is_word && (same_word(word, "stdin") || same_word(word, "stdout"))) {
      return true;
    }
    // FROM or TO must directly precede STDIN or STDOUT; elsewhere these words may be names.
    direction = is_word && (same_word(word, "from") || same_word(word, "to"));
  }
  return false;
}

Error client_copy_error(int line) {
  return Error(ErrorCode::UnsupportedStatement,
               "COPY with STDIN or STDOUT is not possible in a revision: there is no client to send or receive the rows")
      .at(line_context(line))
      .advise("load rows with INSERT, or with COPY … FROM a file that the server can read");
}

Error meta_command_error(std::string_view text, std::size_t position, int line) {
  std::size_t end = position + 1;
  while (end < text.size() && !is_sql_space(text[end]) && text[end] != ';' && end - position < 40) {
    const bool name_goes_on = (text[end] >= 'a' && text[end] <= 'z') || (text[end] >= 'A' && text[end] <= 'Z') ||
                              text[end] == '_' || (end == position + 1 && static_cast<unsigned char>(text[end]) < 0x80);
    if (!name_goes_on) {
      break;
    }
    ++end;
  }
  const std::string name(text.substr(position + 1, end - position - 1));
  std::string_view hint = "only psql understands backslash commands: remove it, or write SQL that does the same";
  for (const auto& command : kMetaCommands) {
    if (!name.empty() && command.names.find(" " + name + " ") != std::string_view::npos) {
      hint = command.hint;
    }
  }
  return Error(ErrorCode::UnsupportedStatement, "psql meta-command \\" + name + " is not SQL and cannot be used in a revision")
      .at(line_context(line))
      .advise(std::string(hint));
}

Error unterminated_error(std::string_view text, std::size_t position, int line) {
  std::string_view what = "quoted string";
  std::string_view hint = "close it with ' (a quote inside is written '')";
  switch (text[position]) {
    case '"':
      what = "quoted identifier";
      hint = "close it with \"";
      break;
    case '/':
      what = "block comment";
      hint = "close it with */ (block comments nest)";
      break;
    case '$':
      what = "dollar-quoted string";
      hint = "close it with the tag that opened it";
      break;
    default:
      break;
  }
  return Error(ErrorCode::MalformedRevision, "unterminated " + std::string(what))
      .at(line_context(line))
      .advise(std::string(hint));
}

}  // namespace athanor
