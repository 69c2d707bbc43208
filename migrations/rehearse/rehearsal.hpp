// The rehearsal: a plan on a scratch copy of the live schema, up, down and up again.
//
// The copy holds no rows. What it shows is what the server does: the locks that each statement takes, the tables it rewrites,
// whether it runs at all, and whether the downgrade leads back. How long a statement takes on real rows, and whether the rows
// allow it, it does not show.
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
  const Plan& plan;                     // an upgrade
  Clock& clock;
  std::string search_path{};
  schema::InspectScratch inspect;
};

struct Rehearsal {
  // How the way back went. NotTried: the upgrade failed, or the first revision to take down cannot be.
  enum class Back : std::uint8_t { NotTried, Same, Different, Failed };

  std::vector<RehearsedStatement> statements{};  // of the upgrade, in order
  std::string failed_revision{};                 // of the upgrade, or of the downgrade when `back` is Failed
  std::optional<Error> error{};                  // of the statement that failed
  Back back = Back::NotTried;
  std::string irreversible{};             // the revision that cannot be taken down, and why
  std::vector<std::string> difference{};  // what the downgrade left ("+ …"), lost ("- …") or changed
  bool up_again = false;                  // the second upgrade led where the first did
  std::vector<std::string> difference_again{};

  [[nodiscard]] bool ok() const {
    return !error && back != Back::Different && back != Back::Failed && (back == Back::NotTried || up_again);
  }
};

// Errors are those of the scratch server; a statement that fails is part of the result.
[[nodiscard]] Result<Rehearsal> rehearse(const RehearsalRequest& request);

}  // namespace athanor
