// The state while a catalog is read: the facts so far, which server object each of them describes, and the names through which
// later rows refer to earlier ones.
//
// Objects are found by the address that pg_depend uses: oid of the catalog, oid of the object, and column number or 0. An
// object without its own fact is carried by another one: the index of a constraint by the constraint, the row type of a table
// by the table, a member of an extension by the extension. Objects that the filter excludes are hidden: they have no fact, but
// their dependencies on facts are recorded.
//
// Addresses are only valid on one server at one moment, so they never become part of a fact.
//
// Threads: one thread. Ownership: owns everything but the options; finish() moves the facts out.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/catalog.hpp"
#include "migrations/schema/catalog_text.hpp"
#include "migrations/schema/inspect.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

// The oids of PostgreSQL's catalogs are part of its on-disk format and never change.
namespace catalog_oid {
inline constexpr Oid kClass = 1259, kType = 1247, kProc = 1255, kNamespace = 2615, kConstraint = 2606, kAttrdef = 2604,
                     kRewrite = 2618, kTrigger = 2620, kPolicy = 3256, kExtension = 3079, kForeignDataWrapper = 2328,
                     kForeignServer = 1417, kUserMapping = 1418, kEventTrigger = 3466, kOperator = 2617, kOperatorClass = 2616,
                     kOperatorFamily = 2753, kAmop = 2602, kAmproc = 2603, kCast = 2605, kCollation = 3456,
                     kTextSearchConfiguration = 3602, kTextSearchDictionary = 3600, kTextSearchParser = 3601, kTextSearchTemplate = 3764, kStatistics = 3381, kPublication = 6104,
                     kPublicationRelation = 6106, kPublicationNamespace = 6237, kSubscription = 6100, kDescription = 2609,
                     kShdepend = 1214, kDefaultAcl = 826;
}  // namespace catalog_oid

struct Address {
  Oid catalog = 0;
  Oid object = 0;
  int column = 0;
  [[nodiscard]] bool operator==(const Address&) const = default;
};
struct AddressHash {
  std::size_t operator()(const Address& address) const noexcept {
    const std::uint64_t object = (std::uint64_t{address.catalog} << 32U) | address.object;
    return std::hash<std::uint64_t>{}(object * 0x9E3779B97F4A7C15U + static_cast<std::uint64_t>(address.column));
  }
};

// One row of pg_attribute, kept until the parents of its table are known. There are many rows, so rare values live in a
// separate object.
struct ColumnRow {
  struct Rare {
    std::string collation_schema, collation;  // if it is not the type's default
    std::string options, foreign_options;     // JSON
  };

  int number = 0;
  int statistics = -1;
  Oid default_oid = 0;
  bool not_null = false;
  bool local = true;
  bool inherited = false;
  // The letters of pg_attribute; NUL for none.
  char identity = '\0', generated = '\0', storage = '\0', type_storage = '\0', compression = '\0';
  std::string name, type, expression;
  std::unique_ptr<Rare> rare{};

  // The rare values; all empty if there are none.
  [[nodiscard]] const Rare& others() const {
    static const Rare kNone;
    return rare ? *rare : kNone;
  }
};

// A table, view, sequence or composite type; not an index.
struct Relation {
  Oid schema = 0;
  std::string name;
  char kind = 'r';  // pg_class.relkind
  bool hidden = false;
  Oid of_type = 0;
  std::vector<Oid> parents{};  // in order
  std::vector<ColumnRow> columns{};
  std::uint32_t fact = 0;  // unless hidden; a composite type's is set later

  // Null if there is no such column.
  [[nodiscard]] const ColumnRow* column(int number) const;
  [[nodiscard]] const ColumnRow* column(std::string_view column_name) const;
};

class Extraction {
 public:
  explicit Extraction(const InspectOptions& options, int server_version) : options_(options), version_(server_version) {}

  [[nodiscard]] const InspectOptions& options() const { return options_; }
  [[nodiscard]] int version() const { return version_; }

  // Schemas. Objects of schemas that are not user schemas are system objects.
  void add_schema(Oid oid, std::string name, bool user);
  [[nodiscard]] const std::string& schema_name(Oid oid) const;
  [[nodiscard]] bool is_user_schema(Oid oid) const;
  [[nodiscard]] bool is_hidden_schema(Oid oid) const;  // excluded by the filter
  [[nodiscard]] bool hides_relation(Oid schema, const std::string& name) const;
  [[nodiscard]] bool is_own_table(Oid schema, const std::string& name) const;  // Athanor's version table

  void add_role(Oid oid, std::string name) { roles_.emplace(oid, std::move(name)); }
  // The role's name; "public" for 0, which means PUBLIC; the number if the role is gone.
  [[nodiscard]] std::string role_name(Oid oid) const;

  // A member of an extension: the extension's fact carries it.
  void add_member(Address member, Oid extension);
  [[nodiscard]] bool is_member(Address address) const { return members_.contains(address); }

  std::unordered_map<Oid, Relation> relations{};
  [[nodiscard]] const Relation* relation(Oid oid) const;
  // ["schema","name"]; empty for an unknown relation, such as one of the system's.
  [[nodiscard]] std::string relation_name(Oid oid) const;
  // Names of the columns with these numbers. Expressions of an index have the number 0 and are skipped.
  [[nodiscard]] static std::vector<std::string> column_names(const Relation& relation, const std::vector<int>& numbers);
  // The index of the partitioned table to which an index of a partition is attached.
  std::unordered_map<Oid, Oid> index_parents{};
  // Statistics targets of the columns of indexes, as JSON members in order.
  std::unordered_map<Oid, std::vector<std::string>> index_statistics{};

  // Reserves memory for so many more facts.
  void expect_facts(std::size_t count) { facts_.reserve(facts_.size() + count); }
  // Whether an object in a schema becomes a fact: false for system objects, members of extensions and hidden objects. For the
  // latter two, dependencies are still recorded.
  [[nodiscard]] bool takes(Address address, Oid schema, std::string_view what, std::string_view name);
  // Adds the fact that describes the object at `address`, and returns its index. `owner`: oid of its role; 0 if the object has
  // no owner of its own.
  std::uint32_t add(Address address, Fact fact, Oid owner = 0);
  // Lets the fact of `carrier`, which may be added later, describe the object.
  void carry(Address address, Address carrier) { carriers_.insert_or_assign(address, carrier); }
  // Records an object outside the filter; `what` is its description for messages.
  void hide(Address address, std::string what) { hidden_.insert_or_assign(address, std::move(what)); }
  [[nodiscard]] Fact& fact(std::uint32_t index) { return facts_[index]; }
  [[nodiscard]] const std::vector<Fact>& facts() const { return facts_; }
  // The fact that describes the object. Falls back from a column to its table.
  [[nodiscard]] std::optional<std::uint32_t> find(Address address) const;
  [[nodiscard]] const std::string* find_hidden(Address address) const;
  // The id under which comments and grants name the object. It need not be a fact: a view's column, a constraint's index.
  [[nodiscard]] std::optional<FactId> subject(Address address) const;
  void add_subject(Address address, FactId id) { subjects_.insert_or_assign(address, std::move(id)); }

  // A comment that an object has by default, such as that of an extension.
  void add_usual_comment(Address address, std::string text) { usual_comments_.emplace(address, std::move(text)); }
  // Whether the comment is the default one.
  [[nodiscard]] bool is_usual_comment(Address address, const std::string& text) const;

  void add_edge(std::uint32_t from, std::uint32_t to) { edges_.push_back({from, to}); }
  // Adds an edge to the fact that describes the object, if there is one.
  void add_edge(std::uint32_t from, Address to);
  void add_outside(std::uint32_t on, std::string what) { outside_.push_back({on, std::move(what)}); }
  void count_unmodelled(const std::string& kind, std::string name) { unmodelled_[kind].push_back(std::move(name)); }
  // Facts and the oids of their owners.
  [[nodiscard]] const std::vector<std::pair<std::uint32_t, Oid>>& owners() const { return owners_; }

  // The sealed catalog of all facts.
  [[nodiscard]] Catalog finish() &&;

 private:
  struct SchemaRow {
    std::string name;
    bool user = false;
    bool hidden = false;
  };

  const InspectOptions& options_;
  int version_;
  std::unordered_map<Oid, SchemaRow> schemas_;
  std::unordered_map<Oid, std::string> roles_;
  std::unordered_map<Address, Oid, AddressHash> members_;
  std::vector<Fact> facts_;
  std::unordered_map<Address, std::uint32_t, AddressHash> by_address_;
  std::unordered_map<Address, Address, AddressHash> carriers_;
  std::unordered_map<Address, std::string, AddressHash> hidden_;
  std::unordered_map<Address, FactId, AddressHash> subjects_;
  std::unordered_map<Address, std::string, AddressHash> usual_comments_;
  std::vector<std::pair<std::uint32_t, Oid>> owners_;
  std::vector<Edge> edges_;
  std::vector<OutsideDependent> outside_;
  std::map<std::string, std::vector<std::string>> unmodelled_;
};

// Sets an attribute unless the value is empty: attributes with the server's default are absent.
inline void set(Fact& fact, std::string_view attribute, std::string value) {
  if (!value.empty()) {
    fact.attributes.push_back({attribute, std::move(value)});
  }
}
inline void set_flag(Fact& fact, std::string_view attribute, bool value) {
  if (value) {
    fact.attributes.push_back({attribute, "true"});
  }
}
// Whether the attribute is set. A linear search, because attributes are sorted only in the finished catalog.
[[nodiscard]] bool is_set(const Fact& fact, std::string_view attribute);

// A query, and the function that turns its rows into facts. The meaning of its columns is documented where they are read.
struct Family {
  std::string sql;
  std::function<void(const Rows& rows, Extraction& extraction)> take;
  bool large = false;  // several rows per table: do not keep its rows in memory together with those of other queries
};

// All queries of one inspect(), in order.
[[nodiscard]] std::vector<Family> families_for(const InspectOptions& options, int version);

// Their order matters: each may refer to objects that earlier ones added.
void add_schema_families(std::vector<Family>& families, int version);
void add_type_families(std::vector<Family>& families, int version);
void add_table_families(std::vector<Family>& families, int version);
void add_constraint_families(std::vector<Family>& families, int version);
void add_index_families(std::vector<Family>& families, int version);
void add_routine_families(std::vector<Family>& families, int version);
void add_operator_families(std::vector<Family>& families, int version);
void add_text_search_families(std::vector<Family>& families, int version);
void add_view_families(std::vector<Family>& families, int version);
void add_trigger_families(std::vector<Family>& families, int version);
void add_foreign_families(std::vector<Family>& families, int version);
void add_metadata_families(std::vector<Family>& families, int version);
void add_owner_facts(Extraction& extraction);  // for all facts so far
void add_privilege_families(std::vector<Family>& families, const InspectOptions& options, int version);
void add_publication_families(std::vector<Family>& families, const InspectOptions& options, int version);
void add_unmodelled_families(std::vector<Family>& families, int version);
void add_dependency_families(std::vector<Family>& families, int version);

}  // namespace athanor::schema
