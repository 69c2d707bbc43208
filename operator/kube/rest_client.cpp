#include <algorithm>
#include <functional>
#include <mutex>
#include <random>
#include <utility>

#include "operator/kube/api_client.hpp"
#include "operator/kube/api_status.hpp"
#include "operator/kube/object_stream.hpp"
#include "operator/kube/query_text.hpp"
#include "operator/kube/rate_limit.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kAcceptMetadata = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";
constexpr const char* kAcceptMetadataList = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";

using nlohmann::json;

constexpr std::size_t kPageSize = 500;
constexpr int kMaxListRestarts = 3;           // of one list whose continue token expired
constexpr milliseconds kInitialBackoff{200};  // before the first retry
constexpr milliseconds kMaxBackoff{10'000};
constexpr int kMaxThrottledWatches = 5;  // consecutive watches refused with Retry-After before that is an error
constexpr milliseconds kMaxRetryAfter{300'000};
constexpr milliseconds kWatchGrace{60'000};  // how long past its timeoutSeconds a watch may last before this side ends it

std::string describe(std::string_view verb, const ResourceType& type, const std::string& name_space, const std::string& name) {
  std::string what(verb);
  what += " " + type.plural;
  what += type.group.empty() ? "" : "." + type.group;
  if (!name.empty()) {
    what += " " + (name_space.empty() ? name : name_space + "/" + name);
  } else if (!name_space.empty()) {
    what += " in " + name_space;
  }
  return what;
}

bool is_secret(const ResourceType& type) {
  return type.group.empty() && type.plural == "secrets";
}

// A POST may have been carried out although its response failed; only a 429 guarantees that the server did not process it.
// Other methods are safe to repeat: a second PUT with the same resourceVersion fails with 409, and a merge patch or a DELETE is
// idempotent.
bool may_retry(const std::string& method, int status) {
  if (status == 429) {
    return true;
  }
  return method != "POST" && (status == 500 || status == 502 || status == 503 || status == 504);
}

// Replaces invalid UTF-8, because dump() would throw on it.
std::string json_text(const json& value) {
  return value.dump(-1, ' ', false, json::error_handler_t::replace);
}

Result<KubeObject> parse_object(const HttpResponse& response, const std::string& what) {
  json object = json::parse(response.body, nullptr, false);
  if (!object.is_object()) {
    return fail(Error(ErrorCode::ApiUnreachable, "the API server did not return an object").at(what));
  }
  return object;
}

class RestClient final : public KubeClient {
 public:
  RestClient(HttpTransport& transport, Clock& clock, RestClientOptions options, StopToken stop, RequestObserver observer)
      : transport_(transport),
        clock_(clock),
        options_(options),
        stop_(stop),
        observer_(std::move(observer)),
        bucket_(clock, options.requests_per_second, options.burst),
        random_(std::random_device{}()) {}

  Result<KubeObject> get(const ResourceType& type, const std::string& name_space, const std::string& name) override {
    HttpRequest request;
    request.path = resource_path(type, name_space, name);
    return send_for_object(request, {describe("get", type, name_space, name), is_secret(type), false});
  }

  Result<std::string> list(const ResourceType& type, const ListOptions& options, const ObjectHandler& on_object) override;

  Result<KubeObject> create(const ResourceType& type, const std::string& name_space, const KubeObject& object,
                            const CreateOptions& options) override;

  Result<KubeObject> replace(const ResourceType& type, const std::string& name_space, const std::string& name,
                             const KubeObject& object, const std::string& subresource) override {
    HttpRequest request;
    request.method = "PUT";
    request.path = resource_path(type, name_space, name, subresource);
    request.body = json_text(object);
    return send_for_object(request, {describe("update", type, name_space, name), is_secret(type), false});
  }

  Result<KubeObject> patch(const ResourceType& type, const std::string& name_space, const std::string& name,
                           const KubeObject& body, const std::string& subresource) override;
  Result<void> remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                      const DeleteOptions& options) override;
  Result<void> watch(const ResourceType& type, const WatchOptions& options, const EventHandler& on_event,
                     const StopToken& stop) override;

 private:
  Result<HttpResponse> watch_once(const ResourceType& type, const WatchOptions& options, const RefusedRequest& refused,
                                  const EventHandler& on_event, const StopToken& stop);
  Result<HttpResponse> send(HttpRequest request, const RefusedRequest& refused);
  Result<KubeObject> send_for_object(const HttpRequest& request, const RefusedRequest& refused) {
    TRY_ASSIGN(const HttpResponse response, send(request, refused));
    return parse_object(response, refused.what);
  }
  Result<HttpResponse> send_once(const HttpRequest& request, const RefusedRequest& refused);
  Result<std::string> list_once(const ResourceType& type, const ListOptions& options, const ObjectHandler& on_object,
                                bool& reported);
  Result<HttpResponse> send_for_page(HttpRequest request, const std::function<std::string(std::size_t size)>& path_of,
                                     std::size_t& size, const RefusedRequest& refused);
  Result<void> wait(milliseconds pause, const RefusedRequest& refused);
  milliseconds pause_before(int attempt, const std::optional<milliseconds>& retry_after);
  void observe(const std::string& method, const Result<HttpResponse>& response) const;

  HttpTransport& transport_;
  Clock& clock_;
  const RestClientOptions options_;
  const StopToken stop_;
  const RequestObserver observer_;
  TokenBucket bucket_;
  std::mutex mutex_;
  std::minstd_rand random_;
};

void RestClient::observe(const std::string& method, const Result<HttpResponse>& response) const {
  if (observer_ && (response || response.error().code != ErrorCode::Interrupted)) {
    observer_(method, response ? response->status : 0);
  }
}

milliseconds RestClient::pause_before(int attempt, const std::optional<milliseconds>& retry_after) {
  double jitter = 0;
  {
    const std::lock_guard lock(mutex_);
    jitter = std::uniform_real_distribution<double>(1.0, 1.25)(random_);
  }
  const milliseconds grown = std::min(kInitialBackoff * (1 << std::min(attempt, 10)), kMaxBackoff);
  const milliseconds pause = std::max(grown, retry_after.value_or(milliseconds(0)));
  return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(pause.count()) * jitter));
}

Result<void> RestClient::wait(milliseconds pause, const RefusedRequest& refused) {
  if (stop_.requested() || (pause > milliseconds(0) && !clock_.wait(pause, stop_))) {
    return fail(Error(ErrorCode::Interrupted, "stopped before the request was sent").at(refused.what));
  }
  return {};
}

Result<HttpResponse> RestClient::send_once(const HttpRequest& request, const RefusedRequest& refused) {
  Result<HttpResponse> response = transport_.send(request, stop_);
  observe(request.method, response);
  if (!response && response.error().context.empty()) {
    return fail(std::move(response.error()).at(refused.what));
  }
  return response;
}

Result<HttpResponse> RestClient::send(HttpRequest request, const RefusedRequest& refused) {
  const SteadyTime deadline = clock_.steady_now() + options_.deadline;
  const auto left = [&] { return std::chrono::duration_cast<milliseconds>(deadline - clock_.steady_now()); };
  for (int attempt = 0;; ++attempt) {
    // Fail now rather than wait for a turn after the deadline: the caller can back off, and the queue of requests stays short.
    const std::optional<milliseconds> turn = bucket_.reserve(left());
    if (!turn) {
      return fail(
          Error(ErrorCode::ApiThrottled, "too many requests are queued to send this one before its deadline").at(refused.what));
    }
    TRY(wait(*turn, refused));
    request.deadline = std::max(left(), milliseconds(1));
    TRY_ASSIGN(HttpResponse response, send_once(request, refused));
    if (response.status >= 200 && response.status < 300) {
      return response;
    }
    // Only after an attempt of ours; a 404 to the first attempt means that the object did not exist.
    if (attempt > 0 && request.method == "DELETE" && response.status == 404) {
      response.status = 200;  // the previous attempt deleted it and its response was lost
      return response;
    }
    Error error = status_error(response.status, response.body, refused);
    const milliseconds pause = pause_before(attempt, response.retry_after);
    // The server's error is more useful than a timeout, so return it when the next attempt would be too late.
    if (!may_retry(request.method, response.status) || pause >= left()) {
      return fail(std::move(error));
    }
    TRY(wait(pause, refused));
  }
}

Result<std::string> RestClient::list(const ResourceType& type, const ListOptions& options, const ObjectHandler& on_object) {
  for (int restarts = 0;; ++restarts) {
    bool reported = false;
    Result<std::string> listed = list_once(type, options, on_object, reported);
    // A 410 before the first page is about options.resource_version, and a new list would fail in the same way. A 410 between
    // pages means that etcd compacted the version of the continue token.
    if (listed || listed.error().code != ErrorCode::ApiExpired || !reported || !options.on_restart ||
        restarts == kMaxListRestarts) {
      return listed;
    }
    options.on_restart();
  }
}

Result<std::string> RestClient::list_once(const ResourceType& type, const ListOptions& options, const ObjectHandler& on_object,
                                          bool& reported) {
  const RefusedRequest refused{describe("list", type, options.name_space, {}), is_secret(type), true};
  ListPage page;
  std::size_t size = kPageSize;
  const auto path_of = [&](std::size_t limit) {
    QueryText query;
    query.add("limit", std::to_string(limit));
    query.add_unless_empty("labelSelector", options.label_selector);
    query.add_unless_empty("fieldSelector", options.field_selector);
    if (page.continue_token.empty()) {  // the API rejects resourceVersion together with a continue token
      query.add_unless_empty("resourceVersion", options.resource_version);
    } else {
      query.add("continue", page.continue_token);
    }
    return resource_path(type, options.name_space) + query.text();
  };
  do {
    HttpRequest request;
    if (options.metadata_only) {
      request.accept = kAcceptMetadataList;
    }
    TRY_ASSIGN(const HttpResponse response, send_for_page(request, path_of, size, refused));
    Result<ListPage> read = read_list_page(response.body, type, on_object);
    // Set it also after a broken body: some of its items may have been delivered.
    reported = true;
    if (!read) {
      return fail(std::move(read.error()).at(refused.what));
    }
    page = std::move(*read);
  } while (!page.continue_token.empty());
  return page.resource_version;
}

// Requests one page of a list. A page that is too large is requested again with fewer objects; `size` then stays smaller.
Result<HttpResponse> RestClient::send_for_page(HttpRequest request, const std::function<std::string(std::size_t size)>& path_of,
                                               std::size_t& size, const RefusedRequest& refused) {
  while (true) {
    request.path = path_of(size);
    auto response = send(request, refused);
    if (response || !is_too_large(response.error()) || size == 1) {
      return response;
    }
    size = std::max<std::size_t>(1, size / 8);
  }
}

Result<KubeObject> RestClient::create(const ResourceType& type, const std::string& name_space, const KubeObject& object,
                                      const CreateOptions& options) {
  QueryText query;
  if (options.dry_run) {
    query.add("dryRun", "All");
  }
  HttpRequest request;
  request.method = "POST";
  request.path = resource_path(type, name_space, options.name, options.subresource) + query.text();
  request.body = json_text(object);
  const std::string verb = options.subresource.empty() ? "create" : "create " + options.subresource + " of";
  return send_for_object(request, {describe(verb, type, name_space, options.name), is_secret(type), options.name.empty()});
}

Result<KubeObject> RestClient::patch(const ResourceType& type, const std::string& name_space, const std::string& name,
                                     const KubeObject& body, const std::string& subresource) {
  HttpRequest request;
  request.method = "PATCH";
  request.path = resource_path(type, name_space, name, subresource);
  request.body = json_text(body);
  request.content_type = "application/merge-patch+json";
  return send_for_object(request, {describe("patch", type, name_space, name), is_secret(type), false});
}

Result<void> RestClient::remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                                const DeleteOptions& options) {
  json body{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}};
  if (!options.propagation.empty()) {
    body["propagationPolicy"] = options.propagation;
  }
  if (!options.uid.empty()) {
    body["preconditions"]["uid"] = options.uid;
  }
  if (!options.resource_version.empty()) {
    body["preconditions"]["resourceVersion"] = options.resource_version;
  }
  HttpRequest request;
  request.method = "DELETE";
  request.path = resource_path(type, name_space, name);
  request.body = json_text(body);
  TRY(send(request, {describe("delete", type, name_space, name), is_secret(type), false}));
  return {};
}

std::string watch_query(const WatchOptions& options) {
  QueryText query;
  query.add("watch", "true");
  query.add("allowWatchBookmarks", "true");
  query.add("timeoutSeconds", std::to_string(options.timeout.count()));
  query.add_unless_empty("labelSelector", options.label_selector);
  query.add_unless_empty("fieldSelector", options.field_selector);
  query.add_unless_empty("resourceVersion", options.resource_version);
  if (options.send_initial_events) {
    query.add("sendInitialEvents", "true");
    query.add("resourceVersionMatch", "NotOlderThan");
  }
  return query.text();
}

// Sends one watch request. A status other than 2xx counts as success here, without any event.
Result<HttpResponse> RestClient::watch_once(const ResourceType& type, const WatchOptions& options,
                                            const RefusedRequest& refused, const EventHandler& on_event,
                                            const StopToken& stop) {
  HttpRequest request;
  request.path = resource_path(type, options.name_space) + watch_query(options);
  if (options.metadata_only) {
    request.accept = kAcceptMetadata;
  }
  request.deadline = options_.deadline;
  // A server that ignores timeoutSeconds must not keep a watch forever. The check below runs with every line, and bookmarks
  // come every minute.
  const SteadyTime latest = clock_.steady_now() + options.timeout + kWatchGrace;
  std::optional<Error> error;
  const auto on_line = [&](std::string_view line) {
    if (line.empty()) {
      return true;
    }
    Result<WatchEvent> event = read_watch_line(line, type, refused.what);
    if (!event) {
      error = std::move(event.error());
      return false;
    }
    on_event(std::move(*event));
    return !stop.requested() && clock_.steady_now() < latest;
  };
  Result<HttpResponse> response = transport_.stream(request, on_line, stop);
  observe(request.method, response);
  if (error) {
    return fail(std::move(*error));
  }
  if (!response && response.error().context.empty()) {
    return fail(std::move(response.error()).at(refused.what));
  }
  return response;
}

Result<void> RestClient::watch(const ResourceType& type, const WatchOptions& options, const EventHandler& on_event,
                               const StopToken& stop) {
  const RefusedRequest refused{describe("watch", type, options.name_space, {}), is_secret(type), true};
  for (int attempt = 0;; ++attempt) {
    const Result<HttpResponse> response = watch_once(type, options, refused, on_event, stop);
    if (!stop.requested() && response && response->retry_after && (response->status == 429 || response->status == 503)) {
      // The server is overloaded, not broken: wait for its Retry-After instead of reporting a failed watch.
      clock_.wait(pause_before(attempt, std::min(*response->retry_after, kMaxRetryAfter)), stop);
      if (!stop.requested() && attempt < kMaxThrottledWatches) {
        continue;
      }
    }
    if (stop.requested()) {
      return fail(Error(ErrorCode::Interrupted, "the watch was stopped").at(refused.what));
    }
    if (!response) {
      return fail(response.error());
    }
    if (response->status < 200 || response->status >= 300) {
      return fail(status_error(response->status, response->body, refused));
    }
    return {};
  }
}

}  // namespace

std::unique_ptr<KubeClient> make_rest_client(HttpTransport& transport, Clock& clock, RestClientOptions options, StopToken stop,
                                             RequestObserver observer) {
  return std::make_unique<RestClient>(transport, clock, options, stop, std::move(observer));
}

Result<ObjectList> list_all(KubeReader& reader, const ResourceType& type, ListOptions options) {
  ObjectList all;
  options.on_restart = [&all] { all.items.clear(); };
  TRY_ASSIGN(all.resource_version,
             reader.list(type, options, [&all](KubeObject object) { all.items.push_back(std::move(object)); }));
  return all;
}

}  // namespace athanor::controller
