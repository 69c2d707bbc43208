#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>
#include <random>
#include <thread>

#include "operator/kube/lease_election.hpp"
#include "operator/kube/micro_time.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

const ResourceKey kKey{"ops", "athanor-operator"};

class LeaseTest : public testing::Test {
 protected:
  LeaseElection make(const std::string& identity) {
    return {kube,
            clock,
            {.name_space = "ops", .identity = identity},
            {[this] { reported.push_back("started"); }, [this] { reported.push_back("stopped"); },
             [this](const std::string& leader) { reported.push_back("leader " + leader); }},
            Log()};
  }
  KubeObject spec() { return kube.find(kube::kLeases, kKey)->at("spec"); }
  void put_lease(const std::string& holder, int duration = 15, int transitions = 4) {
    kube.put(kube::kLeases, {{"metadata", {{"name", kKey.name}, {"namespace", kKey.name_space}}},
                             {"spec",
                              {{"holderIdentity", holder},
                               {"leaseDurationSeconds", duration},
                               {"renewTime", "2020-01-01T00:00:0" + std::to_string(renewals++ % 10) + ".000000Z"},
                               {"leaseTransitions", transitions}}}});
  }
  // Runs until the fake clock shows this time, calling `meanwhile` in every pause.
  void run_until(LeaseElection& election, seconds end, const std::function<void()>& meanwhile = {},
                 const std::function<void()>& release_when = {}) {
    clock.on_wait = [this, end, meanwhile](milliseconds) {
      if (meanwhile) {
        meanwhile();
      }
      if (clock.elapsed() >= end) {
        stop.request();
      }
    };
    election.run(stop.token(), release_when);
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  std::vector<std::string> reported;
  int renewals = 0;
};

TEST_F(LeaseTest, CreatesTheLeaseLeadsRenewsAndReleasesIt) {
  LeaseElection one = make("one");
  KubeObject during;
  run_until(one, seconds(20), [&] {
    EXPECT_TRUE(one.leading());
    during = spec();
  });
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
  EXPECT_EQ(during["holderIdentity"], "one");
  EXPECT_EQ(during["leaseDurationSeconds"], 15);
  EXPECT_EQ(during["leaseTransitions"], 0);
  EXPECT_NE(during["renewTime"], during["acquireTime"]);
  EXPECT_EQ(spec()["holderIdentity"], "");
  EXPECT_EQ(spec()["leaseDurationSeconds"], 1);
  EXPECT_FALSE(one.leading());
  EXPECT_GE(kube.count("update", "leases"), 8U);
  EXPECT_EQ(kube.count("get", "leases"), 1U);  // renewing needs no reading
}

TEST_F(LeaseTest, PausesAreTheRetryTimesUpToOnePointTwo) {
  LeaseElection one = make("one");
  run_until(one, seconds(60));
  const auto [least, most] = std::ranges::minmax(clock.waits);
  EXPECT_GE(least, seconds(2));
  EXPECT_LE(most, milliseconds(2'400));
  EXPECT_GT(most - least, milliseconds(100));
}

TEST_F(LeaseTest, StampsAreMicroTimes) {
  EXPECT_EQ(micro_time(WallTime(std::chrono::microseconds(1'790'000'000'000'042))), "2026-09-21T14:13:20.000042Z");
  EXPECT_EQ(micro_time(WallTime(std::chrono::microseconds(-1))), "1969-12-31T23:59:59.999999Z");
}

TEST_F(LeaseTest, TakesAReleasedLeaseAtOnce) {
  put_lease("", 1);
  LeaseElection one = make("one");
  run_until(one, seconds(1), [&] {
    EXPECT_EQ(spec()["leaseTransitions"], 5);
    EXPECT_EQ(spec()["acquireTime"], "2026-09-21T14:13:20.000000Z");
  });
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
}

TEST_F(LeaseTest, WaitsADurationByItsOwnClockWhateverTheStampsSay) {
  put_lease("other");  // renewed in 2020, it says
  LeaseElection one = make("one");
  seconds began{0};
  run_until(one, seconds(30), [&] {
    if (one.leading() && began == seconds(0)) {
      began = std::chrono::duration_cast<seconds>(clock.elapsed());
    }
  });
  EXPECT_GE(began, seconds(15));
  EXPECT_LE(began, seconds(18));
  EXPECT_THAT(reported, ElementsAre("leader other", "leader one", "started", "stopped"));
}

TEST_F(LeaseTest, AHolderThatRenewsIsLeftAlone) {
  put_lease("other");
  LeaseElection one = make("one");
  run_until(one, seconds(300), [&] { put_lease("other"); });
  EXPECT_THAT(reported, ElementsAre("leader other"));
  EXPECT_EQ(kube.count("update"), 0U);
}

TEST_F(LeaseTest, TheHoldersOwnDurationCounts) {
  put_lease("other", 60);
  LeaseElection one = make("one");
  run_until(one, seconds(55));
  EXPECT_THAT(reported, ElementsAre("leader other"));
}

TEST_F(LeaseTest, StopsLeadingAtTheRenewDeadlineWhenTheServerIsAway) {
  LeaseElection one = make("one");
  run_until(one, seconds(100), [&, away = false]() mutable {
    if (one.leading() && !std::exchange(away, true)) {
      kube.fail({.error = Error(ErrorCode::ApiUnreachable, "away"), .times = 1'000});
    }
  });
  EXPECT_FALSE(stop.token().requested());
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
  EXPECT_EQ(std::chrono::duration_cast<seconds>(clock.elapsed()), seconds(10));
  EXPECT_EQ(spec()["holderIdentity"], "one");  // nothing was given back
}

// There is nothing to give back, and whoever waits for the work must not be kept by the election.
TEST_F(LeaseTest, DoesNotWaitForTheWorkWhenAnotherHoldsTheLease) {
  LeaseElection one = make("one");
  bool stolen = false;
  clock.on_wait = [&](milliseconds) {
    if (one.leading() && !std::exchange(stolen, true)) {
      put_lease("other");
    }
    if (clock.elapsed() > seconds(300)) {
      stop.request();
    }
  };
  bool waited = false;
  one.run(stop.token(), [&] { waited = true; });
  EXPECT_TRUE(stolen);
  EXPECT_FALSE(waited);
  EXPECT_EQ(spec()["holderIdentity"], "other");
}

TEST_F(LeaseTest, IsNotLeadingBehindTheDeadlineEvenWhileARequestHangs) {
  LeaseElection one = make("one");
  bool while_hanging = true;
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "update" && one.leading()) {
      clock.advance(seconds(11));
      while_hanging = one.leading();
    }
  };
  kube.fail({.verb = "update", .error = Error(ErrorCode::ApiUnreachable, "hung")});
  run_until(one, seconds(100));
  EXPECT_FALSE(while_hanging);
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
}

TEST(LeaseDeadline, IsReportedWhileARenewalHangs) {
  test::FakeKube kube;
  SystemClock clock;
  StopSource stop;
  std::promise<SteadyTime> lost;
  auto reported = lost.get_future();
  std::future_status while_hanging = std::future_status::timeout;
  SteadyTime sent{};  // the last renewal that succeeded was not sent later
  LeaseElection* election = nullptr;
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "update" && while_hanging != std::future_status::ready) {
      while_hanging = reported.wait_for(seconds(20));  // the request hangs for as long
    } else if (call.verb == "create") {
      sent = clock.steady_now();
    }
  };
  const LeaseOptions options{.name_space = "ops",
                             .identity = "one",
                             .duration = milliseconds(30'000),
                             .renew_deadline = milliseconds(1'000),
                             .retry = milliseconds(20)};
  LeaseElection one(kube, clock, options,
                    {{},
                     [&] {
                       EXPECT_FALSE(election->leading());
                       lost.set_value(clock.steady_now());
                     },
                     {}},
                    Log());
  election = &one;
  one.run(stop.token());
  ASSERT_EQ(while_hanging, std::future_status::ready);
  EXPECT_LT(reported.get() - sent, options.duration);
  EXPECT_EQ(kube.count("update"), 1U);
}

TEST_F(LeaseTest, ARenewalCountsFromTheMomentItWasSent) {
  LeaseElection one = make("one");
  bool slow = true;
  kube.on_call = [&](const test::KubeCall& call) {
    if (call.verb == "update" && std::exchange(slow, false)) {
      clock.advance(seconds(7));  // it is carried out late, or its answer comes late; the one before counts as long
    }
  };
  bool requested = false;
  run_until(one, seconds(100), [&] {
    if (!slow && !std::exchange(requested, true)) {
      EXPECT_TRUE(one.leading());
      clock.advance(seconds(4));
      EXPECT_FALSE(one.leading()) << "ten seconds count, and seven had passed when the answer came";
    }
  });
  EXPECT_TRUE(requested);
}

TEST_F(LeaseTest, StopsAtOnceWhenAnotherHoldsTheLease) {
  LeaseElection one = make("one");
  run_until(one, seconds(100), [&, stolen = false]() mutable {
    if (one.leading() && !std::exchange(stolen, true)) {
      put_lease("thief");
    }
  });
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "leader thief", "stopped"));
  EXPECT_LE(clock.elapsed(), seconds(3));
  EXPECT_EQ(spec()["holderIdentity"], "thief");
}

TEST_F(LeaseTest, AConflictOfVersionsAloneDoesNotEndLeadership) {
  LeaseElection one = make("one");
  run_until(one, seconds(30), [&, n = 0]() mutable {
    KubeObject labelled = *kube.find(kube::kLeases, kKey);
    labelled["metadata"]["labels"]["touched"] = std::to_string(n++);
    kube.put(kube::kLeases, labelled);
  });
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
  EXPECT_EQ(spec()["holderIdentity"], "");
}

TEST_F(LeaseTest, ADeletedLeaseIsRecreated) {
  LeaseElection one = make("one");
  run_until(one, seconds(30), [&, n = 0]() mutable {
    if (++n == 3) {
      kube.drop(kube::kLeases, kKey);
    }
  });
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
}

TEST_F(LeaseTest, ATakeoverWhoseAnswerGotLostIsNoticed) {
  put_lease("", 1);
  kube.fail({.verb = "update", .error = Error(ErrorCode::ApiUnreachable, "reset"), .afterwards = true});
  LeaseElection one = make("one");
  run_until(one, seconds(3));
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped"));
  EXPECT_EQ(spec()["leaseTransitions"], 5);
}

TEST_F(LeaseTest, FieldsOfOthersInTheLeaseStay) {
  put_lease("", 1);
  KubeObject lease = *kube.find(kube::kLeases, kKey);
  lease["spec"]["strategy"] = "OldestEmulationVersion";
  lease["metadata"]["annotations"]["a"] = "b";
  kube.put(kube::kLeases, lease);
  LeaseElection one = make("one");
  run_until(one, seconds(5));
  EXPECT_EQ(spec()["strategy"], "OldestEmulationVersion");
  EXPECT_EQ(kube.find(kube::kLeases, kKey)->at("metadata").at("annotations").at("a"), "b");
}

TEST_F(LeaseTest, TheLeaseIsRenewedUntilRunningWorkHasEndedAndThenReleased) {
  LeaseElection one = make("one");
  std::string holder;
  std::size_t renewals_at_stop = 0;
  run_until(one, seconds(1), {}, [&] {
    reported.push_back("work ends");
    EXPECT_FALSE(one.leading());
    renewals_at_stop = kube.count("update");
    EXPECT_TRUE(kube.wait_until([&] { return kube.count("update") >= renewals_at_stop + 3; }));
    holder = spec()["holderIdentity"];
  });
  EXPECT_EQ(holder, "one");
  EXPECT_EQ(spec()["holderIdentity"], "");
  EXPECT_THAT(reported, ElementsAre("leader one", "started", "stopped", "work ends"));
}

TEST_F(LeaseTest, AStopWhileStandingByWritesNothing) {
  put_lease("other");
  LeaseElection one = make("one");
  run_until(one, seconds(5));
  EXPECT_THAT(reported, ElementsAre("leader other"));
  EXPECT_EQ(kube.count("update"), 0U);
}

TEST_F(LeaseTest, AReleaseIsTriedAgainAfterAConflict) {
  LeaseElection one = make("one");
  run_until(one, seconds(5), {},
            [&] { kube.fail({.verb = "update", .error = Error(ErrorCode::ApiConflict, "changed"), .times = 1}); });
  EXPECT_EQ(spec()["holderIdentity"], "");
}

// --- several candidates on one clock: threads of which exactly one runs, chosen by who wakes first

class Stage {
 public:
  explicit Stage(unsigned seed) : luck(seed) {}

  // Of the actor: sleeps in the stage's time.
  bool wait(std::size_t actor, milliseconds duration, const StopToken& stop) {
    std::unique_lock lock(mutex_);
    if (stop.requested()) {
      return false;
    }
    wakes_[actor] = now() + duration;
    running_ = kNobody;
    turn_.notify_all();
    turn_.wait(lock, [&] { return running_ == actor; });
    return !stop.requested();
  }
  void leave(std::size_t actor) {
    const std::lock_guard lock(mutex_);
    wakes_[actor].reset();
    running_ = kNobody;
    turn_.notify_all();
  }
  void enter(std::size_t actor) {
    std::unique_lock lock(mutex_);
    wakes_[actor] = now();
    turn_.notify_all();
    turn_.wait(lock, [&] { return running_ == actor; });
  }
  // Of the director: lets them play until all have left; `look` is called between two turns.
  void play(std::size_t actors, const std::function<void()>& observe) {
    std::unique_lock lock(mutex_);
    turn_.wait(lock, [&] {
      return std::count_if(wakes_.begin(), wakes_.end(), [](const auto& w) { return w.has_value(); }) ==
             static_cast<std::ptrdiff_t>(actors);
    });
    while (true) {
      std::size_t first = kNobody;
      for (std::size_t actor = 0; actor < actors; ++actor) {
        if (wakes_[actor] && (first == kNobody || *wakes_[actor] < *wakes_[first])) {
          first = actor;
        }
      }
      if (first == kNobody) {
        return;
      }
      // Every millisecond would be too many; the moment just before the next turn shows the longest reign.
      const SteadyTime next = std::max(now(), *wakes_[first]);
      now_ = std::max(now(), next - milliseconds(1));
      observe();
      now_ = next;
      observe();
      running_ = first;
      turn_.notify_all();
      turn_.wait(lock, [&] { return running_ == kNobody; });
    }
  }
  SteadyTime now() const { return now_; }

  std::minstd_rand luck;

 private:
  static constexpr std::size_t kNobody = 99;
  std::mutex mutex_;
  std::condition_variable turn_;
  std::array<std::optional<SteadyTime>, 3> wakes_;
  std::size_t running_ = kNobody;
  std::atomic<SteadyTime> now_{};
};

class StageClock final : public Clock {
 public:
  StageClock(Stage& stage, std::size_t actor, seconds skew) : stage_(stage), actor_(actor), skew_(skew) {}
  SteadyTime steady_now() const override { return stage_.now(); }
  WallTime wall_now() const override {
    return WallTime(seconds(1'790'000'000)) + skew_ +
           std::chrono::duration_cast<std::chrono::system_clock::duration>(stage_.now().time_since_epoch());
  }
  bool wait(milliseconds duration, const StopToken& token) override { return stage_.wait(actor_, duration, token); }

 private:
  Stage& stage_;
  std::size_t actor_;
  seconds skew_;
};

// Requests take time on both ways, and get lost on both.
class SlowKube final : public KubeClient {
 public:
  SlowKube(test::FakeKube& kube, Stage& stage, Clock& clock) : kube_(kube), stage_(stage), clock_(clock) {}
  Result<KubeObject> get(const ResourceType& t, const std::string& s, const std::string& n) override {
    return slowly([&] { return kube_.get(t, s, n); });
  }
  Result<KubeObject> create(const ResourceType& t, const std::string& s, const KubeObject& o,
                            const CreateOptions& how) override {
    return slowly([&] { return kube_.create(t, s, o, how); });
  }
  Result<KubeObject> replace(const ResourceType& t, const std::string& s, const std::string& n, const KubeObject& o,
                             const std::string& sub) override {
    return slowly([&] { return kube_.replace(t, s, n, o, sub); });
  }
  Result<std::string> list(const ResourceType&, const ListOptions&, const ObjectHandler&) override { return unused(); }
  Result<KubeObject> patch(const ResourceType&, const std::string&, const std::string&, const KubeObject&,
                           const std::string&) override {
    return unused();
  }
  Result<void> remove(const ResourceType&, const std::string&, const std::string&, const DeleteOptions&) override {
    return unused();
  }
  Result<void> watch(const ResourceType&, const WatchOptions&, const EventHandler&, const StopToken&) override {
    return unused();
  }

 private:
  static tl::unexpected<Error> unused() { return fail(ErrorCode::Internal, "not used by an election"); }
  milliseconds way() {
    const unsigned long kind = stage_.luck() % 20;
    return milliseconds(stage_.luck() % (kind == 0 ? 20'000 : kind < 5 ? 3'000 : 50));
  }
  Result<KubeObject> slowly(const std::function<Result<KubeObject>()>& request) {
    clock_.wait(way(), {});
    if (stage_.luck() % 6 == 0) {
      return fail(ErrorCode::ApiUnreachable, "lost on the way there");
    }
    Result<KubeObject> answer = request();
    clock_.wait(way(), {});
    if (stage_.luck() % 6 == 0) {
      return fail(ErrorCode::ApiUnreachable, "lost on the way back");
    }
    return answer;
  }
  test::FakeKube& kube_;
  Stage& stage_;
  Clock& clock_;
};

class LeaseProperty : public testing::TestWithParam<unsigned> {};

TEST_P(LeaseProperty, NeverDoTwoLeadAtOnceAndSomebodyLeadsMostOfTheTime) {
  constexpr std::size_t kActors = 3;
  Stage stage(GetParam() * 104'729 + 1);
  test::FakeKube kube;
  StopSource stop;
  struct Actor {
    std::unique_ptr<StageClock> clock;
    std::unique_ptr<SlowKube> client;
    std::unique_ptr<LeaseElection> election;
    std::thread thread;
  };
  std::array<Actor, kActors> actors;
  int reigns = 0;
  for (std::size_t i = 0; i < kActors; ++i) {
    const seconds skew(static_cast<int>(stage.luck() % 7'200) - 3'600);
    actors[i].clock = std::make_unique<StageClock>(stage, i, skew);
    actors[i].client = std::make_unique<SlowKube>(kube, stage, *actors[i].clock);
    actors[i].election = std::make_unique<LeaseElection>(
        *actors[i].client, *actors[i].clock,
        LeaseOptions{.name_space = "ops", .identity = "c" + std::to_string(i), .seed = i + GetParam()},
        LeaseElection::Callbacks{[&] { ++reigns; }, {}, {}}, Log());
  }
  for (std::size_t i = 0; i < kActors; ++i) {
    actors[i].thread = std::thread([&, i] {
      stage.enter(i);
      while (!stop.token().requested()) {
        actors[i].election->run(stop.token());
      }
      stage.leave(i);
    });
  }
  SteadyTime observed_at{};
  milliseconds led{0};
  stage.play(kActors, [&] {
    const auto leaders = std::ranges::count_if(actors, [](const Actor& actor) { return actor.election->leading(); });
    EXPECT_LE(leaders, 1) << "at " << std::chrono::duration_cast<milliseconds>(stage.now() - SteadyTime{}).count() << " ms";
    led += leaders == 1 ? std::chrono::duration_cast<milliseconds>(stage.now() - observed_at) : milliseconds(0);
    observed_at = stage.now();
    if (stage.now() - SteadyTime{} > seconds(3'600)) {
      stop.request();
    }
  });
  for (Actor& actor : actors) {
    actor.thread.join();
  }
  EXPECT_GT(reigns, 3);
  EXPECT_GT(led, seconds(900));
}

INSTANTIATE_TEST_SUITE_P(Seeds, LeaseProperty, testing::Range(0U, 25U));

}  // namespace
}  // namespace athanor::controller
