// The only table of rules. The command, athanor.yaml, --list-rules, --explain, docs/lint.md and the tests read it, so they
// always agree.
//
// Threads: constant data.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "migrations/lint/finding.hpp"
#include "migrations/lint/lock_mode.hpp"

namespace athanor {

class StatementCheck;

// What a rule claims about the server's behaviour; tests/postgres/lint verifies it.
struct Claim {
  LockMode lock = LockMode::None;   // on the table that the rule names
  LockMode other = LockMode::None;  // on a second table: the one a foreign key references, or a parent
  bool scans = false;               // reads the whole table under that lock
  bool rewrites = false;            // rewrites the whole table
  bool fails = false;               // the server rejects the statement
};

enum class RuleTopic : std::uint8_t {
  Index,
  Constraint,
  Column,
  Type,
  Rename,
  Loss,
  Data,
  Transaction,
  Partition,
  Access,
  Lint
};
[[nodiscard]] std::string_view topic_title(RuleTopic topic);

struct RuleSpec {
  std::string_view id;
  Severity severity = Severity::Warning;
  RuleTopic topic = RuleTopic::Index;
  std::string_view summary;  // one line: what the rule finds
  std::string_view why;      // what happens
  std::string_view instead;  // what to do instead, in words
  Claim claim = {};
  bool quiet_on_new = false;    // silent for a table that the same revision created
  bool quiet_on_small = false;  // silent for a table known to be small
  bool plain = false;           // the examples are plain SQL files
  std::string_view bad = {};    // SQL with the finding
  std::string_view good = {};   // SQL that does the same without the finding
  // Null: found by lint itself and not by checking a single statement.
  void (*check)(StatementCheck& check) = nullptr;
};

[[nodiscard]] std::span<const RuleSpec> rules();
// Null when there is no such rule.
[[nodiscard]] const RuleSpec* find_rule(std::string_view id);
// "unknown rule `x`" and similar names.
[[nodiscard]] std::string suggest_rule(std::string_view id);
// The rule's section in docs/lint.md, which --explain prints.
[[nodiscard]] std::string rule_section(const RuleSpec& rule);

}  // namespace athanor
