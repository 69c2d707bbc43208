// Where others loop for ever or fall over: an answer or a clear error within 100 ms, at ten thousand revisions.
#include <gmock/gmock.h>

#include <chrono>

#include "migrations/graph/history.hpp"
#include "migrations/graph/walk.hpp"
#include "tests/unit/graph/sketch.hpp"

namespace athanor::testing {
namespace {

// Sanitizers slow everything down; the bound is for the program as it ships.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || !defined(__OPTIMIZE__)
constexpr std::chrono::milliseconds kBound{2000};
#else
constexpr std::chrono::milliseconds kBound{100};
#endif

template <class Function>
auto within_bound(const Function& function) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = function();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, kBound);
  return result;
}

constexpr std::size_t kMany = 10'000;

TEST(Hang, TenThousandRevisionsInACycleAreRefusedQuickly) {
  auto revisions = line(kMany);
  revisions.front().down = {revisions.back().id};
  EXPECT_EQ(code_of(within_bound([&] { return RevisionGraph::build(revisions); })), ErrorCode::Cycle);
}

TEST(Hang, ACircleWithARevisionBelowAndAboveIsRefused) {
  auto revisions = line(kMany);
  revisions[1].down = {revisions[0].id, revisions[kMany - 2].id};
  EXPECT_EQ(code_of(within_bound([&] { return RevisionGraph::build(revisions); })), ErrorCode::Cycle);
}

TEST(Hang, ACircleThroughADependencyAtTheFarEndIsRefused) {
  auto revisions = line(kMany);
  revisions[1].depends_on = {revisions[kMany - 2].id};
  EXPECT_EQ(code_of(within_bound([&] { return RevisionGraph::build(revisions); })), ErrorCode::DependencyCycle);
}

TEST(Hang, TwoBranchesThatDependOnEachOtherAreRefused) {
  EXPECT_EQ(code_of(within_bound([] {
              return RevisionGraph::build({revision("a"), revision("b", {"a"}, {"d"}), revision("b2", {"b"}), revision("c"),
                                           revision("d", {"c"}, {"b"}), revision("d2", {"d"})});
            })),
            ErrorCode::DependencyCycle);
}

TEST(Hang, ALongLineGoesUpAndDownWithinTheBound) {
  const RevisionGraph built = within_bound([] { return graph(line(kMany)); });
  const auto up = within_bound([&] { return upgrade_walk(built, {}, "head"); });
  ASSERT_TRUE(up);
  EXPECT_EQ(up->steps.size(), kMany);
  const auto down = within_bound([&] { return downgrade_walk(built, built.heads(), "base"); });
  ASSERT_TRUE(down);
  EXPECT_EQ(down->steps.size(), kMany);
  EXPECT_EQ(within_bound([&] { return full_history(built); }).size(), kMany);
  EXPECT_EQ(within_bound([&] { return built.applied({"r005000"}); })->size(), 5001U);
  EXPECT_TRUE(within_bound([&] { return downgrade_walk(built, built.heads(), "-9999"); }));
}

TEST(Hang, ALadderOfMergesGoesUpAndDownWithinTheBound) {
  std::vector<Revision> revisions{revision("n0")};
  const auto name = [](std::size_t i) { return "n" + std::to_string(i); };
  for (std::size_t i = 0; i + 3 < kMany; i += 3) {
    revisions.push_back(revision(name(i + 1), {name(i)}));
    revisions.push_back(revision(name(i + 2), {name(i)}));
    revisions.push_back(revision(name(i + 3), {name(i + 1), name(i + 2)}));
  }
  const RevisionGraph built = within_bound([&] { return graph(revisions); });
  const auto up = within_bound([&] { return upgrade_walk(built, {}, "heads"); });
  ASSERT_TRUE(up);
  EXPECT_EQ(up->steps.size(), revisions.size());
  const auto down = within_bound([&] { return downgrade_walk(built, built.heads(), "base"); });
  ASSERT_TRUE(down);
  EXPECT_EQ(down->steps.size(), revisions.size());
}

TEST(Hang, ALabelOnEveryRevisionStaysLinear) {
  auto revisions = line(kMany);
  for (Revision& one : revisions) {
    one.labels = {"label_" + one.id};
  }
  const RevisionGraph built = within_bound([&] { return graph(revisions); });
  EXPECT_EQ(built.branch_labels("r000000").size(), kMany);
}

TEST(Hang, MeaninglessTargetsAreRefusedQuickly) {
  const RevisionGraph built = graph(line(kMany));
  for (const std::string target :
       {"@", "@@", "-", "+", "head@", "@head", "+99999999999999999999", "@-1", "heads@heads@+1", "\xff\xfe"}) {
    (void)within_bound([&] { return upgrade_walk(built, {"r000001"}, target); });
    (void)within_bound([&] { return downgrade_walk(built, {"r000001"}, target); });
    (void)within_bound([&] { return stamp_walk(built, {"r000001"}, {target}); });
  }
}

}  // namespace
}  // namespace athanor::testing
