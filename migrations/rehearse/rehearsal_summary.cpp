#include "migrations/rehearse/rehearsal_summary.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace athanor {
namespace {

std::string place_of(const RehearsedStatement& statement) {
  return "line " + std::to_string(statement.line) + " of " + statement.revision;
}

}  // namespace

std::string lock_mode_in_words(std::string_view mode) {
  if (mode.ends_with("Lock")) {
    mode.remove_suffix(4);
  }
  std::string words;
  for (const char letter : mode) {
    const bool capital = letter >= 'A' && letter <= 'Z';
    words += capital && !words.empty() ? " " : "";
    words += static_cast<char>(capital ? letter : letter - 'a' + 'A');
  }
  return words;
}

std::vector<std::string> strongest_locks(const Rehearsal& rehearsal) {
  struct Strongest {
    int strength = 0;
    std::string mode;
    std::string place;
  };
  std::map<std::string, Strongest> by_relation;
  for (const RehearsedStatement& statement : rehearsal.statements) {
    for (const RehearsedLock& lock : statement.locks) {
      const int strength = strength_of(lock.mode);
      Strongest& known = by_relation[lock.relation];
      if (strength > known.strength) {
        known = {strength, lock.mode, place_of(statement)};
      }
    }
  }
  std::vector<std::pair<std::string, Strongest>> sorted(by_relation.begin(), by_relation.end());
  std::ranges::stable_sort(sorted, std::ranges::greater(), [](const auto& entry) { return entry.second.strength; });
  std::vector<std::string> lines;
  for (const auto& [relation, lock] : sorted) {
    if (lock.strength > 1) {
      lines.push_back(lock_mode_in_words(lock.mode) + " on " + relation + ": " + lock.place);
    }
  }
  return lines;
}

std::vector<std::string> rewritten(const Rehearsal& rehearsal) {
  std::vector<std::string> lines;
  for (const RehearsedStatement& statement : rehearsal.statements) {
    for (const std::string& relation : statement.rewrites) {
      lines.push_back(relation + ": " + place_of(statement));
    }
  }
  return lines;
}

milliseconds duration_of(const Rehearsal& rehearsal) {
  milliseconds sum{0};
  for (const RehearsedStatement& statement : rehearsal.statements) {
    sum += statement.duration;
  }
  return sum;
}

std::optional<Error> failure_of(const Rehearsal& rehearsal, const std::string& copy) {
  // If the downgrade left something behind, that is why the second upgrade fails.
  if (rehearsal.error && rehearsal.difference.empty()) {
    const std::string what = rehearsal.back == Rehearsal::Back::NotTried ? "revision "
                             : rehearsal.back == Rehearsal::Back::Failed ? "the downgrade of revision "
                                                                         : "after its downgrade, revision ";
    return Error(ErrorCode::ProofFailed,
                 what + rehearsal.failed_revision + " fails on " + copy + ": " + rehearsal.error->message)
        .at(rehearsal.error->context)
        .with_sqlstate(rehearsal.error->sqlstate)
        .advise("correct the revision; the database was not changed");
  }
  if (!rehearsal.difference.empty()) {
    return Error(ErrorCode::ProofFailed, "the downgrade does not restore the current schema: " + rehearsal.difference.front())
        .advise("complete the downgrade: + is left over, - is missing");
  }
  if (!rehearsal.difference_again.empty()) {
    return Error(ErrorCode::ProofFailed,
                 "the second upgrade has a different result from the first: " + rehearsal.difference_again.front());
  }
  return std::nullopt;
}

std::string success_of(const Rehearsal& rehearsal) {
  if (rehearsal.back == Rehearsal::Back::Same) {
    return "up, down and up again: the schema is the same each time";
  }
  return rehearsal.irreversible.empty()
             ? "the downgrade succeeded"
             : "the upgrade succeeded; the downgrade was not tried: revision " + rehearsal.irreversible;
}

}  // namespace athanor
