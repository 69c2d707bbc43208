#include "operator/cluster/leadership.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

const ResourceKey kLease{"ops", "athanor-operator"};

class LeadershipTest : public testing::Test {
 protected:
  void saw(const std::string& what) {
    const std::lock_guard lock(mutex);
    if (seen.empty() || seen.back() != what) {  // finish() may be called twice
      seen.push_back(what);
    }
  }
  LeaderWork work() {
    return {[this](const StopToken& until) {
              saw(until.requested() ? "begin too late" : "begin");
              begun = true;
            },
            [this] { saw("finish"); }, [this](bool leading) { saw(leading ? "leading" : "not leading"); }};
  }
  LeaseOptions lease() { return {.name_space = "ops", .identity = "one"}; }
  void put_lease(const std::string& holder) {
    kube.put(kube::kLeases, {{"metadata", {{"name", kLease.name}, {"namespace", kLease.name_space}}},
                             {"spec",
                              {{"holderIdentity", holder},
                               {"leaseDurationSeconds", 15},
                               {"renewTime", "2020-01-01T00:00:0" + std::to_string(renewals++ % 10) + ".000000Z"},
                               {"leaseTransitions", 1}}}});
  }
  // Calls `meanwhile` in every pause of the election, once the work has begun where it is led.
  void in_every_pause(std::function<void()> meanwhile) {
    clock.on_wait = [this, meanwhile = std::move(meanwhile)](milliseconds) { meanwhile(); };
  }
  void await_begin() {
    while (!begun) {
      std::this_thread::yield();
    }
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  std::mutex mutex;
  std::vector<std::string> seen;
  std::atomic<bool> begun{false};
  int renewals = 0;
};

TEST_F(LeadershipTest, WorksAloneUntilItIsStopped) {
  in_every_pause([this] { stop.request(); });
  work_alone(work(), clock, stop.token(), Log());
  EXPECT_THAT(seen, ElementsAre("leading", "begin", "finish"));
}

TEST_F(LeadershipTest, FinishesItsWorkBeforeItReleasesTheLease) {
  auto leader_work = work();
  std::string holder_at_the_end;
  leader_work.finish = [&, finish = leader_work.finish] {
    if (holder_at_the_end.empty()) {
      holder_at_the_end = kube.find(kube::kLeases, kLease)->at("spec").at("holderIdentity").get<std::string>();
    }
    finish();
  };
  in_every_pause([this] {
    await_begin();
    stop.request();
  });
  EXPECT_TRUE(work_while_leading(leader_work, kube, clock, lease(), stop.token(), Log()));
  EXPECT_THAT(seen, ElementsAre("not leading", "leading", "begin", "not leading", "finish"));
  EXPECT_EQ(holder_at_the_end, "one");
  EXPECT_EQ(kube.find(kube::kLeases, kLease)->at("spec").at("holderIdentity"), "");
}

TEST_F(LeadershipTest, BeginsNothingOnAStandby) {
  put_lease("other");
  in_every_pause([this] {
    put_lease("other");  // which is renewed all the time
    if (clock.elapsed() > seconds(60)) {
      stop.request();
    }
  });
  EXPECT_TRUE(work_while_leading(work(), kube, clock, lease(), stop.token(), Log()));
  EXPECT_THAT(seen, ElementsAre("not leading", "finish"));
}

TEST_F(LeadershipTest, StopsItsWorkWhenTheLeaseIsLost) {
  StopToken given;
  auto leader_work = work();
  leader_work.begin = [&, begin = leader_work.begin](const StopToken& until) {
    given = until;
    begin(until);
  };
  leader_work.finish = [&, finish = leader_work.finish] {
    EXPECT_TRUE(given.requested()) << "or it would wait for ever";
    finish();
  };
  in_every_pause([this] {
    await_begin();
    put_lease("thief");
  });
  EXPECT_FALSE(work_while_leading(leader_work, kube, clock, lease(), stop.token(), Log()));
  EXPECT_THAT(seen, ElementsAre("not leading", "leading", "begin", "not leading", "finish"));
  EXPECT_EQ(kube.find(kube::kLeases, kLease)->at("spec").at("holderIdentity"), "thief");
}

// Another replica may hold the Lease by the time the request comes back.
TEST_F(LeadershipTest, StopsItsWorkAtTheRenewDeadlineWhileARenewalHangs) {
  std::promise<StopToken> promise;
  const std::shared_future<StopToken> given = promise.get_future().share();
  auto leader_work = work();
  leader_work.begin = [&, begin = leader_work.begin](const StopToken& until) {
    begin(until);
    promise.set_value(until);
  };
  bool stopped = false;
  kube.on_call = [&](const test::KubeCall& call) {
    const auto limit = std::chrono::steady_clock::now() + seconds(10);
    while (call.verb == "update" && !stopped && std::chrono::steady_clock::now() < limit) {
      std::this_thread::sleep_for(milliseconds(5));
      stopped = given.get().requested();
    }
  };
  LeaseOptions options = lease();
  options.duration = milliseconds(30'000);
  options.renew_deadline = milliseconds(500);
  options.retry = milliseconds(20);
  SystemClock real;
  EXPECT_FALSE(work_while_leading(leader_work, kube, real, options, stop.token(), Log()));
  EXPECT_TRUE(stopped) << "while the renewal hung";
}

TEST_F(LeadershipTest, WaitsForABeginThatIsUnderWayWhenTheLeaseIsLost) {
  auto leader_work = work();
  leader_work.begin = [this](const StopToken& until) {
    begun = true;
    while (!until.requested()) {  // caches that do not fill
      std::this_thread::yield();
    }
    saw("begin gives up");
  };
  in_every_pause([this] {
    await_begin();
    put_lease("thief");
  });
  EXPECT_FALSE(work_while_leading(leader_work, kube, clock, lease(), stop.token(), Log()));
  EXPECT_THAT(seen, ElementsAre("not leading", "leading", "not leading", "begin gives up", "finish"));
}

}  // namespace
}  // namespace athanor::controller
