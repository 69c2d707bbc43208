// The controller with a kind of its own: a greeting, which is reconciled by writing whom it greets into its status.
#include "operator/reconcile/controller.hpp"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "tests/support/fake_clock.hpp"

namespace athanor::controller {
namespace {

struct GreetingStatus {
  std::string greeted;
  int failures = 0;
  Conditions conditions;
  bool operator==(const GreetingStatus&) const = default;
};

struct Greeting {
  Metadata metadata;
  std::string whom;
  GreetingStatus status;
  SteadyTime known_since{};
  [[nodiscard]] ResourceKey key() const { return {metadata.name_space, metadata.name}; }
};

struct Greeted {
  ReconcileResult result;
  std::string whom;
};

class GreetingStore final : public ResourceStore<Greeting> {
 public:
  std::optional<Greeting> find(const ResourceKey& key) const override {
    const std::lock_guard lock(mutex);
    const auto found = greetings.find(key);
    return found == greetings.end() ? std::nullopt : std::optional(found->second);
  }
  std::optional<ObjectVersion> version(const ResourceKey& key) const override {
    const auto found = find(key);
    return found ? std::optional(ObjectVersion{found->metadata.uid, {}}) : std::nullopt;
  }
  Result<void> write_status(const ResourceKey& key, const GreetingStatus& status) override {
    const std::lock_guard lock(mutex);
    greetings.at(key).status = status;
    ++writes;
    return {};
  }
  mutable std::mutex mutex;
  std::map<ResourceKey, Greeting> greetings;
  int writes = 0;
};

using GreetingController = Controller<Greeting, Greeted>;

class ControllerOfAnotherKindTest : public testing::Test {
 protected:
  ControllerOfAnotherKindTest() { put("a", "ann"); }
  void put(const std::string& name, const std::string& whom) {
    Greeting greeting;
    greeting.metadata.name_space = "shop";
    greeting.metadata.name = name;
    greeting.whom = whom;
    store.greetings[greeting.key()] = greeting;
  }
  GreetingController::Kind kind() {
    GreetingController::Kind kind;
    kind.reconcile = [this](const Greeting& greeting, const ReconcileCall<Greeting>& call) {
      const std::lock_guard lock(mutex);
      reconciled.insert(greeting.key());
      Greeted greeted;
      greeted.whom = greeting.whom;
      greeted.result.kind = greeting.whom.empty() ? ReconcileResult::Kind::Failed : ReconcileResult::Kind::Done;
      greeted.result.retry_now = races > 0 && races-- > 0;
      if (greeting.whom == "everybody") {
        call.report_progress([](const Greeting& before) {
          GreetingStatus status = before.status;
          status.greeted = "half of everybody";
          return status;
        });
        std::this_thread::yield();
      }
      return greeted;
    };
    kind.result = [](const Greeted& greeted) -> const ReconcileResult& { return greeted.result; };
    kind.summarise = [](const Greeting& before, const Greeted& greeted, const Attempt& attempt) {
      GreetingStatus status = before.status;
      status.greeted = greeted.whom;
      status.failures = static_cast<int>(attempt.failures);
      set_condition(status.conditions,
                    {ConditionType::Ready,
                     greeted.whom.empty() ? ConditionStatus::False : ConditionStatus::True,
                     Reason::UpToDate,
                     {},
                     {},
                     1},
                    "now");
      return status;
    };
    kind.next_attempt = [](const Greeted& greeted, int lost_races) {
      if (greeted.result.retry_now && lost_races < 2) {
        return Requeue::AtOnce;
      }
      return greeted.result.kind == ReconcileResult::Kind::Failed ? Requeue::BackOff : Requeue::Resync;
    };
    kind.forget = [this](const ResourceKey& gone) {
      const std::lock_guard lock(mutex);
      reconciled.erase(gone);
    };
    return kind;
  }
  static ControllerOptions options() {
    ControllerOptions options;
    options.workers = 3;
    options.report_after = milliseconds(0);
    options.back_off.jitter = 0;
    return options;
  }

  const ResourceKey key{"shop", "a"};
  std::mutex mutex;
  std::set<ResourceKey> reconciled;
  int races = 0;
  test::FakeClock clock;
  GreetingStore store;
  WorkQueue queue{clock, 8};
  ControllerObserver observer;
  GreetingController::Feed feed;
  GreetingController controller{{store, queue, observer, clock, feed}, kind(), options(), Log()};
};

TEST_F(ControllerOfAnotherKindTest, ReconcilesWritesTheStatusAndPublishesIt) {
  std::vector<std::string> published;
  const auto subscription = feed.subscribe([&](const GreetingController::Change& change) {
    published.push_back(change.key.text() + " " + change.status.greeted + (change.ready_changed ? "!" : ""));
  });
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_EQ(store.greetings.at(key).status.greeted, "ann");
  EXPECT_EQ(store.writes, 1) << "the second status is the same";
  EXPECT_EQ(published, (std::vector<std::string>{"shop/a ann!", "shop/a ann"}));
}

TEST_F(ControllerOfAnotherKindTest, ShowsProgressBeforeTheOutcome) {
  put("a", "everybody");
  std::vector<std::string> published;
  const auto subscription = feed.subscribe([&](const GreetingController::Change& change) {
    published.push_back((change.outcome == nullptr ? "progress " : "outcome ") + change.status.greeted);
  });
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_EQ(published, (std::vector<std::string>{"progress half of everybody", "outcome everybody"}));
}

TEST_F(ControllerOfAnotherKindTest, BacksOffAfterFailuresAndComesBackAtOnceAfterALostRace) {
  put("a", "");
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_EQ(controller.failures(key), 1);
  EXPECT_EQ(store.greetings.at(key).status.failures, 1);
  EXPECT_EQ(queue.try_get(), std::nullopt);
  clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(queue.try_get(), key);
  queue.done(key);
  put("a", "ann");
  races = 1;
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_EQ(queue.try_get(), key);
  queue.done(key);
  EXPECT_EQ(store.greetings.at(key).status.greeted, "") << "the next reconcile writes the status";
}

TEST_F(ControllerOfAnotherKindTest, ForgetsWhatIsGone) {
  EXPECT_TRUE(controller.process(key, {}));
  EXPECT_EQ(reconciled.size(), 1U);
  store.greetings.clear();
  controller.removed(key);
  EXPECT_TRUE(reconciled.empty());
  EXPECT_FALSE(controller.process(key, {}));
  EXPECT_EQ(queue.size(), 0U);
}

TEST_F(ControllerOfAnotherKindTest, WorksWithSeveralThreads) {
  for (int number = 0; number < 50; ++number) {
    const std::string name = "g" + std::to_string(number);
    put(name, "everybody");
    queue.add({"shop", name});
  }
  controller.start({});
  queue.wait_until_idle();
  controller.stop();
  EXPECT_EQ(reconciled.size(), 50U);
  for (const auto& [each, greeting] : store.greetings) {
    EXPECT_EQ(greeting.status.greeted, each == key ? "" : "everybody");
  }
}

}  // namespace
}  // namespace athanor::controller
