// Checks that the version table and the ledger are the tables that Athanor created.
//
// A role that may create tables can put a view, a trigger or its own table where Athanor expects its tables, and that code
// would run with the migrator's rights. So each table is checked before use: an ordinary table, without triggers, rules,
// policies or children, owned by the migrator or by a role it is a member of. A superuser counts as a member only of roles that
// were granted to it, and trusts other superusers.
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
  std::string history_file;  // relfilenode of the history table; TRUNCATE changes it
  std::string step;
  std::string catalog;
  int history_columns = 0;
  // pg_class alone proved version table and history safe at the start: owned by the migrator, and never had a trigger or rule.
  bool beyond_doubt = false;
};

// The catalog's facts about one of these tables.
struct TableFacts {
  std::string oid;
  std::string file;
  std::string problem;  // "kind", "policies", "rules", "triggers", "children", "owner" or kDoubt; empty: none
  int columns = 0;
  std::string owner;
  [[nodiscard]] bool exists() const { return !oid.empty(); }
  // A table with only the problem "owner" may still be read: an ordinary table runs no code.
  [[nodiscard]] bool can_be_read() const { return problem.empty() || problem == "owner"; }
};

// How thorough the check is. Naming the catalogs of triggers, rules and roles in a query costs a fresh backend four
// milliseconds to load them. DoubtOnly reads pg_class alone; the rare case of doubt needs Full.
enum class Scrutiny { DoubtOnly, Full };
// The problem that DoubtOnly reports when only a Full check can decide.
constexpr std::string_view kDoubt = "doubt";

// An SQL expression over pg_class as `c`: the problem as text, or NULL.
[[nodiscard]] std::string table_problem(Scrutiny scrutiny = Scrutiny::Full);
// An SQL subquery for the facts of the table whose OID is `oid`, as one text; NULL when there is no such table.
[[nodiscard]] std::string table_facts(std::string_view oid, Scrutiny scrutiny = Scrutiny::Full);
// Reads the text that the query of table_facts() returns.
[[nodiscard]] TableFacts read_table_facts(const Parameter& text);
// An SQL subquery for the owner of the schema whose OID is `oid`: empty when the migrator may trust the owner, NULL when there
// is no such schema. DoubtOnly returns the owner unless it is the migrator itself.
[[nodiscard]] std::string untrusted_schema_owner(std::string_view oid, Scrutiny scrutiny = Scrutiny::Full);

// UntrustedTable. Example of `what`: "the version table public.alembic_version".
[[nodiscard]] Error untrusted_table(const std::string& what, const TableFacts& facts, const std::string& migrator);
// Returns UntrustedTable when the server reports that one of our columns is missing: another program created the table `what`.
// Returns any other error unchanged.
[[nodiscard]] Error without_column(const std::string& what, Error error);
// UntrustedTable, for the ledger's schema.
[[nodiscard]] Error untrusted_schema(const std::string& schema, const std::string& owner, const std::string& migrator);

}  // namespace athanor
