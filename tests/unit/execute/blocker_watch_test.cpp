#include "migrations/execute/blocker_watch.hpp"

#include <gtest/gtest.h>

namespace athanor {
namespace {

class UnreachableServer final : public SessionFactory {
 public:
  Result<std::unique_ptr<Session>> open() override { return fail(ErrorCode::DatabaseUnreachable, "no"); }
  Result<std::unique_ptr<ReadSession>> open_observer() override {
    ++attempts;
    return fail(ErrorCode::DatabaseUnreachable, "no");
  }
  [[nodiscard]] std::string describe() const override { return "nowhere"; }
  int attempts = 0;
};

// Each attempt may take seconds, during which the run itself is not looked after.
TEST(BlockerWatch, AsksNobodyForAWhileAfterItFailed) {
  UnreachableServer server;
  BlockerWatch watch(server);
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(watch.blockers_of(1).empty());
  }
  EXPECT_EQ(server.attempts, 1);
}

}  // namespace
}  // namespace athanor
