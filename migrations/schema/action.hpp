// An action: the smallest thing a plan does, with what it destroys, produces and changes. Ordering reads these lists and
// nothing else.
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

// Which of several actions that may run now runs first.
enum class Phase : std::uint8_t {
  Labels,    // enum labels: committed before anything uses them
  Teardown,  // what goes, so that names and dependents are out of the way
  Build,     // what comes and changes
  Online,    // index builds and drops outside a transaction
  Validate,  // scans under weak locks, after a commit
  Cleanup,   // the old half of a swap
};

struct Statement {
  PlannedStatement planned;
  bool autocommit = false;
  bool after_commit = false;  // only in a later transaction than what its action follows
  bool body_ahead = false;    // the body of the routine is not to be checked while it is made
  // "ALTER TABLE shop.orders": the statement is that and one subcommand, and may be joined with its neighbours of the same
  // group.
  std::string head{};
  std::uint8_t group = 0;  // subcommands of different groups are never joined; 0: never
};

// A part that may stand inside CREATE TABLE.
struct Element {
  std::string column{};  // of a column or its default
  std::string text;
  int position = 0;
};

struct Action {
  Phase phase = Phase::Build;
  FactId subject;
  std::vector<Statement> statements{};
  std::vector<std::uint32_t> destroys{};  // old facts
  std::vector<std::uint32_t> produces{};  // new facts
  // The fact that it changes in place; kNoFact for others.
  std::uint32_t before = kNoFact;
  std::uint32_t after = kNoFact;
  bool settles = true;                    // what needs the new fact waits for it
  bool tightens = false;                  // it only makes the column NOT NULL: after its default, and views do not wait for it
  bool keeps_name = false;                // its end frees no name: the object was renamed before
  bool waits = true;                      // it waits for what the new fact needs
  bool releases = true;                   // what the old fact needs goes only after it
  std::vector<std::uint32_t> follows{};   // actions of the list by number
  std::vector<std::uint32_t> awaits{};    // new facts that must be there, beyond what is needed by the catalog
  std::vector<std::uint32_t> outlives{};  // old facts that must be gone before it
  std::vector<std::uint32_t> precedes{};  // old facts that go only after it
  std::vector<std::string> frees{};       // names, beyond those of what it destroys
  std::vector<std::string> takes{};       // names, beyond those of what it produces
  std::vector<std::uint32_t> mentions{};  // new facts that a body names: before it where that is possible

  // CREATE TABLE: head, elements in parentheses, tail.
  std::string create_head{};
  std::string create_tail{};
  std::vector<Element> elements{};
  // Inside the CREATE TABLE of this new fact, where nothing stands between.
  std::uint32_t inline_into = kNoFact;
  Element element{};
  // Ends with this old fact, where nothing stands between.
  std::uint32_t goes_with = kNoFact;
};

class ActionList {
 public:
  // Each returns a reference that stays valid.
  Action& produce(const ChangeSet& changes, std::uint32_t new_index);
  Action& destroy(const ChangeSet& changes, std::uint32_t old_index);
  // Successive changes of the same fact run in the order in which they are added.
  Action& alter(const ChangeSet& changes, std::uint32_t old_index, std::uint32_t new_index);
  void refuse(Error error);

  [[nodiscard]] std::deque<Action>& actions() { return actions_; }
  [[nodiscard]] const std::optional<Error>& refusal() const { return refusal_; }
  [[nodiscard]] std::uint32_t number_of(const Action& action) const;

 private:
  std::deque<Action> actions_;
  std::map<std::uint32_t, std::uint32_t> last_alter_;  // old fact, action
  std::optional<Error> refusal_;
};

// Appends a statement and returns it.
Statement& say(Action& action, std::string sql);
// ALTER TABLE … with one subcommand, which may be joined with others of its group.
Statement& say_subcommand(Action& action, std::string head, std::string_view subcommand, std::uint8_t group);

// The names that a fact takes in the namespaces of the database.
[[nodiscard]] std::vector<std::string> names_taken(const Fact& fact);
[[nodiscard]] std::string relation_key(std::string_view schema, std::string_view name);

}  // namespace athanor::schema
