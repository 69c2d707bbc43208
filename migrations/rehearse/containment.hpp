// Whether a rehearsal of a plan stays inside its scratch database.
//
// A scratch database is dropped, but what a statement does to the server, or outside it, remains: a role that the rehearsal
// created makes the run fail that follows, and a dropped database is gone. So plans with such statements are not rehearsed. A
// throwaway server is deleted with everything in it, so there only what leaves the server counts.
//
// Statements are judged by their text (plan/server_statement.hpp). What functions do when they are called, or code that builds
// its statements, is limited only by the privileges of the role.
//
// Threads: the functions have no state. Ownership: borrows everything.
#pragma once

#include "migrations/base/result.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/schema/scratch.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Error: PolicyRefused with the first statement, of the upgrade or the downgrade, that reaches too far.
[[nodiscard]] Result<void> check_containment(const Plan& plan, bool throwaway_server);

// Limited: the role of a scratch server may create databases and nothing more. AnyElsewhere: that holds on the database's own
// server only; on another one any role will do.
enum class ScratchRole { Limited, AnyElsewhere };

// Refuses a scratch database whose role could change anything else on its server: if it is, or can become, a superuser, a role
// that may create roles or replicate, one that runs programs or accesses files, sessions or all data, or the owner of another
// database. Whether pg_database of `live`, which every user can read, has the scratch database decides whether it is on the
// database's own server. Error: ScratchUnavailable.
[[nodiscard]] Result<void> check_scratch_role(Session& live, const schema::ScratchDatabase& copy, ScratchRole allowed);

}  // namespace athanor
