// What revisions do that no baseline repeats, because it is in no schema and in no row: roles and memberships, settings of
// roles and databases, large objects. A proof by comparing schemas and rows would not miss them.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <string>

#include "migrations/base/result.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/session.hpp"

namespace athanor::cli {

// SchemaChangeRefused, with the place, when a statement of `plan` is about roles or about a database as a whole. DO blocks are
// searched word by word.
[[nodiscard]] Result<void> refuse_server_objects(const Plan& plan);
// SchemaChangeRefused when the database that the revisions were run on has large objects or settings of its own.
[[nodiscard]] Result<void> refuse_database_settings(ReadSession& session);

}  // namespace athanor::cli
