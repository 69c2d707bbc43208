#include "migrations/schema/change_compaction.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_map>

namespace athanor::schema {
namespace {

using Number = std::uint32_t;

class Compaction {
 public:
  Compaction(std::deque<Action>& actions, const ActionOrder& order) : actions_(actions), order_(order), place_(actions.size()) {
    for (std::uint32_t place = 0; place < order.sequence.size(); ++place) {
      place_[order.sequence[place]] = place;
    }
    for (Number number = 0; number < actions.size(); ++number) {
      for (const std::uint32_t fact : actions[number].destroys) {
        destroyer_.emplace(fact, number);
      }
      for (const std::uint32_t fact : actions[number].produces) {
        producer_.emplace(fact, number);
      }
    }
  }

  // Clears drops that the drop of their whole covers. From last to first, so that every action that must come later already has
  // its final place.
  void absorb_ends() {
    for (auto number = order_.sequence.rbegin(); number != order_.sequence.rend(); ++number) {
      Action& action = actions_[*number];
      const auto whole = action.goes_with == kNoFact ? destroyer_.end() : destroyer_.find(action.goes_with);
      const bool only_ends = !action.destroys.empty() && action.produces.empty() && action.before == kNoFact;
      if (!only_ends || whole == destroyer_.end() || whole->second == *number) {
        continue;
      }
      const std::uint32_t target = place_[whole->second];
      // Dropping the part later, with its whole, must not delay it past an action that waits for it.
      const bool movable = std::ranges::all_of(order_.then[*number], [&](Number later) { return place_[later] >= target; });
      if (movable) {
        place_[*number] = target;
        action.statements.clear();
      }
    }
  }

  // Moves elements into the CREATE TABLE of their table. From first to last, so that every action that must come earlier
  // already has its final place.
  void inline_elements() {
    for (const Number number : order_.sequence) {
      Action& action = actions_[number];
      const auto table = action.inline_into == kNoFact ? producer_.end() : producer_.find(action.inline_into);
      if (table == producer_.end()) {
        continue;
      }
      const std::uint32_t target = place_[table->second];
      // Creating the part earlier, with its table, must not put it before something it needs, such as a function of its
      // default.
      const bool movable =
          std::ranges::all_of(order_.before[number], [&](Number earlier) { return place_[earlier] <= target; });
      if (movable && join(actions_[table->second], action.element)) {
        place_[number] = target;
        action.statements.clear();
      }
    }
  }

 private:
  // Adds a default to the text of its column, and any other element as an element of its own. False if the column is not in
  // CREATE TABLE.
  static bool join(Action& table, const Element& element) {
    const bool is_default = !element.column.empty() && element.text.starts_with(" DEFAULT ");
    if (!is_default) {
      table.elements.push_back(element);
      return true;
    }
    const auto column = std::ranges::find(table.elements, element.column, &Element::column);
    if (column == table.elements.end()) {
      return false;
    }
    column->text += element.text;
    return true;
  }

  std::deque<Action>& actions_;
  const ActionOrder& order_;
  std::vector<std::uint32_t> place_;  // by number; an absorbed part has the place of its whole
  std::unordered_map<std::uint32_t, Number> destroyer_;
  std::unordered_map<std::uint32_t, Number> producer_;
};

Statement create_table(const Action& action) {
  std::vector<Element> elements = action.elements;
  std::ranges::stable_sort(elements, [](const Element& left, const Element& right) {
    return std::pair(left.column.empty(), left.column.empty() ? 0 : left.position) <
           std::pair(right.column.empty(), right.column.empty() ? 0 : right.position);
  });
  std::string text;
  for (const Element& element : elements) {
    text += (text.empty() ? "\n    " : ",\n    ") + element.text;
  }
  // PARTITION OF and OF take their columns from elsewhere; any other table without columns needs the empty parentheses.
  const bool takes_columns =
      action.create_head.find(" PARTITION OF ") != std::string::npos || action.create_head.find(" OF ") != std::string::npos;
  std::string sql = action.create_head;
  if (!text.empty()) {
    sql += " (" + text + "\n)";
  } else if (!takes_columns) {
    sql += " ()";
  }
  Statement statement;
  statement.planned.sql = sql + action.create_tail;
  statement.planned.subject = action.subject;
  statement.planned.expand = true;
  return statement;
}

void add_lines(std::vector<std::string>& lines, std::vector<std::string>& more) {
  std::ranges::move(more, std::back_inserter(lines));
}

void append(std::vector<Statement>& statements, Statement statement) {
  if (!statements.empty() && statement.group != 0) {
    Statement& last = statements.back();
    // What old application code survives stays apart from what it does not: the phases take the one and leave the other.
    if (last.group == statement.group && last.head == statement.head && !last.autocommit && !statement.autocommit &&
        last.planned.expand == statement.planned.expand) {
      last.planned.sql += "," + statement.planned.sql.substr(statement.head.size());
      last.planned.loss = std::max(last.planned.loss, statement.planned.loss);
      last.planned.rewrites = last.planned.rewrites || statement.planned.rewrites;
      if (last.planned.note.empty()) {
        last.planned.note = statement.planned.note;
      }
      add_lines(last.planned.warnings, statement.planned.warnings);
      add_lines(last.planned.remedy, statement.planned.remedy);
      return;
    }
  }
  statements.push_back(std::move(statement));
}

}  // namespace

std::vector<Statement> compact(std::deque<Action>& actions, const ActionOrder& order) {
  Compaction compaction(actions, order);
  compaction.absorb_ends();
  compaction.inline_elements();
  std::vector<Statement> statements;
  for (const Number number : order.sequence) {
    Action& action = actions[number];
    if (!action.create_head.empty()) {
      append(statements, create_table(action));
    }
    for (Statement& statement : action.statements) {
      statement.body_ahead = statement.body_ahead || order.body_ahead[number];
      append(statements, std::move(statement));
    }
  }
  return statements;
}

}  // namespace athanor::schema
