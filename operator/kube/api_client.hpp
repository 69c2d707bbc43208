// A client of the Kubernetes API, split into reader, writer and watch so that each caller gets only the access it needs.
//
// Objects are plain JSON values. A refused request becomes an Error whose code follows from the HTTP status (ApiNotFound,
// ApiConflict, ApiExpired, ApiForbidden, ...) and whose message is the server's Status message with all quoted values removed.
//
// Threads: every method is safe from any thread.
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

// One resource type of the API: enough to build its paths and to fill in apiVersion and kind.
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
inline const ResourceType kServiceAccounts{"", "v1", "serviceaccounts", "ServiceAccount"};
inline const ResourceType kConfigMaps{"", "v1", "configmaps", "ConfigMap"};
inline const ResourceType kNamespaces{"", "v1", "namespaces", "Namespace", false};
inline const ResourceType kAdmissionPolicies{"admissionregistration.k8s.io", "v1", "validatingadmissionpolicies",
                                             "ValidatingAdmissionPolicy", false};
inline const ResourceType kAdmissionPolicyBindings{"admissionregistration.k8s.io", "v1", "validatingadmissionpolicybindings",
                                                   "ValidatingAdmissionPolicyBinding", false};
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
  std::string name_space{};  // empty: all namespaces
  std::string label_selector{};
  std::string field_selector{};
  // "0": any version from the server's cache, possibly an old one; empty: the most recent, read from etcd.
  std::string resource_version{};
  bool metadata_only = false;  // request PartialObjectMetadata: apiVersion, kind and metadata only
  // Called when the continue token expired between two pages (410) and the list starts over: discard the objects received so
  // far. When empty, list() fails with ApiExpired instead.
  std::function<void()> on_restart{};
};

class KubeReader {
 public:
  virtual ~KubeReader() = default;
  // Reads one object, from etcd rather than the server's cache. Errors: ApiNotFound, ApiForbidden, ApiUnreachable,
  // Interrupted, ...
  [[nodiscard]] virtual Result<KubeObject> get(const ResourceType& type, const std::string& name_space,
                                               const std::string& name) = 0;
  // Fetches all pages and hands over one object at a time, so a long list is never in memory as a whole. Returns the list's
  // resourceVersion. On an error, objects may already have been handed over.
  using ObjectHandler = std::function<void(KubeObject object)>;
  [[nodiscard]] virtual Result<std::string> list(const ResourceType& type, const ListOptions& options,
                                                 const ObjectHandler& on_object) = 0;
};

// Collects a whole list in memory. Use it only for lists known to be short.
[[nodiscard]] Result<ObjectList> list_all(KubeReader& reader, const ResourceType& type, ListOptions options);

struct DeleteOptions {
  std::string uid{};                       // precondition; empty: none
  std::string resource_version{};          // precondition; empty: none
  std::string propagation = "Background";  // propagationPolicy; empty: the type's default
};

struct CreateOptions {
  bool dry_run = false;  // dryRun=All: the server validates and defaults the object, but does not store it
  // A subresource of an existing object, such as "token" of a ServiceAccount; empty: a new object. The answer is the request
  // with a status; nothing is stored.
  std::string name{};
  std::string subresource{};
};

class KubeWriter {
 public:
  virtual ~KubeWriter() = default;
  // Returns the stored object. Errors: ApiConflict when the name is taken, ApiInvalid, ApiForbidden, ...
  [[nodiscard]] virtual Result<KubeObject> create(const ResourceType& type, const std::string& name_space,
                                                  const KubeObject& object, const CreateOptions& options = {}) = 0;
  // PUT. Fails with ApiConflict unless metadata.resourceVersion of `object` is the current one and metadata.uid, if set,
  // matches. With subresource "status" the server replaces only the status, as a whole. Returns the stored object.
  [[nodiscard]] virtual Result<KubeObject> replace(const ResourceType& type, const std::string& name_space,
                                                   const std::string& name, const KubeObject& object,
                                                   const std::string& subresource = {}) = 0;
  // JSON merge patch. A metadata.resourceVersion in `body` is a precondition: ApiConflict when the object has changed since.
  // Returns the stored object.
  [[nodiscard]] virtual Result<KubeObject> patch(const ResourceType& type, const std::string& name_space,
                                                 const std::string& name, const KubeObject& body,
                                                 const std::string& subresource = {}) = 0;
  // DELETE. Errors: ApiNotFound; ApiConflict when a precondition fails. Success may mean that finalizers are still running.
  [[nodiscard]] virtual Result<void> remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                                            const DeleteOptions& options = {}) = 0;
};

struct WatchEvent {
  // Unknown: an event type this client does not know (`object` holds only its "type"), or a line that is not a watch event
  // (`object` is null: a change may have been missed).
  enum class Kind : std::uint8_t { Added, Modified, Deleted, Bookmark, Unknown };
  Kind kind = Kind::Added;
  KubeObject object;
  bool initial_end = false;  // the bookmark that ends the initial events of a WatchList
};

struct WatchOptions {
  std::string name_space{};
  std::string label_selector{};
  std::string field_selector{};
  std::string resource_version{};     // resume after this version; empty with send_initial_events: from the beginning
  bool send_initial_events = false;   // WatchList
  bool metadata_only = false;         // as in ListOptions
  std::chrono::seconds timeout{420};  // timeoutSeconds: when the server should end the watch
};

// The watch part of the client. A watch is one HTTP response that lasts for minutes; the caller decides where to resume.
class KubeWatch {
 public:
  virtual ~KubeWatch() = default;
  using EventHandler = std::function<void(WatchEvent event)>;
  // Blocks and calls `on_event` from the calling thread. Returns success when the server ended the watch. Errors:
  // ApiUnreachable when the connection broke, ApiExpired when resource_version is too old (410, as a status or inside the
  // stream), Interrupted when `stop` was requested.
  [[nodiscard]] virtual Result<void> watch(const ResourceType& type, const WatchOptions& options, const EventHandler& on_event,
                                           const StopToken& stop) = 0;
};

class KubeClient : public KubeReader, public KubeWriter, public KubeWatch {};

// Called once for each HTTP request, for rest_client_requests_total{code, method, host}. `status` is 0 when there was no
// response.
using RequestObserver = std::function<void(const std::string& method, int status)>;

struct RestClientOptions {
  double requests_per_second = 50;  // client-side rate limit (token bucket); watches are not limited
  double burst = 100;
  milliseconds deadline{30'000};  // of one call, including retries and the wait for the rate limit
};
// A client over `transport`. It retries 429 and 5xx until the deadline, after the server's Retry-After or with exponential
// back-off and jitter, when a retry is safe; a POST is retried only on 429.
//
// Borrows `transport` and `clock`, which must outlive it. `stop` aborts requests in progress; because status, events and the
// Lease are still written during a graceful shutdown, pass the token of a source that is requested last.
[[nodiscard]] std::unique_ptr<KubeClient> make_rest_client(HttpTransport& transport, Clock& clock, RestClientOptions options,
                                                           StopToken stop, RequestObserver observer = {});

// "/apis/athanor.dev/v1alpha1/namespaces/shop/databasemigrations/orders/status". Each segment is percent-encoded.
[[nodiscard]] std::string resource_path(const ResourceType& type, const std::string& name_space, const std::string& name = {},
                                        const std::string& subresource = {});

}  // namespace athanor::controller
