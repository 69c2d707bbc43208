#include "migrations/schema/renamed_state.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/diff.hpp"
#include "migrations/schema/run_script.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

// The definition of an index contains its name.
std::string without_name(const Fact& fact) {
  std::string definition(fact.get(attribute::kDefinition));
  const std::string name = " " + quote_identifier(fact.id.name) + " ON ";
  if (const std::size_t at = definition.find(name); at != std::string::npos) {
    definition.erase(at, name.size());
  }
  return definition;
}

bool equal_but_for_name(const Fact& one, const Fact& other) {
  if (one.attributes.size() != other.attributes.size()) {
    return false;
  }
  for (const Attribute& attribute : one.attributes) {
    if (!other.has(attribute.name)) {
      return false;
    }
    const bool named = one.id.kind == Kind::Index && attribute.name == attribute::kDefinition;
    if (named ? without_name(one) != without_name(other) : attribute.value != other.get(attribute.name)) {
      return false;
    }
  }
  return true;
}

bool goes_along(const Fact& before, const Fact& after) {
  const FactId& from = before.id;
  const FactId& to = after.id;
  // A sequence without an owning column is an object of its own; only a column's sequence follows its table.
  const bool kind = from.kind == Kind::Constraint || from.kind == Kind::Index ||
                    (from.kind == Kind::Sequence && before.has(attribute::kOwnedBy));
  return kind && from.kind == to.kind && from.schema == to.schema && from.parent == to.parent &&
         equal_but_for_name(before, after);
}

// Objects to rename in addition, because their table was renamed.
std::vector<Rename> companions(const Catalog& renamed, const Catalog& goal, const std::vector<Rename>& renames) {
  const SchemaDiff difference = diff(renamed, goal);
  std::vector<Rename> found;
  for (const std::uint32_t removed : difference.removed) {
    const Fact& before = renamed.facts()[removed];
    const auto match = std::ranges::find_if(difference.added, [&](std::uint32_t added) {
      const Fact& after = goal.facts()[added];
      return goes_along(before, after) &&
             std::ranges::none_of(found, [&](const Rename& rename) { return rename.to == after.id; });
    });
    if (match == difference.added.end()) {
      continue;
    }
    Rename rename{before.id, goal.facts()[*match].id};
    // It is renamed before its table, so its rename must use the table's old name.
    for (const Rename& table : renames) {
      if (table.to.kind == Kind::Table && table.to.schema == rename.from.schema && table.to.name == rename.from.parent) {
        rename.from.schema = table.from.schema;
        rename.from.parent = table.from.name;
      }
    }
    found.push_back(std::move(rename));
  }
  return found;
}

// The schemas that the renames move objects into and that do not exist. On the way back, that includes a schema that the
// upgrade dropped.
Result<std::vector<std::string>> missing_schemas(Session& session, const std::vector<Rename>& renames) {
  std::vector<std::string> missing;
  for (const Rename& rename : renames) {
    const std::string& schema = rename.to.schema;
    if (!rename.to.parent.empty() || schema.empty() || schema == rename.from.schema ||
        std::ranges::find(missing, schema) != missing.end()) {
      continue;
    }
    TRY_ASSIGN(const Rows found,
               session.query("SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = " + quote_literal(schema)));
    if (found.rows.empty()) {
      missing.push_back(schema);
    }
  }
  return missing;
}

// Runs the renames on a new copy and stores its catalog and the schemas that had to be created.
Result<void> run_renames(ScratchServer& server, const ScratchDatabase& state, const InspectScratch& inspect,
                         RenamedState& result) {
  TRY_ASSIGN(const auto copy, server.create(&state));
  {
    TRY_ASSIGN(const auto session, copy->open());
    TRY_ASSIGN(result.new_schemas, missing_schemas(*session, result.renames));
    TRY_ASSIGN(const std::vector<PlannedStatement> statements, rename_statements(result.renames, result.new_schemas));
    TRY(run_planned(*session, {PlannedStep{.statements = statements}}));
  }
  TRY_ASSIGN(result.catalog, inspect(*copy));
  return {};
}

}  // namespace

Result<RenamedState> rename_on_copy(ScratchServer& server, const ScratchDatabase& state, const std::vector<Rename>& renames,
                                    const Catalog& goal, const InspectScratch& inspect) {
  RenamedState result{renames, {}, {}};
  TRY(run_renames(server, state, inspect, result));
  std::vector<Rename> more = companions(result.catalog, goal, renames);
  if (!more.empty()) {
    result.renames.insert(result.renames.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    TRY(run_renames(server, state, inspect, result));
  }
  return result;
}

}  // namespace athanor::schema
