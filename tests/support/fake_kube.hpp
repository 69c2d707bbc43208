// A small API server in memory: what a test stores is what the code under test reads, watches and changes.
//
// It keeps the promises that our code relies on, and the contract suite (tests/unit/kube/kube_contract.hpp) asks them of it and
// of a real API server alike: versions that grow, conflicts, generations that count changes of the spec, a status of its own,
// no change and no event when nothing changes, finalizers, merge patches, watches with history, WatchList, 410 after compact().
// Not there: admission, defaults, schemas, garbage collection.
//
//   FakeKube kube;
//   kube.put(kube::kSecrets, {{"metadata", {{"name", "db"}, {"namespace", "shop"}}}, {"data", ...}});
//   kube.fail({.verb = "patch", .error = Error(ErrorCode::ApiUnreachable, "gone"), .times = 2});
//   EXPECT_EQ(kube.count("patch", "databasemigrations"), 3);
//
// A watch blocks its thread until its stop is requested or the test ends it; with `on_idle` set it calls that in place of
// waiting, so that a test needs no second thread.
//
// Threads: safe from any thread.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "operator/api/database_migration.hpp"
#include "operator/kube/api_client.hpp"

namespace athanor::test {

using controller::KubeObject;
using controller::ResourceKey;
using controller::ResourceType;

struct KubeCall {
  std::string verb{};  // get, list, watch, create, dry-run (of a create), update, patch, delete
  std::string plural{};
  ResourceKey key;
  std::string subresource;
  KubeObject body;
  std::string resource_version;  // of a watch or list
  bool initial_events = false;   // of a watch
};

struct KubeFault {
  std::string verb{};            // empty: any
  std::string plural{};          // empty: any
  std::string name{};            // empty: any
  std::optional<Error> error{};  // nullopt, for watches: it ends without an error
  int times = 1;
  bool afterwards = false;  // the change is made, the answer gets lost
  int after_events = 0;     // of a watch: so many come first
};

class FakeKube final : public controller::KubeClient {
 public:
  Result<KubeObject> get(const ResourceType& type, const std::string& name_space, const std::string& name) override;
  Result<std::string> list(const ResourceType& type, const controller::ListOptions& options,
                           const ObjectHandler& on_object) override;
  Result<KubeObject> create(const ResourceType& type, const std::string& name_space, const KubeObject& object,
                            const controller::CreateOptions& options = {}) override;
  Result<KubeObject> replace(const ResourceType& type, const std::string& name_space, const std::string& name,
                             const KubeObject& object, const std::string& subresource = {}) override;
  Result<KubeObject> patch(const ResourceType& type, const std::string& name_space, const std::string& name,
                           const KubeObject& body, const std::string& subresource) override;
  Result<void> remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                      const controller::DeleteOptions& options = {}) override;
  Result<void> watch(const ResourceType& type, const controller::WatchOptions& options, const EventHandler& on_event,
                     const StopToken& stop) override;

  // The world's side. Not recorded, never refused.
  KubeObject put(const ResourceType& type, KubeObject object);  // creates it, or replaces all but its status
  KubeObject put_status(const ResourceType& type, const ResourceKey& key, KubeObject status);
  void drop(const ResourceType& type, const ResourceKey& key);  // at once, finalizers or not
  [[nodiscard]] std::optional<KubeObject> find(const ResourceType& type, const ResourceKey& key) const;
  [[nodiscard]] std::vector<KubeObject> all(const ResourceType& type) const;
  [[nodiscard]] std::string version() const;

  // Trouble.
  void fail(KubeFault fault);
  void compact();                                         // watches from before this moment are refused with ApiExpired
  void end_watches(std::optional<Error> error = {});      // all that are open
  void send_bookmarks();                                  // to all that are open
  void set_watch_list(bool known, bool end_mark = true);  // an older server; one that leaves the mark out

  // What was asked.
  [[nodiscard]] std::vector<KubeCall> calls() const;
  [[nodiscard]] std::size_t count(const std::string& verb, const std::string& plural = {}) const;
  void forget_calls();
  [[nodiscard]] std::size_t open_watches() const;
  // Waits until something happened that makes `condition` true; false after `limit`.
  [[nodiscard]] bool wait_until(const std::function<bool()>& condition, milliseconds limit = milliseconds(20'000));

  // Before a call is looked at, after it was recorded; no lock is held.
  std::function<void(const KubeCall& call)> on_call;
  std::function<void()> on_idle;

 private:
  struct Change {
    std::uint64_t version = 0;
    std::string type;
    KubeObject object;
    KubeObject before;  // null: it is new
    bool removed = false;
  };
  struct Cursor;
  [[nodiscard]] std::optional<KubeFault> enter(KubeCall call);
  void stamp(KubeObject& object);
  void tell(Change change);
  [[nodiscard]] KubeObject* stored(const ResourceType& type, const ResourceKey& key);
  // What a create would store.
  Result<KubeObject> made_of(const ResourceType& type, const std::string& name_space, KubeObject object);
  Result<KubeObject> store_new(const ResourceType& type, const std::string& name_space, KubeObject object);
  Result<KubeObject> store_change(const ResourceType& type, KubeObject& stored, KubeObject next,
                                  const std::string& subresource);
  void erase(const ResourceType& type, const ResourceKey& key);
  [[nodiscard]] Result<std::vector<controller::WatchEvent>> first_events(const ResourceType& type,
                                                                         const controller::WatchOptions& options,
                                                                         Cursor& cursor);
  [[nodiscard]] std::optional<controller::WatchEvent> next_event(const ResourceType& type,
                                                                 const controller::WatchOptions& options, Cursor& cursor);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::map<std::pair<std::string, ResourceKey>, KubeObject> objects_;
  std::deque<Change> history_;
  std::uint64_t version_ = 100;
  std::uint64_t compacted_ = 0;
  std::uint64_t uids_ = 0;
  std::vector<KubeFault> faults_;
  std::vector<KubeCall> calls_;
  std::size_t open_watches_ = 0;
  std::uint64_t endings_ = 0;
  std::optional<Error> ending_;
  std::uint64_t bookmarks_ = 0;
  bool watch_list_ = true;
  bool end_mark_ = true;
};

// What the fake knows of objects; pure functions in fake_kube_objects.cpp.
[[nodiscard]] bool matches_selectors(const KubeObject& object, const std::string& labels, const std::string& fields);
// What is left of an object that is asked for by its metadata alone.
[[nodiscard]] KubeObject metadata_of(const KubeObject& object);
[[nodiscard]] bool has_status(const ResourceType& type);
[[nodiscard]] bool counts_generations(const ResourceType& type);

}  // namespace athanor::test
