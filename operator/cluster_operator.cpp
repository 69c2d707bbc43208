#include "operator/cluster_operator.hpp"

#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <thread>
#include <utility>

#include "migrations/backup/client_programs.hpp"
#include "migrations/base/ids.hpp"
#include "operator/backup/folder_backups.hpp"
#include "operator/cluster/cluster.hpp"
#include "operator/cluster/event_reporter.hpp"
#include "operator/cluster/secret_credentials.hpp"
#include "operator/jobs/job_runner.hpp"
#include "operator/kube/cluster_access.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/kube/rest_fetcher.hpp"
#include "operator/kube/rest_transport.hpp"
#include "operator/process_environment.hpp"
#include "operator/reconcile/migration_controller.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/metrics.hpp"
#include "operator/sources/cluster_sources.hpp"
#include "operator/sources/config_map_source.hpp"
#include "operator/sources/flux_source.hpp"
#include "operator/sources/git_source.hpp"
#include "operator/standalone/local_paths.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kEventDeadline{5};  // the operator's end waits for the one that is on its way
// Far above what a fleet needs: fairness is the API server's business, which answers 429 when it has had enough. This only
// keeps an operator that runs wild from being a burden to a server that cannot say so.
constexpr double kRequestsPerSecond = 500;
constexpr double kRequestsAtOnce = 1'000;

constexpr const char* kPodFiles = "/var/run/secrets/kubernetes.io/serviceaccount";

std::vector<std::string> kubeconfig_paths(const Options& options) {
  if (!options.kubeconfig.empty()) {
    return {options.kubeconfig};
  }
  auto paths = split_path(environment_variable("KUBECONFIG").value_or(""));
  if (paths.empty()) {
    paths.push_back(environment_variable("HOME").value_or("") + "/.kube/config");
  }
  return paths;
}

Result<ClusterAccess> find_cluster(const Options& options) {
  const bool in_pod = options.kubeconfig.empty() && options.context.empty() && !environment_variable("KUBECONFIG") &&
                      environment_variable("KUBERNETES_SERVICE_HOST");
  return in_pod ? read_pod_access(kPodFiles, environment_variable)
                : read_kubeconfig(kubeconfig_paths(options), options.context);
}

// A folder that is this process's alone, and goes with it.
class CacheFolder {
 public:
  static Result<CacheFolder> open(const Options& options) {
    const std::string parent = options.cache.empty() ? std::filesystem::temp_directory_path().string() : options.cache;
    std::string pattern = parent + "/athanor.XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) {
      return fail(Error(ErrorCode::Io, "no folder can be made in " + parent).advise("name a writable folder: --cache DIR"));
    }
    return CacheFolder(pattern);
  }
  ~CacheFolder() {
    if (!path_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(path_, ignored);
    }
  }
  CacheFolder(CacheFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  CacheFolder& operator=(CacheFolder&&) = delete;
  CacheFolder(const CacheFolder&) = delete;
  CacheFolder& operator=(const CacheFolder&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit CacheFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : std::string("athanor");
}

// What is read from disk before the cluster can be built.
struct StartupInputs {
  ClusterAccess access;
  AllowedRoots sources;
  AllowedRoots secrets;
  AllowedRoots backups;
  CacheFolder cache;
};

GitOptions git_options(const Options& options, const std::string& cache) {
  GitOptions git;
  git.folder = cache + "/git";
  git.requeue_after = options.resync * 4 / 5;  // resyncs come a little early or late
  git.limits = options.limits;
  return git;
}

GitEnvironment git_surroundings(const std::string& cache) {
  GitEnvironment git;
  const std::string path = environment_variable("PATH").value_or("/usr/local/bin:/usr/bin:/bin");
  git.program = find_program("git", path);
  git.folder = cache + "/git";
  git.environment.push_back("PATH=" + path);
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY"}) {
    if (const auto value = environment_variable(name)) {
      git.environment.push_back(std::string(name) + "=" + *value);
    }
  }
  return git;
}

FluxOptions flux_options(const Options& options, const std::string& cache) {
  FluxOptions flux;
  flux.folder = cache + "/flux";
  flux.limits = options.limits;
  return flux;
}

// Everything that lives as long as the process, in order of construction.
class ClusterOperator {
 public:
  ClusterOperator(const Options& options, StartupInputs grounds, std::unique_ptr<HttpTransport> transport, Clock& clock,
                  Log log, const StopToken& stop)
      : options_(options),
        log_(std::move(log)),
        clock_(clock),
        inputs_(std::move(grounds)),
        host_(host_name()),
        transport_(std::move(transport)),
        metrics_(options.workers),
        queue_(clock_, options.per_server, &metrics_.queue()),
        client_(make_rest_client(*transport_, clock_, request_limits(), requests_stop_.token(), request_counter())),
        reads_(*client_, clock_),
        store_(*client_, clock_,
               {[this](const ResourceKey& key) { queue_.add(key); },
                [this](const ResourceKey& key) { controller_.removed(key); }, [] {}},
               inputs_.sources.roots().empty() ? std::string("/") : inputs_.sources.roots().front(), log_),
        approvals_([this](const ResourceKey& key) { queue_.add(key); }),
        files_(inputs_.secrets, environment_variable),
        credentials_(reads_, clock_, files_, inputs_.cache.path() + "/certificates"),
        folders_(inputs_.sources, clock_, options.limits),
        config_maps_(reads_, options.limits),
        repositories_(*client_, clock_, git_options(options, inputs_.cache.path()), git_surroundings(inputs_.cache.path()),
                      stop),
        fetcher_(make_rest_fetcher(clock_)),
        artifacts_(*client_, *fetcher_, clock_, flux_options(options, inputs_.cache.path()), stop),
        sources_({&folders_, &config_maps_, &repositories_, &artifacts_}),
        databases_(make_migrator_access(connect_to_database, clock_)),
        backups_(
            [this](const DatabaseMigration& resource, const std::string& path) { return backup_folder(resource.key(), path); },
            connect_to_database, program_environment(), clock_, log_),
        jobs_(options.job_image.empty() ? nullptr : std::make_unique<JobRunner>(*client_, clock_, options.job_image, log_)),
        event_client_(make_rest_client(*transport_, clock_, event_requests(), requests_stop_.token(), request_counter())),
        recorder_(make_event_recorder(*event_client_, clock_, "athanor-operator", host_, log_)),
        reporter_(*recorder_, store_),
        reconciler_(reconciler_parts()),
        events_(feed_.subscribe([this](const MigrationChange& change) { reporter_.report(change); })),
        controller_({store_, queue_, metrics_.controller(), clock_, feed_},
                    migration_kind(store_, reconciler_, metrics_.runs(), clock_), controller_options(), log_),
        cluster_({*client_, clock_, store_, approvals_, queue_}, cluster_options(), log_) {
    metrics_.attach(queue_, store_);
  }

  Result<int> run(const StopToken& stop) {
    TRY_ASSIGN(const auto listener, open_listener(options_, {[this] { return scrape(); }, [] { return true; },
                                                             [this] { return cluster_.synced(); }}));
    log_.info("operator started", {{"version", ATHANOR_VERSION},
                                   {"server", transport_->server()},
                                   {"workers", options_.workers},
                                   {"leaderElection", options_.leader_elect}});
    cluster_.start(watches_stop_.token());
    const bool ended_well = options_.leader_elect ? lead(stop) : work(stop);
    watches_stop_.request(StopLevel::Now);
    cluster_.join();
    recorder_->close();
    requests_stop_.request(StopLevel::Now);
    log_.info("operator stopped");
    return ended_well ? 0 : 1;
  }

 private:
  static RestClientOptions event_requests() {
    RestClientOptions events;
    events.deadline = kEventDeadline;
    return events;
  }

  static RestClientOptions request_limits() {
    RestClientOptions limits;
    limits.requests_per_second = kRequestsPerSecond;
    limits.burst = kRequestsAtOnce;
    return limits;
  }

  RequestObserver request_counter() {
    return [this](const std::string& method, int status) { metrics_.api_request(method, status, transport_->server()); };
  }

  ReconcilerParts reconciler_parts() {
    ReconcilerParts parts{sources_, credentials_, *databases_, metrics_.runs(), clock_, &approvals_, &backups_, jobs_.get()};
    parts.connection_keywords = program_environment().connection_keywords;
    parts.claim = [this](const DatabaseMigration& resource, const DatabaseLocation& place) {
      return store_.claim(resource, place);
    };
    parts.has_room = [this](const DatabaseMigration& resource, const DatabaseLocation& place) {
      return queue_.set_group(resource.key(), server_of(place.described));
    };
    return parts;
  }

  ControllerOptions controller_options() const {
    ControllerOptions controller;
    controller.workers = options_.workers;
    controller.resync = options_.resync;
    controller.resyncs_per_second = static_cast<double>(options_.resyncs_per_second);
    return controller;
  }

  ClusterOptions cluster_options() const {
    ClusterOptions cluster;
    cluster.namespaces = options_.namespaces;
    cluster.label_selector = options_.selector;
    cluster.flux = flux_types();
    cluster.look_for_kinds = options_.resync;
    cluster.jobs = jobs_ != nullptr;
    cluster.seed = static_cast<std::uint64_t>(::getpid());
    return cluster;
  }

  // Work begins when the caches are filled: a resource that is not known yet could be the older claimant.
  void begin(const StopToken& stop) {
    while (!cluster_.synced() && clock_.wait(milliseconds(20), stop)) {
    }
    if (!stop.requested()) {
      controller_.start(stop);
    }
  }

  bool work(const StopToken& stop) {
    metrics_.leading(true);
    begin(stop);
    while (clock_.wait(std::chrono::hours(1), stop)) {
    }
    log_.info("operator stops; running migrations end at their next safe point");
    controller_.stop();
    return true;
  }

  // Standbys keep their caches warm; whoever loses the Lease ends, and its pod begins anew as a standby.
  bool lead(const StopToken& stop) {
    LeaseOptions lease;
    lease.name = options_.lease_name;
    lease.name_space = options_.lease_namespace.empty() ? inputs_.access.name_space : options_.lease_namespace;
    lease.identity = host_ + "_" + new_run_id();
    lease.seed = static_cast<std::uint64_t>(::getpid());
    metrics_.leading(false);  // a standby says so too
    StopSource lost(stop);    // a second signal cancels what the first one let run on
    std::thread worker;
    // Renewals neither queue behind other requests nor wait longer than a renewal may take.
    RestClientOptions in_time;
    in_time.deadline = lease.renew_deadline / 2;
    const auto lease_client = make_rest_client(*transport_, clock_, in_time, requests_stop_.token(), request_counter());
    LeaseElection election(*lease_client, clock_, lease,
                           {[&] {
                              metrics_.leading(true);
                              log_.info("leading", {{"identity", lease.identity}});
                              worker = std::thread([this, &lost] { begin(lost.token()); });
                            },
                            [&] {
                              metrics_.leading(false);
                              lost.request();
                            },
                            [this](const std::string& identity) {
                              log_.info("leader", {{"identity", identity}});
                            }},
                           log_);
    election.run(stop, [&] { finish(worker); });
    lost.request();
    finish(worker);
    if (!stop.requested()) {
      log_.error("leadership was lost; running migrations end at their next safe point");
    }
    return stop.requested();
  }

  void finish(std::thread& worker) {
    if (worker.joinable()) {
      worker.join();
    }
    controller_.stop();
  }

  // Below the folder of the namespace in the first backup root, where it is called as the resource is unless it says otherwise.
  Result<std::string> backup_folder(const ResourceKey& key, const std::string& path) const {
    if (inputs_.backups.roots().empty()) {
      return fail(
          Error(ErrorCode::BackupRefused, "this operator has no folder for backups").advise("start it with --backup-root"));
    }
    return inputs_.backups.resolve_below(key.name_space, path.empty() ? key.name : path, "spec.backup.path");
  }

  std::string scrape() {
    metrics_.manifests(store_.size(), 0);
    return metrics_.text();
  }

  const Options& options_;
  Log log_;
  Clock& clock_;
  StartupInputs inputs_;
  std::string host_;
  std::unique_ptr<HttpTransport> transport_;
  StopSource watches_stop_;   // caches stay warm until the work has ended
  StopSource requests_stop_;  // statuses, events and the Lease are written while the work ends: this comes last
  Metrics metrics_;
  WorkQueue queue_;
  std::unique_ptr<KubeClient> client_;
  RecentReads reads_;
  ClusterStore store_;
  ApprovalIndex approvals_;
  LocalCredentials files_;
  SecretCredentials credentials_;
  LocalSources folders_;
  ConfigMapSource config_maps_;
  GitRepositories repositories_;
  std::unique_ptr<ArtifactFetcher> fetcher_;
  FluxArtifacts artifacts_;
  ClusterSources sources_;
  std::unique_ptr<DatabaseAccessFactory> databases_;
  FolderBackups backups_;
  std::unique_ptr<JobRunner> jobs_;           // null: none are made
  std::unique_ptr<KubeClient> event_client_;  // its own, so that events never take a status's turn
  std::unique_ptr<EventRecorder> recorder_;
  EventReporter reporter_;
  MigrationFeed feed_;
  Reconciler reconciler_;
  MigrationFeed::Subscription events_;
  MigrationController controller_;
  Cluster cluster_;
};

}  // namespace

Result<int> run_on_cluster(const Options& options, const Log& log, const StopToken& stop) {
  forget_database_environment();  // what it says is not for whoever may write a resource
  TRY_ASSIGN(auto access, find_cluster(options));
  TRY_ASSIGN(auto sources, AllowedRoots::create(options.source_roots));
  TRY_ASSIGN(auto secrets, AllowedRoots::create(options.secret_roots));
  TRY_ASSIGN(auto backups, AllowedRoots::create(options.backup_roots));
  TRY_ASSIGN(auto cache, CacheFolder::open(options));
  SystemClock clock;
  const auto identity = make_credentials(access, clock, environment_variable);
  auto transport = make_rest_transport(access, *identity, clock, stop);
  if (!transport && stop.requested()) {
    log.info("operator stopped before it began");
    return 0;
  }
  if (!transport) {
    return fail(std::move(transport).error());
  }
  const auto cluster = std::make_unique<ClusterOperator>(
      options, StartupInputs{std::move(access), std::move(sources), std::move(secrets), std::move(backups), std::move(cache)},
      std::move(*transport), clock, log, stop);
  return cluster->run(stop);
}

}  // namespace athanor::controller
