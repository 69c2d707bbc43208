#include "migrations/schema/ordering.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>

namespace athanor::schema {
namespace {

using Number = std::uint32_t;

class Graph {
 public:
  Graph(const ChangeSet& changes, const std::deque<Action>& actions)
      : changes_(changes),
        actions_(actions),
        destroyer_(changes.before.facts().size(), kNoFact),
        producer_(changes.after.facts().size(), kNoFact),
        edges_(actions.size()),
        soft_(actions.size()) {}

  void build() {
    index();
    for (Number number = 0; number < actions_.size(); ++number) {
      link(number);
    }
    link_names();
    for (auto& targets : edges_) {
      std::ranges::sort(targets);
      const auto repeated = std::ranges::unique(targets);
      targets.erase(repeated.begin(), repeated.end());
    }
  }

  [[nodiscard]] Result<ActionOrder> sort();

 private:
  void index() {
    for (Number number = 0; number < actions_.size(); ++number) {
      const Action& action = actions_[number];
      for (const std::uint32_t fact : action.destroys) {
        destroyer_[fact] = number;
      }
      for (const std::uint32_t fact : action.produces) {
        producer_[fact] = number;
      }
      if (action.before != kNoFact) {
        alterers_[action.before].push_back(number);
      }
      if (action.after != kNoFact && action.settles) {
        settlers_[action.after].push_back(number);
      }
    }
  }

  void edge(Number from, Number to) {
    if (from != kNoFact && to != kNoFact && from != to) {
      edges_[from].push_back(to);
    }
  }

  // Orders `number` after every action that produces or settles the new fact.
  void after_new(Number number, std::uint32_t fact) {
    edge(producer_[fact], number);
    if (const auto settlers = settlers_.find(fact); settlers != settlers_.end()) {
      for (const Number settler : settlers->second) {
        link_settler(settler, number);
      }
    }
  }

  // NOT NULL is added in several steps. The default must be set before the last one, because rows inserted meanwhile need it. A
  // view that was dropped for the column does not wait for that step, because it would be missing during the whole scan.
  void link_settler(Number settler, Number number) {
    const Kind kind = actions_[number].subject.kind;
    if (!actions_[settler].tightens || kind == Kind::Constraint || kind == Kind::Table || kind == Kind::Column) {
      edge(settler, number);
    } else if (kind == Kind::ColumnDefault && actions_[number].subject.parent == actions_[settler].subject.parent &&
               actions_[number].subject.schema == actions_[settler].subject.schema &&
               actions_[number].subject.name == actions_[settler].subject.name) {
      edge(number, settler);
    }
  }

  void link(Number number) {
    const Action& action = actions_[number];
    for (const std::uint32_t fact : action.produces) {
      for (const std::uint32_t needed : changes_.new_dependencies.needs(fact)) {
        after_new(number, needed);
      }
    }
    for (const std::uint32_t fact : action.destroys) {
      link_end(number, fact, true);
    }
    if (action.before != kNoFact) {
      link_end(number, action.before, false);
    }
    if (action.after != kNoFact) {
      edge(producer_[action.after], number);
      if (action.waits) {
        for (const std::uint32_t needed : changes_.new_dependencies.needs(action.after)) {
          after_new(number, needed);
        }
      }
    }
    link_wishes(number, action);
  }

  // Whether the dependent stops needing the fact, such as a publication that no longer includes the table.
  [[nodiscard]] bool lets_go(std::uint32_t dependent, std::uint32_t fact) const {
    const std::uint32_t now = changes_.after_of(dependent);
    return now != kNoFact && changes_.after_of(fact) != kNoFact &&
           !changes_.new_dependencies.needs(now, changes_.after_of(fact));
  }

  // Dependents that are dropped are dropped before the fact is dropped or changed. Dependents that stop using it in place do so
  // before it is dropped.
  void link_end(Number number, std::uint32_t fact, bool goes) {
    for (const std::uint32_t dependent : changes_.old_dependencies.needed_by(fact)) {
      const Number destroyer = destroyer_[dependent];
      // A dependent that is renamed out of the way keeps existing under another name, so a change in place need not wait for
      // its drop.
      if (goes || destroyer == kNoFact || !actions_[destroyer].keeps_name) {
        edge(destroyer, number);
      }
      if (const auto alterers = alterers_.find(dependent); alterers != alterers_.end() && (goes || lets_go(dependent, fact))) {
        for (const Number alterer : alterers->second) {
          if (actions_[alterer].releases) {
            edge(alterer, number);
          }
        }
      }
    }
  }

  void link_wishes(Number number, const Action& action) {
    for (const Number earlier : action.follows) {
      edge(earlier, number);
    }
    for (const std::uint32_t fact : action.awaits) {
      after_new(number, fact);
    }
    for (const std::uint32_t fact : action.precedes) {
      edge(number, destroyer_[fact]);
    }
    for (const std::uint32_t fact : action.outlives) {
      edge(destroyer_[fact], number);
    }
    for (const std::uint32_t fact : action.mentions) {
      if (producer_[fact] != kNoFact && producer_[fact] != number) {
        // Soft: routines may name each other, so a body's mention must never cause a cycle.
        soft_[producer_[fact]].push_back(number);
      }
      if (const auto settlers = settlers_.find(fact); settlers != settlers_.end()) {
        for (const Number settler : settlers->second) {
          if (settler != number) {
            soft_[settler].push_back(number);
          }
        }
      }
    }
  }

  void link_names() {
    std::unordered_map<std::string, std::vector<Number>> takers;
    for (Number number = 0; number < actions_.size(); ++number) {
      const Action& action = actions_[number];
      for (const std::uint32_t fact : action.produces) {
        for (std::string& name : names_taken(changes_.new_fact(fact))) {
          takers[std::move(name)].push_back(number);
        }
      }
      for (const std::string& name : action.takes) {
        takers[name].push_back(number);
      }
    }
    const auto free_name = [&](Number number, const std::string& name) {
      if (const auto found = takers.find(name); found != takers.end()) {
        for (const Number taker : found->second) {
          edge(number, taker);
        }
      }
    };
    for (Number number = 0; number < actions_.size(); ++number) {
      const Action& action = actions_[number];
      for (const std::string& name : action.frees) {
        free_name(number, name);
      }
      for (const std::uint32_t fact : action.destroys) {
        if (!action.keeps_name) {
          for (const std::string& name : names_taken(changes_.old_fact(fact))) {
            free_name(number, name);
          }
        }
      }
    }
  }

  // Sorts runnable actions. Drops run in reverse order of kinds. The number makes the order the same in every run.
  using Key = std::tuple<bool, Phase, int, Number>;
  [[nodiscard]] Key key(Number number, int soft) const {
    const Action& action = actions_[number];
    const int kind = static_cast<int>(action.subject.kind);
    return {soft > 0, action.phase, action.phase == Phase::Teardown ? -kind : kind, number};
  }
  [[nodiscard]] Error cycle(const std::vector<int>& waiting) const;

  const ChangeSet& changes_;
  const std::deque<Action>& actions_;
  std::vector<Number> destroyer_;
  std::vector<Number> producer_;
  std::unordered_map<std::uint32_t, std::vector<Number>> alterers_;
  std::unordered_map<std::uint32_t, std::vector<Number>> settlers_;
  std::vector<std::vector<Number>> edges_;
  std::vector<std::vector<Number>> soft_;
};

Error Graph::cycle(const std::vector<int>& waiting) const {
  // From any waiting action, walk back along its dependencies until an action repeats.
  std::vector<Number> path;
  auto current = static_cast<Number>(std::ranges::find_if(waiting, [](int count) { return count > 0; }) - waiting.begin());
  while (std::ranges::find(path, current) == path.end()) {
    path.push_back(current);
    for (Number number = 0; number < actions_.size(); ++number) {
      if (waiting[number] > 0 && std::ranges::binary_search(edges_[number], current)) {
        current = number;
        break;
      }
    }
  }
  std::string members;
  for (auto member = std::ranges::find(path, current); member != path.end(); ++member) {
    const Action& action = actions_[*member];
    members += (members.empty() ? "" : ", ") + describe(action.subject) +
               (!action.statements.empty() ? " (" + action.statements.front().planned.sql.substr(0, 60) + ')' : std::string());
  }
  return Error(ErrorCode::Internal, "circular dependency between the changes of these objects: " + members);
}

Result<ActionOrder> Graph::sort() {
  const std::size_t count = actions_.size();
  ActionOrder order;
  order.before.resize(count);
  order.body_ahead.resize(count);
  std::vector<int> waiting(count);
  std::vector<int> wishing(count);
  for (Number number = 0; number < count; ++number) {
    for (const Number target : edges_[number]) {
      ++waiting[target];
      order.before[target].push_back(number);
    }
    for (const Number target : soft_[number]) {
      ++wishing[target];
    }
  }
  std::set<Key> ready;
  for (Number number = 0; number < count; ++number) {
    if (waiting[number] == 0) {
      ready.insert(key(number, wishing[number]));
    }
  }
  while (!ready.empty()) {
    const Number next = std::get<Number>(*ready.begin());
    ready.erase(ready.begin());
    order.body_ahead[next] = wishing[next] > 0;
    order.sequence.push_back(next);
    // No longer a candidate for soft edges, and not part of a cycle.
    waiting[next] = -1;
    for (const Number target : soft_[next]) {
      if (waiting[target] == 0) {
        // The key contains the number of unmet wishes, so reinsert the action under its new key.
        ready.erase(key(target, wishing[target]));
        ready.insert(key(target, wishing[target] - 1));
      }
      --wishing[target];
    }
    for (const Number target : edges_[next]) {
      if (--waiting[target] == 0) {
        ready.insert(key(target, wishing[target]));
      }
    }
  }
  if (order.sequence.size() != count) {
    return fail(cycle(waiting));
  }
  order.then = std::move(edges_);
  return order;
}

}  // namespace

namespace {

bool leaves_transaction(const Action& action) {
  return std::ranges::any_of(action.statements,
                             [](const Statement& statement) { return statement.autocommit || statement.after_commit; });
}

// An object that is dropped and recreated does not exist in between. If a commit falls between the two, other sessions would
// see that, so move the drop back as far as the actions that wait for it allow.
void delay_remakes(const ChangeSet& changes, const std::deque<Action>& actions, ActionOrder& order) {
  std::unordered_map<Number, std::size_t> place;
  const auto number_places = [&](std::size_t from) {
    for (std::size_t at = from; at < order.sequence.size(); ++at) {
      place[order.sequence[at]] = at;
    }
  };
  number_places(0);
  // Backwards, so that a drop that other drops wait for can follow those already moved.
  for (std::size_t at = order.sequence.size(); at-- > 0;) {
    const Number number = order.sequence[at];
    const Action& action = actions[number];
    const bool returns =
        action.phase == Phase::Teardown && !action.destroys.empty() && !leaves_transaction(action) &&
        std::ranges::all_of(action.destroys, [&](std::uint32_t fact) { return changes.after_of(fact) != kNoFact; });
    if (!returns || order.then[number].empty()) {
      continue;
    }
    std::size_t target = order.sequence.size();
    for (const Number later : order.then[number]) {
      target = std::min(target, place[later]);
    }
    const auto first = order.sequence.begin() + static_cast<std::ptrdiff_t>(at);
    const auto end = order.sequence.begin() + static_cast<std::ptrdiff_t>(target);
    if (std::any_of(first + 1, end, [&](Number between) { return leaves_transaction(actions[between]); })) {
      std::rotate(first, first + 1, end);
      number_places(at);
    }
  }
}

}  // namespace

Result<ActionOrder> order_actions(const ChangeSet& changes, const std::deque<Action>& actions) {
  Graph graph(changes, actions);
  graph.build();
  TRY_ASSIGN(ActionOrder order, graph.sort());
  if (changes.style == Style::Online) {
    delay_remakes(changes, actions, order);
  }
  return order;
}

}  // namespace athanor::schema
