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

// An index's definition holds its own name.
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
  const bool kind = from.kind == Kind::Constraint || from.kind == Kind::Index || from.kind == Kind::Sequence;
  return kind && from.kind == to.kind && from.schema == to.schema && from.parent == to.parent &&
         equal_but_for_name(before, after);
}

// What is left to rename once the tables are.
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
    // It is renamed before its table is, below the old name.
    for (const Rename& table : renames) {
      if (table.to.kind == Kind::Table && table.to.schema == rename.from.schema && table.to.name == rename.from.parent) {
        rename.from.parent = table.from.name;
      }
    }
    found.push_back(std::move(rename));
  }
  return found;
}

Result<Catalog> after_renames(ScratchServer& server, const ScratchDatabase& state, const std::vector<Rename>& renames,
                              const InspectScratch& inspect) {
  TRY_ASSIGN(const std::vector<PlannedStatement> statements, rename_statements(renames));
  TRY_ASSIGN(const auto copy, server.create(&state));
  {
    TRY_ASSIGN(const auto session, copy->open());
    TRY(run_planned(*session, {PlannedStep{.statements = statements}}));
  }
  return inspect(*copy);
}

}  // namespace

Result<RenamedState> rename_on_copy(ScratchServer& server, const ScratchDatabase& state, const std::vector<Rename>& renames,
                                    const Catalog& goal, const InspectScratch& inspect) {
  RenamedState result{renames, {}};
  TRY_ASSIGN(result.catalog, after_renames(server, state, renames, inspect));
  std::vector<Rename> more = companions(result.catalog, goal, renames);
  if (!more.empty()) {
    result.renames.insert(result.renames.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
    TRY_ASSIGN(result.catalog, after_renames(server, state, result.renames, inspect));
  }
  return result;
}

}  // namespace athanor::schema
