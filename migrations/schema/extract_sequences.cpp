// Reads sequences. Those of identity columns become part of their column.
#include "migrations/schema/catalog_row.hpp"
#include "migrations/schema/extraction.hpp"

namespace athanor::schema {

void add_sequence_families(std::vector<Family>& families, int version);

namespace {

using catalog_oid::kClass;

enum SequenceColumn : std::size_t {
  SeqOid,
  SeqType,
  SeqStart,
  SeqIncrement,
  SeqMin,
  SeqMax,
  SeqCache,
  SeqCycle,
  SeqPersistence,
  SeqOwner,
  SeqDependency,
  SeqTable,
  SeqColumn
};

constexpr const char* kSequences = R"(SELECT s.seqrelid, format_type(s.seqtypid, NULL), s.seqstart, s.seqincrement, s.seqmin,
 s.seqmax, s.seqcache, s.seqcycle, c.relpersistence, c.relowner, d.deptype, d.refobjid, d.refobjsubid
FROM pg_catalog.pg_sequence s
 JOIN pg_catalog.pg_class c ON c.oid = s.seqrelid
 LEFT JOIN pg_catalog.pg_depend d ON d.classid = 1259 AND d.objid = s.seqrelid AND d.objsubid = 0 AND d.refclassid = 1259
  AND d.refobjsubid > 0 AND d.deptype IN ('a', 'i'))";

struct Limits {
  std::string_view least, greatest;
};

Limits limits_of(std::string_view type) {
  if (type == "smallint") {
    return {"-32768", "32767"};
  }
  if (type == "integer") {
    return {"-2147483648", "2147483647"};
  }
  return {"-9223372036854775808", "9223372036854775807"};
}

struct Option {
  std::string_view name;
  std::string value;
};

// The options that differ from the defaults of CREATE SEQUENCE.
std::vector<Option> options_of(const CatalogRow& row) {
  const Limits limits = limits_of(row.text(SeqType));
  const bool falls = row.text(SeqIncrement).starts_with('-');
  const std::string_view usual_min = falls ? limits.least : "1";
  const std::string_view usual_max = falls ? "-1" : limits.greatest;
  std::vector<Option> options;
  const auto add = [&](std::string_view name, const std::string& value, std::string_view usual) {
    if (value != usual) {
      options.push_back({name, value});
    }
  };
  add(attribute::kStart, row.text(SeqStart), falls ? row.text(SeqMax) : row.text(SeqMin));
  add(attribute::kIncrement, row.text(SeqIncrement), "1");
  add(attribute::kMinValue, row.text(SeqMin), usual_min);
  add(attribute::kMaxValue, row.text(SeqMax), usual_max);
  add(attribute::kCache, row.text(SeqCache), "1");
  add(attribute::kCycle, row.flag(SeqCycle) ? "true" : "", "");
  return options;
}

// Adds the options to the column as one object, with the sequence's name if it no longer follows the column's.
void take_identity(const CatalogRow& row, Extraction& extraction, const Relation& sequence, const Relation& table) {
  const Address column{kClass, row.oid(SeqTable), row.number(SeqColumn)};
  extraction.carry({kClass, row.oid(SeqOid), 0}, column);
  extraction.add_subject({kClass, row.oid(SeqOid), 0},
                         {.kind = Kind::Sequence, .schema = extraction.schema_name(sequence.schema), .name = sequence.name});
  const auto index = extraction.find(column);
  const ColumnRow* described = table.column(column.column);
  if (!index || extraction.fact(*index).id.kind != Kind::Column || described == nullptr) {
    return;
  }
  std::string members;
  const auto add = [&members](std::string_view name, std::string_view value) {
    members += (members.empty() ? "" : ",") + json_text(name) + ":" + json_text(value);
  };
  if (sequence.name != chosen_name(table.name, described->name, "seq")) {
    add("name", sequence.name);
  }
  for (const Option& option : options_of(row)) {
    add(option.name, option.value);
  }
  if (!members.empty() && !is_set(extraction.fact(*index), attribute::kInherited)) {
    set(extraction.fact(*index), attribute::kIdentityOptions, "{" + members + "}");
  }
}

void take_sequences(const Rows& rows, Extraction& extraction) {
  for (const auto& cells : rows.rows) {
    const CatalogRow row(cells);
    const Oid oid = row.oid(SeqOid);
    const Address address{kClass, oid, 0};
    const Relation* sequence = extraction.relation(oid);
    const Relation* table = row.has(SeqTable) ? extraction.relation(row.oid(SeqTable)) : nullptr;
    if (sequence == nullptr || sequence->hidden) {
      continue;
    }
    if (table != nullptr && table->hidden) {
      extraction.hide(address, "sequence " + extraction.schema_name(sequence->schema) + "." + sequence->name);
      continue;
    }
    // Identity sequences depend on their column internally ('i'), serial ones automatically ('a').
    if (row.letter(SeqDependency) == 'i') {
      if (table != nullptr) {
        take_identity(row, extraction, *sequence, *table);
      }
      continue;
    }
    const std::string& schema = extraction.schema_name(sequence->schema);
    Fact fact{.id = {.kind = Kind::Sequence, .schema = schema, .name = sequence->name}};
    set(fact, attribute::kType, row.text(SeqType) == "bigint" ? "" : row.text(SeqType));
    set(fact, attribute::kPersistence, row.letter(SeqPersistence) == 'u' ? "unlogged" : "");
    for (Option& option : options_of(row)) {
      set(fact, option.name, std::move(option.value));
    }
    const ColumnRow* column = table != nullptr ? table->column(row.number(SeqColumn)) : nullptr;
    if (column != nullptr) {
      set(fact, attribute::kOwnedBy, json_list({extraction.schema_name(table->schema), table->name, column->name}));
    }
    const auto index = extraction.add(address, std::move(fact), row.oid(SeqOwner));
    extraction.add_edge(index, Address{catalog_oid::kNamespace, sequence->schema, 0});
    if (column != nullptr) {
      extraction.add_edge(index, Address{kClass, row.oid(SeqTable), column->number});
    }
  }
}

}  // namespace

void add_sequence_families(std::vector<Family>& families, int /*version*/) {
  families.push_back({kSequences, take_sequences});
}

}  // namespace athanor::schema
