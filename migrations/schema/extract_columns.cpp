// Reads columns and their defaults, and the attributes of composite types.
//
// An inherited column is a fact only if something differs from its parent's, so that a change of the parent is one change.
#include <algorithm>
#include <optional>

#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {

void add_column_families(std::vector<Family>& families, int version);

namespace {

using catalog_oid::kAttrdef;
using catalog_oid::kClass;

enum ColumnColumn : std::size_t {
  ColRelation,
  ColNumber,
  ColName,
  ColType,
  ColCollationSchema,
  ColCollation,
  ColNotNull,
  ColIdentity,
  ColGenerated,
  ColStorage,
  ColTypeStorage,
  ColCompression,
  ColStatistics,
  ColLocal,
  ColInherited,
  ColOptions,
  ColForeignOptions,
  ColDefault,
  ColExpression
};

// Of an index, only columns with a statistics target.
constexpr const char* kColumns = R"(SELECT a.attrelid, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod),
 l.collnamespace, l.collname, NULLIF(a.attnotnull, false), NULLIF(a.attidentity, ''), NULLIF(a.attgenerated, ''), a.attstorage,
 t.typstorage, NULLIF(a.attcompression, ''), NULLIF(a.attstattarget, -1), NULLIF(a.attislocal, true),
 NULLIF(a.attinhcount, 0), a.attoptions, a.attfdwoptions, d.oid, pg_get_expr(d.adbin, d.adrelid)
FROM pg_catalog.pg_attribute a
 JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
 JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
 LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
 LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation AND a.attcollation <> t.typcollation
WHERE a.attrelid >= 16384 AND a.attnum > 0 AND NOT a.attisdropped AND c.relpersistence <> 't'
 AND (c.relkind IN ('r', 'p', 'v', 'm', 'f', 'c') OR (c.relkind IN ('i', 'I') AND COALESCE(a.attstattarget, -1) <> -1))
ORDER BY a.attrelid, a.attnum)";

std::string storage_word(char letter) {
  switch (letter) {
    case 'p':
      return "plain";
    case 'e':
      return "external";
    case 'm':
      return "main";
    case 'x':
      return "extended";
    default:
      return {letter};
  }
}

std::string compression_word(char letter) {
  return letter == 'p' ? "pglz" : letter == 'l' ? "lz4" : letter == '\0' ? "default" : std::string(1, letter);
}

ColumnRow column_in(const Extraction& extraction, const CatalogRow& row) {
  ColumnRow column;
  column.number = row.number(ColNumber);
  column.name = row.text(ColName);
  column.type = row.text(ColType);
  column.not_null = row.flag(ColNotNull);
  column.local = !row.has(ColLocal);
  column.inherited = row.has(ColInherited);
  column.identity = row.letter(ColIdentity);
  column.generated = row.letter(ColGenerated);
  column.storage = row.letter(ColStorage);
  column.type_storage = row.letter(ColTypeStorage);
  column.compression = row.letter(ColCompression);
  column.statistics = row.has(ColStatistics) ? row.number(ColStatistics) : -1;
  column.default_oid = row.oid(ColDefault);
  column.expression = row.text(ColExpression);
  if (row.has(ColCollation) || row.has(ColOptions) || row.has(ColForeignOptions)) {
    column.rare = std::make_unique<ColumnRow::Rare>();
    column.rare->collation_schema = row.has(ColCollation) ? extraction.schema_name(row.oid(ColCollationSchema)) : "";
    column.rare->collation = row.text(ColCollation);
    column.rare->options = row.list(ColOptions);
    column.rare->foreign_options = row.list(ColForeignOptions);
  }
  return column;
}

// The values that a column has unless its table overrides them: those of the type, or of the first parent.
struct Baseline {
  bool not_null = false;
  char storage = '\0', compression = '\0';
  int statistics = -1;
  std::string_view options{}, expression{};
};

Baseline baseline_of(const Extraction& extraction, const Relation& relation, const ColumnRow& column, bool declared) {
  Baseline base;
  base.storage = column.type_storage;
  if (declared) {
    return base;
  }
  bool first = true;
  for (const Oid oid : relation.parents) {
    const Relation* parent = extraction.relation(oid);
    const ColumnRow* inherited = parent != nullptr ? parent->column(column.name) : nullptr;
    if (inherited == nullptr) {
      continue;
    }
    // NOT NULL of any parent is inherited.
    base.not_null = base.not_null || inherited->not_null;
    if (std::exchange(first, false)) {
      base.storage = inherited->storage;
      base.compression = inherited->compression;
      base.statistics = inherited->statistics;
      base.options = inherited->others().options;
      base.expression = inherited->expression;
    }
  }
  return base;
}

// Whether the table declares a column that it would have from its parents in the same way, as after ALTER TABLE … INHERIT.
bool only_repeats_parents(const Extraction& extraction, const Relation& relation, const ColumnRow& column) {
  if (!column.local || !column.inherited || column.identity != '\0') {
    return false;
  }
  const ColumnRow* first = nullptr;
  for (const Oid oid : relation.parents) {
    const Relation* parent = extraction.relation(oid);
    const ColumnRow* above = parent != nullptr ? parent->column(column.name) : nullptr;
    if (above == nullptr) {
      continue;
    }
    const ColumnRow& same = first == nullptr ? *above : *first;
    const bool generated_alike =
        above->generated == column.generated && (column.generated == '\0' || above->expression == column.expression);
    // CREATE TABLE … INHERITS must choose between parents with different defaults.
    if (!generated_alike || above->expression != same.expression) {
      return false;
    }
    first = &same;
  }
  return first != nullptr;
}

// Type, collation, identity and generation. Only for a column that its table declares: an inherited one has them from its
// origin.
void describe_own(Fact& fact, const ColumnRow& column) {
  set(fact, attribute::kType, column.type);
  if (const auto& others = column.others(); !others.collation.empty()) {
    set(fact, attribute::kCollation, json_name(others.collation_schema, others.collation));
  }
  set(fact, attribute::kIdentity, column.identity == 'a' ? "always" : column.identity == 'd' ? "by default" : "");
  set(fact, attribute::kGenerated, column.generated == 's' ? "stored" : column.generated == 'v' ? "virtual" : "");
  if (column.generated != '\0') {
    set(fact, attribute::kExpression, column.expression);
  }
}

// Attributes that differ from the inherited ones, written out even if they equal the type's default.
void describe_physical(Fact& fact, const ColumnRow& column, const Baseline& base) {
  set_flag(fact, attribute::kNotNull, column.not_null && !base.not_null);
  if (column.storage != base.storage) {
    set(fact, attribute::kStorage, storage_word(column.storage));
  }
  if (column.compression != base.compression) {
    set(fact, attribute::kCompression, compression_word(column.compression));
  }
  if (column.statistics != base.statistics) {
    set(fact, attribute::kStatistics, std::to_string(column.statistics));
  }
  if (const std::string& options = column.others().options; options != base.options) {
    set(fact, attribute::kOptions, options.empty() ? "[]" : options);
  }
  set(fact, attribute::kForeignOptions, column.others().foreign_options);
}

// The origin of a column that its table does not declare: the parent's column or the table's type; none for a column of a
// query.
std::optional<Address> origin_of(const Extraction& extraction, const Relation& relation, const ColumnRow& column) {
  if (relation.of_type != 0) {
    return Address{catalog_oid::kType, relation.of_type, 0};
  }
  for (const Oid oid : relation.parents) {
    const Relation* parent = extraction.relation(oid);
    if (const ColumnRow* inherited = parent != nullptr ? parent->column(column.name) : nullptr) {
      return Address{kClass, oid, inherited->number};
    }
  }
  return std::nullopt;
}

class ColumnFacts {
 public:
  explicit ColumnFacts(Extraction& extraction) : extraction_(extraction) {}

  void add(Oid oid, const Relation& relation, const ColumnRow& column) {
    const bool repeats = only_repeats_parents(extraction_, relation, column);
    const bool foreign_origin =
        ((!column.local || repeats) && column.inherited) || relation.of_type != 0 || relation.kind == 'm';
    const Baseline base = baseline_of(extraction_, relation, column, column.local && !repeats);
    if (repeats) {
      extraction_.fact(relation.fact).uncompared.push_back({attribute::kColumn, column.name});
    }
    const Address address{kClass, oid, column.number};
    const std::optional<Address> origin = foreign_origin ? origin_of(extraction_, relation, column) : std::nullopt;
    if (relation.kind != 'v') {
      add_column(relation, column, base, address, foreign_origin, origin);
    }
    const bool generated = column.generated != '\0';
    if (!generated && column.expression != base.expression) {
      add_default(relation, column, address, origin);
    } else if (generated || column.default_oid != 0) {
      extraction_.carry({kAttrdef, column.default_oid, 0}, address);
    }
  }

  // Adds the edges once all columns are known: inherited columns to the parent's column, and defaults to their column or what
  // carries it.
  void link() {
    for (const auto& [index, column] : links_) {
      extraction_.add_edge(index, column);
    }
  }

 private:
  void add_column(const Relation& relation, const ColumnRow& column, const Baseline& base, Address address, bool foreign_origin,
                  std::optional<Address> origin) {
    Fact fact{.id = {.kind = Kind::Column,
                     .schema = extraction_.schema_name(relation.schema),
                     .parent = relation.name,
                     .name = column.name},
              .position = column.number};
    describe_physical(fact, column, base);
    if (!foreign_origin) {
      describe_own(fact, column);
    } else if (fact.attributes.empty()) {
      if (origin) {
        extraction_.carry(address, *origin);
      }
      return;
    } else {
      set_flag(fact, attribute::kInherited, true);
    }
    const auto index = extraction_.add(address, std::move(fact));
    extraction_.add_edge(index, relation.fact);
    if (origin) {
      links_.emplace_back(index, *origin);
    }
  }

  void add_default(const Relation& relation, const ColumnRow& column, Address address, std::optional<Address> origin) {
    Fact fact{.id = {.kind = Kind::ColumnDefault,
                     .schema = extraction_.schema_name(relation.schema),
                     .parent = relation.name,
                     .name = column.name},
              .position = column.number};
    set(fact, attribute::kExpression, column.expression.empty() ? "NULL" : column.expression);
    // A child that dropped the inherited default has no row in pg_attrdef. The negative column number makes an address that no
    // real object has.
    const Address own =
        column.default_oid != 0 ? Address{kAttrdef, column.default_oid, 0} : Address{kAttrdef, address.object, -column.number};
    const auto index = extraction_.add(own, std::move(fact));
    extraction_.add_edge(index, relation.fact);
    links_.emplace_back(index, address);
    if (origin) {
      links_.emplace_back(index, *origin);
    }
  }

  Extraction& extraction_;
  std::vector<std::pair<std::uint32_t, Address>> links_;
};

void describe_composite(Extraction& extraction, Oid oid, const Relation& relation) {
  const auto index = extraction.find({kClass, oid, 0});
  if (!index || extraction.fact(*index).id.kind != Kind::CompositeType) {
    return;
  }
  std::vector<std::string> attributes;
  for (const ColumnRow& column : relation.columns) {
    const auto& others = column.others();
    const std::string collation = others.collation.empty() ? "" : qualified_name(others.collation_schema, others.collation);
    attributes.push_back(json_list({column.name, column.type, collation}));
  }
  set(extraction.fact(*index), attribute::kAttributes, json_values(attributes));
}

void describe_view(Extraction& extraction, const Relation& relation) {
  std::vector<std::string> columns;
  for (const ColumnRow& column : relation.columns) {
    columns.push_back(json_list({column.name, column.type}));
  }
  set(extraction.fact(relation.fact), attribute::kColumns, json_values(columns));
}

void take_columns(const Rows& rows, Extraction& extraction) {
  Oid current = 0;
  Relation* relation = nullptr;
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    if (const Oid oid = row.oid(ColRelation); oid != current) {
      current = oid;
      const auto found = extraction.relations.find(oid);
      relation = found != extraction.relations.end() ? &found->second : nullptr;
    }
    if (relation != nullptr) {
      relation->columns.push_back(column_in(extraction, row));
    } else if (row.has(ColStatistics)) {
      extraction.index_statistics[current].push_back(json_text(row.text(ColNumber)) + ":" + json_text(row.text(ColStatistics)));
    }
  }
  extraction.expect_facts(rows.rows.size() * 2);  // estimate including defaults, constraints, indexes and the rest
  ColumnFacts facts(extraction);
  for (auto& [oid, described] : extraction.relations) {
    if (described.hidden) {
      continue;
    }
    if (described.kind == 'c') {
      describe_composite(extraction, oid, described);
      continue;
    }
    if (described.kind == 'v' || described.kind == 'm') {
      describe_view(extraction, described);
    }
    for (const ColumnRow& column : described.columns) {
      facts.add(oid, described, column);
    }
  }
  facts.link();
}

}  // namespace

void add_column_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({.sql = kColumns, .take = take_columns, .large = true});
}

}  // namespace athanor::schema
