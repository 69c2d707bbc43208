// Which renames somebody asked for: hints in the schema file, --rename on the command line.
#include <algorithm>
#include <optional>

#include "migrations/cli/autogenerate.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::FactId;
using schema::Kind;
using schema::Rename;
using schema::RenameHint;

FactId table_id(const std::string& schema, const std::string& name) {
  return {.kind = Kind::Table, .schema = schema, .name = name};
}

FactId column_id(const std::string& schema, const std::string& table, const std::string& name) {
  return {.kind = Kind::Column, .schema = schema, .parent = table, .name = name};
}

// Gone from the one and new in the other: anything else is no rename, or has been done.
bool applies(const Catalog& before, const Catalog& after, const Rename& rename) {
  return before.find(rename.from) != nullptr && after.find(rename.from) == nullptr && after.find(rename.to) != nullptr &&
         before.find(rename.to) == nullptr;
}

// Schemas where the catalog has a table of this name; the one that is written when there is one.
std::vector<std::string> schemas_with(const Catalog& catalog, const std::string& schema, const std::string& table) {
  if (!schema.empty()) {
    return {schema};
  }
  std::vector<std::string> found;
  for (const schema::Fact& fact : catalog.facts()) {
    if (fact.id.kind == Kind::Table && fact.id.name == table) {
      found.push_back(fact.id.schema);
    }
  }
  return found;
}

std::string old_table_of(const std::vector<Rename>& renames, const std::string& schema, const std::string& table) {
  const auto found = std::ranges::find_if(renames, [&](const Rename& rename) {
    return rename.to.kind == Kind::Table && rename.to.schema == schema && rename.to.name == table;
  });
  return found == renames.end() ? table : found->from.name;
}

std::vector<std::string> parts_of(const std::string& name) {
  std::vector<std::string> parts{""};
  for (const char letter : name) {
    if (letter == '.') {
      parts.emplace_back();
    } else {
      parts.back() += letter;
    }
  }
  return parts;
}

std::optional<Rename> rename_of_flag(const std::string& flag) {
  const std::size_t equals = flag.find('=');
  if (equals == std::string::npos) {
    return std::nullopt;
  }
  const auto from = parts_of(flag.substr(0, equals));
  const auto to = parts_of(flag.substr(equals + 1));
  if (from.size() != to.size()) {
    return std::nullopt;
  }
  if (from.size() == 2) {
    return Rename{table_id(from[0], from[1]), table_id(to[0], to[1])};
  }
  if (from.size() == 3) {
    return Rename{column_id(from[0], from[1], from[2]), column_id(to[0], to[1], to[2])};
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<Rename>> chosen_renames(const Catalog& before, const Catalog& after, const std::vector<RenameHint>& hints,
                                           const std::vector<std::string>& flags) {
  std::vector<Rename> renames;
  const auto add = [&](Rename rename) {
    const bool known = std::ranges::any_of(renames, [&](const Rename& one) { return one.to == rename.to; });
    // A column's rename is looked up below its table's old name, which the facts before have.
    if (!known && applies(before, after, rename)) {
      renames.push_back(std::move(rename));
    }
  };
  for (const std::string& flag : flags) {
    const auto rename = rename_of_flag(flag);
    if (!rename || !applies(before, after, *rename)) {
      return fail(Error(ErrorCode::Usage, "--rename " + flag + " names no table or column that goes and one that comes")
                      .advise("write schema.old=schema.new for a table, schema.table.old=schema.table.new for a column; the "
                              "column's first half has the table's old name, the second its new one"));
    }
    add(*rename);
  }
  // Tables first: their columns are below the old name.
  for (const RenameHint& hint : hints) {
    if (hint.column.empty()) {
      for (const std::string& schema : schemas_with(after, hint.schema, hint.table)) {
        add({table_id(schema, hint.old_name), table_id(schema, hint.table)});
      }
    }
  }
  for (const RenameHint& hint : hints) {
    if (!hint.column.empty()) {
      for (const std::string& schema : schemas_with(after, hint.schema, hint.table)) {
        add({column_id(schema, old_table_of(renames, schema, hint.table), hint.old_name),
             column_id(schema, hint.table, hint.column)});
      }
    }
  }
  return renames;
}

}  // namespace athanor::cli
