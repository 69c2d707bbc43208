#include "migrations/execute/own_tables.hpp"

#include <array>
#include <charconv>

namespace athanor {
namespace {

// True when the owner is the migrator itself. `owner` is an expression for a role's OID.
std::string own(std::string_view owner) {
  return "pg_catalog.pg_get_userbyid(" + std::string(owner) + ") OPERATOR(pg_catalog.=) current_user";
}

std::string trusted(std::string_view owner, Scrutiny scrutiny) {
  if (scrutiny == Scrutiny::DoubtOnly) {
    return "(" + own(owner) + ")";
  }
  // pg_has_role() is true for a superuser and any role, so a superuser's real memberships are read from pg_auth_members.
  const std::string role(owner);
  return "(" + own(owner) +
         " OR CASE WHEN pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) "
         "'on' THEN EXISTS (SELECT FROM pg_catalog.pg_roles AS o WHERE o.oid OPERATOR(pg_catalog.=) " +
         role +
         " AND (o.rolsuper OR EXISTS (SELECT FROM pg_catalog.pg_auth_members AS m JOIN pg_catalog.pg_roles AS u ON u.oid "
         "OPERATOR(pg_catalog.=) m.member WHERE m.roleid OPERATOR(pg_catalog.=) o.oid AND u.rolname OPERATOR(pg_catalog.=) "
         "current_user))) ELSE pg_catalog.pg_has_role(" +
         role + ", 'MEMBER') END)";
}

}  // namespace

std::string table_problem(Scrutiny scrutiny) {
  // Only a permanent table: an unlogged one is emptied after a crash of the server, a temporary one ends with its session.
  std::string problem =
      "CASE WHEN c.relkind OPERATOR(pg_catalog.<>) 'r' OR c.relpersistence OPERATOR(pg_catalog.<>) 'p' OR c.relispartition"
      " THEN 'kind' WHEN c.relrowsecurity THEN 'policies'";
  if (scrutiny == Scrutiny::DoubtOnly) {
    return problem + " WHEN c.relhasrules OR c.relhastriggers OR c.relhassubclass OR NOT " + trusted("c.relowner", scrutiny) +
           " THEN '" + std::string(kDoubt) + "' END";
  }
  // These flags can stay set after the last trigger, rule or child is dropped, so a flag only decides whether to check the
  // catalog.
  return problem +
         " WHEN c.relhasrules AND EXISTS (SELECT FROM pg_catalog.pg_rewrite AS r WHERE r.ev_class OPERATOR(pg_catalog.=) c.oid)"
         " THEN 'rules'"
         " WHEN c.relhastriggers AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid OPERATOR(pg_catalog.=) "
         "c.oid"
         " AND NOT t.tgisinternal) THEN 'triggers'"
         " WHEN c.relhassubclass AND EXISTS (SELECT FROM pg_catalog.pg_inherits AS i WHERE i.inhparent OPERATOR(pg_catalog.=)"
         " c.oid) THEN 'children' WHEN NOT " +
         trusted("c.relowner", scrutiny) + " THEN 'owner' END";
}

// One text instead of a row, so that the facts of several tables fit into one row. The owner comes last: a name may contain
// '|'.
std::string table_facts(std::string_view oid, Scrutiny scrutiny) {
  return "(SELECT pg_catalog.concat_ws('|', c.oid, coalesce(pg_catalog.pg_relation_filenode(c.oid), '0'), coalesce(" +
         table_problem(scrutiny) +
         ", ''), c.relnatts, pg_catalog.pg_get_userbyid(c.relowner)) FROM pg_catalog.pg_class AS c WHERE c.oid "
         "OPERATOR(pg_catalog.=) " +
         std::string(oid) + ")";
}

TableFacts read_table_facts(const Parameter& text) {
  TableFacts facts;
  if (!text) {
    return facts;
  }
  std::string_view rest = *text;
  std::string columns;
  for (std::string* field : {&facts.oid, &facts.file, &facts.problem, &columns}) {
    const auto end = rest.find('|');
    *field = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  std::from_chars(columns.data(), columns.data() + columns.size(), facts.columns);
  facts.owner = rest;
  return facts;
}

std::string untrusted_schema_owner(std::string_view oid, Scrutiny scrutiny) {
  return "(SELECT CASE WHEN " + trusted("n.nspowner", scrutiny) +
         " THEN '' ELSE pg_catalog.pg_get_userbyid(n.nspowner)::pg_catalog.text END FROM pg_catalog.pg_namespace AS n WHERE "
         "n.oid"
         " OPERATOR(pg_catalog.=) " +
         std::string(oid) + ")";
}

Error untrusted_table(const std::string& what, const TableFacts& facts, const std::string& migrator) {
  struct Reason {
    std::string_view problem;
    std::string_view message;
    std::string_view hint;
  };
  static constexpr std::array kReasons{
      Reason{"kind", " is not an ordinary table", "find out who created it, and drop or rename it"},
      Reason{"policies", " has row-level security, which could hide rows", "ALTER TABLE … DISABLE ROW LEVEL SECURITY"},
      Reason{"rules", " has rules, which would run with the rights of the migrator",
             "find out who created them, and drop them"},
      Reason{"triggers", " has triggers, which would run with the rights of the migrator",
             "find out who created them, and drop them"},
      Reason{"children", " has tables that inherit from it", "find out who created them, and drop them"},
  };
  for (const auto& reason : kReasons) {
    if (facts.problem == reason.problem) {
      return Error(ErrorCode::UntrustedTable, what + std::string(reason.message)).advise(std::string(reason.hint));
    }
  }
  return Error(ErrorCode::UntrustedTable,
               what + " belongs to role " + facts.owner + ", and the migrator " + migrator + " is not a member of that role")
      .advise(
          "if you trust the table: ALTER TABLE … OWNER TO the migrator's role, or set execution.role to the owner; otherwise "
          "find out who created it, and drop it");
}

Error without_column(const std::string& what, Error error) {
  if (error.sqlstate != "42703") {
    return error;
  }
  return Error(ErrorCode::UntrustedTable, what + " was not created by Athanor: " + error.message)
      .with_sqlstate(error.sqlstate)
      .advise("rename that table, or choose another name with version_table or ledger_schema");
}

Error untrusted_schema(const std::string& schema, const std::string& owner, const std::string& migrator) {
  return Error(ErrorCode::UntrustedTable, "the ledger's schema " + schema + " belongs to role " + owner +
                                              ", and the migrator " + migrator + " is not a member of that role")
      .advise(
          "if you trust the schema: ALTER SCHEMA … OWNER TO the migrator's role, set execution.role to the owner, or name "
          "another schema in ledger_schema; otherwise find out who created it, and drop it");
}

}  // namespace athanor
