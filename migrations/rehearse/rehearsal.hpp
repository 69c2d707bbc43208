// The rehearsal: a plan on a scratch copy, up, down and up again; a downgrade once.
//
// What it shows is what the server does: the locks that each statement takes, the tables it rewrites, whether it runs at all,
// and whether the downgrade leads back. How long a statement takes on real rows, and whether the rows allow it, only a copy of
// a backup shows (backup_copy.hpp); one of the schema (schema_copy.hpp) has no rows.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/rehearse/watched_script.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/renamed_state.hpp"
#include "migrations/schema/scratch.hpp"

namespace athanor {

struct RehearsalRequest {
  const schema::ScratchDatabase& copy;  // with the live schema; nobody is connected to it
  const Plan& plan;                     // an upgrade or a downgrade
  Clock& clock;
  std::string search_path{};
  schema::InspectScratch inspect;
};

struct Rehearsal {
  // The result of the downgrade. NotTried: the upgrade failed, or a revision has no downgrade.
  enum class Back : std::uint8_t { NotTried, Same, Different, Failed };

  std::vector<RehearsedStatement> statements{};  // of the upgrade, in order
  std::string failed_revision{};  // revision that failed: of the upgrade, or of the downgrade if `back` is Failed
  std::optional<Error> error{};   // of the statement that failed
  Back back = Back::NotTried;
  std::string irreversible{};             // the revision that cannot be downgraded, and why
  std::vector<std::string> difference{};  // what the downgrade left behind ("+ …"), lost ("- …") or changed
  bool up_again = false;                  // whether the second upgrade had the same result as the first
  std::vector<std::string> difference_again{};

  // Whether nothing failed or differed. An irreversible revision does not count as a failure.
  [[nodiscard]] bool ok() const {
    return !error && back != Back::Different && back != Back::Failed && (back == Back::NotTried || up_again);
  }
};

// Errors are those of the scratch server; a failed statement is part of the result.
[[nodiscard]] Result<Rehearsal> rehearse(const RehearsalRequest& request);

}  // namespace athanor
