#include "operator/kube/informer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <thread>

#include "tests/support/fake_clock.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/support/fake_transport.hpp"

namespace athanor::controller {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

KubeObject object(const std::string& name, int value = 0) {
  return {{"metadata", {{"name", name}, {"namespace", "shop"}}}, {"data", {{"value", std::to_string(value)}}}};
}

// Keeps the picture and writes down what it is told.
class Picture final : public InformerHandler {
 public:
  void applied(const ResourceKey& key, const KubeObject& object) override {
    if (key.name == hostile) {
      throw std::out_of_range("bitset::set");
    }
    const std::string version = object.at("metadata").at("resourceVersion").get<std::string>();
    EXPECT_TRUE(versions_.insert(key.text() + "@" + version).second) << key.text() << " was told twice at " << version;
    const auto known = objects.find(key);
    if (known != objects.end()) {
      EXPECT_LT(std::stoull(known->second.at("metadata").at("resourceVersion").get<std::string>()), std::stoull(version));
    }
    objects[key] = object;
    reported.push_back("+" + key.name + object.at("data").at("value").get<std::string>());
  }
  void deleted(const ResourceKey& key) override {
    EXPECT_EQ(objects.erase(key), 1U) << key.text() << " was told as deleted, but never as there";
    reported.push_back("-" + key.name);
  }
  void synced() override { reported.push_back("synced"); }

  std::map<ResourceKey, KubeObject> objects;
  std::vector<std::string> reported;
  std::string hostile;  // the name of an object that cannot be borne

 private:
  std::set<std::string> versions_;
};

class InformerTest : public testing::Test {
 protected:
  // Each time a watch has nothing left to tell, the next of these happens; then the informer is stopped.
  void run(std::vector<std::function<void()>> story) {
    std::size_t next = 0;
    kube.on_idle = [&] { next < story.size() ? story[next++]() : stop.request(); };
    informer.run(stop.token());
    EXPECT_EQ(next, story.size());
  }
  void put(const std::string& name, int value) { kube.put(kube::kConfigMaps, object(name, value)); }
  void drop(const std::string& name) { kube.drop(kube::kConfigMaps, {"shop", name}); }
  void break_watch() { kube.end_watches(Error(ErrorCode::ApiUnreachable, "reset by peer")); }
  void fail_watch(Error error, int times = 1) { kube.fail({.verb = "watch", .error = std::move(error), .times = times}); }
  [[nodiscard]] std::vector<std::string> watched_from() const {
    std::vector<std::string> versions;
    for (const test::KubeCall& call : kube.calls()) {
      if (call.verb == "watch") {
        versions.push_back(call.initial_events ? "initial" : call.resource_version);
      }
    }
    return versions;
  }

  test::FakeKube kube;
  test::FakeClock clock;
  StopSource stop;
  Picture picture;
  Informer informer{kube, clock, picture, {.type = kube::kConfigMaps}, Log()};
};

TEST_F(InformerTest, DeliversTheListThenTheSyncThenChanges) {
  put("a", 1);
  put("b", 1);
  run({[&] {
    EXPECT_TRUE(informer.synced());
    put("a", 2);
    drop("b");
    put("c", 1);
  }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+b1", "synced", "+a2", "-b", "+c1"));
  EXPECT_EQ(kube.count("list"), 0U);
  EXPECT_EQ(informer.statistics().lists, 1U);
  EXPECT_EQ(informer.statistics().events, 5U);
}

TEST_F(InformerTest, OutlivesAnObjectThatItsHandlerThrowsAt) {
  picture.hostile = "b";
  put("a", 1);
  put("b", 1);
  put("c", 1);
  run({[&] { put("b", 2), put("a", 2); }, [&] { drop("c"); }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+c1", "synced", "+a2", "-c"));
  EXPECT_EQ(informer.statistics().lists, 1U);
}

TEST_F(InformerTest, GoesOnAfterADroppedWatchWithoutListing) {
  put("a", 1);
  std::string version;
  run({[&] { put("a", 2); }, [&] { version = kube.version(), break_watch(), put("b", 1); }, [&] { put("c", 1); }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "synced", "+a2", "+b1", "+c1"));
  EXPECT_EQ(informer.statistics().lists, 1U);
  EXPECT_EQ(watched_from().size(), 2U);
}

TEST_F(InformerTest, ABookmarkMovesTheVersionToGoOnAt) {
  put("a", 1);
  std::string version;
  run({[&] {
         kube.put(kube::kSecrets, {{"metadata", {{"name", "x"}, {"namespace", "shop"}}}});
         version = kube.version();
         kube.send_bookmarks();
       },
       [&] { kube.end_watches(); }});
  EXPECT_THAT(watched_from(), ElementsAre("initial", version));
}

TEST_F(InformerTest, ASilentWatchIsNotTrustedAndLeadsToANewList) {
  put("a", 1);
  std::string version;
  run({[&] {
         version = kube.version();
         clock.advance(seconds(84));
         kube.end_watches();  // the events of the list came in it
       },
       [&] {
         clock.advance(seconds(84));
         kube.end_watches();
       },
       [&] {
         clock.advance(seconds(85));  // bookmarks come every minute
         break_watch();
       },
       [] {}});
  EXPECT_THAT(watched_from(), ElementsAre("initial", version, version, "initial"));
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "synced"));
}

TEST_F(InformerTest, TenFailuresInARowLeadToANewList) {
  put("a", 1);
  kube.fail({.verb = "watch", .after_events = 2});
  fail_watch(Error(ErrorCode::ApiUnreachable, "internal error"), 10);
  run({[] {}});
  const std::vector<std::string> versions = watched_from();
  EXPECT_EQ(versions.size(), 12U);
  EXPECT_EQ(std::ranges::count(versions, "initial"), 2);
  EXPECT_EQ(versions.back(), "initial");
}

TEST_F(InformerTest, AWatchThatEndsInOrderIsAskedForAgainWithoutAPause) {
  put("a", 1);
  run({[&] { kube.end_watches(); }, [&] { put("a", 2); }});
  EXPECT_TRUE(clock.waits.empty());
}

TEST_F(InformerTest, AWatchThatKeepsEndingAtOnceIsAskedForWithPauses) {
  put("a", 1);
  kube.fail({.verb = "watch", .after_events = 2});
  kube.fail({.verb = "watch", .times = 4});
  run({});
  EXPECT_EQ(clock.waits.size(), 4U);
}

TEST_F(InformerTest, BothFormsOf410RelistAndDeliverOnlyDifferences) {
  put("a", 1);
  put("b", 1);
  put("c", 1);
  const auto lose_history = [&] {
    put("a", kube.find(kube::kConfigMaps, {"shop", "b"}) ? 2 : 3);
    kube.find(kube::kConfigMaps, {"shop", "b"}) ? drop("b") : drop("c");
    kube.compact();
  };
  run({[&] {  // as a status
         kube.fail({.verb = "watch", .error = Error(ErrorCode::ApiUnreachable, "away")});
         break_watch();
         kube.on_call = [&, done = false](const test::KubeCall& call) mutable {
           if (call.verb == "watch" && !std::exchange(done, true)) {
             lose_history();
           }
         };
       },
       [&] {  // inside the stream
         kube.on_call = nullptr;
         put("d", 1);
       },
       [&] {
         kube.end_watches(Error(ErrorCode::ApiExpired, "gone"));
         kube.on_call = [&, done = false](const test::KubeCall& call) mutable {
           if (call.verb == "watch" && !std::exchange(done, true)) {
             lose_history();
           }
         };
       },
       [] {}});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+b1", "+c1", "synced", "+a2", "-b", "+d1", "+a3", "-c"));
  EXPECT_EQ(informer.statistics().expired, 2U);
  EXPECT_EQ(informer.statistics().lists, 3U);
}

TEST_F(InformerTest, HistoryThatIsGoneAgainAndAgainIsNotListedInACircle) {
  put("a", 1);
  kube.fail({.verb = "watch", .after_events = 2});
  for (int i = 0; i < 3; ++i) {
    fail_watch(Error(ErrorCode::ApiExpired, "gone"));
    kube.fail({.verb = "watch", .after_events = 2});
  }
  run({[] {}});
  ASSERT_EQ(clock.waits.size(), 2U);  // the first is listed at once
  EXPECT_GE(clock.waits[1], milliseconds(1'600));
}

TEST_F(InformerTest, ListsWhereTheServerDoesNotKnowWatchList) {
  kube.set_watch_list(false);
  put("a", 1);
  run({[&] { put("b", 1); }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "synced", "+b1"));
  EXPECT_EQ(kube.count("list"), 1U);
  EXPECT_TRUE(clock.waits.empty());
}

TEST_F(InformerTest, ListsWhereTheServerNeverSaysThatAWatchListIsComplete) {
  kube.set_watch_list(true, false);
  put("a", 1);
  put("b", 1);
  run({[&] {
         EXPECT_FALSE(informer.synced());
         drop("a");
         kube.end_watches();
       },
       [&] { put("c", 1); }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+b1", "-a", "synced", "+c1"));
  EXPECT_EQ(kube.count("list"), 1U);
}

TEST_F(InformerTest, ListsAfterTwoWatchListsThatBrokeOff) {
  put("a", 1);
  put("b", 1);
  for (int i = 0; i < 2; ++i) {
    kube.fail({.verb = "watch", .error = Error(ErrorCode::ApiUnreachable, "stalled"), .after_events = 1});
  }
  run({[] {}});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+b1", "synced"));
  EXPECT_EQ(kube.count("list"), 1U);
}

TEST_F(InformerTest, ABrokenListReportsNoDeletions) {
  put("a", 1);
  put("b", 1);
  run({[&] {
         kube.fail({.verb = "watch", .error = Error(ErrorCode::ApiUnreachable, "stalled"), .after_events = 1});
         kube.end_watches(Error(ErrorCode::ApiExpired, "gone"));
       },
       [] {}});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "+b1", "synced"));
}

TEST_F(InformerTest, ListsAfterAnEventThatIsTooLarge) {
  put("a", 1);
  run({[&] {
    fail_watch(Error(ErrorCode::ApiUnreachable, "a line is too long").with_retry(RetryClass::Terminal));
    break_watch();
    put("a", 2);
  }});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "synced", "+a2"));
  EXPECT_EQ(kube.count("list"), 1U) << "a watch from the same version would fail again";
}

TEST_F(InformerTest, WaitsLongBeforeItReadsAnObjectAgainThatIsTooLarge) {
  kube.set_watch_list(false);
  kube.fail(
      {.verb = "list", .error = Error(ErrorCode::ApiUnreachable, "too large").with_retry(RetryClass::Terminal), .times = 2});
  put("a", 1);
  run({});
  EXPECT_THAT(picture.reported, ElementsAre("+a1", "synced"));
  EXPECT_EQ(clock.waits, std::vector<milliseconds>(2, std::chrono::minutes(5)));
}

TEST_F(InformerTest, PausesGrowFrom800MillisecondsTo30SecondsWithJitter) {
  fail_watch(Error(ErrorCode::ApiUnreachable, "refused"), 6);
  kube.fail({.verb = "list", .error = Error(ErrorCode::ApiUnreachable, "refused"), .times = 3});
  // A WatchList is tried twice, then a list once, and so on.
  run({[] {}});
  ASSERT_EQ(clock.waits.size(), 9U);
  milliseconds least{800};
  std::set<milliseconds::rep> different;
  for (const milliseconds wait : clock.waits) {
    EXPECT_GE(wait, least);
    EXPECT_LE(wait, least * 3 / 2);
    different.insert(wait.count() * 800 / least.count());
    least = std::min<milliseconds>(least * 2, seconds(30));
  }
  EXPECT_GT(different.size(), 3U);
  EXPECT_EQ(informer.statistics().failures, 0U);
}

TEST_F(InformerTest, WatchesAreAskedForFiveToTenMinutes) {
  // The options of a watch are not recorded by the fake: a client of our own looks at them.
  class Asked final : public KubeClient {
   public:
    explicit Asked(test::FakeKube& kube) : kube_(kube) {}
    Result<KubeObject> get(const ResourceType& t, const std::string& s, const std::string& n) override {
      return kube_.get(t, s, n);
    }
    Result<std::string> list(const ResourceType& t, const ListOptions& o, const ObjectHandler& h) override {
      return kube_.list(t, o, h);
    }
    Result<KubeObject> create(const ResourceType& t, const std::string& s, const KubeObject& o,
                              const CreateOptions& how) override {
      return kube_.create(t, s, o, how);
    }
    Result<KubeObject> replace(const ResourceType& t, const std::string& s, const std::string& n, const KubeObject& o,
                               const std::string& sub) override {
      return kube_.replace(t, s, n, o, sub);
    }
    Result<KubeObject> patch(const ResourceType& t, const std::string& s, const std::string& n, const KubeObject& b,
                             const std::string& sub) override {
      return kube_.patch(t, s, n, b, sub);
    }
    Result<void> remove(const ResourceType& t, const std::string& s, const std::string& n, const DeleteOptions& o) override {
      return kube_.remove(t, s, n, o);
    }
    Result<void> watch(const ResourceType& t, const WatchOptions& o, const EventHandler& h, const StopToken& token) override {
      if (!o.send_initial_events) {
        times.push_back(o.timeout);
      }
      return kube_.watch(t, o, h, token);
    }
    std::vector<seconds> times;

   private:
    test::FakeKube& kube_;
  };
  Asked asked(kube);
  Informer other(asked, clock, picture, {.type = kube::kConfigMaps, .seed = 7}, Log());
  int rounds = 0;
  kube.on_idle = [&] {
    kube.end_watches();
    if (++rounds == 40) {
      stop.request();
    }
  };
  other.run(stop.token());
  const auto [least, most] = std::ranges::minmax(asked.times);
  EXPECT_GE(least, seconds(300));
  EXPECT_LE(most, seconds(600));
  EXPECT_GT(most - least, seconds(100));
}

// --- what a server should not send

std::string line(const std::string& type, const std::string& name, int version) {
  KubeObject reported = object(name, version);
  reported["metadata"]["resourceVersion"] = std::to_string(version);
  return KubeObject{{"type", type}, {"object", reported}}.dump();
}
std::string end_mark(int version) {
  return R"({"type":"BOOKMARK","object":{"metadata":{"resourceVersion":")" + std::to_string(version) +
         R"(","annotations":{"k8s.io/initial-events-end":"true"}}}})";
}

// The informer over the real client and prepared lines; it is stopped when they are used up.
class InformerLines : public testing::Test {
 protected:
  // `refused`: answers that were prepared before.
  void run(std::vector<std::vector<std::string>> watches, std::size_t refused = 0) {
    for (auto& lines : watches) {
      transport.answer_lines(std::move(lines), fail(ErrorCode::ApiUnreachable, "broke off"));
    }
    transport.on_request = [&, left = watches.size() + refused](const HttpRequest&) mutable {
      if (left-- == 0) {
        stop.request();
      }
    };
    const auto client = make_rest_client(transport, clock, {}, {});
    Informer informer(*client, clock, picture, {.type = kube::kConfigMaps}, Log());
    informer.run(stop.token());
  }
  [[nodiscard]] bool asked_initial(std::size_t request) const {
    return transport.requests.at(request).path.find("sendInitialEvents") != std::string::npos;
  }
  test::FakeTransport transport;
  test::FakeClock clock;
  StopSource stop;
  Picture picture;
};

TEST_F(InformerLines, OldRepeatedAndOutdatedEventsAreNotDelivered) {
  run({{line("ADDED", "a", 5), end_mark(7), line("MODIFIED", "a", 8), line("MODIFIED", "a", 8), line("MODIFIED", "a", 6),
        line("ADDED", "b", 9), line("DELETED", "b", 10), line("MODIFIED", "b", 9), line("DELETED", "b", 10)},
       {line("MODIFIED", "a", 8), line("DELETED", "a", 3), line("MODIFIED", "a", 11)}});
  EXPECT_THAT(picture.reported, ElementsAre("+a5", "synced", "+a8", "+b9", "-b", "+a11"));
  EXPECT_NE(transport.requests[1].path.find("&resourceVersion=10"), std::string::npos);
}

TEST_F(InformerLines, RetriesWhenAThrottlingServerSaysSo) {
  transport.answer(429, "{}", seconds(7));
  transport.answer(503, "{}", seconds(9));
  run({{end_mark(5)}}, 2);
  ASSERT_GE(clock.waits.size(), 2U);
  EXPECT_GE(clock.waits[0], seconds(7));
  EXPECT_LE(clock.waits[0], milliseconds(8'750));
  EXPECT_GE(clock.waits[1], seconds(9));
  EXPECT_TRUE(asked_initial(2)) << "a WatchList that was not begun is no broken one";
  EXPECT_THAT(picture.reported, ElementsAre("synced"));
}

TEST_F(InformerLines, VersionsGrowAsNumbersNotAsText) {
  run({{line("ADDED", "a", 9), end_mark(9), line("MODIFIED", "a", 10), line("MODIFIED", "a", 100)}});
  EXPECT_THAT(picture.reported, ElementsAre("+a9", "synced", "+a10", "+a100"));
}

TEST_F(InformerLines, AnUnknownEventTypeIsSkippedAndTheWatchGoesOn) {
  run({{line("ADDED", "a", 5), end_mark(7), line("SPLIT", "a", 8), line("MODIFIED", "a", 9)}, {}});
  EXPECT_THAT(picture.reported, ElementsAre("+a5", "synced", "+a9"));
  EXPECT_FALSE(asked_initial(1));
}

TEST_F(InformerLines, AfterAnUnreadableEventEverythingIsRelistedWhenTheWatchEnds) {
  for (const std::string& garbage : {std::string("{broken"), std::string("[]"), std::string(R"({"type":"ADDED"})"),
                                     std::string(R"({"type":"ADDED","object":{"metadata":{"name":"b"}}})"),
                                     std::string(R"({"type":"BOOKMARK","object":{"metadata":[]}})")}) {
    transport.requests.clear();
    picture = {};
    StopSource fresh;
    transport.answer_lines({line("ADDED", "a", 5), end_mark(7), garbage, line("MODIFIED", "a", 9)});
    transport.answer_lines({line("ADDED", "a", 9), line("ADDED", "b", 8), end_mark(9)},
                           fail(ErrorCode::ApiUnreachable, "broke off"));
    transport.on_request = [&](const HttpRequest&) {
      if (transport.requests.size() == 3) {
        fresh.request();
      }
    };
    const auto client = make_rest_client(transport, clock, {}, {});
    Informer informer(*client, clock, picture, {.type = kube::kConfigMaps}, Log());
    informer.run(fresh.token());
    EXPECT_THAT(picture.reported, ElementsAre("+a5", "synced", "+a9", "+b8")) << garbage;
    EXPECT_TRUE(asked_initial(1)) << garbage;
  }
}

TEST_F(InformerLines, AnUnreadableObjectInAListIsNotTakenForDeleted) {
  run({{line("ADDED", "a", 5), line("ADDED", "b", 6), end_mark(7), "{broken"},
       {line("ADDED", "a", 5), "{broken", end_mark(9)},
       {line("ADDED", "a", 5), line("ADDED", "b", 6), end_mark(10)}});
  EXPECT_THAT(picture.reported, ElementsAre("+a5", "+b6", "synced"));
  EXPECT_TRUE(asked_initial(2));
}

TEST_F(InformerLines, WhatAListDeliveredBeforeItRestartedIsForgotten) {
  const auto page = [](const std::vector<std::string>& names, const std::string& next) {
    KubeObject list{{"metadata", {{"resourceVersion", "9"}, {"continue", next}}}, {"items", KubeObject::array()}};
    for (const std::string& name : names) {
      list["items"].push_back(KubeObject::parse(line("ADDED", name, 5))["object"]);
    }
    return list.dump();
  };
  transport.answer(422);  // no WatchList here
  transport.answer(200, page({"a", "gone"}, "more"));
  transport.answer(410);
  transport.answer(200, page({"a"}, ""));
  transport.on_request = [&](const HttpRequest&) {
    if (transport.requests.size() == 5) {
      stop.request();
    }
  };
  const auto client = make_rest_client(transport, clock, {}, {});
  Informer informer(*client, clock, picture, {.type = kube::kConfigMaps}, Log());
  informer.run(stop.token());
  EXPECT_THAT(picture.reported, ElementsAre("+a5", "+gone5", "-gone", "synced"));
  EXPECT_EQ(informer.statistics().lists, 1U);
}

TEST_F(InformerLines, AVersionThatTheServerRefusesLeadsToANewList) {
  transport.answer_lines({line("ADDED", "a", 5), end_mark(7)});
  transport.answer(400);
  transport.answer_lines({line("ADDED", "a", 5), end_mark(7)});
  transport.on_request = [&](const HttpRequest&) {
    if (transport.requests.size() == 4) {
      stop.request();
    }
  };
  const auto client = make_rest_client(transport, clock, {}, {});
  Informer informer(*client, clock, picture, {.type = kube::kConfigMaps}, Log());
  informer.run(stop.token());
  EXPECT_TRUE(asked_initial(2));
  EXPECT_EQ(informer.statistics().lists, 2U);
  EXPECT_THAT(picture.reported, ElementsAre("+a5", "synced"));
}

// --- everything at once

class InformerProperty : public testing::TestWithParam<unsigned> {};

TEST_P(InformerProperty, EndsWithTheServersStateWhateverHappensOnTheWay) {
  std::minstd_rand luck(GetParam() * 7'919 + 1);
  test::FakeKube kube;
  test::FakeClock clock;
  Picture picture;
  StopSource stop;
  kube.set_watch_list(luck() % 4 != 0, luck() % 4 != 0);
  const auto change = [&] {
    const std::string name = "o" + std::to_string(luck() % 12);
    if (luck() % 3 == 0) {
      kube.drop(kube::kConfigMaps, {"shop", name});
    } else {
      kube.put(kube::kConfigMaps, object(name, static_cast<int>(luck() % 1'000)));
    }
  };
  const auto trouble = [&] {
    const ErrorCode code = luck() % 2 == 0 ? ErrorCode::ApiUnreachable : ErrorCode::ApiExpired;
    switch (luck() % 6) {
      case 0:
        kube.end_watches();
        break;
      case 1:
        kube.end_watches(Error(code, "in the stream"));
        break;
      case 2:
        kube.compact();
        kube.end_watches(Error(ErrorCode::ApiUnreachable, "reset"));
        break;
      case 3:
        kube.send_bookmarks();
        break;
      case 4:
        kube.fail({.verb = luck() % 2 == 0 ? "watch" : "list", .error = Error(code, "status")});
        kube.end_watches();
        break;
      default:
        kube.fail({.verb = "watch", .error = Error(code, "midway"), .after_events = 1 + static_cast<int>(luck() % 5)});
        kube.end_watches();
    }
  };
  for (int i = 0; i < 8; ++i) {
    change();
  }
  clock.on_wait = [&](milliseconds) { change(); };
  int rounds = 0;
  kube.on_idle = [&] {
    if (++rounds == 300) {
      stop.request();
      return;
    }
    luck() % 3 == 0 ? trouble() : change();
    if (rounds == 299) {  // the last word is the server's
      kube.end_watches();
    }
  };
  Informer informer(kube, clock, picture, {.type = kube::kConfigMaps, .seed = GetParam()}, Log());
  informer.run(stop.token());
  std::map<ResourceKey, KubeObject> truth;
  for (const KubeObject& each : kube.all(kube::kConfigMaps)) {
    truth[{"shop", each["metadata"]["name"]}] = each;
  }
  EXPECT_EQ(picture.objects, truth);
  EXPECT_GT(picture.reported.size(), 50U);
}

INSTANTIATE_TEST_SUITE_P(Seeds, InformerProperty, testing::Range(0U, 60U));

TEST(InformerThreads, StopsPromptlyInTheMiddleOfAWatch) {
  test::FakeKube kube;
  SystemClock clock;
  Picture picture;
  StopSource stop;
  Informer informer(kube, clock, picture, {.type = kube::kConfigMaps}, Log());
  std::thread thread([&] { informer.run(stop.token()); });
  EXPECT_TRUE(kube.wait_until([&] { return informer.synced() && kube.open_watches() == 1; }));
  kube.put(kube::kConfigMaps, object("a", 1));
  EXPECT_TRUE(kube.wait_until([&] { return informer.statistics().events == 1; }));
  stop.request();
  thread.join();
  EXPECT_EQ(picture.objects.size(), 1U);
}

}  // namespace
}  // namespace athanor::controller
