#include "migrations/lint/statement_check.hpp"

#include <algorithm>

namespace athanor {

bool StatementCheck::is_small(const QualifiedName& table) const {
  const KnownTable* const facts = facts_.find(table);
  return facts != nullptr && facts->rows && *facts->rows < context_.settings.small_table_rows;
}

void StatementCheck::run(const RuleSpec& rule) {
  rule_ = &rule;
  rule.check(*this);
  rule_ = nullptr;
}

void StatementCheck::report(Danger danger) {
  const bool named = !danger.table.empty();
  if (named && ((rule_->quiet_on_new && is_new(danger.table)) || (rule_->quiet_on_small && is_small(danger.table)))) {
    return;
  }
  Finding finding;
  finding.severity = level_of(*rule_, context_.settings, danger.severity);
  if (finding.severity == Severity::Off) {
    return;
  }
  finding.rule = rule_->id;
  finding.path = unit_.path;
  finding.revision = unit_.revision;
  finding.table = named ? danger.table.sql() : std::string();
  finding.message = std::move(danger.message);
  finding.fix = std::move(danger.fix);
  const std::string_view sql = statement_.statement.sql;
  const auto begin = static_cast<std::size_t>(sql.data() - unit_.text->data());
  const int inside = nested_ ? -1 : location_of(danger.at);
  const bool within = inside > 0 && static_cast<std::size_t>(inside) < sql.size();
  const TextPlace place = places_.at(begin + (within ? static_cast<std::size_t>(inside) : 0));
  finding.line = place.line;
  finding.column = place.column;
  findings_.push_back(std::move(finding));
}

Severity level_of(const RuleSpec& rule, const LintSettings& settings, std::optional<Severity> milder) {
  const auto chosen = settings.levels.find(std::string(rule.id));
  const Severity level = chosen == settings.levels.end() ? rule.severity : chosen->second;
  return milder && chosen == settings.levels.end() ? std::min(level, *milder) : level;
}

}  // namespace athanor
