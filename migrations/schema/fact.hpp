// A fact: one addressable thing of a schema, as the server's catalog describes it.
//
// A table is a fact; so is each of its columns, defaults, constraints, indexes, triggers, policies and comments. At that grain
// two schemas differ by a set of facts, and nearly all cycles between objects disappear: a table, then its constraints, then
// its foreign keys. A fact's own name stands in its id only, so a renamed object has the same attributes under another id.
//
// Everything is text as PostgreSQL prints it with an empty search_path (pg_get_*def, format_type, pg_get_expr): no parser of
// ours decides what a definition means. Facts of two servers are comparable when their major versions are the same.
//
// Threads and ownership: plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

// The order is the order in which objects are usually created; it only breaks ties, dependencies decide.
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
  // About another object, which the id names: `subject` is that object's kind.
  Comment,
  Owner,
  Grant,
  DefaultPrivilege,
};

// "table", "materialized view", "default privilege".
[[nodiscard]] std::string_view kind_name(Kind kind);

// What makes a fact that fact. Unquoted names; parts that a kind does not have are empty.
struct FactId {
  Kind kind = Kind::None;
  // Comment, Owner and Grant: the kind of the object they are about; the other parts name that object.
  Kind subject = Kind::None;
  std::string schema{};
  // Column, ColumnDefault, Constraint, Index, Trigger, Rule, Policy: the relation. DomainConstraint: the domain. UserMapping:
  // the server.
  std::string parent{};
  // ColumnDefault: the column. Cast: empty. Operator: its symbol. UserMapping: the role, "public" for PUBLIC.
  // DefaultPrivilege: the granting role.
  std::string name{};
  // What the statements of SQL write between parentheses. Routine, Aggregate: the identity argument types, "integer, text", "*"
  // for an aggregate without. Operator: the left and right type, "NONE, integer". Cast: "integer AS text". OperatorClass,
  // OperatorFamily: the access method. DefaultPrivilege: the object type ("tables").
  std::string arguments{};
  // Grant: grantee ("" is PUBLIC), and the column for a column grant in `column`. DefaultPrivilege: grantee.
  std::string grantee{};
  std::string column{};

  [[nodiscard]] auto operator<=>(const FactId&) const = default;
};

// For messages: `column "shop"."orders"."total"`.
[[nodiscard]] std::string describe(const FactId& id);

struct Attribute {
  std::string_view name;  // a constant of attributes.hpp
  std::string value;      // lists are the text of a JSON array
  [[nodiscard]] bool operator==(const Attribute&) const = default;
};

struct Fact {
  FactId id;
  std::vector<Attribute> attributes{};  // sorted by name; an attribute with the server's default value is absent
  // Where it stands among its siblings (columns of a table): for creating in the same order, never compared.
  int position = 0;

  // Empty when the fact does not have it.
  [[nodiscard]] std::string_view get(std::string_view attribute) const;
  [[nodiscard]] bool has(std::string_view attribute) const;
};

}  // namespace athanor::schema
