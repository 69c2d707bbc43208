// What is known about the schema while revisions are read in order: what earlier revisions created, and what the database
// contains.
//
// This knowledge is incomplete: a table that is not here may still exist. Rules report when they do not know, and are silent
// when they know that there is no danger. Names are compared without "public", which is the meaning of an unqualified name
// unless search_path says otherwise.
//
// Threads: one thread. Ownership: owns everything.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "migrations/lint/statement_view.hpp"

namespace athanor {

struct KnownColumn {
  std::optional<TypeWords> type;
  bool not_null = false;
};

struct KnownConstraint {
  std::string kind;                  // "CONSTR_CHECK", …
  std::vector<std::string> columns;  // of CHECK: those in its expression
  QualifiedName references;
  std::string not_null_column;
  bool validated = true;
};

struct KnownIndex {
  QualifiedName table;
  std::vector<std::string> columns;  // empty for an expression
  bool unique = false;
  bool partial = false;
  // For an index with an expression or a condition: all its columns. The server builds it again when the type of one changes,
  // even to a type that is stored alike.
  std::set<std::string> rebuilt_with = {};
};

struct KnownDomain {
  bool constrained = false;       // it has a NOT NULL or CHECK of its own
  std::optional<TypeWords> base;  // may be a domain again
};

struct KnownTable {
  int created_in = -1;  // the unit that created it; -1: an earlier one, or none that was read
  bool partitioned = false;
  bool temporary = false;
  std::optional<std::int64_t> rows;  // the server's estimate
  std::map<std::string, KnownColumn> columns;
  std::map<std::string, KnownConstraint> constraints;
};

struct AddedValue {
  QualifiedName type;
  bool type_is_new = false;  // the same transaction created the type
};

enum class Volatility : std::uint8_t { Immutable, Stable, Volatile };

class KnownSchema {
 public:
  // Begins a new revision or file: everything before is no longer new.
  void begin_unit() { ++unit_; }
  // Records what the statement does. `transaction` identifies the transaction, for statements that share one.
  void apply(const StatementView& view, int transaction);

  // Null when nothing is known about the table, which may still exist.
  [[nodiscard]] const KnownTable* find(const QualifiedName& table) const;
  [[nodiscard]] KnownTable& table(const QualifiedName& name) { return tables_[name]; }
  // Whether the current revision created the table.
  [[nodiscard]] bool is_new(const QualifiedName& table) const;
  [[nodiscard]] const KnownColumn* column(const QualifiedName& table, const std::string& column) const;
  [[nodiscard]] const KnownConstraint* constraint(const QualifiedName& table, const std::string& name) const;
  [[nodiscard]] const KnownIndex* index(const QualifiedName& name) const;
  [[nodiscard]] const std::map<QualifiedName, KnownTable>& tables() const { return tables_; }
  [[nodiscard]] const std::map<QualifiedName, KnownIndex>& indexes() const { return indexes_; }
  void add_index(const QualifiedName& name, KnownIndex facts);
  // The names of the table's indexes.
  [[nodiscard]] std::vector<QualifiedName> indexes_of(const QualifiedName& table) const;
  // The names of the table's indexes with exactly these columns.
  [[nodiscard]] const std::set<QualifiedName>& indexes_on(const QualifiedName& table,
                                                          const std::vector<std::string>& columns) const;
  // Whether an index (unique, primary key or other) begins with these columns, in any order.
  [[nodiscard]] bool has_index_on(const QualifiedName& table, const std::vector<std::string>& columns) const;
  // Whether the column is known to contain no NULL: a validated CHECK (column IS NOT NULL), or a constraint of unknown
  // definition on this table that the revision validated.
  [[nodiscard]] bool is_proven_not_null(const QualifiedName& table, const std::string& column) const;
  // For a domain, whether it or its base has a constraint; empty when it is not a known domain.
  [[nodiscard]] std::optional<bool> domain_constrained(const QualifiedName& type) const;
  // The type below a domain, and below the domains that it is based on; other types are returned as they are.
  [[nodiscard]] TypeWords base_type(TypeWords type) const;
  [[nodiscard]] const std::map<QualifiedName, KnownDomain>& domains() const { return domains_; }
  void add_domain(const QualifiedName& name, KnownDomain facts) { domains_[name] = std::move(facts); }
  // Enum values that ALTER TYPE added in this transaction.
  [[nodiscard]] const std::map<std::string, AddedValue>& values_added(int transaction) const;
  [[nodiscard]] std::optional<Volatility> function(const QualifiedName& name) const;
  void add_function(const QualifiedName& name, Volatility volatility) { functions_[name] = volatility; }

 private:
  void create_table(const StatementView& view);
  void alter_table(const StatementView& view);
  void alter_one(KnownTable& facts, const StatementView& view, const AlterAction& action);
  void add_column(const QualifiedName& table, const ColumnParts& column);
  void add_constraint(const QualifiedName& table, const ConstraintParts& constraint);
  void create_index(const StatementView& view);
  void create_domain(const StatementView& view);
  void create_function(const StatementView& view);
  void create_as(const StatementView& view);
  void drop(const StatementView& view);
  void rename(const StatementView& view);
  void rename_table(const QualifiedName& from, const QualifiedName& to);
  void forget_column(KnownTable& facts, const QualifiedName& table, const std::string& column);
  void rename_column(const QualifiedName& table, const std::string& from, const std::string& to);
  void rename_index(const QualifiedName& from, const std::string& to);
  void drop_index(const QualifiedName& name);
  void add_enum_value(const StatementView& view, int transaction);

  std::map<QualifiedName, KnownTable> tables_;
  std::map<QualifiedName, KnownIndex> indexes_;
  // By table and columns: a table may have thousands of indexes.
  std::map<QualifiedName, std::map<std::vector<std::string>, std::set<QualifiedName>>> indexes_of_;
  std::map<QualifiedName, KnownDomain> domains_;
  std::map<QualifiedName, Volatility> functions_;
  std::map<QualifiedName, int> types_created_;  // the transaction that created an enum type
  std::map<std::string, AddedValue> added_values_;
  int added_in_ = -1;                          // the transaction of added_values_
  std::set<QualifiedName> blindly_validated_;  // tables with a validated constraint of unknown definition
  int unit_ = 0;
  int validated_unit_ = -1;
};

}  // namespace athanor
