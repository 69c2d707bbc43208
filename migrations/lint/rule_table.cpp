#include <algorithm>
#include <array>
#include <unordered_map>
#include <vector>

#include "migrations/lint/rule.hpp"
#include "migrations/lint/rule_parts.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor {
namespace {

constexpr std::array<std::string_view, 11> kTopics{"Indexes",
                                                   "Constraints",
                                                   "Columns",
                                                   "Types and names",
                                                   "Renames",
                                                   "Loss",
                                                   "Rows",
                                                   "Transactions and sessions",
                                                   "Partitions and storage",
                                                   "Triggers, policies and rights",
                                                   "Lint itself"};
static_assert(kTopics.size() == static_cast<std::size_t>(RuleTopic::Lint) + 1);

std::vector<RuleSpec> joined() {
  std::vector<RuleSpec> all;
  for (const auto part : {index_rules(), constraint_rules(), column_rules(), design_rules(), loss_rules(), run_rules()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

std::string claim_line(const Claim& claim) {
  std::string line;
  const auto add = [&line](const std::string& part) { line += (line.empty() ? "" : ", ") + part; };
  if (claim.lock != LockMode::None) {
    add(std::string(lock_name(claim.lock)) + " on the table");
  }
  if (claim.other != LockMode::None) {
    add(std::string(lock_name(claim.other)) + (claim.lock == LockMode::None ? " on the older table" : " on the other table"));
  }
  if (claim.rewrites) {
    add("rewrite");
  } else if (claim.scans) {
    add("full scan");
  }
  if (claim.fails) {
    add("the server refuses it");
  }
  return line;
}

}  // namespace

std::string_view topic_title(RuleTopic topic) {
  return kTopics[static_cast<std::size_t>(topic)];
}

std::span<const RuleSpec> rules() {
  static const std::vector<RuleSpec> kRules = joined();
  return kRules;
}

const RuleSpec* find_rule(std::string_view id) {
  static const auto kById = [] {
    std::unordered_map<std::string_view, const RuleSpec*> by_id;
    for (const RuleSpec& rule : rules()) {
      by_id.emplace(rule.id, &rule);
    }
    return by_id;
  }();
  const auto found = kById.find(id);
  return found == kById.end() ? nullptr : found->second;
}

std::string suggest_rule(std::string_view id) {
  std::vector<std::string_view> names;
  for (const RuleSpec& rule : rules()) {
    names.push_back(rule.id);
  }
  const std::string_view near = closest_name(id, names);
  return near.empty() ? "`athanor lint --list-rules` lists the names" : "did you mean `" + std::string(near) + "`?";
}

std::string rule_section(const RuleSpec& rule) {
  std::string text = "### " + std::string(rule.id) + "\n\n" + std::string(severity_name(rule.severity)) + ": " +
                     std::string(rule.summary) + "\n\n" + std::string(rule.why) + "\n\nInstead: " + std::string(rule.instead) +
                     "\n";
  if (const std::string claim = claim_line(rule.claim); !claim.empty()) {
    text += "\nTakes: " + claim + ".\n";
  }
  if (rule.quiet_on_new || rule.quiet_on_small) {
    text += std::string("\nSilent on tables that the revision itself creates") +
            (rule.quiet_on_small ? ", and on tables that are small according to the database.\n" : ".\n");
  }
  if (!rule.bad.empty()) {
    text += "\n```sql\n-- flagged" + std::string(rule.plain ? ", in a plain SQL file" : "") + "\n" + std::string(rule.bad) +
            "\n\n-- not flagged\n" + std::string(rule.good) + "\n```\n";
  }
  return text;
}

}  // namespace athanor
