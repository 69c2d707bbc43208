// What is known while a catalog is read: the facts so far, the object of the server that each describes, and the names by which
// later answers refer to earlier ones.
//
// Objects are found by their address, as pg_depend writes it: the oid of the catalog, the oid of the object, and the column's
// number or 0. An object without a fact of its own is carried by another: the index of a constraint by the constraint, the row
// type of a table by the table, a member of an extension by the extension, the clone of a trigger by nothing. What the filter
// left out is hidden: it has no fact, but its dependencies are still noticed.
//
// Addresses are of one server and of one moment: they never get into a fact.
//
// Threads: one thread. Ownership: owns everything; finish() gives the facts away.
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
                     kTextSearchConfiguration = 3602, kTextSearchDictionary = 3600, kStatistics = 3381, kPublication = 6104,
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

// One row of pg_attribute, kept until the parents of its table are known. There are many: what few have stands apart.
struct ColumnRow {
  struct Rare {
    std::string collation_schema, collation;  // when it is not the type's own
    std::string options, foreign_options;     // JSON
  };

  int number = 0;
  int statistics = -1;
  Oid default_oid = 0;
  bool not_null = false;
  bool local = true;
  bool inherited = false;
  // pg_attribute's letters; NUL for none.
  char identity = '\0', generated = '\0', storage = '\0', type_storage = '\0', compression = '\0';
  std::string name, type, expression;
  std::unique_ptr<Rare> rare{};

  [[nodiscard]] const Rare& others() const {
    static const Rare kNone;
    return rare ? *rare : kNone;
  }
};

// Tables, views, sequences, composite types; not indexes.
struct Relation {
  Oid schema = 0;
  std::string name;
  char kind = 'r';  // pg_class.relkind
  bool hidden = false;
  Oid of_type = 0;
  std::vector<Oid> parents{};  // in order
  std::vector<ColumnRow> columns{};
  std::uint32_t fact = 0;  // when it is not hidden; a composite type's comes later

  [[nodiscard]] const ColumnRow* column(int number) const;
  [[nodiscard]] const ColumnRow* column(std::string_view column_name) const;
};

class Extraction {
 public:
  explicit Extraction(const InspectOptions& options, int server_version) : options_(options), version_(server_version) {}

  [[nodiscard]] const InspectOptions& options() const { return options_; }
  [[nodiscard]] int version() const { return version_; }

  // Schemas. Objects of schemas that are not known to be the user's are system objects.
  void add_schema(Oid oid, std::string name, bool user);
  [[nodiscard]] const std::string& schema_name(Oid oid) const;
  [[nodiscard]] bool is_user_schema(Oid oid) const;
  [[nodiscard]] bool is_hidden_schema(Oid oid) const;  // by the filter
  [[nodiscard]] bool hides_relation(Oid schema, const std::string& name) const;
  [[nodiscard]] bool is_own_table(Oid schema, const std::string& name) const;  // Athanor's version table

  void add_role(Oid oid, std::string name) { roles_.emplace(oid, std::move(name)); }
  // "public" for 0, which is PUBLIC.
  [[nodiscard]] std::string role_name(Oid oid) const;

  void add_member(Address member, Oid extension);
  [[nodiscard]] bool is_member(Address address) const { return members_.contains(address); }

  std::unordered_map<Oid, Relation> relations{};
  [[nodiscard]] const Relation* relation(Oid oid) const;
  // ["schema","name"], empty when it is not the user's.
  [[nodiscard]] std::string relation_name(Oid oid) const;
  // Names of the columns with these numbers; expressions of an index have the number 0 and are left out.
  [[nodiscard]] static std::vector<std::string> column_names(const Relation& relation, const std::vector<int>& numbers);
  // Which index of a partitioned table an index of a partition is attached to.
  std::unordered_map<Oid, Oid> index_parents{};
  // Statistics targets of the columns of indexes, as JSON members in order.
  std::unordered_map<Oid, std::vector<std::string>> index_statistics{};

  // Room for so many more facts.
  void expect_facts(std::size_t count) { facts_.reserve(facts_.size() + count); }
  // The fact of an object in a schema unless it is a system object, a member of an extension or hidden: then nothing, and what
  // depends on it is still known.
  [[nodiscard]] bool takes(Address address, Oid schema, std::string_view what, std::string_view name);
  // `owner`: 0 for what has none of its own.
  std::uint32_t add(Address address, Fact fact, Oid owner = 0);
  // An object that is described by the fact of `carrier`, whenever that comes.
  void carry(Address address, Address carrier) { carriers_.insert_or_assign(address, carrier); }
  void hide(Address address, std::string what) { hidden_.insert_or_assign(address, std::move(what)); }
  [[nodiscard]] Fact& fact(std::uint32_t index) { return facts_[index]; }
  [[nodiscard]] const std::vector<Fact>& facts() const { return facts_; }
  // A column's address is followed to its table when nothing finer is known.
  [[nodiscard]] std::optional<std::uint32_t> find(Address address) const;
  [[nodiscard]] const std::string* find_hidden(Address address) const;
  // The id by which a comment or a grant names an object, which need not be a fact: the column of a view, a constraint's index.
  [[nodiscard]] std::optional<FactId> subject(Address address) const;
  void add_subject(Address address, FactId id) { subjects_.insert_or_assign(address, std::move(id)); }

  // A comment that an object has without anybody's doing.
  void add_usual_comment(Address address, std::string text) { usual_comments_.emplace(address, std::move(text)); }
  [[nodiscard]] bool is_usual_comment(Address address, const std::string& text) const;

  void add_edge(std::uint32_t from, std::uint32_t to) { edges_.push_back({from, to}); }
  // To whatever describes the object, if anything does.
  void add_edge(std::uint32_t from, Address to);
  void add_outside(std::uint32_t on, std::string what) { outside_.push_back({on, std::move(what)}); }
  void count_unmodelled(const std::string& kind, std::string name) { unmodelled_[kind].push_back(std::move(name)); }
  [[nodiscard]] const std::vector<std::pair<std::uint32_t, Oid>>& owners() const { return owners_; }

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

// Sets an attribute unless the value is empty: what has the server's default is absent.
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
// A fact's attributes are sorted when it is finished; until then this looks through them.
[[nodiscard]] bool is_set(const Fact& fact, std::string_view attribute);

// One query and what is done with its answer. Its columns are named where they are read.
struct Family {
  std::string sql;
  std::function<void(const Rows& rows, Extraction& extraction)> take;
  bool large = false;  // several rows for each table: its answer is in memory alone
};

// All of them: the questions of one inspect().
[[nodiscard]] std::vector<Family> families_for(const InspectOptions& options, int version);

// In the order in which they must be taken: each may refer to what those before it made known.
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
void add_owner_facts(Extraction& extraction);  // of all facts so far
void add_privilege_families(std::vector<Family>& families, const InspectOptions& options, int version);
void add_publication_families(std::vector<Family>& families, const InspectOptions& options, int version);
void add_unmodelled_families(std::vector<Family>& families, int version);
void add_dependency_families(std::vector<Family>& families, int version);

}  // namespace athanor::schema
