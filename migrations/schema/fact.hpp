// A fact: one addressable part of a schema, as the server's catalog describes it.
//
// A table is a fact; so is each of its columns, defaults, constraints, indexes, triggers, policies and comments. At that
// granularity two schemas differ by a set of facts, and nearly all dependency cycles between objects disappear: first a table,
// then its constraints, then its foreign keys. Only the id contains a fact's own name, so a renamed object has the same
// attributes under another id.
//
// All values are text as PostgreSQL prints it with an empty search_path (pg_get_*def, format_type, pg_get_expr); we never
// interpret definitions ourselves. Facts of two servers are comparable if their major versions are equal.
//
// Threads and ownership: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

// In the usual order of creation, which only breaks ties between objects that do not depend on each other.
enum class Kind : std::uint8_t {
  None,
  Schema,
  Extension,
  Collation,
  EnumType,
  CompositeType,
  RangeType,
  Domain,
  DomainConstraint,
  Sequence,
  ForeignDataWrapper,
  ForeignServer,
  UserMapping,
  Table,
  Column,
  ColumnDefault,
  Routine,
  Aggregate,
  Operator,
  OperatorFamily,
  OperatorClass,
  Cast,
  TextSearchParser,
  TextSearchTemplate,
  TextSearchDictionary,
  TextSearchConfiguration,
  Constraint,
  Index,
  Statistics,
  View,
  MaterializedView,
  Rule,
  Trigger,
  Policy,
  EventTrigger,
  Publication,
  Subscription,
  // These describe another object, which the id names; `subject` is its kind.
  Comment,
  Owner,
  Grant,
  DefaultPrivilege,
};

// "table", "materialized view", "default privilege".
[[nodiscard]] std::string_view kind_name(Kind kind);

// Identifies a fact. Names are unquoted; parts that a kind does not use are empty.
struct FactId {
  Kind kind = Kind::None;
  // Comment, Owner and Grant: the kind of the object they describe; the other parts name that object.
  Kind subject = Kind::None;
  std::string schema{};
  // Column, ColumnDefault, Constraint, Index, Trigger, Rule, Policy: the relation. DomainConstraint: the domain. UserMapping:
  // the server.
  std::string parent{};
  // ColumnDefault: the column. Cast: empty. Operator: its symbol. UserMapping: the role, "public" for PUBLIC.
  // DefaultPrivilege: the granting role.
  std::string name{};
  // What SQL writes between the parentheses. Routine, Aggregate: the identity argument types, "integer, text", or "*" for an
  // aggregate without arguments. Operator: the left and right type, "NONE, integer". Cast: "integer AS text". OperatorClass,
  // OperatorFamily: the access method. DefaultPrivilege: the object type ("tables").
  std::string arguments{};
  // Grant: the grantee ("" is PUBLIC), and in `column` the column of a column grant. DefaultPrivilege: the grantee.
  std::string grantee{};
  std::string column{};

  [[nodiscard]] auto operator<=>(const FactId&) const = default;
};

// For messages: `column "shop"."orders"."total"`.
[[nodiscard]] std::string describe(const FactId& id);

struct Attribute {
  std::string_view name;  // a constant of attributes.hpp
  std::string value;      // lists are JSON arrays
  [[nodiscard]] bool operator==(const Attribute&) const = default;
};

struct Fact {
  FactId id;
  std::vector<Attribute> attributes{};  // sorted by name; attributes with the server's default value are absent
  // Its position among its siblings (columns of a table): used to create them in the same order, never compared.
  int position = 0;
  // What only matters when the object is created or dropped; a name may occur several times. Table: parts that it declares
  // itself and has from a parent as well ({attribute::kColumn, "a"}): ALTER TABLE … INHERIT leaves them so, and no statement
  // changes it back. Index of a partitioned table: the names of its own columns (attribute::kIndexColumn).
  std::vector<Attribute> uncompared{};

  // Whether a table declares the inherited part itself.
  [[nodiscard]] bool redeclares(std::string_view part, std::string_view name) const;
  // The attribute's value; empty if the fact does not have it.
  [[nodiscard]] std::string_view get(std::string_view attribute) const;
  [[nodiscard]] bool has(std::string_view attribute) const;
};

}  // namespace athanor::schema
