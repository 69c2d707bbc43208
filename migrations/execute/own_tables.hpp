// Version table and ledger as the server knows them: which tables they are, and whether they can be trusted.
//
// A role that may create tables can put a view, a trigger or a table of its own where we look for ours, and what it put there
// would run with the migrator's rights. So before they are used they are checked: an ordinary table, without triggers, rules,
// policies or children, owned by the migrator or a role it is a member of. A superuser counts as a member only of roles that
// were granted to it.
//
// Threads: plain values and pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/error.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

// Object identifiers as text; empty when the table does not exist.
struct OwnTables {
  std::string version;
  std::string history;
  std::string history_file;  // what TRUNCATE changes
  std::string step;
  int history_columns = 0;
  // At the start pg_class alone left no doubt about version table and history: owned by the migrator, never a trigger or rule.
  bool beyond_doubt = false;
};

// What the server says of one of them.
struct TableFacts {
  std::string oid;
  std::string file;
  std::string problem;  // "kind", "policies", "rules", "triggers", "children" or "owner"; empty: none
  int columns = 0;
  std::string owner;
  [[nodiscard]] bool exists() const { return !oid.empty(); }
  // "owner" alone does not stand in the way of reading: an ordinary table runs no code.
  [[nodiscard]] bool can_be_read() const { return problem.empty() || problem == "owner"; }
};

// How closely a first look is taken. The catalogs of triggers, rules and roles cost a fresh server process four milliseconds to
// load, only because a query names them; a doubt, for which pg_class is enough, is rare.
enum class Scrutiny { DoubtOnly, Full };
// What stands for a problem that only a full look can tell.
constexpr std::string_view kDoubt = "doubt";

// An SQL expression over pg_class as `c`: the problem as text, NULL without one.
[[nodiscard]] std::string table_problem(Scrutiny scrutiny = Scrutiny::Full);
// An SQL query for the facts of the table that the expression `oid` names, as one text; NULL when there is none.
[[nodiscard]] std::string table_facts(std::string_view oid, Scrutiny scrutiny = Scrutiny::Full);
[[nodiscard]] TableFacts read_table_facts(const Parameter& text);
// An SQL query for the owner of the schema that the expression `oid` names; empty when the migrator may trust it, NULL when
// there is no such schema. With DoubtOnly the owner is named unless it is the migrator itself.
[[nodiscard]] std::string untrusted_schema_owner(std::string_view oid, Scrutiny scrutiny = Scrutiny::Full);

// UntrustedTable. `what` is "the version table public.alembic_version".
[[nodiscard]] Error untrusted_table(const std::string& what, const TableFacts& facts, const std::string& migrator);
// UntrustedTable when the server says that a column of ours is missing: another program made the table `what`. Any other error
// comes back as it is.
[[nodiscard]] Error without_column(const std::string& what, Error error);
[[nodiscard]] Error untrusted_schema(const std::string& schema, const std::string& owner, const std::string& migrator);

}  // namespace athanor
