// The one table of rules. The command, athanor.yaml, --list-rules, --explain, docs/lint.md and the tests read it, so none of
// them can know a rule that another does not.
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

// What a rule says about the server, proven in tests/postgres/lint.
struct Claim {
  LockMode lock = LockMode::None;   // on the table the rule names
  LockMode other = LockMode::None;  // on a second one: the table a foreign key refers to, a parent
  bool scans = false;               // reads the whole table under that lock
  bool rewrites = false;            // writes the whole table anew
  bool fails = false;               // is an error of the server's
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
  std::string_view summary;  // one line: what is found
  std::string_view why;      // what happens
  std::string_view instead;  // the way out, in words
  Claim claim = {};
  bool quiet_on_new = false;    // silent for a table that the revision itself created
  bool quiet_on_small = false;  // silent for a table that the database knows to be small
  bool plain = false;           // the examples are plain SQL files
  std::string_view bad = {};    // SQL that has the finding
  std::string_view good = {};   // SQL that does the same and has it not
  // Null: found by lint itself, not by a look at one statement.
  void (*check)(StatementCheck& check) = nullptr;
};

[[nodiscard]] std::span<const RuleSpec> rules();
// nullptr when there is none.
[[nodiscard]] const RuleSpec* find_rule(std::string_view id);
// "unknown rule `x`" and what may be meant.
[[nodiscard]] std::string suggest_rule(std::string_view id);
// The rule's section of docs/lint.md, which --explain prints.
[[nodiscard]] std::string rule_section(const RuleSpec& rule);

}  // namespace athanor
