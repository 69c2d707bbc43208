#include "migrations/schema/change_summary.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/rules_columns.hpp"

namespace athanor::schema {
namespace {

// Longer values do not fit into one line: the summary then only says that there is a new one.
bool is_short(std::string_view value) {
  constexpr std::size_t kShownBytes = 40;
  return value.size() <= kShownBytes && value.find('\n') == std::string_view::npos;
}

std::string change_text(const Fact& old, const Fact& fact, const std::vector<std::string_view>& attributes) {
  std::string text;
  for (const std::string_view attribute : attributes) {
    const std::string_view was = old.get(attribute);
    const std::string_view is = fact.get(attribute);
    std::string part(attribute);
    std::ranges::replace(part, '_', ' ');
    // A flag is "true" or absent. An expression, a default or a comment may be the text "true", and become "false".
    if ((was == "true" && is.empty()) || (is == "true" && was.empty())) {
      part += is == "true" ? " is set" : " is removed";
    } else if (is.empty()) {
      part = "no " + part + (is_short(was) ? ", was " + std::string(was) : "");
    } else if (is_short(was) && is_short(is)) {
      part += ' ' + (was.empty() ? std::string(is) : std::string(was) + " → " + std::string(is));
    } else {
      part = "new " + part;
    }
    text += (text.empty() ? "" : ", ") + part;
  }
  return text;
}

bool holds_rows(const Fact& fact) {
  return (fact.id.kind == Kind::Table && !fact.has(attribute::kServer)) ||
         (fact.id.kind == Kind::Column && !fact.has(attribute::kGenerated) && !fact.has(attribute::kInherited));
}

// " with 5 columns, 2 indexes"
std::string parts_of(const Catalog& catalog, const Dependencies& dependencies, std::uint32_t whole) {
  std::map<Kind, int> counts;
  for (const std::uint32_t part : dependencies.needed_by(whole)) {
    const Kind kind = catalog.facts()[part].id.kind;
    if (dependencies.parent(part) == whole && catalog.facts()[part].id.subject == Kind::None) {
      ++counts[kind];
    }
  }
  std::string text;
  for (const auto& [kind, count] : counts) {
    const std::string name(kind_name(kind));
    const std::string plural = name.ends_with('x')   ? name + "es"
                               : name.ends_with('y') ? name.substr(0, name.size() - 1) + "ies"
                                                     : name + 's';
    text += (text.empty() ? " with " : ", ") + std::to_string(count) + ' ' + (count == 1 ? name : plural);
  }
  return text;
}

class Summary {
 public:
  explicit Summary(const ChangeSet& changes) : changes_(changes) {}

  void add_removed() {
    for (std::uint32_t index = 0; index < changes_.before.facts().size(); ++index) {
      const Fact& fact = changes_.old_fact(index);
      if (!changes_.destroyed(index)) {
        continue;
      }
      if (changes_.after_of(index) != kNoFact) {
        add_replaced(index);
        continue;
      }
      const std::uint32_t whole = changes_.old_dependencies.parent(index);
      if (whole == kNoFact || !changes_.destroyed(whole)) {
        lines_.push_back({'-', fact.id, describe(fact.id) + parts_of(changes_.before, changes_.old_dependencies, index),
                          holds_rows(fact) ? DataLoss::Certain : DataLoss::None});
      }
    }
  }

  void add_added() {
    for (std::uint32_t index = 0; index < changes_.after.facts().size(); ++index) {
      const std::uint32_t whole = changes_.new_dependencies.parent(index);
      if (changes_.produced(index) && changes_.before_of(index) == kNoFact && (whole == kNoFact || !changes_.produced(whole))) {
        const FactId& id = changes_.new_fact(index).id;
        lines_.push_back({'+', id, describe(id) + parts_of(changes_.after, changes_.new_dependencies, index), DataLoss::None});
      }
    }
  }

  void add_changed() {
    for (const auto& [index, change] : changes_.changes()) {
      const Fact& old = changes_.old_fact(change);
      const Fact& fact = changes_.new_fact(change);
      std::string text = describe(fact.id);
      if (old.id != fact.id) {
        text = describe(old.id) + " is renamed to " + fact.id.name;
      } else if (!change.attributes.empty()) {
        text += ": " + change_text(old, fact, change.attributes);
      } else {
        text += " moves to the new type";
      }
      lines_.push_back({'~', fact.id, std::move(text), loss_of(change, old, fact)});
    }
  }

  [[nodiscard]] std::vector<SummaryLine> take() && {
    std::ranges::stable_sort(lines_, {}, [](const SummaryLine& line) {
      return std::tuple(line.subject.schema, line.subject.parent.empty() ? line.subject.name : line.subject.parent,
                        !line.subject.parent.empty(), line.subject);
    });
    return std::move(lines_);
  }

 private:
  void add_replaced(std::uint32_t index) {
    const Fact& old = changes_.old_fact(index);
    const Fact& fact = changes_.new_fact(changes_.after_of(index));
    const std::uint32_t cause = changes_.cause(index);
    const std::uint32_t whole = changes_.old_dependencies.parent(index);
    if (whole != kNoFact && changes_.destroyed(whole) && cause != index) {
      return;
    }
    std::string text = describe(fact.id);
    const bool table_or_column = fact.id.kind == Kind::Table || fact.id.kind == Kind::Column;
    if (cause != index) {
      text += " is recreated because of the " + describe(changes_.old_fact(cause).id);
    } else {
      text += ": " + change_text(old, fact, changed(old, fact));
      if (table_or_column) {
        text += "; PostgreSQL cannot do that in place, so it is dropped and recreated";
      }
    }
    // A plain column that becomes a generated one loses its values.
    lines_.push_back({'~', fact.id, std::move(text), holds_rows(old) ? DataLoss::Certain : DataLoss::None});
  }

  static std::vector<std::string_view> changed(const Fact& old, const Fact& fact) {
    std::vector<std::string_view> names;
    for (const Attribute& entry : old.attributes) {
      if (fact.get(entry.name) != entry.value) {
        names.push_back(entry.name);
      }
    }
    for (const Attribute& entry : fact.attributes) {
      if (!old.has(entry.name)) {
        names.push_back(entry.name);
      }
    }
    return names;
  }

  [[nodiscard]] DataLoss loss_of(const FactChange& change, const Fact& old, const Fact& fact) const {
    if (old.id.kind != Kind::Column) {
      return DataLoss::None;
    }
    if (changes_.retyped(change.before)) {
      return DataLoss::Possible;
    }
    return old.get(attribute::kType) == fact.get(attribute::kType)
               ? DataLoss::None
               : type_change(fact.id.name, old.get(attribute::kType), fact.get(attribute::kType)).loss;
  }

  const ChangeSet& changes_;
  std::vector<SummaryLine> lines_;
};

}  // namespace

std::vector<SummaryLine> summarize(const ChangeSet& changes) {
  Summary summary(changes);
  summary.add_removed();
  summary.add_added();
  summary.add_changed();
  return std::move(summary).take();
}

}  // namespace athanor::schema
