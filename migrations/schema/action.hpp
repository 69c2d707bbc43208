// An action is the smallest unit of a plan: its statements, and the facts that it destroys, produces or changes. Ordering reads
// only these lists, never the SQL.
//
// Threads and ownership: plain values; an ActionList is filled by one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/schema/change_set.hpp"

namespace athanor::schema {

// Decides which of several runnable actions runs first.
enum class Phase : std::uint8_t {
  Labels,    // enum labels: must be committed before a statement uses them
  Teardown,  // drops, so that names and dependents are out of the way
  Build,     // creates and changes
  Online,    // index builds and drops outside a transaction
  Validate,  // scans under weak locks, in a later transaction
  Cleanup,   // the old half of a swap, and what must not affect this plan's own statements
};

struct Statement {
  PlannedStatement planned;
  bool autocommit = false;
  bool after_commit = false;  // run in a later transaction than the statements that its action follows
  bool body_ahead = false;    // do not check the routine's body when creating it
  // For example "ALTER TABLE shop.orders". The statement is this head and one subcommand, and may be joined with neighbours
  // that have the same head and group.
  std::string head{};
  std::uint8_t group = 0;  // subcommands of different groups are never joined; 0: never
};

// A part of CREATE TABLE: a column, a default or a constraint.
struct Element {
  std::string column{};  // set for a column or its default
  std::string text;
  int position = 0;
};

struct Action {
  Phase phase = Phase::Build;
  FactId subject;
  std::vector<Statement> statements{};
  std::vector<std::uint32_t> destroys{};  // old facts
  std::vector<std::uint32_t> produces{};  // new facts
  // The fact that the action changes in place; kNoFact if it changes none.
  std::uint32_t before = kNoFact;
  std::uint32_t after = kNoFact;
  bool settles = true;      // actions that need the new fact wait for this one
  bool tightens = false;    // only makes the column NOT NULL: runs after its default is set, and views do not wait for it
  bool keeps_name = false;  // dropping it frees no name, because the object was renamed first
  bool expands = false;     // old application code survives its statements, except for those that say that it does not
  bool waits = true;        // waits for everything the new fact needs
  bool releases = true;     // everything the old fact needs is dropped only after this action
  std::vector<std::uint32_t> follows{};   // numbers of actions in the list
  std::vector<std::uint32_t> awaits{};    // new facts that must exist first, in addition to the catalog's dependencies
  std::vector<std::uint32_t> outlives{};  // old facts that must be gone first
  std::vector<std::uint32_t> precedes{};  // old facts that are dropped only afterwards
  std::vector<std::string> frees{};       // names, in addition to those of the facts it destroys
  std::vector<std::string> takes{};       // names, in addition to those of the facts it produces
  std::vector<std::uint32_t> mentions{};  // new facts that a routine's body names: created first if possible

  // CREATE TABLE: head, elements in parentheses, tail.
  std::string create_head{};
  std::string create_tail{};
  std::vector<Element> elements{};
  // Write `element` into the CREATE TABLE of this new fact if no action in between prevents it.
  std::uint32_t inline_into = kNoFact;
  Element element{};
  // Dropped together with this old fact if no action in between prevents it.
  std::uint32_t goes_with = kNoFact;
};

class ActionList {
 public:
  // Each adds an action and returns a reference that stays valid as the list grows. Old application code survives what
  // produce() adds, because it does not know the new object; `expands` must say so for the others.
  Action& produce(const ChangeSet& changes, std::uint32_t new_index);
  Action& destroy(const ChangeSet& changes, std::uint32_t old_index);
  // Changes of the same old fact run in the order in which they are added. Either index may be kNoFact.
  Action& alter(const ChangeSet& changes, std::uint32_t old_index, std::uint32_t new_index);
  // Makes planning fail with this error. Only the first one is kept.
  void refuse(Error error);

  [[nodiscard]] std::deque<Action>& actions() { return actions_; }
  // The error of refuse(), if it was called.
  [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }
  // The action's position in the list. The action must belong to it.
  [[nodiscard]] std::uint32_t number_of(const Action& action) const;

 private:
  std::deque<Action> actions_;
  std::map<std::uint32_t, std::uint32_t> last_alter_;  // old fact, action
  std::optional<Error> refusal_;
};

// Appends a statement to the action and returns it. The reference is valid until the next one is appended.
Statement& say(Action& action, std::string sql);
// Appends ALTER TABLE … with one subcommand, which may be joined with others of its group.
Statement& say_subcommand(Action& action, std::string head, std::string_view subcommand, std::uint8_t group);

// Keys of all names that the fact occupies. Two facts with a common key cannot exist at the same time.
[[nodiscard]] std::vector<std::string> names_taken(const Fact& fact);
// The key of a relation's name: tables, views, sequences and indexes share one namespace.
[[nodiscard]] std::string relation_key(std::string_view schema, std::string_view name);
// The key that a publication frees once it no longer uses columns that change.
[[nodiscard]] std::string publication_key(const FactId& publication);

}  // namespace athanor::schema
