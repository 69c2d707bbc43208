// Properties that hold on every sound graph. A failure prints the seed; ATHANOR_SEED=N replays it.
#include <gmock/gmock.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

#include "migrations/graph/history.hpp"
#include "migrations/graph/walk.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

class Dice {
 public:
  explicit Dice(unsigned seed) : engine_(seed) {}
  std::size_t below(std::size_t end) { return std::uniform_int_distribution<std::size_t>(0, end - 1)(engine_); }
  bool one_in(std::size_t n) { return below(n) == 0; }

 private:
  std::mt19937 engine_;
};

// Down revisions and dependencies point backwards only, so the graph is sound. Merges join different lines.
std::vector<Revision> random_revisions(Dice& dice) {
  std::vector<Revision> revisions;
  Names heads;
  const std::size_t count = 1 + dice.below(30);
  for (std::size_t i = 0; i < count; ++i) {
    Revision next = revision("rev" + std::to_string(i));
    if (!heads.empty() && !dice.one_in(8)) {
      next.down.push_back(dice.one_in(4) ? revisions[dice.below(i)].id : heads[dice.below(heads.size())]);
      const std::string other = heads[dice.below(heads.size())];
      if (dice.one_in(4) && other != next.down[0] && std::ranges::find(heads, next.down[0]) != heads.end()) {
        next.down.push_back(other);
      }
    }
    for (const std::string& parent : next.down) {
      std::erase(heads, parent);
    }
    heads.push_back(next.id);
    revisions.push_back(std::move(next));
  }
  return revisions;
}

unsigned first_seed() {
  const char* wanted = std::getenv("ATHANOR_SEED");
  return wanted != nullptr ? static_cast<unsigned>(std::strtoul(wanted, nullptr, 10)) : std::random_device()();
}

template <class Check>
void for_random_graphs(const Check& check) {
  const bool replay = std::getenv("ATHANOR_SEED") != nullptr;
  const unsigned first = first_seed();
  for (unsigned i = 0; i < (replay ? 1U : 300U) && !::testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE("replay with ATHANOR_SEED=" + std::to_string(first + i));
    Dice dice(first + i);
    const auto revisions = random_revisions(dice);
    check(graph(revisions), dice);
  }
}

void expect_consistent(Names rows, const Walk& walk) {
  std::set<std::string> table(rows.begin(), rows.end());
  for (const WalkStep& step : walk.steps) {
    for (const RowOperation& one : step.operations) {
      if (one.kind != RowOperation::Kind::Insert) {
        EXPECT_EQ(table.erase(one.from), 1U) << one.from;
      }
      if (one.kind != RowOperation::Kind::Delete) {
        EXPECT_TRUE(table.insert(one.to).second) << one.to;
      }
    }
    EXPECT_EQ(step.heads, Names(table.begin(), table.end()));
  }
}

TEST(AnyGraph, GoesUpToTheHeadsAndDownToNothing) {
  for_random_graphs([](const RevisionGraph& built, Dice&) {
    const auto up = upgrade_walk(built, {}, "heads");
    ASSERT_TRUE(up) << up.error().describe();
    EXPECT_EQ(up->steps.size(), built.size());
    expect_consistent({}, *up);
    Names rows = heads_after({}, *up);
    Names heads = built.effective_heads();
    std::ranges::sort(heads);
    EXPECT_EQ(rows, heads);
    const auto down = downgrade_walk(built, rows, "base");
    ASSERT_TRUE(down) << down.error().describe();
    EXPECT_EQ(down->steps.size(), built.size());
    expect_consistent(rows, *down);
    EXPECT_THAT(heads_after(rows, *down), ::testing::IsEmpty());
  });
}

TEST(AnyGraph, RunsParentsBeforeChildrenAndUndoesThemAfterwards) {
  for_random_graphs([](const RevisionGraph& built, Dice&) {
    const auto up = upgrade_walk(built, {}, "heads");
    ASSERT_TRUE(up);
    std::set<std::string> done;
    for (const std::string& id : revisions_of(*up)) {
      for (const std::string& parent : built.find(id)->down) {
        EXPECT_TRUE(done.contains(parent)) << id << " before " << parent;
      }
      done.insert(id);
    }
    const auto down = downgrade_walk(built, heads_after({}, *up), "base");
    ASSERT_TRUE(down);
    for (const std::string& id : revisions_of(*down)) {
      for (const std::string& child : built.children(id)) {
        EXPECT_FALSE(done.contains(child)) << id << " undone before " << child;
      }
      done.erase(id);
    }
  });
}

TEST(AnyGraph, AppliesAfterAnUpgradeExactlyWhatItsTargetNeeds) {
  for_random_graphs([](const RevisionGraph& built, Dice& dice) {
    const std::string target = built.revisions()[dice.below(built.size())].id;
    const auto first = upgrade_walk(built, {}, target);
    ASSERT_TRUE(first) << first.error().describe();
    const Names rows = heads_after({}, *first);
    EXPECT_THAT(*built.applied(rows), ::testing::UnorderedElementsAreArray(revisions_of(*first)));
    const auto rest = upgrade_walk(built, rows, "heads");
    ASSERT_TRUE(rest) << rest.error().describe();
    EXPECT_EQ(first->steps.size() + rest->steps.size(), built.size());
    EXPECT_THAT(upgrade_walk(built, heads_after(rows, *rest), target)->steps, ::testing::IsEmpty());
  });
}

TEST(AnyGraph, WritesTheSameHistoryHoweverOftenItIsAsked) {
  for_random_graphs([](const RevisionGraph& built, Dice&) {
    EXPECT_EQ(full_history(built).size(), built.size());
    EXPECT_EQ(full_history(built), full_history(built));
  });
}

}  // namespace
}  // namespace athanor::testing
