// The proof of a generated revision, before its file is written: it is run.
//
// On a copy of a database in the state it starts from, its upgrade must lead to exactly the desired facts (then a second diff
// is empty), and its downgrade back to those it came from. On a second copy, with a row in every table that takes one, the same
// upgrade must work and keep the rows of every table that the plan does not call lossy. Where only the rows make it fail (a
// NOT NULL column without a default, for example), that is told and not held against the revision: the real rows decide.
//
// Threads: one thread. Ownership: borrows everything; the copies are dropped.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/renamed_state.hpp"
#include "migrations/schema/scratch.hpp"

namespace athanor::schema {

struct ProofRequest {
  ScratchServer& server;
  const ScratchDatabase& start;  // in the state of `before`; nobody is connected to it
  const Catalog& before;
  const Catalog& after;
  const ChangePlan& plan;
  const RevisionScript& script;
  const std::vector<Rename>& renames;
  std::string search_path{};
  InspectScratch inspect;
  // Compared: `inspect` reads what `before` and `after` hold. Known: grants that neither has (of default privileges on new
  // objects) are nobody's fault. Ignored: the copy could not be given the grants it starts with.
  enum class Grants { Compared, Known, Ignored };
  Grants grants = Grants::Compared;
};

struct Proof {
  std::vector<std::string> warnings{};
  std::size_t tables_with_rows = 0;
  std::vector<std::string> tables_without_rows{};  // those that the plan changes and that took none
  bool downgrade = false;                          // false: the revision is irreversible
};

// ProofFailed with the difference in its message; other errors are the scratch server's.
[[nodiscard]] Result<Proof> prove(const ProofRequest& request);

}  // namespace athanor::schema
