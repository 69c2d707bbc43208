// Finds statements that destroy what no downgrade can restore: the basis of approvals and backups "when destructive".
//
// Works on the parse tree and assumes the worst: a kind of statement, a function or code that is not known to be harmless is
// destructive. Everything inside a statement is checked with it, because the tree is a flat list. A statement does not show the
// triggers and rules that will run; their functions are checked when they are created. docs/spec/database-migration.md lists
// the rules.
#include <algorithm>
#include <array>

#include "migrations/plan/destruction_rules.hpp"
#include "migrations/plan/known_functions.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

constexpr std::size_t kShown = 160;
constexpr int kMostNested = 4;  // levels of DO blocks inside DO blocks

// Verbs of destructive statements. If PL/pgSQL's tree shows fewer of them than its text, part of the code was not checked.
constexpr std::array<std::string_view, 10> kVerbs{"delete", "truncate", "drop",   "update", "merge",
                                                  "alter",  "grant",    "revoke", "call",   "execute"};
constexpr std::string_view kPlaceholder = "{batch}";
constexpr std::string_view kAnyRange = "(true) ";  // of the same length, so that positions in the text stay the same
static_assert(kPlaceholder.size() == kAnyRange.size());

// Over all batches, every row is in range: treat the placeholder as true.
std::string without_placeholder(std::string_view sql) {
  std::string text(sql);
  if (text.find(kPlaceholder) == std::string::npos) {
    return text;
  }
  SqlLexer lexer(sql);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    if (token.kind == TokenKind::Symbol && sql.substr(token.begin).starts_with(kPlaceholder)) {
      text.replace(token.begin, kPlaceholder.size(), kAnyRange);
    }
  }
  return text;
}

std::size_t count_verbs(std::string_view code) {
  std::size_t verbs = 0;
  SqlLexer lexer(code);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
    const auto is_word = [&](std::string_view verb) { return same_word(lexer.text(token), verb); };
    verbs += token.kind == TokenKind::Word && std::ranges::any_of(kVerbs, is_word) ? 1U : 0U;
  }
  return verbs;
}

// The value of an option of DO or CREATE FUNCTION.
TreeNode option(const TreeNode& options, std::string_view name) {
  for (TreeNode item = options.first(); item; item = item.next(options)) {
    if (item["DefElem"]["defname"].value() == name) {
      return item["DefElem"]["arg"];
    }
  }
  return {};
}

class DestructionJudge {
 public:
  // `runs`: the statement runs now, so calls of unknown functions count. Otherwise it is only defined.
  bool destroys(std::string_view sql, bool runs) {
    const std::string text = without_placeholder(sql);
    const auto tree = StatementTree::of_sql(text);
    // Text that cannot be parsed cannot be proven harmless.
    return !tree || tree_destroys(*tree, text, runs);
  }

 private:
  bool tree_destroys(const StatementTree& tree, std::string_view text, bool runs) {
    const TreeNode statements = tree.root()["stmts"];
    for (TreeNode item = statements.first(); item; item = item.next(statements)) {
      const TreeNode statement = item["stmt"];
      const bool executes = runs && runs_expressions(statement.first().key());
      std::uint32_t kept_until = 0;  // a column's new default is evaluated later, when rows are inserted
      std::uint32_t run_until = 0;   // the part of a definition that is evaluated immediately
      for (std::uint32_t index = statement.begin(); index < statement.end(); ++index) {
        const TreeNode node = statement.at(index);
        if (node.key() == "AlterTableCmd" && node["subtype"].value() == "AT_ColumnDefault") {
          kept_until = node.end();
        }
        if (evaluates_at_once(node)) {
          run_until = std::max(run_until, node.end());
        }
        if (node_destroys(node, (executes && index >= kept_until) || (runs && index < run_until))) {
          return true;
        }
      }
      // libpg_query parses the code of all statements in a text at once, so code in a text of several statements cannot be
      // assigned to one.
      const bool holds_code = statement["DoStmt"] || statement["CreateFunctionStmt"];
      if (holds_code &&
          (item.next(statements) || !(item.begin() == statements.begin() + 1) || code_destroys(statement, text, runs))) {
        return true;
      }
    }
    return false;
  }

  static bool node_destroys(const TreeNode& node, bool executes) {
    const std::string_view key = node.key();
    if (key.empty() || key.front() < 'A' || key.front() > 'Z') {  // a field and not a node
      return false;
    }
    if (key == "FuncCall") {
      return call_destroys(node, executes);
    }
    return statement_destroys(node);
  }

  static bool call_destroys(const TreeNode& call, bool executes) {
    const TreeNode names = call["funcname"];
    const TreeNode first = names.first();
    const TreeNode second = first ? first.next(names) : TreeNode();
    const bool qualified = static_cast<bool>(second);
    const std::string_view name = (qualified ? second : first)["String"]["sval"].value();
    // Unqualified names count as the server's: an own function of the same name would shadow it only with an unusual
    // search_path.
    const bool of_server = !qualified || first["String"]["sval"].value() == "pg_catalog";
    return is_dangerous_function(name) || (name == "set_config" && sets_identity(call)) ||
           (executes && !(of_server && is_known_function(name)));
  }

  // DO or CREATE FUNCTION, which must be the only statement of `text`.
  bool code_destroys(const TreeNode& statement, std::string_view text, bool runs) {
    const bool block = static_cast<bool>(statement["DoStmt"]);
    const TreeNode options = block ? statement["DoStmt"]["args"] : statement["CreateFunctionStmt"]["options"];
    const TreeNode code = option(options, "as");
    const TreeNode named = option(options, "language");
    const std::string_view language = named ? named["String"]["sval"].value() : (block ? "plpgsql" : "sql");
    if (!code) {
      return language != "sql";  // RETURN or BEGIN ATOMIC: the body is part of the tree already
    }
    const std::string body = (block ? code : code["List"]["items"].first())["String"]["sval"].text();
    if (nested_ >= kMostNested) {
      return true;
    }
    ++nested_;
    const bool destroyed = language == "sql"       ? block || destroys(body, false)
                           : language == "plpgsql" ? procedure_destroys(text, body, runs && block)
                                                   : true;
    --nested_;
    return destroyed;
  }

  bool procedure_destroys(std::string_view statement, std::string_view body, bool runs) {
    const auto tree = StatementTree::of_procedure(statement);
    if (!tree) {
      return true;
    }
    std::size_t verbs = 0;
    const TreeNode root = tree->root();
    for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
      const TreeNode node = root.at(index);
      const std::string_view key = node.key();
      // Dynamic SQL is not known before it runs.
      if (key == "PLpgSQL_stmt_dynexecute" || key == "PLpgSQL_stmt_dynfors" || key == "dynquery") {
        return true;
      }
      if (key == "PLpgSQL_expr") {
        const std::string code = node["query"].text();
        verbs += count_verbs(code);
        if (expression_destroys(code, runs)) {
          return true;
        }
      }
    }
    return count_verbs(body) > verbs;
  }

  // A statement, an expression or an assignment of PL/pgSQL.
  bool expression_destroys(const std::string& code, bool runs) {
    if (const auto tree = StatementTree::of_sql(code)) {
      return tree_destroys(*tree, code, runs);
    }
    // Not a statement, so perhaps an expression.
    const std::string query = "SELECT " + code;
    if (const auto tree = StatementTree::of_sql(query)) {
      return tree_destroys(*tree, query, runs);
    }
    // Not an expression either, so perhaps `variable := value` or `record.field[i] = value`: check both sides.
    SqlLexer lexer(code);
    int depth = 0;
    for (Token token = lexer.next_code(); token.kind != TokenKind::End; token = lexer.next_code()) {
      const char symbol = token.kind == TokenKind::Symbol ? code[token.begin] : '\0';
      depth += symbol == '(' || symbol == '[' ? 1 : symbol == ')' || symbol == ']' ? -1 : 0;
      if (depth == 0 && (symbol == ':' || symbol == '=')) {
        const std::size_t value = code.find('=', token.begin);
        return value == std::string::npos || destroys("SELECT " + code.substr(0, token.begin), runs) ||
               destroys("SELECT " + code.substr(value + 1), runs);
      }
    }
    return true;
  }

  int nested_ = 0;
};

}  // namespace

std::string destroyed_by(std::string_view sql) {
  return DestructionJudge().destroys(sql, true) ? sanitise_sql(sql, kShown) : std::string();
}

}  // namespace athanor
