// Proves a generated revision by running it, before its file is written.
//
// On a copy of a database in the start state, the upgrade must produce exactly the desired facts, so that a second diff is
// empty, and the downgrade must restore the facts of the start state. On a second copy with a row in every table that accepts
// one, the same upgrade must work and keep the rows of every table that the plan does not report as lossy. If only the rows
// make it fail (for example a NOT NULL column without a default), that is a warning, because the real rows may allow it.
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
  const ScratchDatabase& start;  // in the state of `before`; no session is connected to it
  const Catalog& before;
  const Catalog& after;
  const ChangePlan& plan;
  const RevisionScript& script;
  const std::vector<Rename>& renames;
  std::string search_path{};
  InspectScratch inspect;
  // Compared: `inspect` reads the grants that `before` and `after` contain. Known: ignore grants that neither contains, such as
  // those of default privileges on new objects. Ignored: compare no grants, because the copy could not be given those of the
  // start state.
  enum class Grants { Compared, Known, Ignored };
  Grants grants = Grants::Compared;
};

struct Proof {
  std::vector<std::string> warnings{};
  std::size_t tables_with_rows = 0;
  std::vector<std::string> tables_without_rows{};  // tables that the plan changes and that accepted no row
  bool downgrade = false;                          // whether a downgrade was proven; false: the revision is irreversible
};

// Errors: ProofFailed with the difference in its message; others are the scratch server's.
[[nodiscard]] Result<Proof> prove(const ProofRequest& request);

}  // namespace athanor::schema
