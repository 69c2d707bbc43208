#include "operator/kube/recent_reads.hpp"

#include <gtest/gtest.h>

#include <future>

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

class RecentReadsTest : public testing::Test {
 protected:
  void put(const std::string& value) {
    kube.put(kube::kSecrets, {{"metadata", {{"name", "db"}, {"namespace", "shop"}}}, {"data", {{"key", value}}}});
  }
  std::string read(SteadyTime since) {
    const auto answer = reads.get(kube::kSecrets, "shop", "db", since);
    return answer ? (**answer)["data"]["key"].get<std::string>() : std::string(error_name(answer.error().code));
  }
  SteadyTime now_and_on() {
    const SteadyTime now = clock.steady_now();
    clock.advance(milliseconds(1));
    return now;
  }
  std::size_t requests() { return kube.count("get", "secrets"); }

  test::FakeKube kube;
  test::FakeClock clock;
  RecentReads reads{kube, clock};
};

TEST_F(RecentReadsTest, SharesOneRequestAmongReconcilesQueuedBeforeIt) {
  put("one");
  const SteadyTime woken = now_and_on();
  EXPECT_EQ(read(woken), "one");
  put("two");
  EXPECT_EQ(read(woken), "one");
  EXPECT_EQ(requests(), 1U);
}

TEST_F(RecentReadsTest, RequestsAgainForAReconcileQueuedLater) {
  put("one");
  EXPECT_EQ(read(now_and_on()), "one");
  put("two");  // together with the change that wakes the next one
  EXPECT_EQ(read(now_and_on()), "two");
}

TEST_F(RecentReadsTest, RequestsAgainForAReconcileQueuedDuringTheRequest) {
  put("one");
  EXPECT_EQ(read(clock.steady_now() - milliseconds(1)), "one");
  put("two");
  EXPECT_EQ(read(clock.steady_now()), "two");
}

TEST_F(RecentReadsTest, ReadsAgainForACallerWithoutATime) {
  put("one");
  EXPECT_EQ(read(SteadyTime::max()), "one");
  put("two");
  EXPECT_EQ(read(SteadyTime::max()), "two");
}

TEST_F(RecentReadsTest, TrustsNoAnswerForLongerThanTwoSeconds) {
  put("one");
  const SteadyTime woken = now_and_on();
  EXPECT_EQ(read(woken), "one");
  put("two");
  clock.advance(milliseconds(2'000));
  EXPECT_EQ(read(woken), "one");
  clock.advance(milliseconds(1));
  EXPECT_EQ(read(woken), "two");
}

TEST_F(RecentReadsTest, SharesAnErrorAmongReconcilesQueuedBeforeIt) {
  const SteadyTime woken = now_and_on();
  EXPECT_EQ(read(woken), error_name(ErrorCode::ApiNotFound));
  put("one");
  EXPECT_EQ(read(woken), error_name(ErrorCode::ApiNotFound));
  EXPECT_EQ(read(now_and_on()), "one");
}

TEST_F(RecentReadsTest, DistinguishesObjects) {
  put("one");
  kube.put(kube::kSecrets, {{"metadata", {{"name", "db"}, {"namespace", "other"}}}, {"data", {{"key", "other"}}}});
  const SteadyTime woken = now_and_on();
  EXPECT_EQ(read(woken), "one");
  const auto other = reads.get(kube::kSecrets, "other", "db", woken);
  EXPECT_EQ((**other)["data"]["key"], "other");
  EXPECT_EQ(reads.get(kube::kConfigMaps, "shop", "db", woken).error().code, ErrorCode::ApiNotFound);
}

// Answers when the test says so.
class HeldReader final : public KubeReader {
 public:
  Result<KubeObject> get(const ResourceType&, const std::string&, const std::string&) override {
    asked.set_value();
    answer.get_future().wait();
    return KubeObject{{"data", "shared"}};
  }
  Result<std::string> list(const ResourceType&, const ListOptions&, const ObjectHandler&) override { return std::string(); }
  std::promise<void> asked;  // a second request would set it again, which throws
  std::promise<void> answer;
};

TEST(RecentReads, LetsOthersWaitForTheRequestThatIsUnderWay) {
  HeldReader reader;
  SystemClock clock;
  RecentReads reads(reader, clock);
  const SteadyTime woken = clock.steady_now();
  const auto read = [&] { return (**reads.get(kube::kSecrets, "shop", "db", woken))["data"].get<std::string>(); };
  auto first = std::async(std::launch::async, read);
  reader.asked.get_future().wait();
  auto second = std::async(std::launch::async, read);
  reader.answer.set_value();
  EXPECT_EQ(first.get(), "shared");
  EXPECT_EQ(second.get(), "shared");
}

TEST_F(RecentReadsTest, AsksForNoMoreConfigMapsOfANamespaceInAMinuteThanItsQuota) {
  RecentReads few(kube, clock, 2);
  const auto ask = [&](const ResourceType& type, const std::string& name_space) {
    const auto answer = few.get(type, name_space, "x", SteadyTime::max());
    return answer.error().code;
  };
  EXPECT_EQ(ask(kube::kConfigMaps, "shop"), ErrorCode::ApiNotFound);
  EXPECT_EQ(ask(kube::kConfigMaps, "shop"), ErrorCode::ApiNotFound);
  EXPECT_EQ(ask(kube::kConfigMaps, "shop"), ErrorCode::ApiUnreachable);
  EXPECT_EQ(kube.count("get", "configmaps"), 2U);
  EXPECT_EQ(ask(kube::kConfigMaps, "other"), ErrorCode::ApiNotFound) << "another namespace has its own";
  EXPECT_EQ(ask(kube::kSecrets, "shop"), ErrorCode::ApiNotFound);
  clock.advance(std::chrono::minutes(1));
  EXPECT_EQ(ask(kube::kConfigMaps, "shop"), ErrorCode::ApiNotFound);
}

}  // namespace
}  // namespace athanor::controller
