// Determines the requested renames, from hints in the schema file and from --rename.
#include <algorithm>
#include <array>
#include <optional>

#include "migrations/cli/autogenerate.hpp"
#include "migrations/schema/attributes.hpp"

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

// Whether the old name only exists before and the new one only after. Otherwise it is not a rename, or was done already.
bool applies(const Catalog& before, const Catalog& after, const Rename& rename) {
  return before.find(rename.from) != nullptr && after.find(rename.from) == nullptr && after.find(rename.to) != nullptr &&
         before.find(rename.to) == nullptr;
}

// The schemas in which the catalog has a table of this name; only `schema` if it is given.
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

// The table's old name; the same if it is not renamed.
FactId old_table_of(const std::vector<Rename>& renames, const FactId& table) {
  const auto found = std::ranges::find_if(renames, [&](const Rename& rename) { return rename.to == table; });
  return found == renames.end() ? table : found->from;
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

// Parses a --rename of a table, a sequence, or a column.
std::optional<Rename> rename_of_flag(const Catalog& before, const std::string& flag) {
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
    Rename rename{table_id(from[0], from[1]), table_id(to[0], to[1])};
    if (before.find(rename.from) == nullptr) {
      rename.from.kind = rename.to.kind = Kind::Sequence;
    }
    return rename;
  }
  if (from.size() == 3) {
    return Rename{column_id(from[0], from[1], from[2]), column_id(to[0], to[1], to[2])};
  }
  return std::nullopt;
}

bool has_tables(const Catalog& catalog) {
  return std::ranges::any_of(catalog.facts(), [](const schema::Fact& fact) { return fact.id.kind == Kind::Table; });
}

std::string dotted(const FactId& id) {
  return id.schema + "." + (id.parent.empty() ? "" : id.parent + ".") + id.name;
}

// Resolves hints one by one against the two schemas.
class Hints {
 public:
  Hints(const Catalog& before, const Catalog& after, ChosenRenames& chosen)
      : before_(before), after_(after), chosen_(chosen), any_table_(has_tables(before)) {}

  Result<void> follow(const RenameHint& hint) {
    switch (hint.of) {
      case RenameHint::Of::Table:
      case RenameHint::Of::Column:
        return follow_table(hint);
      case RenameHint::Of::Constraint:
      case RenameHint::Of::Object:
        return follow_object(hint);
      case RenameHint::Of::Label:
        return check_label(hint);
    }
    return {};
  }

 private:
  Result<void> follow_table(const RenameHint& hint) {
    std::optional<Rename> unmatched;
    for (const std::string& schema : schemas_with(after_, hint.schema, hint.table)) {
      const Rename rename = rename_of(hint, schema);
      if (after_.find(rename.to) == nullptr || is_chosen(rename.to)) {
        continue;
      }
      if (before_.find(rename.to) != nullptr) {
        if (const std::string column = new_column_beside(hint, schema); !column.empty()) {
          return fail(ambiguity(hint, rename, column));
        }
        if (!hint.unclear) {
          report_stale(hint, rename);
        }
      } else if (!hint.unclear && same_whole(rename) && applies(before_, after_, rename)) {
        chosen_.renames.push_back(rename);
        return {};
      } else {
        unmatched = rename;
      }
    }
    return unmatched && any_table_ ? fail(refusal(hint, *unmatched)) : Result<void>();
  }

  static bool is_hinted(const FactId& id, const RenameHint& hint) {
    if (hint.of == RenameHint::Of::Constraint) {
      return id.kind == Kind::Constraint && id.name == hint.column && id.parent == hint.table;
    }
    constexpr std::array kObjects{Kind::View,      Kind::MaterializedView, Kind::EnumType, Kind::CompositeType,
                                  Kind::RangeType, Kind::Domain,           Kind::Sequence, Kind::Index};
    return std::ranges::find(kObjects, id.kind) != kObjects.end() && id.name == hint.table;
  }

  // A view, type, domain, sequence, index or constraint.
  Result<void> follow_object(const RenameHint& hint) {
    std::optional<Rename> unmatched;
    for (const schema::Fact& fact : after_.facts()) {
      if (!is_hinted(fact.id, hint) || (!hint.schema.empty() && hint.schema != fact.id.schema)) {
        continue;
      }
      Rename rename{fact.id, fact.id};
      if (!fact.id.parent.empty()) {
        const FactId table = old_table_of(chosen_.renames, table_id(fact.id.schema, fact.id.parent));
        rename.from.schema = table.schema;
        rename.from.parent = table.name;
      } else if (!hint.old_schema.empty()) {
        rename.from.schema = hint.old_schema;
      }
      rename.from.name = hint.old_name;
      if (before_.find(rename.to) != nullptr) {
        report_stale(hint, rename);
        return {};
      }
      if (!hint.unclear && applies(before_, after_, rename)) {
        chosen_.renames.push_back(rename);
        return {};
      }
      unmatched = rename;
    }
    return unmatched && any_table_ ? fail(refusal(hint, *unmatched)) : Result<void>();
  }

  // Whether an enum of this name has the label.
  static bool has_label(const Catalog& catalog, const RenameHint& hint, const std::string& label) {
    return std::ranges::any_of(catalog.facts(), [&](const schema::Fact& fact) {
      const bool named = fact.id.name == hint.table && (hint.schema.empty() || hint.schema == fact.id.schema);
      return fact.id.kind == Kind::EnumType && named &&
             fact.get(schema::attribute::kLabels).find(Json(label).dump()) != std::string_view::npos;
    });
  }

  // The plan would remove the old label through another type, which fails, or loses values, where rows have it.
  [[nodiscard]] Result<void> check_label(const RenameHint& hint) const {
    if (!has_label(before_, hint, hint.old_name) || has_label(after_, hint, hint.old_name) ||
        has_label(before_, hint, hint.column)) {
      return {};
    }
    return fail(Error(ErrorCode::Usage, hint.place + ": the label '" + hint.column + "' of the enum " + hint.table +
                                            " is marked as renamed from '" + hint.old_name +
                                            "', and labels are not renamed by a comment")
                    .advise("rename it in a revision of its own first: ALTER TYPE " + hint.table + " RENAME VALUE '" +
                            hint.old_name + "' TO '" + hint.column + "'"));
  }

  // A column that comes, on the line of a hint about its table.
  [[nodiscard]] std::string new_column_beside(const RenameHint& hint, const std::string& schema) const {
    const auto comes = [&](const std::string& column) {
      const FactId id = column_id(schema, hint.table, column);
      return before_.find(id) == nullptr && after_.find(id) != nullptr;
    };
    const auto found = std::ranges::find_if(hint.columns_beside, comes);
    return found == hint.columns_beside.end() ? std::string() : *found;
  }

  [[nodiscard]] static Error ambiguity(const RenameHint& hint, const Rename& rename, const std::string& column) {
    return Error(ErrorCode::Usage, hint.place + ": " + describe(rename.to) + " already exists, and its column " + column +
                                       " on the same line does not: which one is renamed from " + hint.old_name + "?")
        .advise("write the column and its comment on a line of their own, or remove the comment");
  }

  [[nodiscard]] Rename rename_of(const RenameHint& hint, const std::string& schema) const {
    const FactId table = table_id(schema, hint.table);
    if (hint.column.empty()) {
      return {table_id(hint.old_schema.empty() ? schema : hint.old_schema, hint.old_name), table};
    }
    const FactId old = old_table_of(chosen_.renames, table);
    return {column_id(hint.old_schema.empty() ? old.schema : hint.old_schema,
                      hint.old_table.empty() ? old.name : hint.old_table, hint.old_name),
            column_id(schema, hint.table, hint.column)};
  }

  // Whether a column stays in its table.
  [[nodiscard]] bool same_whole(const Rename& rename) const {
    if (rename.to.kind != Kind::Column) {
      return true;
    }
    const FactId old = old_table_of(chosen_.renames, table_id(rename.to.schema, rename.to.parent));
    return rename.from.schema == old.schema && rename.from.parent == old.name;
  }

  [[nodiscard]] bool is_chosen(const FactId& to) const {
    return std::ranges::any_of(chosen_.renames, [&](const Rename& one) { return one.to == to; });
  }

  void report_stale(const RenameHint& hint, const Rename& rename) {
    const bool goes = before_.find(rename.from) != nullptr && after_.find(rename.from) == nullptr;
    const std::string words = hint.place + ": " + describe(rename.to) + " already exists, so the hint that it is renamed from ";
    if (goes) {
      chosen_.warnings.push_back(words + hint.old_name + " has no effect: " + describe(rename.from) + " is dropped");
    } else {
      chosen_.notes.push_back(words + hint.old_name + " has no effect and can be removed");
    }
  }

  [[nodiscard]] Error refusal(const RenameHint& hint, const Rename& rename) const {
    const std::string start = hint.place + ": " + describe(rename.to) + " is marked as renamed from ";
    if (hint.unclear) {
      return Error(ErrorCode::Usage, start + hint.old_name + ", but more words follow the old name")
          .advise(
              "write only the old name, in double quotes if it contains spaces: -- renamed from \"old name\"; begin a comment "
              "that is not a hint with another word");
    }
    if (before_.find(rename.from) != nullptr) {
      return Error(ErrorCode::Usage, start + dotted(rename.from) + ", which " +
                                         (same_whole(rename) ? "stays in the desired schema" : "is in another table"))
          .advise("remove the comment, or remove the old one from the desired schema");
    }
    return Error(ErrorCode::Usage, start + dotted(rename.from) + ", which the current schema does not have")
        .advise(
            "correct the old name, with its schema if that changes (-- renamed from old_schema.old_table), or remove the "
            "comment");
  }

  const Catalog& before_;
  const Catalog& after_;
  ChosenRenames& chosen_;
  bool any_table_;
};

}  // namespace

Result<ChosenRenames> chosen_renames(const Catalog& before, const Catalog& after, const std::vector<RenameHint>& hints,
                                     const std::vector<std::string>& flags) {
  ChosenRenames chosen;
  for (const std::string& flag : flags) {
    const auto rename = rename_of_flag(before, flag);
    if (!rename || !applies(before, after, *rename)) {
      return fail(
          Error(ErrorCode::Usage, "--rename " + flag + " does not match a removed and an added table, column or sequence")
              .advise("write schema.old=schema.new for a table or sequence, schema.table.old=schema.table.new for a column; if "
                      "the table is renamed too, the first half has its old name and the second its new one"));
    }
    chosen.renames.push_back(*rename);
  }
  Hints reader(before, after, chosen);
  // Tables first, because hints of their columns are resolved under the old table name.
  for (const bool columns : {false, true}) {
    for (const RenameHint& hint : hints) {
      if (hint.column.empty() != columns) {
        TRY(reader.follow(hint));
      }
    }
  }
  return chosen;
}

Result<std::vector<Rename>> print_chosen_renames(Output& output, const Catalog& before, const Catalog& after,
                                                 const std::vector<RenameHint>& hints, const std::vector<std::string>& flags) {
  TRY_ASSIGN(ChosenRenames chosen, chosen_renames(before, after, hints, flags));
  for (const std::string& warning : chosen.warnings) {
    output.warn(warning);
  }
  for (const std::string& note : chosen.notes) {
    output.note(note);
  }
  return std::move(chosen.renames);
}

}  // namespace athanor::cli
