// The Kubernetes API as the operator uses it: read, write, watch. Three narrow interfaces, so that whoever only reads can only
// read, and a small working fake serves in tests.
//
// Objects are JSON values; nobody below the cluster room gives them a meaning. A refused request is an Error whose code
// follows from the HTTP status (ApiNotFound, ApiConflict, ApiExpired, ApiForbidden, ...) and whose message is the server's
// own Status message without the values it quotes: it names fields and verbs, never secrets. 429 and 5xx are tried again here,
// with the server's Retry-After or an exponential pause with jitter, under the request's deadline, when repeating is safe; a
// POST is repeated only on 429.
//
// Threads: safe from any thread. Ownership: RestClient borrows transport and clock.
#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "operator/kube/transport.hpp"

namespace athanor::controller {

using KubeObject = nlohmann::json;

struct ResourceType {
  std::string group;  // empty: core
  std::string version;
  std::string plural;
  std::string kind;
  bool namespaced = true;
  [[nodiscard]] std::string api_version() const { return group.empty() ? version : group + "/" + version; }
  bool operator==(const ResourceType&) const = default;
};

namespace kube {
inline const ResourceType kDatabaseMigrations{"athanor.dev", "v1alpha1", "databasemigrations", "DatabaseMigration"};
inline const ResourceType kMigrationApprovals{"athanor.dev", "v1alpha1", "migrationapprovals", "MigrationApproval"};
inline const ResourceType kSecrets{"", "v1", "secrets", "Secret"};
inline const ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline const ResourceType kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline const ResourceType kPods{"", "v1", "pods", "Pod"};
inline const ResourceType kJobs{"batch", "v1", "jobs", "Job"};
inline const ResourceType kLeases{"coordination.k8s.io", "v1", "leases", "Lease"};
inline const ResourceType kEvents{"events.k8s.io", "v1", "events", "Event"};
}  // namespace kube

struct ObjectList {
  std::vector<KubeObject> items;
  std::string resource_version;
};

struct ListOptions {
  std::string name_space{};  // empty: all of them
  std::string label_selector{};
  std::string field_selector{};
  // "0": whatever the server's cache has; empty: the newest.
  std::string resource_version{};
  bool metadata_only = false;  // apiVersion, kind and metadata, whatever the type; the rest never leaves the server
  // The history went away between two pages (410) and the list begins anew: forget what was told. Without it that is an error,
  // ApiExpired.
  std::function<void()> on_restart{};
};

class KubeReader {
 public:
  virtual ~KubeReader() = default;
  [[nodiscard]] virtual Result<KubeObject> get(const ResourceType& type, const std::string& name_space,
                                               const std::string& name) = 0;
  // All pages of the list; the handler gets one object after the other, so that a long list is never whole in memory. Returns
  // the list's resourceVersion.
  using ObjectHandler = std::function<void(KubeObject object)>;
  [[nodiscard]] virtual Result<std::string> list(const ResourceType& type, const ListOptions& options,
                                                 const ObjectHandler& on_object) = 0;
};

// A list that is whole in memory, for lists known to be short.
[[nodiscard]] Result<ObjectList> list_all(KubeReader& reader, const ResourceType& type, ListOptions options);

struct DeleteOptions {
  std::string uid{};               // precondition; empty: none
  std::string resource_version{};  // precondition; empty: none
  std::string propagation = "Background";
};

struct CreateOptions {
  bool dry_run = false;  // everything is asked, nothing is stored; the answer is what would be
};

class KubeWriter {
 public:
  virtual ~KubeWriter() = default;
  [[nodiscard]] virtual Result<KubeObject> create(const ResourceType& type, const std::string& name_space,
                                                  const KubeObject& object, const CreateOptions& options = {}) = 0;
  // Fails with ApiConflict unless metadata.resourceVersion of `object` still is the newest, and metadata.uid, where it says
  // one, the object's. Of the subresource "status" (a kind that has one) nothing but the status is taken, as a whole.
  [[nodiscard]] virtual Result<KubeObject> replace(const ResourceType& type, const std::string& name_space,
                                                   const std::string& name, const KubeObject& object,
                                                   const std::string& subresource = {}) = 0;
  // A merge patch. One with metadata.resourceVersion is a condition: ApiConflict when the object changed meanwhile.
  [[nodiscard]] virtual Result<KubeObject> patch(const ResourceType& type, const std::string& name_space,
                                                 const std::string& name, const KubeObject& body,
                                                 const std::string& subresource = {}) = 0;
  [[nodiscard]] virtual Result<void> remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                                            const DeleteOptions& options = {}) = 0;
};

struct WatchEvent {
  // Unknown: an event type of a later version (`object` holds its "type"), or a line that is no event (`object` is null:
  // something may have been missed).
  enum class Kind : std::uint8_t { Added, Modified, Deleted, Bookmark, Unknown };
  Kind kind = Kind::Added;
  KubeObject object;
  bool initial_end = false;  // the bookmark after which a WatchList is complete
};

struct WatchOptions {
  std::string name_space{};
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};    // where to go on; empty with send_initial_events: from the beginning
  bool send_initial_events = false;  // WatchList
  bool metadata_only = false;
  std::chrono::seconds timeout{420};
};

class KubeWatch {
 public:
  virtual ~KubeWatch() = default;
  using EventHandler = std::function<void(WatchEvent event)>;
  // Returns when the server ended the watch (no error), when it broke off (ApiUnreachable), when the history is gone
  // (ApiExpired, whether it came as a status or inside the stream), or when stopped (Interrupted).
  [[nodiscard]] virtual Result<void> watch(const ResourceType& type, const WatchOptions& options, const EventHandler& on_event,
                                           const StopToken& stop) = 0;
};

class KubeClient : public KubeReader, public KubeWriter, public KubeWatch {};

// Who counts requests: rest_client_requests_total{code, method, host}.
using RequestObserver = std::function<void(const std::string& method, int status)>;  // status 0: no answer

struct RestClientOptions {
  double requests_per_second = 50;  // token bucket; watches are not counted
  double burst = 100;
  milliseconds deadline{30'000};  // of one call with its repetitions and its turn in the bucket
};
// `stop` ends plain requests at once. Status, events and Lease are still written during a graceful stop, so give it a source of
// its own that is requested last.
[[nodiscard]] std::unique_ptr<KubeClient> make_rest_client(HttpTransport& transport, Clock& clock, RestClientOptions options,
                                                           StopToken stop, RequestObserver observer = {});

// "/apis/athanor.dev/v1alpha1/namespaces/shop/databasemigrations/orders/status"; parts are escaped.
[[nodiscard]] std::string resource_path(const ResourceType& type, const std::string& name_space, const std::string& name = {},
                                        const std::string& subresource = {});

}  // namespace athanor::controller
