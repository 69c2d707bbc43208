// Random pairs of schemas: the plan from one to the other leads there, a second plan is empty, and the way back leads back.
// Rows of tables survive where the plan says so, and tables keep their files where it says so.
//
// ATHANOR_SCHEMA_PAIRS pairs (150) from ATHANOR_SCHEMA_SEED (1); a failure prints the seed of its pair, which alone repeats it:
//   ATHANOR_SCHEMA_PAIRS=1 ATHANOR_SCHEMA_SEED=<seed> build/tests/schema_change_test --gtest_filter='ChangeProperty.*'
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "tests/postgres/schema/random_schema.hpp"
#include "tests/support/schema_pair.hpp"

namespace athanor::test {
namespace {

using schema::Catalog;
using schema::ChangePlan;
using schema::Style;

std::uint64_t number_from(const char* variable, std::uint64_t usual) {
  const char* text = std::getenv(variable);
  return text == nullptr ? usual : std::strtoull(text, nullptr, 10);
}

void make_reader(Client& client) {
  (void)client.attempt("CREATE ROLE app_reader");
}

// One row a table where nothing is in the way of it.
void seed_rows(Client& client) {
  for (const std::string& table : client.column("SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind = 'r' AND "
                                                "c.relnamespace IN ('app'::regnamespace, 'aux'::regnamespace) ORDER BY 1")) {
    (void)client.attempt("INSERT INTO " + table + " DEFAULT VALUES");
    (void)client.attempt("INSERT INTO " + table + " (id) VALUES (1)");
  }
}

struct TableState {
  std::string file;
  std::string rows;
};

std::map<std::string, TableState> states_of(Client& client) {
  std::map<std::string, TableState> states;
  for (const auto& row : client.rows("SELECT c.oid::regclass::text, c.relfilenode FROM pg_class c WHERE c.relkind = 'r' AND "
                                     "c.relnamespace IN ('app'::regnamespace, 'aux'::regnamespace)")) {
    states[row[0]] = {row[1], client.value("SELECT count(*) FROM ONLY " + row[0])};
  }
  return states;
}

struct Declared {
  std::set<std::string> rewritten;
  std::set<std::string> lossy;
};

// What happens to a table happens to its partitions and children.
void add_children(Client& client, std::set<std::string>& tables) {
  for (const auto& row :
       client.rows("SELECT inhparent::regclass::text, inhrelid::regclass::text FROM pg_inherits ORDER BY inhrelid")) {
    if (tables.contains(row[0])) {
      tables.insert(row[1]);
    }
  }
}

Declared declared_by(const ChangePlan& plan) {
  Declared declared;
  const auto table_of = [](const schema::FactId& id) { return id.schema + '.' + (id.parent.empty() ? id.name : id.parent); };
  for (const schema::PlannedStep& step : plan.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      if (statement.rewrites) {
        declared.rewritten.insert(table_of(statement.subject));
      }
      if (statement.loss == schema::DataLoss::Certain) {
        declared.lossy.insert(table_of(statement.subject));
      }
    }
  }
  return declared;
}

// What the plan did to rows and files without having said so.
std::string undeclared(const std::map<std::string, TableState>& before, const std::map<std::string, TableState>& after,
                       const Declared& declared) {
  std::string trouble;
  for (const auto& [table, state] : before) {
    const auto now = after.find(table);
    if (now == after.end()) {
      continue;
    }
    if (now->second.rows != state.rows && !declared.lossy.contains(table)) {
      trouble += table + " had " + state.rows + " rows and has " + now->second.rows + '\n';
    }
    if (now->second.file != state.file && !declared.rewritten.contains(table) && !declared.lossy.contains(table)) {
      trouble += table + " was rewritten\n";
    }
  }
  return trouble;
}

class Walker {
 public:
  Walker() {
    make_reader(client_);
    client_.run("SET search_path = ''; SET client_min_messages = warning");
  }

  // Loads the schema into an emptied database; false when the server refuses it.
  std::string start(const RandomSchema& schema) {
    client_.run(RandomSchema::clean_up());
    try {
      client_.run(schema.sql(server_version_));
    } catch (const std::exception& error) {
      return std::string("the generator is wrong: ") + error.what();
    }
    return {};
  }
  [[nodiscard]] Catalog look() const { return catalog_of(database_.url()); }

  std::string go(const Catalog& current, const Catalog& target, Style style) {
    auto plan = plan_changes(current, target, {.style = style});
    if (!plan) {
      return "no plan: " + plan.error().describe();
    }
    const auto before = states_of(client_);
    try {
      apply(client_, *plan);
    } catch (const std::exception& error) {
      return std::string(error.what()) + "\nthe plan:\n" + text_of(*plan);
    }
    const Catalog reached = look();
    std::string trouble = difference_of(reached, target);
    if (trouble.empty()) {
      const auto second = plan_changes(reached, target, {.style = style});
      trouble = second && second->empty() ? "" : "the second plan is not empty\n";
    }
    Declared declared = declared_by(*plan);
    add_children(client_, declared.rewritten);
    add_children(client_, declared.lossy);
    trouble += undeclared(before, states_of(client_), declared);
    return trouble.empty() ? trouble : trouble + "the plan:\n" + text_of(*plan);
  }
  Client& client() { return client_; }

 private:
  TestDatabase database_{"schema_walk"};
  Client client_ = database_.connect();
  int server_version_ = std::stoi(client_.value("SHOW server_version_num"));
};

// Rows of ours can be in the way of a change, which is no fault of the plan: the change is tried again without them.
bool rows_in_the_way(const std::string& trouble) {
  for (const char* reason : {"violates", "contains null values", "invalid input", "is violated by some row",
                             "could not create unique", "out of range", "malformed", "value too long", "cannot be cast"}) {
    if (trouble.find(reason) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::string judge(Walker& walker, Walker& model, std::uint64_t seed) {
  const RandomSchema old_schema(seed);
  const RandomSchema new_schema = old_schema.mutate(seed + 1'000'003, seed % 3 == 0 ? 100 : 20);
  const Style style = seed % 2 == 0 ? Style::Online : Style::Plain;
  if (std::string trouble = model.start(new_schema); !trouble.empty()) {
    return trouble;
  }
  const Catalog wanted = model.look();
  if (std::string trouble = walker.start(old_schema); !trouble.empty()) {
    return trouble;
  }
  const Catalog first = walker.look();
  const bool with_rows = seed % 5 != 0;
  if (with_rows) {
    seed_rows(walker.client());
  }
  std::string trouble = walker.go(first, wanted, style);
  if (with_rows && !trouble.empty() && rows_in_the_way(trouble)) {
    if (std::string again = walker.start(old_schema); !again.empty()) {
      return again;
    }
    trouble = walker.go(first, wanted, style);
  }
  if (!trouble.empty()) {
    return "there: " + trouble;
  }
  trouble = walker.go(wanted, first, style);
  if (with_rows && !trouble.empty() && rows_in_the_way(trouble)) {
    if (std::string again = walker.start(new_schema); !again.empty()) {
      return again;
    }
    trouble = walker.go(wanted, first, style);
  }
  return trouble.empty() ? trouble : "back: " + trouble;
}

TEST(ChangeProperty, EveryPairOfRandomSchemasIsReachedFromEitherSide) {
  Walker walker;
  Walker model;
  const std::uint64_t pairs = number_from("ATHANOR_SCHEMA_PAIRS", 150);
  const std::uint64_t first = number_from("ATHANOR_SCHEMA_SEED", 1);
  int failures = 0;
  for (std::uint64_t seed = first; seed < first + pairs; ++seed) {
    std::string trouble;
    try {
      trouble = judge(walker, model, seed);
    } catch (const std::exception& error) {
      trouble = error.what();
    }
    if (!trouble.empty()) {
      ADD_FAILURE() << "seed " << seed << ": " << trouble;
      if (++failures == 10) {
        break;
      }
    }
  }
}

// The whole of a schema as statements makes it again.
TEST(ChangeProperty, TheCreationOfARandomSchemaHasItsFingerprint) {
  Walker walker;
  Walker model;
  Catalog nothing = walker.look();
  const std::uint64_t first = number_from("ATHANOR_SCHEMA_SEED", 1);
  for (std::uint64_t seed = first; seed < first + 10; ++seed) {
    ASSERT_EQ(model.start(RandomSchema(seed)), "");
    walker.client().run(RandomSchema::clean_up());
    const Catalog wanted = model.look();
    const auto plan = plan_creation(wanted);
    ASSERT_TRUE(plan.has_value()) << plan.error().describe();
    try {
      apply(walker.client(), *plan);
    } catch (const std::exception& error) {
      FAIL() << "seed " << seed << ": " << error.what();
    }
    EXPECT_EQ(difference_of(walker.look(), wanted), "") << "seed " << seed;
  }
}

}  // namespace
}  // namespace athanor::test
