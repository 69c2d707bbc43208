#include "migrations/execute/batch_key.hpp"

#include "migrations/plan/statement_tree.hpp"
#include "migrations/text/letter_case.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

// An operator of the type's default btree operator class, with its schema. NULL for types that use another type's operator
// class (varchar, enums, arrays …): then find() uses the operator in pg_catalog.
// Written with its schema, no search_path can replace the operator.
std::string operator_of(int strategy) {
  return "(SELECT pg_catalog.format('OPERATOR(%I.%s)', n.nspname, o.oprname) FROM pg_catalog.pg_opclass oc"
         " JOIN pg_catalog.pg_am am ON am.oid OPERATOR(pg_catalog.=) oc.opcmethod"
         " JOIN pg_catalog.pg_amop ao ON ao.amopfamily OPERATOR(pg_catalog.=) oc.opcfamily"
         " AND ao.amoplefttype OPERATOR(pg_catalog.=) oc.opcintype AND ao.amoprighttype OPERATOR(pg_catalog.=) oc.opcintype"
         " JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) ao.amopopr"
         " JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace"
         " WHERE am.amname OPERATOR(pg_catalog.=) 'btree'::pg_catalog.name AND oc.opcdefault"
         " AND oc.opcintype OPERATOR(pg_catalog.=) t.oid AND ao.amopstrategy OPERATOR(pg_catalog.=) " +
         std::to_string(strategy) + "::pg_catalog.int2)";
}

// The types that the key's type consists of: elements of arrays and ranges, columns of composite types, base types of domains.
std::string parts_of_type() {
  return " parts(oid) AS (SELECT b.oid FROM base b UNION SELECT p.oid FROM parts JOIN pg_catalog.pg_type o ON o.oid"
         " OPERATOR(pg_catalog.=) parts.oid, LATERAL (SELECT o.typelem UNION ALL SELECT o.typbasetype UNION ALL SELECT"
         " a.atttypid FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=) o.typrelid AND a.attnum"
         " OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped UNION ALL SELECT r.rngsubtype FROM"
         " pg_catalog.pg_range r WHERE r.rngtypid OPERATOR(pg_catalog.=) o.oid UNION ALL SELECT r.rngtypid FROM"
         " pg_catalog.pg_range r WHERE r.rngmultitypid OPERATOR(pg_catalog.=) o.oid) AS p(oid) WHERE p.oid"
         " OPERATOR(pg_catalog.<>) 0::pg_catalog.oid)";
}

// Whether one of them is a type of pg_catalog whose text depends on search_path or on a setting that is not pinned: money
// (lc_monetary) and the reg* types.
std::string text_depends_on_the_session() {
  return "EXISTS (SELECT FROM parts JOIN pg_catalog.pg_type o ON o.oid OPERATOR(pg_catalog.=) parts.oid WHERE o.typnamespace"
         " OPERATOR(pg_catalog.=) 11::pg_catalog.oid AND (o.typname OPERATOR(pg_catalog.=) 'money'::pg_catalog.name OR"
         " pg_catalog.starts_with(o.typname::pg_catalog.text, 'reg')))";
}

enum Column { RelationKind, Table, Relation, Type, Equals, UpTo, After, DependsOnSession };

// $1 is the table as written, $2 the column.
std::string question() {
  return "WITH RECURSIVE base(oid, typtype, typbasetype) AS"
         " (SELECT t.oid, t.typtype, t.typbasetype FROM pg_catalog.pg_attribute a"
         " JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid"
         " WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)"
         " AND a.attname OPERATOR(pg_catalog.=) $2::pg_catalog.name"
         " AND a.attnum OPERATOR(pg_catalog.>) 0::pg_catalog.int2 AND NOT a.attisdropped"
         " UNION ALL SELECT t.oid, t.typtype, t.typbasetype FROM base b"
         " JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) b.typbasetype"
         " WHERE b.typtype OPERATOR(pg_catalog.=) 'd'::pg_catalog.\"char\")," +
         parts_of_type() +
         " SELECT c.relkind, pg_catalog.format('%I.%I', n.nspname, c.relname), c.relname,"
         " (SELECT pg_catalog.format('%I.%I', tn.nspname, p.typname) FROM pg_catalog.pg_type p"
         " JOIN pg_catalog.pg_namespace tn ON tn.oid OPERATOR(pg_catalog.=) p.typnamespace"
         " WHERE p.oid OPERATOR(pg_catalog.=) t.oid), " +
         operator_of(3) + ", " + operator_of(2) + ", " + operator_of(5) + ", " + text_depends_on_the_session() +
         " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace"
         " LEFT JOIN base t ON t.typtype OPERATOR(pg_catalog.<>) 'd'::pg_catalog.\"char\""
         " WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1::pg_catalog.text)";
}

}  // namespace

Result<BatchKey> BatchKey::find(ReadSession& session, const BatchOptions& options) {
  TRY_ASSIGN(const Rows rows, session.query(question(), {options.table, options.key}));
  const std::string place = "table=" + options.table + " key=" + options.key;
  if (rows.empty()) {
    return fail(Error(ErrorCode::StatementFailed, "there is no table " + options.table + " for the batch step")
                    .advise("check table= of the step, and the search_path"));
  }
  const std::string kind = rows.text(0, RelationKind);
  if (kind != "r" && kind != "p" && kind != "f") {
    return fail(Error(ErrorCode::StatementFailed, options.table + " is not a table, and a batch step needs a table")
                    .advise("give the table whose key orders the rows; the statement may still read the view"));
  }
  if (!rows.cell(0, Type)) {
    return fail(Error(ErrorCode::StatementFailed, "the table " + options.table + " has no column " + options.key)
                    .advise("check key= of the step; quote a name with capital letters: key=\"Id\""));
  }
  BatchKey key;
  key.table_ = rows.text(0, Table);
  key.relation_ = rows.text(0, Relation);
  key.name_ = options.key;
  key.column_ = quote_identifier(options.key);
  key.type_ = rows.text(0, Type);
  key.equals_ = rows.cell(0, Equals).value_or("OPERATOR(pg_catalog.=)");
  key.up_to_ = rows.cell(0, UpTo).value_or("OPERATOR(pg_catalog.<=)");
  key.after_ = rows.cell(0, After).value_or("OPERATOR(pg_catalog.>)");
  if (rows.text(0, DependsOnSession) == "t") {
    return fail(
        Error(ErrorCode::StatementFailed, "a key of type " + key.type_ +
                                              " cannot be used by a batch step: its text, or that of a part of it, depends on "
                                              "session settings, so a later run could resume at a different key (" +
                                              place + ")")
            .advise("use a key of another type: a number, text, a uuid, a date"));
  }
  return key;
}

// Local to the transaction (is_local), so the revision's own settings return with its end. NULL resets a parameter.
std::string BatchKey::pin_settings() {
  return "SELECT pg_catalog.set_config('DateStyle', 'ISO, MDY', true), pg_catalog.set_config('IntervalStyle', 'postgres', "
         "true),"
         " pg_catalog.set_config('TimeZone', 'UTC', true), pg_catalog.set_config('extra_float_digits', '1', true),"
         " pg_catalog.set_config('bytea_output', 'hex', true), pg_catalog.set_config('array_nulls', 'on', true), "
         "pg_catalog.set_config('statement_timeout', NULL, true)";
}

std::string BatchKey::literal(const std::string& key) const {
  return quote_literal(key) + "::" + type_;
}

std::string BatchKey::select_null() const {
  return "SELECT 1 FROM " + table_ + " WHERE " + column_ + " IS NULL LIMIT 1";
}

namespace {

// The text as the type's output function writes it: format('%s') ignores user-defined casts to text.
std::string as_text(const std::string& type, const std::string& equals) {
  return "SELECT pg_catalog.format('%s', keys.k), pg_catalog.format('%s', keys.k)::" + type + " " + equals +
         " keys.k::" + type + " FROM ";
}

}  // namespace

std::string BatchKey::select_last() const {
  return as_text(type_, equals_) + "(SELECT t." + column_ + " AS k FROM " + table_ + " t WHERE t." + column_ +
         " IS NOT NULL ORDER BY t." + column_ + " DESC LIMIT 1) AS keys";
}

std::string BatchKey::select_upper(const std::optional<std::string>& cursor, const std::string& bound,
                                   std::int64_t size) const {
  return as_text(type_, equals_) + "(SELECT " + column_ + " AS k FROM " + table_ + " WHERE " + range(cursor, bound) +
         " ORDER BY " + column_ + " LIMIT " + std::to_string(size) + ") AS keys ORDER BY keys.k DESC LIMIT 1";
}

// The values are literals, because the condition becomes part of the revision's statement, which has no parameters.
std::string BatchKey::range(const std::optional<std::string>& cursor, const std::string& upper) const {
  const std::string end = column_ + " " + up_to_ + " " + literal(upper);
  return "(" + (cursor ? column_ + " " + after_ + " " + literal(*cursor) + " AND " : "") + end + ")";
}

bool BatchKey::has_nulls(std::string_view text) {
  return lowered(text).find("null") != std::string::npos;
}

std::string BatchKey::refuse_unread_nulls() {
  return "SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN pg_catalog.current_setting('array_nulls') OPERATOR(pg_catalog.=) 'on' THEN"
         " 1 ELSE 0 END)";
}

namespace {

// Replaces {batch} by a condition so that the statement parses; empty when the parser cannot read it.
std::optional<StatementTree> tree_of(std::string_view statement) {
  std::string text(statement);
  constexpr std::string_view kPlaceholder = "{batch}";
  if (const auto at = text.find(kPlaceholder); at != std::string::npos) {
    text.replace(at, kPlaceholder.size(), "(true) ");
  }
  return StatementTree::of_sql(text);
}

}  // namespace

bool BatchKey::written_by(std::string_view statement) const {
  const auto tree = tree_of(statement);
  // Assume the worst: checking for nothing is cheap, repeating rows is not.
  if (!tree) {
    return true;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    const TreeNode node = root.at(index);
    const bool update = node.key() == "UpdateStmt";
    if ((!update && node.key() != "InsertStmt") || node["relation"]["relname"].text() != relation_) {
      continue;
    }
    const TreeNode targets = node["targetList"];
    bool sets_key = !update;
    for (TreeNode target = targets.first(); target; target = target.next(targets)) {
      sets_key = sets_key || target["ResTarget"]["name"].text() == name_;
    }
    if (sets_key) {
      return true;
    }
  }
  return false;
}

bool BatchKey::updates(std::string_view statement) {
  const auto tree = tree_of(statement);
  if (!tree) {
    return true;
  }
  const TreeNode root = tree->root();
  for (std::uint32_t index = root.begin(); index < root.end(); ++index) {
    const auto key = root.at(index).key();
    if (key == "UpdateStmt" || key == "MergeStmt") {
      return true;
    }
  }
  return false;
}

std::string BatchKey::count_rows(const std::optional<std::string>& cursor, const std::string& upper) const {
  return "SELECT pg_catalog.set_config('athanor.batch_rows', (SELECT pg_catalog.count(*) FROM " + table_ + " WHERE " +
         range(cursor, upper) + ")::pg_catalog.text, true)";
}

std::string BatchKey::written_ahead(const std::string& upper, const std::string& bound) const {
  return "EXISTS (SELECT FROM " + table_ + " WHERE " + range(upper, bound) +
         // xmin is the 32-bit id of the writing transaction: the cast drops the epoch of the 64-bit id.
         " AND xmin OPERATOR(pg_catalog.=) pg_catalog.pg_current_xact_id()::pg_catalog.xid)";
}

std::string BatchKey::refuse_moved(const std::optional<std::string>& cursor, const std::string& upper,
                                   const std::string& bound) const {
  return "SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN (SELECT pg_catalog.count(*) FROM " + table_ + " WHERE " +
         range(cursor, upper) +
         ") OPERATOR(pg_catalog.>=) pg_catalog.current_setting('athanor.batch_rows')::pg_catalog.int8 THEN 1 WHEN " +
         written_ahead(upper, bound) + " THEN 0 ELSE 1 END)";
}

std::string BatchKey::refuse_written(const std::string& upper, const std::string& bound) const {
  return "SELECT 1 OPERATOR(pg_catalog./) (CASE WHEN " + written_ahead(upper, bound) + " THEN 0 ELSE 1 END)";
}

}  // namespace athanor
