#include "migrations/schema/schema_files.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include "migrations/base/sha256.hpp"
#include "migrations/plan/server_statement.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/schema/rename_hints.hpp"
#include "migrations/text/line_ends.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor::schema {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostFiles = 100'000;
constexpr std::size_t kMostBytes = 256U << 20U;

// psql commands without a meaning for a schema.
constexpr std::array<std::string_view, 16> kPassedOver{
    "\\restrict", "\\unrestrict", "\\connect", "\\c", "\\encoding", "\\echo", "\\qecho", "\\pset",
    "\\timing",   "\\set",        "\\unset",   "\\x", "\\a",        "\\t",    "\\warn",  "\\prompt"};

std::string place_of(const std::string& name, int line) {
  return name + ":" + std::to_string(line);
}

Error at_line(std::string message, const std::string& name, int line) {
  return Error(ErrorCode::DesiredSchemaFailed, std::move(message)).at(place_of(name, line));
}

std::string_view first_word(std::string_view line) {
  const std::size_t begin = line.find_first_not_of(" \t");
  if (begin == std::string_view::npos) {
    return {};
  }
  const std::size_t end = std::min(line.find_first_of(" \t\r;", begin), line.size());
  return line.substr(begin, end - begin);
}

// Blanks out psql commands, so that line numbers stay the same. A backslash outside quotes begins one; the lexer knows quotes.
Result<void> remove_meta_commands(std::string& text, const std::string& name) {
  std::size_t start = 0;
  while (true) {
    SqlLexer lexer(text, start);
    Token token = lexer.next();
    while (token.kind != TokenKind::Backslash && token.kind != TokenKind::End && token.kind != TokenKind::Unterminated) {
      token = lexer.next();
    }
    if (token.kind != TokenKind::Backslash) {
      return {};  // the splitter reports an open quote
    }
    const std::size_t end = std::min(text.find('\n', token.begin), text.size());
    const std::string word(first_word(std::string_view(text).substr(token.begin, end - token.begin)));
    if (std::ranges::find(kPassedOver, word) == kPassedOver.end()) {
      const int line = count_lines(text, token.begin) + 1;
      if (word == "\\i" || word == "\\ir" || word == "\\include" || word == "\\include_relative") {
        return fail(at_line("files cannot be included with " + word, name, line)
                        .advise("name the files, or their folder, in desired_schema"));
      }
      return fail(at_line("the psql command " + word + " is not supported", name, line)
                      .advise("a schema file must contain only SQL; remove the line"));
    }
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(token.begin), text.begin() + static_cast<std::ptrdiff_t>(end), ' ');
    start = end;
  }
}

// The rows after COPY … FROM stdin would be parsed as SQL, so find the COPY first.
Result<void> refuse_rows(const std::string& text, const std::string& name) {
  SqlLexer lexer(text);
  bool copying = false;
  bool from = false;
  bool begins = true;
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    const std::string_view word = lexer.text(token);
    if (begins) {
      copying = same_word(word, "copy");
      from = false;
    } else if (copying && from && same_word(word, "stdin")) {
      return fail(at_line("COPY … FROM stdin: the file contains rows", name, count_lines(text, token.begin) + 1)
                      .advise("dump only the schema: pg_dump --schema-only"));
    }
    from = same_word(word, "from");
    begins = word == ";";
  }
  return {};
}

// PostgreSQL truncates longer names with only a notice; two names with the same beginning then collide.
Result<void> refuse_long_names(const std::string& text, const std::string& name) {
  constexpr std::size_t kMost = 63;
  SqlLexer lexer(text);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    const std::string_view word = lexer.text(token);
    const bool is_name = token.kind == TokenKind::Word || (token.kind == TokenKind::QuotedIdentifier && word.starts_with('"'));
    if (!is_name || word.size() <= kMost) {
      continue;
    }
    const std::string found = identifier_name(word);
    if (found.size() > kMost) {
      return fail(at_line("the name " + found + " has " + std::to_string(found.size()) +
                              " bytes, and PostgreSQL truncates names to " + std::to_string(kMost),
                          name, count_lines(text, token.begin) + 1)
                      .advise("write the truncated name"));
    }
  }
  return {};
}

// The first words in lower case and without quotes; empty if the statement has fewer.
std::array<std::string, 4> first_words(std::string_view sql) {
  SqlLexer lexer(sql);
  std::array<std::string, 4> words;
  for (std::string& word : words) {
    const Token token = lexer.next_code();
    for (const char letter : lexer.text(token)) {
      if (letter != '"') {
        word += lower_ascii(letter);
      }
    }
  }
  return words;
}

// Such a statement would change the whole scratch server, which may be shared, and outlive the scratch database.
bool changes_the_server(const std::array<std::string, 4>& words) {
  const auto& [first, second, third, fourth] = words;
  return (first == "alter" && second == "system") ||
         ((first == "create" || first == "alter" || first == "drop") && second == "tablespace") ||
         ((first == "reassign" || first == "drop") && second == "owned");
}

// GRANT role TO role, and what is said about roles, databases, tablespaces and settings: not about the schema.
bool is_about_server_objects(const std::array<std::string, 4>& words, std::string_view sql) {
  const std::string& first = words.front();
  return (first == "grant" || first == "revoke" || first == "comment" || first == "security") && is_about_server(sql);
}

// Statements to skip, because a scratch database would reject them or because they concern the whole server.
bool is_passed_over(const std::array<std::string, 4>& words) {
  const auto& [first, second, third, fourth] = words;
  if ((first == "create" || first == "alter" || first == "drop" || first == "comment") &&
      (second == "database" || third == "database")) {
    return true;
  }
  // Every database has the schema public, but pg_dump of old versions creates it anyway.
  if (first == "create" && second == "schema" && third == "public" && (fourth.empty() || fourth == ";")) {
    return true;
  }
  // Roles belong to the server, not to the schema; roles that statements name are provided.
  if ((first == "create" || first == "alter" || first == "drop") &&
      (second == "role" || (second == "user" && third != "mapping") || second == "group")) {
    return true;
  }
  // Everything is loaded in our own transactions.
  if (first == "begin" || first == "commit" || first == "end" || (first == "start" && second == "transaction")) {
    return true;
  }
  // Settings that pg_dump makes for its own session, including those that an older server does not know.
  return first == "set" && (second == "transaction_timeout" || second == "statement_timeout" || second == "lock_timeout" ||
                            second == "idle_in_transaction_session_timeout" || second == "client_min_messages" ||
                            second == "row_security" || second == "check_function_bodies");
}

Result<std::string> read_text(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "cannot read the schema file").at(path.string()));
  }
  // Never more than that, whatever the file is: /dev/zero has no end.
  std::string text;
  std::array<char, std::size_t{64} << 10U> part{};
  while (text.size() <= kMostBytes && (file.read(part.data(), part.size()) || file.gcount() > 0)) {
    text.append(part.data(), static_cast<std::size_t>(file.gcount()));
  }
  if (text.size() > kMostBytes) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "the schema file is larger than 256 MiB").at(path.string()));
  }
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.erase(0, 3);
  }
  // As in revisions: otherwise a function body would contain line ends that no revision can produce.
  return with_line_feeds(std::move(text));
}

Result<void> add_text(SchemaText& schema, std::string text, const std::string& name) {
  if (const auto bad = find_non_text(text)) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "the schema file is not UTF-8 text").at(name));
  }
  TRY(refuse_rows(text, name));
  TRY(remove_meta_commands(text, name));
  const auto& kept = schema.texts.emplace_back(std::make_shared<const std::string>(std::move(text)));
  auto statements = split_statements(*kept);
  if (!statements) {
    Error error = std::move(statements).error();
    error.code = ErrorCode::DesiredSchemaFailed;
    constexpr std::string_view kLine = "line ";
    error.context = error.context.starts_with(kLine) ? name + ":" + error.context.substr(kLine.size()) : name;
    return fail(std::move(error));
  }
  TRY(refuse_long_names(*kept, name));
  for (const SqlStatement& statement : *statements) {
    const auto words = first_words(statement.sql);
    if (changes_the_server(words)) {
      return fail(at_line("the statement changes the whole server, not a schema", name, statement.line)
                      .advise("remove it from the schema file, and run it by hand where needed"));
    }
    if (!is_passed_over(words) && !is_about_server_objects(words, statement.sql)) {
      schema.statements.push_back({statement.sql, place_of(name, statement.line)});
    }
  }
  collect_rename_hints(*kept, name, schema.renames);
  return {};
}

Result<std::vector<std::string>> files_of(const std::string& path) {
  std::error_code problem;
  const fs::file_status status = fs::status(path, problem);
  if (!fs::exists(status)) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "there is no schema file or folder " + path)
                    .advise("correct desired_schema in athanor.yaml; paths are relative to its folder"));
  }
  if (!fs::is_directory(status)) {
    return std::vector<std::string>{path};
  }
  std::vector<std::string> files;
  for (fs::recursive_directory_iterator entry(path, problem), end; !problem && entry != end; entry.increment(problem)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) {
      entry.disable_recursion_pending();
    } else if (name.ends_with(".sql") && entry->is_regular_file()) {
      files.push_back(entry->path().string());
    }
    if (files.size() > kMostFiles) {
      return fail(ErrorCode::DesiredSchemaFailed, "the folder " + path + " contains more than 100,000 files");
    }
  }
  if (files.empty()) {
    return fail(Error(ErrorCode::DesiredSchemaFailed, "the folder " + path + " contains no *.sql file")
                    .advise("for an empty desired schema, add a file with a comment"));
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace

Result<SchemaText> parse_schema_text(std::string text, const std::string& name) {
  SchemaText schema;
  schema.digest = sha256_hex(text);
  TRY(add_text(schema, std::move(text), name));
  return schema;
}

Result<SchemaText> read_schema_files(const std::vector<std::string>& paths) {
  SchemaText schema;
  Sha256 digest;
  for (const std::string& path : paths) {
    TRY_ASSIGN(const std::vector<std::string> files, files_of(path));
    for (const std::string& file : files) {
      TRY_ASSIGN(std::string text, read_text(file));
      digest.update(std::to_string(file.size()) + ":" + file + std::to_string(text.size()) + ":");
      digest.update(text);
      TRY(add_text(schema, std::move(text), file));
    }
  }
  schema.digest = digest.finish();
  return schema;
}

}  // namespace athanor::schema
