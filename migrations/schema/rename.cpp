// Writes the statements of renames, and finds pairs of objects that may be renames.
#include <algorithm>
#include <map>
#include <set>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/change_dependencies.hpp"
#include "migrations/schema/change_plan.hpp"
#include "migrations/schema/render.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr double kAlike = 0.5;
constexpr std::string_view kThirdName = "__renamed";

struct RenameForm {
  Kind kind;
  std::string_view word;  // ALTER word name RENAME …
  std::string_view part;  // RENAME COLUMN; empty: the object itself
};

constexpr RenameForm kForms[] = {
    {Kind::Schema, "SCHEMA", {}},
    {Kind::Collation, "COLLATION", {}},
    {Kind::EnumType, "TYPE", {}},
    {Kind::CompositeType, "TYPE", {}},
    {Kind::RangeType, "TYPE", {}},
    {Kind::Domain, "DOMAIN", {}},
    {Kind::DomainConstraint, "DOMAIN", "CONSTRAINT"},
    {Kind::Sequence, "SEQUENCE", {}},
    {Kind::ForeignServer, "SERVER", {}},
    {Kind::Table, "TABLE", {}},
    {Kind::Column, "TABLE", "COLUMN"},
    {Kind::Constraint, "TABLE", "CONSTRAINT"},
    {Kind::Routine, "ROUTINE", {}},
    {Kind::Aggregate, "AGGREGATE", {}},
    {Kind::Index, "INDEX", {}},
    {Kind::Statistics, "STATISTICS", {}},
    {Kind::View, "VIEW", {}},
    {Kind::MaterializedView, "MATERIALIZED VIEW", {}},
    {Kind::Trigger, "TRIGGER", {}},
    {Kind::Policy, "POLICY", {}},
    {Kind::Rule, "RULE", {}},
};

const RenameForm* form_of(Kind kind) {
  const auto* found = std::ranges::find(kForms, kind, &RenameForm::kind);
  return found == std::end(kForms) ? nullptr : found;
}

bool defined_on_parent(Kind kind) {
  return kind == Kind::Trigger || kind == Kind::Policy || kind == Kind::Rule;
}

std::string target_of(const FactId& id, const RenameForm& form) {
  if (!form.part.empty()) {
    return parent_name(id);
  }
  if (defined_on_parent(id.kind)) {
    return quote_identifier(id.name) + " ON " + parent_name(id);
  }
  return id.kind == Kind::Routine || id.kind == Kind::Aggregate ? routine_name(id) : object_name(id);
}

std::string rename_sql(const FactId& from, std::string_view name) {
  const RenameForm& form = *form_of(from.kind);
  std::string sql = "ALTER " + std::string(form.word) + ' ' + target_of(from, form) + " RENAME ";
  if (!form.part.empty()) {
    sql += std::string(form.part) + ' ' + quote_identifier(from.name) + ' ';
  }
  return sql + "TO " + quote_identifier(name);
}

PlannedStatement statement_for(const FactId& from, const FactId& to, std::string sql) {
  PlannedStatement statement;
  statement.sql = std::move(sql);
  statement.subject = to;
  statement.expand = false;
  const bool part = !to.parent.empty();
  statement.note =
      describe(from) + " is renamed to " + (part ? parent_name(to) + '.' + quote_identifier(to.name) : object_name(to));
  return statement;
}

void add_statements(const Rename& rename, bool through_third, std::vector<PlannedStatement>& first,
                    std::vector<PlannedStatement>& last) {
  FactId from = rename.from;
  if (from.parent.empty() && !from.schema.empty() && from.schema != rename.to.schema) {
    const RenameForm& form = *form_of(from.kind);
    first.push_back(statement_for(
        rename.from, rename.to,
        "ALTER " + std::string(form.word) + ' ' + target_of(from, form) + " SET SCHEMA " + quote_identifier(rename.to.schema)));
    from.schema = rename.to.schema;
  }
  if (from.name == rename.to.name) {
    return;
  }
  if (through_third) {
    FactId third = from;
    third.name = with_suffix(from.name, kThirdName);
    first.push_back(statement_for(rename.from, rename.to, rename_sql(from, third.name)));
    last.push_back(statement_for(rename.from, rename.to, rename_sql(third, rename.to.name)));
  } else {
    first.push_back(statement_for(rename.from, rename.to, rename_sql(from, rename.to.name)));
  }
}

// The size of the intersection divided by that of the union.
double share(const std::set<std::string>& left, const std::set<std::string>& right) {
  std::size_t both = 0;
  for (const std::string& entry : left) {
    both += right.contains(entry) ? 1U : 0U;
  }
  const std::size_t all = left.size() + right.size() - both;
  return all == 0 ? 1.0 : static_cast<double>(both) / static_cast<double>(all);
}

std::set<std::string> traits_of(const Catalog& catalog, const Dependencies& dependencies, std::uint32_t index) {
  std::set<std::string> traits;
  const Fact& fact = catalog.facts()[index];
  for (const Attribute& entry : fact.attributes) {
    traits.insert(std::string(entry.name) + '=' + entry.value);
  }
  for (const std::uint32_t part : dependencies.needed_by(index)) {
    const Fact& column = catalog.facts()[part];
    if (column.id.kind == Kind::Column && dependencies.parent(part) == index) {
      traits.insert("column " + column.id.name + ' ' + std::string(column.get(attribute::kType)));
    }
  }
  return traits;
}

bool can_be_renamed(Kind kind) {
  return kind == Kind::Table || kind == Kind::Column || kind == Kind::Sequence;
}

bool comparable(const FactId& from, const FactId& to) {
  return from.kind == to.kind && from.schema == to.schema && from.parent == to.parent && can_be_renamed(from.kind);
}

}  // namespace

Result<std::vector<PlannedStatement>> rename_statements(const std::vector<Rename>& renames,
                                                        const std::vector<std::string>& new_schemas) {
  std::vector<Rename> ordered = renames;
  // Rename parts before their whole, because their statements use its old name.
  std::ranges::stable_sort(ordered, {}, [](const Rename& rename) { return rename.from.parent.empty(); });
  std::set<FactId> names;
  for (const Rename& rename : ordered) {
    names.insert(rename.from);
  }
  std::vector<PlannedStatement> first;
  std::vector<PlannedStatement> last;
  for (const std::string& schema : new_schemas) {
    PlannedStatement statement;
    statement.sql = "CREATE SCHEMA " + quote_identifier(schema);
    statement.subject = {.kind = Kind::Schema, .name = schema};
    first.push_back(std::move(statement));
  }
  for (const Rename& rename : ordered) {
    if (rename.from.kind != rename.to.kind || form_of(rename.from.kind) == nullptr) {
      return fail(Error(ErrorCode::SchemaChangeRefused,
                        "the " + describe(rename.from) + " cannot be renamed to the " + describe(rename.to)));
    }
    // If another rename frees the new name, this one goes through a third name, so that the order of the two does not matter.
    FactId taken = rename.to;
    if (!rename.from.parent.empty()) {  // a part is renamed while its whole has its old name
      taken.schema = rename.from.schema;
      taken.parent = rename.from.parent;
    }
    add_statements(rename, names.contains(taken), first, last);
  }
  first.insert(first.end(), std::make_move_iterator(last.begin()), std::make_move_iterator(last.end()));
  return first;
}

std::vector<RenameCandidate> rename_candidates(const Catalog& before, const Catalog& after) {
  const Dependencies old_dependencies(before);
  const Dependencies new_dependencies(after);
  const SchemaDiff difference = diff(before, after);
  std::vector<RenameCandidate> candidates;
  for (const std::uint32_t removed : difference.removed) {
    const FactId& from = before.facts()[removed].id;
    if (!can_be_renamed(from.kind)) {
      continue;
    }
    const auto traits = traits_of(before, old_dependencies, removed);
    for (const std::uint32_t added : difference.added) {
      const FactId& to = after.facts()[added].id;
      if (!comparable(from, to)) {
        continue;
      }
      const double similarity = share(traits, traits_of(after, new_dependencies, added));
      if (similarity >= kAlike) {
        candidates.push_back({{from, to}, similarity});
      }
    }
  }
  std::ranges::stable_sort(candidates, std::greater<>(), &RenameCandidate::similarity);
  return candidates;
}

}  // namespace athanor::schema
