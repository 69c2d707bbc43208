// Rules about triggers, policies, rules, privileges, and code that lint cannot read.
#include <algorithm>
#include <array>

#include "migrations/lint/rules.hpp"
#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"

namespace athanor::rule {
namespace {

constexpr std::string_view kBrief = "SET LOCAL lock_timeout = '2s';  -- and keep the transaction short";

void report_lock(StatementCheck& check, const QualifiedName& table, const std::string& what, LockMode mode) {
  check.report({.table = table,
                .message = what + " takes " + std::string(lock_name(mode)) + " on " + table.sql() +
                           " until the transaction ends: its " + std::string(blocked_by(mode)) +
                           " wait until then, and while the statement itself waits for the lock",
                .fix = std::string(kBrief),
                .severity = milder_with_lock_timeout(check)});
}

bool is_public(const TreeNode& grantee) {
  return grantee["RoleSpec"]["roletype"].value() == "ROLESPEC_PUBLIC";
}

// The prefix of a SCRAM verifier, which is not a password but allows guessing it offline.
constexpr std::string_view kScram = "SCRAM-SHA-256$";

// Whether the connection string of a subscription contains a password.
bool holds_password(std::string_view connection) {
  const auto scheme = connection.find("://");
  const auto at = connection.find('@', scheme == std::string_view::npos ? connection.size() : scheme);
  return contains_word(connection, "password") ||
         (at != std::string_view::npos && connection.substr(scheme + 3, at - scheme - 3).find(':') != std::string_view::npos);
}

// The literal password in the statement; empty: none.
std::string password_in(const StatementView& view) {
  constexpr std::array<std::string_view, 4> kWithOption{"CreateRoleStmt", "AlterRoleStmt", "CreateUserMappingStmt",
                                                        "AlterUserMappingStmt"};
  if (std::ranges::find(kWithOption, view.kind()) != kWithOption.end()) {
    return string_in(option_in(view.node()["options"], "password")["arg"]);
  }
  if (view.is("CreateSubscriptionStmt") || view.is("AlterSubscriptionStmt")) {
    std::string connection = view.node()["conninfo"].text();
    return holds_password(connection) ? connection : std::string();
  }
  return {};
}

}  // namespace

void trigger_create(StatementCheck& check) {
  if (check.view().is("CreateTrigStmt")) {
    report_lock(check, check.view().relation(), "CREATE TRIGGER", LockMode::ShareRowExclusive);
  }
}

void triggers_disabled(StatementCheck& check) {
  constexpr std::array<std::string_view, 3> kOff{"AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser"};
  for (const AlterAction& action : check.view().actions()) {
    if (std::ranges::find(kOff, action.kind) != kOff.end()) {
      check.report({.table = check.view().relation(),
                    .message = "rows written meanwhile, including those of the application, bypass the triggers" +
                               std::string(action.kind == "AT_DisableTrigAll" ? ", including those of foreign keys" : ""),
                    .fix = "let the triggers run, or make them check a setting of this transaction",
                    .at = action.node});
    }
  }
  const TreeNode& node = check.view().node();
  if (check.view().is("VariableSetStmt") && node["name"].text() == "session_replication_role") {
    check.report({.message = "session_replication_role disables triggers and foreign keys for every statement that follows: "
                             "rows without a parent remain, and nothing detects them later",
                  .fix = "write parents before children, or make the constraints DEFERRABLE"});
  }
}

void rls_enable(StatementCheck& check) {
  constexpr std::array<std::string_view, 4> kKinds{"AT_EnableRowSecurity", "AT_DisableRowSecurity", "AT_ForceRowSecurity",
                                                   "AT_NoForceRowSecurity"};
  for (const AlterAction& action : check.view().actions()) {
    if (std::ranges::find(kKinds, action.kind) == kKinds.end()) {
      continue;
    }
    const bool enable = action.kind == "AT_EnableRowSecurity";
    const QualifiedName& table = check.view().relation();
    check.report({.table = table,
                  .message = "row-level security takes ACCESS EXCLUSIVE on " + table.sql() +
                             (enable ? ", and from the commit on everyone but the owner sees only the rows that a policy allows"
                                     : ", and from the commit on other rows are visible"),
                  .fix = enable ? "create the policies first, in the same transaction" : std::string(kBrief),
                  .at = action.node});
  }
}

void policy_change(StatementCheck& check) {
  const StatementView& view = check.view();
  if (view.is("CreatePolicyStmt") || view.is("AlterPolicyStmt")) {
    report_lock(check, view.relation(), view.is("CreatePolicyStmt") ? "CREATE POLICY" : "ALTER POLICY",
                LockMode::AccessExclusive);
  } else if (view.is("DropStmt") && view.object_type() == "OBJECT_POLICY") {
    for (const TreeNode& object : items_of(view.node()["objects"])) {
      report_lock(check, owner_in(object["List"]["items"]), "DROP POLICY", LockMode::AccessExclusive);
    }
  }
}

void rule_create(StatementCheck& check) {
  if (check.view().is("RuleStmt")) {
    report_lock(check, check.view().relation(), "CREATE RULE", LockMode::AccessExclusive);
  }
}

void grant_to_public(StatementCheck& check) {
  const bool later = check.view().is("AlterDefaultPrivilegesStmt");
  const TreeNode grant = later ? check.view().node()["action"] : check.view().node();
  if ((!later && !check.view().is("GrantStmt")) || !is_set(grant["is_grant"]) ||
      std::ranges::none_of(items_of(grant["grantees"]), is_public)) {
    return;
  }
  check.report({.message = std::string("PUBLIC is every role of the server, including roles that are created later") +
                           (later ? ", and they can use everything created from now on" : ""),
                .fix = "grant it to a role, and grant that role to those who need it"});
}

void password_in_file(StatementCheck& check) {
  const std::string password = password_in(check.view());
  if (password.empty()) {
    return;
  }
  const bool verifier = password.starts_with(kScram);
  check.report(
      {.message = verifier ? "the password's verifier stays in the file and its history: passwords can be guessed against it"
                           : "the password stays in the file, in its history and in the server's log",
       .fix = "set it outside of migrations, with psql's \\password or from a secret store, and change this one",
       .severity = verifier ? std::optional(Severity::Warning) : std::nullopt});
}

void copy_program(StatementCheck& check) {
  if (check.view().is("CopyStmt") && is_set(check.view().node()["is_program"])) {
    check.report({.message = "PROGRAM runs a shell command on the server's machine, as the user that PostgreSQL runs as",
                  .fix = "run the program on a client, and copy its output: psql's \\copy"});
  }
}

void security_definer_search_path(StatementCheck& check) {
  const StatementView& view = check.view();
  const TreeNode options = view.node()["options"];
  if (!view.is("CreateFunctionStmt") || !option_is_on(options, "security")) {
    return;
  }
  for (const TreeNode& item : items_of(options)) {
    if (item["DefElem"]["arg"]["VariableSetStmt"]["name"].text() == "search_path") {
      return;
    }
  }
  check.report(
      {.message = "a SECURITY DEFINER function without a search_path of its own runs with the caller's: whoever can create a "
                  "function or table there runs code as its owner",
       .fix = "SET search_path = pg_catalog, pg_temp  -- in the function's definition, and qualified names in its body"});
}

void dynamic_sql(StatementCheck& check) {
  if (!check.view().is("DoStmt")) {
    return;
  }
  const std::string language = string_in(option_in(check.view().node()["args"], "language")["arg"]);
  if (!language.empty() && language != "plpgsql") {
    check.report({.message = "lint does not read " + quote_identifier(language) + ": nothing is known about what this DO does",
                  .fix = "write the statements out, or look at what they take in a rehearsal"});
    return;
  }
  const auto tree = StatementTree::of_procedure(check.view().statement().sql);
  constexpr std::array<std::string_view, 3> kDynamic{"PLpgSQL_stmt_dynexecute", "PLpgSQL_stmt_dynfors", "dynquery"};
  bool found = !tree;
  const TreeNode root = tree ? tree->root() : TreeNode();
  for (std::uint32_t index = root.begin(); index < root.end() && !found; ++index) {
    found = std::ranges::find(kDynamic, root.at(index).key()) != kDynamic.end();
  }
  if (found) {
    check.report({.message = tree ? "EXECUTE runs SQL that is built at run time, which lint cannot check"
                                  : "lint cannot parse the code of DO, and so cannot check it",
                  .fix = "write out the statement, or check its locks in a rehearsal"});
  }
}

}  // namespace athanor::rule
