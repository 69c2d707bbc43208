#include "migrations/lint/linter.hpp"

#include <algorithm>
#include <utility>

#include "migrations/lint/newer_grammar.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr std::string_view kPlaceholder = "{batch}";
constexpr std::string_view kAnyRange = "(true) ";  // of the same length, so that positions in the text stay the same
static_assert(kPlaceholder.size() == kAnyRange.size());

std::string text_to_parse(const UnitStatement& statement) {
  std::string text(statement.statement.sql);
  if (statement.step == StepKind::Batch) {
    if (const auto place = text.find(kPlaceholder); place != std::string::npos) {
      text.replace(place, kPlaceholder.size(), kAnyRange);
    }
  }
  return text;
}

// A downgrade is expected to drop and rename, so these rules do not apply to it.
bool applies(const RuleSpec& rule, const LintUnit& unit) {
  const bool loss = rule.topic == RuleTopic::Loss || rule.topic == RuleTopic::Rename || rule.id == "drop-column";
  return rule.check != nullptr && !(unit.downgrade && loss);
}

}  // namespace

Linter::Linter(LintContext context, KnownSchema facts) : context_(std::move(context)), facts_(std::move(facts)) {}

void Linter::learn(const LintUnit& unit) {
  facts_.begin_unit();
  int transaction = 0;
  for (const UnitStatement& statement : unit.statements) {
    if (stop_requested()) {
      return;
    }
    // Parsing is the expensive part, and other statements teach nothing.
    if (!changes_schema(statement.statement.sql)) {
      continue;
    }
    const StatementView view(statement.statement, in_known_grammar(text_to_parse(statement)));
    facts_.apply(view, --transaction);  // a number that lint() never uses
  }
}

void Linter::lint(const LintUnit& unit) {
  facts_.begin_unit();
  transaction_ = {};
  session_ = {};
  if (!unit.plain) {
    session_.lock_timeout = context_.session_lock_timeout;
    session_.statement_timeout = context_.session_statement_timeout;
    session_.utc = context_.session_utc;
  }
  places_ = TextPlaces(*unit.text);
  paths_.push_back(unit.path);
  revisions_.push_back(unit.revision);
  for (const Finding& problem : unit.problems) {
    const RuleSpec* const rule = find_rule(problem.rule);
    Found found{problem, paths_.size() - 1, {problem.line, kProblem}};
    found.finding.severity = level_of(*rule, context_.settings);
    if (found.finding.severity != Severity::Off) {
      found_.push_back(std::move(found));
    }
  }
  take_allows(unit);
  for (const UnitStatement& statement : unit.statements) {
    if (stop_requested()) {
      return;
    }
    lint_statement(unit, statement);
  }
}

bool Linter::stop_requested() {
  stopped_ = stopped_ || context_.stop.requested();
  return stopped_;
}

void Linter::lint_statement(const LintUnit& unit, const UnitStatement& statement) {
  ++statements_;
  places_.begin_statement(static_cast<std::size_t>(statement.statement.sql.data() - unit.text->data()));
  // Locks end with their transaction.
  if (statement.transaction != transaction_.number) {
    transaction_ = {};
    transaction_.number = statement.transaction;
  }
  const StatementView view(statement.statement, in_known_grammar(text_to_parse(statement)));
  if (!view.parsed()) {
    note_unclassified(unit, statement);
    return;
  }
  judge(unit, statement, view, false);
  if (view.is("DoStmt")) {
    judge_block(unit, statement);
  }
}

void Linter::judge(const LintUnit& unit, const UnitStatement& statement, const StatementView& view, bool nested) {
  std::vector<Finding> findings;
  StatementCheck check(context_, unit, statement, view, facts_, transaction_, session_, places_, findings, nested);
  for (const RuleSpec& rule : rules()) {
    if (applies(rule, unit)) {
      check.run(rule);
    }
  }
  for (Finding& finding : findings) {
    if (finding.rule == "work-after-ael") {
      transaction_.work_reported = true;
    }
    found_.push_back({std::move(finding), paths_.size() - 1, key_of(unit, statement)});
  }
  note_foreign_keys(unit, statement, view);
  note_not_valid(unit, statement, view);
  note_triggers(unit, statement, view);
  // After the rules, which must see the state before the statement.
  remember(statement, view);
}

// The plain statements of a DO block run in its transaction; their findings are reported on the block's first line.
void Linter::judge_block(const LintUnit& unit, const UnitStatement& statement) {
  const auto tree = StatementTree::of_procedure(statement.statement.sql);
  if (!tree) {
    return;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    const TreeNode code = root.at(index)["PLpgSQL_stmt_execsql"]["sqlstmt"]["PLpgSQL_expr"]["query"];
    if (!code) {
      continue;
    }
    const std::string text = code.text();
    const UnitStatement inner{{text, statement.statement.line}, statement.step, statement.transaction, true};
    const StatementView view(inner.statement, in_known_grammar(text));
    if (view.parsed()) {
      judge(unit, {statement.statement, statement.step, statement.transaction, true}, view, true);
    }
  }
}

void Linter::report(const LintUnit& unit, const UnitStatement& statement, std::string_view rule, const QualifiedName& table,
                    std::string message, std::string fix, std::vector<Found>& into) {
  const RuleSpec& spec = *find_rule(rule);
  Finding finding;
  finding.severity = level_of(spec, context_.settings);
  if (finding.severity == Severity::Off) {
    return;
  }
  finding.rule = rule;
  finding.path = unit.path;
  finding.revision = unit.revision;
  finding.table = table.empty() ? std::string() : table.sql();
  finding.message = std::move(message);
  finding.fix = std::move(fix);
  const TextPlace place = places_.at(static_cast<std::size_t>(statement.statement.sql.data() - unit.text->data()));
  finding.line = place.line;
  finding.column = place.column;
  into.push_back({std::move(finding), paths_.size() - 1, key_of(unit, statement)});
}

void Linter::note_unclassified(const LintUnit& unit, const UnitStatement& statement) {
  const bool too_long = statement.statement.sql.size() > StatementTree::kMostBytes;
  report(unit, statement, "unclassified", {},
         too_long ? "lint reads statements of at most 1 MiB, and this one is longer"
                  : "lint cannot parse this statement: it is wrong, newer than the grammar that lint knows, or nested too deep",
         "check its locks yourself, and accept it: -- athanor:allow unclassified …", found_);
}

void Linter::note_foreign_keys(const LintUnit& unit, const UnitStatement& statement, const StatementView& view) {
  const QualifiedName& table = view.relation();
  const auto note = [&](const std::vector<std::string>& columns, const QualifiedName& parent) {
    const std::string list = column_list(columns);
    std::vector<Found> found;
    report(
        unit, statement, "fk-unindexed", table,
        "no index of " + table.sql() + " begins with (" + list + "): each DELETE in " + parent.sql() + " reads all of " +
            table.sql(),
        std::string("CREATE INDEX ") + (facts_.is_new(table) ? "" : "CONCURRENTLY ") + "ON " + table.sql() + " (" + list + ");",
        found);
    if (!found.empty() && !columns.empty()) {
      open_keys_.push_back({std::move(found.front()), table, columns});
    }
  };
  for (const ColumnParts& column : view.new_columns()) {
    if (column.references && !column.primary_key && !column.unique) {
      note({column.name}, relation_in(column.references["pktable"]));
    }
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    if (constraint.is("CONSTR_FOREIGN")) {
      note(constraint.columns, constraint.references);
    }
  }
}

void Linter::note_not_valid(const LintUnit& unit, const UnitStatement& statement, const StatementView& view) {
  for (const ConstraintParts& constraint : view.new_constraints()) {
    if (view.creates_table() || !constraint.not_valid || constraint.name.empty() || facts_.is_new(view.relation())) {
      continue;
    }
    std::vector<Found> found;
    report(unit, statement, "not-validated", view.relation(),
           "constraint " + quote_identifier(constraint.name) + " is NOT VALID, and no linted revision validates it",
           "ALTER TABLE " + view.relation().sql() + " VALIDATE CONSTRAINT " + quote_identifier(constraint.name) +
               ";  -- in a later transaction",
           found);
    if (!found.empty()) {
      open_constraints_.push_back({std::move(found.front()), view.relation(), constraint.name});
    }
  }
}

// DROP TRIGGER followed by CREATE TRIGGER replaces a trigger.
void Linter::note_triggers(const LintUnit& unit, const UnitStatement& statement, const StatementView& view) {
  if (view.is("CreateTrigStmt")) {
    open_triggers_.erase({paths_.size() - 1, view.relation(), view.node()["trigname"].text()});
  }
  if (unit.downgrade || !view.is("DropStmt") || view.object_type() != "OBJECT_TRIGGER") {
    return;
  }
  for (const TreeNode& object : items_of(view.node()["objects"])) {
    const QualifiedName table = owner_in(object["List"]["items"]);
    const std::string name = name_in(object["List"]["items"]).name;
    std::vector<Found> found;
    if (!facts_.is_new(table)) {
      report(unit, statement, "drop-trigger", table,
             "what trigger " + quote_identifier(name) + " did for rows of " + table.sql() +
                 " is no longer done from the commit on, and no statement fails",
             "move what it does into the application first, or create the new one in the same transaction", found);
    }
    if (!found.empty()) {
      open_triggers_.insert_or_assign(OpenTrigger{paths_.size() - 1, table, name}, std::move(found.front()));
    }
  }
}

void Linter::remember(const UnitStatement& statement, const StatementView& view) {
  for (const TableLock& lock : statement_locks(view, facts_)) {
    if (!facts_.is_new(lock.table)) {
      LockMode& held = transaction_.held[lock.table];
      held = std::max(held, lock.mode);
      auto& exclusive = transaction_.held_exclusively;
      if (held == LockMode::AccessExclusive && (!exclusive || lock.table < *exclusive)) {
        exclusive = lock.table;
      }
      transaction_.schema_changed =
          transaction_.schema_changed || (lock.mode >= LockMode::ShareRowExclusive && !view.is("LockStmt"));
    }
  }
  if (!view.actions().empty()) {
    transaction_.altered.try_emplace(view.relation(), statement.statement.line);
  }
  for (const ConstraintParts& constraint : view.new_constraints()) {
    if (constraint.not_valid) {
      transaction_.added_not_valid[view.relation()].insert(constraint.name);
    }
  }
  for (const AlterAction& action : view.actions()) {
    if (action.kind == "AT_DropConstraint" && is_set(action.node["missing_ok"])) {
      session_.dropped_if_exists.insert(action.name);
    } else if (action.kind == "AT_AddConstraint") {
      session_.dropped_if_exists.erase(action.name);
    }
  }
  remember_setting(view);
  facts_.apply(view, statement.transaction);
}

void Linter::remember_setting(const StatementView& view) {
  if (!view.is("VariableSetStmt") || view.node()["kind"].value() != "VAR_SET_VALUE") {
    return;
  }
  const std::string name = lowered(view.node()["name"].text());
  const TreeNode value = view.node()["args"].first()["A_Const"];
  const std::string text = value["sval"]["sval"].text();
  const bool zero = (value["ival"] && number_in(view.node()["args"].first(), 1) == 0) || text == "0";
  if (name == "lock_timeout") {
    session_.lock_timeout = !zero;
  } else if (name == "statement_timeout") {
    session_.statement_timeout = !zero;
  } else if (name == "timezone") {
    session_.utc = text == "UTC" || text == "utc" || text == "Etc/UTC" || text == "GMT";
  }
}

Linter::StatementKey Linter::key_of(const LintUnit& unit, const UnitStatement& statement) {
  return {statement.statement.line, static_cast<std::size_t>(statement.statement.sql.data() - unit.text->data())};
}

void Linter::take_allows(const LintUnit& unit) {
  std::vector<StatementKey> keys;
  for (const UnitStatement& statement : unit.statements) {
    keys.push_back(key_of(unit, statement));
  }
  for (const Finding& problem : unit.problems) {
    if (problem.rule == "unclassified") {  // a psql command counts as a statement
      keys.push_back({problem.line, kProblem});
    }
  }
  std::ranges::sort(keys);
  for (const AllowDirective& directive : unit.allows) {
    Allow allow{directive, paths_.size() - 1, {}, false};
    if (directive.scope == AllowScope::Revision) {
      allow.statements = {StatementKey()};
    } else if (const auto next = std::ranges::upper_bound(keys, directive.line, {}, &StatementKey::line); next != keys.end()) {
      // A statement and the psql command that ends it, such as \gexec, are one.
      allow.statements = {*next, {next->line, kProblem}};
    }
    allows_.push_back(std::move(allow));
  }
}

void Linter::settle_open() {
  for (OpenForeignKey& key : open_keys_) {
    const KnownTable* const facts = facts_.find(key.table);
    const bool small = facts != nullptr && facts->rows && *facts->rows < context_.settings.small_table_rows;
    if (facts != nullptr && !small && !facts_.has_index_on(key.table, key.columns)) {
      found_.push_back(std::move(key.found));
    }
  }
  for (auto& [trigger, found] : open_triggers_) {
    found_.push_back(std::move(found));
  }
  for (OpenConstraint& constraint : open_constraints_) {
    const KnownConstraint* const facts = facts_.constraint(constraint.table, constraint.name);
    if (facts != nullptr && !facts->validated) {
      found_.push_back(std::move(constraint.found));
    }
  }
}

bool Linter::is_allowed(const Found& found) {
  bool allowed = false;
  for (const StatementKey& statement : {StatementKey(), found.statement}) {
    if (const auto here = allows_at_.find({found.unit, statement, found.finding.rule}); here != allows_at_.end()) {
      for (const std::size_t index : here->second) {
        allows_[index].used = true;
      }
      allowed = true;
    }
  }
  return allowed;
}

void Linter::report_unused_allows(std::vector<Found>& findings) {
  for (const Allow& allow : allows_) {
    const RuleSpec* const named = find_rule(allow.directive.rule);
    const bool off = named != nullptr && level_of(*named, context_.settings) == Severity::Off;
    if (allow.used || off) {
      continue;
    }
    const RuleSpec& rule = *find_rule(named == nullptr ? "allow-unknown-rule" : "allow-unused");
    Finding finding;
    finding.rule = rule.id;
    finding.severity = level_of(rule, context_.settings);
    finding.path = paths_[allow.unit];
    finding.revision = revisions_[allow.unit];
    finding.line = allow.directive.line;
    finding.message = named == nullptr ? "unknown rule `" + allow.directive.rule + "`"
                                       : "no finding here of rule " + allow.directive.rule + ", so this line has no effect";
    finding.fix = named == nullptr ? suggest_rule(allow.directive.rule) : "remove the line";
    if (finding.severity != Severity::Off) {
      findings.push_back({std::move(finding), allow.unit, {}});
    }
  }
}

std::vector<Finding> Linter::finish() {
  settle_open();
  for (std::size_t index = 0; index < allows_.size(); ++index) {
    const Allow& allow = allows_[index];
    for (const StatementKey& statement : allow.statements) {
      allows_at_[{allow.unit, statement, allow.directive.rule}].push_back(index);
    }
  }
  std::vector<Found> kept;
  for (Found& found : found_) {
    if (!is_allowed(found)) {
      kept.push_back(std::move(found));
    }
  }
  report_unused_allows(kept);
  std::ranges::stable_sort(kept, [](const Found& a, const Found& b) {
    return std::pair(a.unit, a.finding.line) < std::pair(b.unit, b.finding.line);
  });
  std::vector<Finding> findings;
  findings.reserve(kept.size());
  for (Found& found : kept) {
    findings.push_back(std::move(found.finding));
  }
  return findings;
}

std::vector<Finding> lint(const Plan& plan, const LintContext& context, KnownSchema facts) {
  Linter linter(context, std::move(facts));
  for (const PlannedRevision& revision : plan.revisions) {
    if (revision.script) {
      linter.lint(unit_of(revision));
    }
  }
  return linter.finish();
}

std::vector<Finding> lint(const RevisionScript& script, Direction direction, const std::string& path,
                          const LintContext& context) {
  Linter linter(context);
  linter.lint(unit_of(script, direction, path, {}));
  return linter.finish();
}

}  // namespace athanor
