#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "operator/kube/event_recorder.hpp"
#include "operator/kube/event_series.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"

namespace athanor::controller {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;

EventRecord event(const std::string& note = "3 revisions applied") {
  return {{kube::kDatabaseMigrations, {"shop", "orders"}, "uid-1", "77"}, EventType::Normal, "Applied", "Migrate", note};
}

class EventSeriesTest : public testing::Test {
 protected:
  std::vector<EventWrite> add(const EventRecord& record) { return series.add({record, clock.wall_now()}, clock.steady_now()); }
  test::FakeClock clock;
  EventSeries series{"athanor-operator", "pod-1"};
};

TEST_F(EventSeriesTest, TheFirstIsAnEventWithEverythingTheServerAsksFor) {
  clock.advance(milliseconds(1'500));
  const auto writes = add(event());
  ASSERT_EQ(writes.size(), 1U);
  const KubeObject& body = writes[0].body;
  EXPECT_EQ(writes[0].kind, EventWrite::Kind::Create);
  EXPECT_EQ(body["eventTime"], "2026-09-21T14:13:21.500000Z");
  EXPECT_EQ(body["reportingController"], "athanor-operator");
  EXPECT_EQ(body["reportingInstance"], "pod-1");
  EXPECT_EQ(body["type"], "Normal");
  EXPECT_EQ(body["reason"], "Applied");
  EXPECT_EQ(body["action"], "Migrate");
  EXPECT_EQ(body["note"], "3 revisions applied");
  EXPECT_EQ(body["regarding"], KubeObject({{"apiVersion", "athanor.dev/v1alpha1"},
                                           {"kind", "DatabaseMigration"},
                                           {"name", "orders"},
                                           {"namespace", "shop"},
                                           {"uid", "uid-1"},
                                           {"resourceVersion", "77"}}));
  EXPECT_FALSE(body.contains("series"));
}

TEST_F(EventSeriesTest, TheSecondMakesASeriesAndLaterOnesAreWrittenOnceAMinute) {
  const std::string name = add(event())[0].name;
  clock.advance(seconds(5));
  const auto second = add(event());
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].kind, EventWrite::Kind::Update);
  EXPECT_EQ(second[0].name, name);
  EXPECT_EQ(second[0].body, KubeObject({{"series", {{"count", 2}, {"lastObservedTime", "2026-09-21T14:13:25.000000Z"}}}}));
  for (int i = 0; i < 50; ++i) {
    clock.advance(seconds(1));
    EXPECT_TRUE(add(event()).empty());
    EXPECT_TRUE(series.due(clock.steady_now()).empty());
  }
  EXPECT_EQ(series.next_due(), clock.steady_now() + seconds(10));
  clock.advance(seconds(10));
  const auto due = series.due(clock.steady_now());
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].body["series"]["count"], 52);
  EXPECT_EQ(series.next_due(), std::nullopt);
}

TEST_F(EventSeriesTest, EveryPartThatDiffersMakesAnotherEvent) {
  const std::string first = add(event())[0].name;
  EventRecord reason = event(), action = event(), type = event(), other = event(), uid = event();
  reason.reason = "Failed";
  action.action = "Plan";
  type.type = EventType::Warning;
  other.regarding.key.name = "users";
  uid.regarding.uid = "uid-2";
  for (const EventRecord& record : {event("other"), reason, action, type, other, uid}) {
    const auto writes = add(record);
    ASSERT_EQ(writes.size(), 1U);
    EXPECT_EQ(writes[0].kind, EventWrite::Kind::Create);
    EXPECT_NE(writes[0].name, first);
  }
}

TEST_F(EventSeriesTest, AnotherVersionOfTheObjectIsTheSameSeries) {
  EXPECT_EQ(add(event()).size(), 1U);
  EventRecord later = event();
  later.regarding.resource_version = "78";
  EXPECT_EQ(add(later)[0].kind, EventWrite::Kind::Update);
}

TEST_F(EventSeriesTest, AfterTenQuietMinutesANewEventBegins) {
  const std::string first = add(event())[0].name;
  clock.advance(minutes(10) - seconds(1));
  EXPECT_EQ(add(event())[0].name, first);
  clock.advance(minutes(10));
  const auto writes = add(event());
  ASSERT_EQ(writes.size(), 1U);
  EXPECT_EQ(writes[0].kind, EventWrite::Kind::Create);
  EXPECT_NE(writes[0].name, first);
}

TEST_F(EventSeriesTest, SeriesThatAreOverAreForgottenAndTheirNumberIsBounded) {
  for (int i = 0; i < 5'000; ++i) {
    static_cast<void>(add(event(std::to_string(i))));
  }
  EXPECT_LE(series.size(), 4'096U);
  clock.advance(minutes(11));
  EXPECT_TRUE(series.due(clock.steady_now()).empty());
  EXPECT_EQ(series.size(), 0U);
}

TEST_F(EventSeriesTest, TextsAreCutBetweenCharacters) {
  EventRecord record = event("x" + std::string(2'000, '\xc3'));
  record.note.clear();
  for (int i = 0; i < 1'000; ++i) {
    record.note += "\xc3\xa4";
  }
  record.note.insert(0, "x");
  record.reason = std::string(300, 'r');
  record.action = std::string(300, 'a');
  record.regarding.key.name = std::string(253, 'n');
  const auto writes = add(record);
  EXPECT_EQ(writes[0].body["note"].get<std::string>().size(), 1'023U);
  EXPECT_EQ(writes[0].body["reason"].get<std::string>().size(), 128U);
  EXPECT_EQ(writes[0].body["action"].get<std::string>().size(), 128U);
  EXPECT_EQ(writes[0].name.size(), 253U);
  EXPECT_NO_THROW(static_cast<void>(writes[0].body.dump()));
}

TEST_F(EventSeriesTest, AnObjectOfNoNamespaceHasItsEventsInDefault) {
  EventRecord record = event();
  record.regarding = {kube::kNamespaces, {"", "shop"}, "", ""};
  const auto writes = add(record);
  EXPECT_EQ(writes[0].name_space, "default");
  EXPECT_EQ(writes[0].body["regarding"], KubeObject({{"apiVersion", "v1"}, {"kind", "Namespace"}, {"name", "shop"}}));
}

// The recorder's thread and the test's look at it.
class SharedClock final : public Clock {
  template <class Function>
  auto locked(Function function) const {
    const std::lock_guard lock(mutex_);
    return function();
  }

 public:
  SteadyTime steady_now() const override {
    return locked([this] { return clock_.steady_now(); });
  }
  WallTime wall_now() const override {
    return locked([this] { return clock_.wall_now(); });
  }
  bool wait(milliseconds duration, const StopToken& stop) override {
    return locked([&] { return clock_.wait(duration, stop); });
  }
  void advance(milliseconds duration) {
    locked([&] { clock_.advance(duration); });
  }

 private:
  mutable std::mutex mutex_;
  test::FakeClock clock_;
};

class EventRecorderTest : public testing::Test {
 protected:
  void SetUp() override { recorder = make_event_recorder(kube, clock, "athanor-operator", "pod-1", Log()); }
  void TearDown() override { recorder.reset(); }
  bool wait_for(const std::string& verb, std::size_t count) {
    return kube.wait_until([&] { return kube.count(verb) >= count; });
  }
  test::FakeKube kube;
  SharedClock clock;
  std::unique_ptr<EventRecorder> recorder;
};

TEST_F(EventRecorderTest, ARepeatedEventIsOneObjectWithASeries) {
  recorder->record(event());
  recorder->record(event());
  ASSERT_TRUE(wait_for("patch", 1));
  for (int i = 0; i < 5; ++i) {
    recorder->record(event());
  }
  recorder.reset();  // what waits is written at the end
  const auto events = kube.all(kube::kEvents);
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0]["series"]["count"], 7);
}

TEST_F(EventRecorderTest, ARefusedEventIsDroppedCountedAndNotTriedAgain) {
  for (const ErrorCode code : {ErrorCode::ApiForbidden, ErrorCode::ApiNotFound, ErrorCode::ApiInvalid}) {
    kube.fail({.verb = "create", .error = Error(code, "no")});
    recorder->record(event());
  }
  ASSERT_TRUE(wait_for("create", 3));
  recorder->record(event());
  ASSERT_TRUE(wait_for("create", 4));
  EXPECT_TRUE(kube.wait_until([&] { return kube.all(kube::kEvents).size() == 1; }));
  EXPECT_EQ(recorder->dropped(), 3U);
  EXPECT_EQ(kube.count("patch"), 0U);
}

TEST_F(EventRecorderTest, AnUnreachableServerIsTriedThreeTimes) {
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "away"), .times = 2});
  recorder->record(event());
  EXPECT_TRUE(kube.wait_until([&] { return kube.all(kube::kEvents).size() == 1; }));
  EXPECT_EQ(recorder->dropped(), 0U);
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "away"), .times = 3});
  recorder->record(event("other"));
  EXPECT_TRUE(kube.wait_until([&] { return recorder->dropped() == 1; }));
  EXPECT_EQ(kube.count("create"), 6U);
}

TEST_F(EventRecorderTest, AnEventWhoseAnswerGotLostIsWrittenOnce) {
  kube.fail({.verb = "create", .error = Error(ErrorCode::ApiUnreachable, "reset"), .afterwards = true});
  recorder->record(event());
  recorder->record(event());
  ASSERT_TRUE(wait_for("patch", 1));
  recorder.reset();
  EXPECT_EQ(kube.all(kube::kEvents).size(), 1U);
}

TEST_F(EventRecorderTest, ASeriesWhoseObjectWasRemovedBeginsANewOne) {
  recorder->record(event());
  ASSERT_TRUE(kube.wait_until([&] { return kube.all(kube::kEvents).size() == 1; }));
  kube.drop(kube::kEvents, {"shop", kube.all(kube::kEvents)[0]["metadata"]["name"]});
  recorder->record(event());
  EXPECT_TRUE(kube.wait_until([&] { return kube.all(kube::kEvents).size() == 1; }));
  EXPECT_EQ(recorder->dropped(), 0U);
}

TEST_F(EventRecorderTest, RecordDoesNotWaitForTheServerAndTheQueueIsBounded) {
  std::mutex gate;
  gate.lock();
  kube.on_call = [&](const test::KubeCall&) { const std::lock_guard pass(gate); };
  recorder->record(event("first"));
  ASSERT_TRUE(wait_for("create", 1));  // the thread hangs in it
  for (int i = 0; i < 1'500; ++i) {
    recorder->record(event(std::to_string(i)));
  }
  EXPECT_EQ(recorder->dropped(), 500U);
  gate.unlock();
  recorder.reset();
  EXPECT_EQ(kube.all(kube::kEvents).size(), 1'001U);
}

TEST_F(EventRecorderTest, TheLastEventsAreWrittenWithinTwoSeconds) {
  // Every request takes 700 ms: whenever the end comes, at most four of the hundred are sent after it.
  kube.on_call = [&](const test::KubeCall&) {
    clock.advance(milliseconds(700));
    static_cast<void>(
        kube.wait_until([] { return false; }, milliseconds(1)));  // real time, so that the end comes in the middle
  };
  for (int i = 0; i < 1'000; ++i) {
    recorder->record(event(std::to_string(i)));
  }
  ASSERT_TRUE(wait_for("create", 3));
  const std::size_t at_the_end = kube.count("create");
  recorder.reset();
  EXPECT_LE(kube.count("create"), at_the_end + 50);
  EXPECT_LT(kube.count("create"), 1'000U);
}

}  // namespace
}  // namespace athanor::controller
