// A small Kubernetes API server in memory. The code under test reads, watches and changes the objects that the test stores.
//
// It implements the semantics that our code relies on: increasing resource versions, conflicts (409), generations that count
// changes of the spec, a separate status subresource, no new version and no event for a change that changes nothing,
// finalizers, merge patches, watches with history, WatchList, and 410 Gone after compact(). The contract suite
// (tests/unit/kube/kube_contract.hpp) checks the same semantics against the fake and against a real API server. Not
// implemented: admission, defaults, schema validation, garbage collection.
//
//   FakeKube kube;
//   kube.put(kube::kSecrets, {{"metadata", {{"name", "db"}, {"namespace", "shop"}}}, {"data", ...}});
//   kube.fail({.verb = "patch", .error = Error(ErrorCode::ApiUnreachable, "gone"), .times = 2});
//   EXPECT_EQ(kube.count("patch", "databasemigrations"), 3);
//
// A watch blocks its thread until its stop token is set or the test ends it. If `on_idle` is set, an idle watch calls it
// instead of waiting, so a test needs no second thread.
//
// Threads: any thread; set `on_call` and `on_idle` before the first call. Ownership: owns copies of all objects.
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
  std::string resource_version;  // of a list or watch request
  bool initial_events = false;   // of a watch request
};

// A failure to inject into the next `times` matching calls.
struct KubeFault {
  std::string verb{};            // empty: any
  std::string plural{};          // empty: any
  std::string name{};            // empty: any
  std::optional<Error> error{};  // nullopt (watches only): the watch ends without an error
  int times = 1;
  bool afterwards = false;  // for writes: make the change, then return the error, as if the answer got lost
  int after_events = 0;     // for watches: deliver this many events first
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

  // What other clients of the API server do. Not recorded in calls(), never fails.
  KubeObject put(const ResourceType& type, KubeObject object);  // creates it, or replaces everything but its status
  KubeObject put_status(const ResourceType& type, const ResourceKey& key, KubeObject status);
  void drop(const ResourceType& type, const ResourceKey& key);  // deletes immediately, ignoring finalizers
  [[nodiscard]] std::optional<KubeObject> find(const ResourceType& type, const ResourceKey& key) const;
  [[nodiscard]] std::vector<KubeObject> all(const ResourceType& type) const;
  [[nodiscard]] std::string version() const;

  // Faults.
  void fail(KubeFault fault);
  void compact();                                         // older resource versions now fail with ApiExpired
  void end_watches(std::optional<Error> error = {});      // ends all open watches
  void send_bookmarks();                                  // on all open watches
  void set_watch_list(bool known, bool end_mark = true);  // whether WatchList is supported, and sends the end mark

  // Recorded calls, oldest first.
  [[nodiscard]] std::vector<KubeCall> calls() const;
  [[nodiscard]] std::size_t count(const std::string& verb, const std::string& plural = {}) const;
  void forget_calls();
  [[nodiscard]] std::size_t open_watches() const;
  // Waits until `condition` is true; false when it is still not true after `limit`.
  [[nodiscard]] bool wait_until(const std::function<bool()>& condition, milliseconds limit = milliseconds(20'000));

  // `on_call` runs after a call was recorded and before it is handled, without the lock.
  std::function<void(const KubeCall& call)> on_call;
  std::function<void()> on_idle;

 private:
  struct Change {
    std::uint64_t version = 0;
    std::string type;
    KubeObject object;
    KubeObject before;  // null for a new object
    bool removed = false;
  };
  struct Cursor;
  [[nodiscard]] std::optional<KubeFault> enter(KubeCall call);
  void stamp(KubeObject& object);
  void tell(Change change);
  [[nodiscard]] KubeObject* stored(const ResourceType& type, const ResourceKey& key);
  // Validates `object` and returns what create() would store, without storing it.
  Result<KubeObject> made_of(const ResourceType& type, const std::string& name_space, KubeObject object);
  Result<KubeObject> token_of(const ResourceType& type, const ResourceKey& key, KubeObject request);
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
  std::uint64_t tokens_ = 0;  // issued to ServiceAccounts
  std::vector<KubeFault> faults_;
  std::vector<KubeCall> calls_;
  std::size_t open_watches_ = 0;
  std::uint64_t endings_ = 0;
  std::optional<Error> ending_;
  std::uint64_t bookmarks_ = 0;
  bool watch_list_ = true;
  bool end_mark_ = true;
};

// Pure functions about objects (fake_kube_objects.cpp).
[[nodiscard]] bool matches_selectors(const KubeObject& object, const std::string& labels, const std::string& fields);
// The PartialObjectMetadata that a metadata-only request returns for `object`.
[[nodiscard]] KubeObject metadata_of(const KubeObject& object);
[[nodiscard]] bool has_status(const ResourceType& type);
[[nodiscard]] bool counts_generations(const ResourceType& type);

}  // namespace athanor::test
