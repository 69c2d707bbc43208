#include "operator/cluster_operator.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <utility>

#include "operator/backup/folder_backups.hpp"
#include "operator/cluster/admission_policy.hpp"
#include "operator/cluster/cluster.hpp"
#include "operator/cluster/event_reporter.hpp"
#include "operator/cluster/leadership.hpp"
#include "operator/cluster/metrics_review.hpp"
#include "operator/cluster/plan_config_maps.hpp"
#include "operator/cluster/secret_credentials.hpp"
#include "operator/cluster/service_account_tokens.hpp"
#include "operator/cluster/source_poll.hpp"
#include "operator/cluster_startup.hpp"
#include "operator/identity/cloud_tokens.hpp"
#include "operator/jobs/job_runner.hpp"
#include "operator/kube/cluster_access.hpp"
#include "operator/kube/rest_caller.hpp"
#include "operator/kube/rest_fetcher.hpp"
#include "operator/kube/rest_transport.hpp"
#include "operator/operator_settings.hpp"
#include "operator/process_environment.hpp"
#include "operator/reconcile/migration_controller.hpp"
#include "operator/rehearse/scratch_rehearsals.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/metrics.hpp"
#include "operator/sources/cluster_sources.hpp"
#include "operator/sources/config_map_source.hpp"
#include "operator/sources/flux_source.hpp"
#include "operator/sources/git_source.hpp"
#include "operator/sources/local_sources.hpp"
#include "operator/standalone/local_credentials.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kEventDeadline{5};  // shutdown waits for a request in progress
constexpr std::chrono::seconds kReviewDeadline{2};
constexpr double kReviewsPerSecond = 20;  // reviews of unknown tokens
// Far above what a fleet needs. The API server ensures fairness and answers 429 when it is overloaded; this limit only stops a
// malfunctioning operator, on servers without priority and fairness.
constexpr double kRequestsPerSecond = 500;
constexpr double kRequestsAtOnce = 1'000;

// Read from disk before the cluster mode can be built.
struct StartupInputs {
  ClusterAccess access;
  AllowedRoots sources;
  AllowedRoots secrets;
  AllowedRoots backups;
  CacheFolder cache;
  std::string authorities;  // file; empty: the system's
};

// Wires cluster mode. The members live as long as the process and are constructed in order of dependency.
class ClusterOperator {
 public:
  ClusterOperator(const Options& options, StartupInputs inputs, std::unique_ptr<HttpTransport> transport, Clock& clock, Log log,
                  const StopToken& stop)
      : options_(options),
        log_(std::move(log)),
        clock_(clock),
        inputs_(std::move(inputs)),
        host_(host_name()),
        transport_(std::move(transport)),
        metrics_(options.workers),
        queue_(clock_, queue_limits(options), &metrics_.queue()),
        client_(make_rest_client(*transport_, clock_, request_limits(), requests_stop_.token(), request_counter())),
        reads_(*client_, clock_, options.max_config_map_reads),
        store_(*client_, clock_,
               {[this](const ResourceKey& key) { queue_.add(key); },
                [this](const ResourceKey& key) { controller_.removed(key); }, [] {}},
               inputs_.sources.roots().empty() ? std::string("/") : inputs_.sources.roots().front(), log_),
        admission_(*client_, clock_),
        approvals_([this](const ResourceKey& key) { queue_.add(key); }, &admission_),
        floors_(options.floor, [this](const std::string& name_space) { store_.floor_changed(name_space); }),
        files_(inputs_.secrets, environment_variable),
        service_accounts_(*client_, *client_),
        caller_(make_rest_caller(clock_)),
        tokens_(service_accounts_, *caller_, options.endpoints, clock_),
        credentials_(reads_, clock_, files_, inputs_.cache.path() + "/certificates", options.require_secret_label,
                     options.database_auth ? &tokens_ : nullptr),
        folders_(inputs_.sources, clock_, options.limits),
        config_maps_(reads_, options.limits),
        cache_quota_(cache_quota(options)),
        repositories_(*client_, clock_, git_options(options, inputs_.cache.path(), cache_quota_),
                      git_environment(inputs_.cache.path(), inputs_.authorities), stop),
        fetcher_(make_rest_fetcher(clock_, ProxySettings::read(environment_variable))),
        artifacts_(*client_, *fetcher_, clock_, flux_options(options, inputs_.cache.path(), cache_quota_), stop),
        sources_({&folders_, &config_maps_, &repositories_, &artifacts_}),
        databases_(make_migrator_access(connect_to_allowed(AllowedHosts(options.database_hosts)), clock_)),
        backups_(
            [this](const DatabaseMigration& resource, const std::string& path) { return backup_folder(resource.key(), path); },
            connect_to_allowed(AllowedHosts(options.database_hosts)), program_environment(), clock_, log_,
            {options.max_backup_bytes,
             [this](const std::string& name_space) {
               return backup_folder({name_space, "."}, ".");
             }}),
        rehearsals_(
            connect_to_allowed(AllowedHosts(options.database_hosts)),
            [this](const DatabaseMigration& resource, const std::string& path) { return backup_folder(resource.key(), path); },
            program_environment(), clock_, log_, std::nullopt),
        jobs_(options.job_image.empty() ? nullptr : std::make_unique<JobRunner>(*client_, clock_, job_options(options), log_)),
        plan_texts_(options.publish_plans ? std::make_unique<PlanConfigMaps>(*client_, log_) : nullptr),
        event_client_(make_rest_client(*transport_, clock_, event_requests(), requests_stop_.token(), request_counter())),
        recorder_(make_event_recorder(*event_client_, clock_, "athanor-operator", host_, log_)),
        reporter_(*recorder_, store_),
        reconciler_(reconciler_parts()),
        events_(feed_.subscribe([this](const MigrationChange& change) { reporter_.report(change); })),
        controller_({store_, queue_, metrics_.controller(), clock_, feed_},
                    migration_kind(store_, reconciler_, metrics_.runs(), clock_), controller_options(options), log_),
        withdrawals_(store_, queue_, clock_, log_),
        poll_(repositories_, store_, queue_, withdrawals_, clock_, log_),
        selected_(options.namespace_selector.empty()
                      ? nullptr
                      : std::make_unique<SelectedNamespaces>(*client_, clock_, store_, options.namespace_selector,
                                                             options.selector, log_)),
        cluster_({*client_, clock_, store_, approvals_, floors_, queue_, &withdrawals_, plan_texts_.get(), selected_.get()},
                 cluster_options(options, jobs_ != nullptr), log_) {
    metrics_.attach(queue_, store_);
    store_.set_selector(options.selector);
    store_.set_quota(options.max_resources);
    store_.set_floor([this](const std::string& name_space) { return floors_.of(name_space); });
    store_.set_fence([this] {
      const std::lock_guard lock(lease_mutex_);
      return !options_.leader_elect || (holds_lease_ && holds_lease_());
    });
  }

  Result<int> run(const StopToken& stop) {
    const auto review_client =
        make_rest_client(*transport_, clock_, review_requests(), requests_stop_.token(), request_counter());
    TRY_ASSIGN(const auto listener,
               open_listener(options_,
                             {[this] { return scrape(); }, [this] { return some_worker_works(queue_, options_); },
                              [this] { return cluster_.synced(); }},
                             clock_, log_, token_review(*review_client)));
    log_.info("operator started", {{"version", ATHANOR_VERSION},
                                   {"server", transport_->server()},
                                   {"workers", options_.workers},
                                   {"leaderElection", options_.leader_elect}});
    cluster_.start(watches_stop_.token());
    poll_.start(watches_stop_.token());
    bool ended_well = true;
    if (options_.leader_elect) {
      ended_well = work_while_leader(stop);
    } else {
      work_alone(work(), clock_, stop, log_);
    }
    // Stop in this order: the work has ended; the caches are no longer needed; the last events are written; then no request is
    // left.
    watches_stop_.request(StopLevel::Now);
    cluster_.join();
    poll_.join();
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

  static RestClientOptions review_requests() {
    RestClientOptions reviews;
    reviews.deadline = kReviewDeadline;
    reviews.requests_per_second = kReviewsPerSecond;
    reviews.burst = kReviewsPerSecond;
    return reviews;
  }

  // Returns an empty function when the metrics need no token.
  ReviewToken token_review(KubeWriter& client) const {
    if (!options_.metrics_authentication) {
      return {};
    }
    return [this, &client](const std::string& token) {
      auto reviewed = review_metrics_token(client, token);
      if (!reviewed) {
        log_.warn("failed to review a token for /metrics", error_fields(reviewed.error()));
      }
      return reviewed;
    };
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
    parts.plan_texts = plan_texts_.get();
    parts.rehearsals = &rehearsals_;
    parts.policy_holds = [this](const DatabaseMigration& resource) { return store_.policy_holds(resource); };
    parts.has_room = [this](const DatabaseMigration& resource, const DatabaseLocation& place) {
      return queue_.set_group(resource.key(), server_of(place.described));
    };
    return parts;
  }

  // Start work only when the caches are complete: a resource that is not known yet could be the older claimant of a version
  // table.
  LeaderWork work() {
    return {[this](const StopToken& stop) {
              if (cluster_.wait_until_synced(stop)) {
                controller_.start(stop);
              }
            },
            [this] { controller_.stop(); }, [this](bool leading) { metrics_.leading(leading); },
            [this](const std::function<bool()>& holds) {
              const std::lock_guard lock(lease_mutex_);
              holds_lease_ = holds;
            }};
  }

  bool work_while_leader(const StopToken& stop) {
    const LeaseOptions lease = lease_options(options_, inputs_.access.name_space, host_);
    // A separate client: renewals must not queue behind other requests, nor take longer than half the renew deadline.
    RestClientOptions in_time;
    in_time.deadline = lease.renew_deadline / 2;
    const auto client = make_rest_client(*transport_, clock_, in_time, requests_stop_.token(), request_counter());
    return work_while_leading(work(), *client, clock_, lease, stop, log_);
  }

  // <first backup root>/<namespace>/<spec.backup.path, or the name of the resource>.
  Result<std::string> backup_folder(const ResourceKey& key, const std::string& path) const {
    if (inputs_.backups.roots().empty()) {
      return fail(
          Error(ErrorCode::BackupRefused, "this operator has no folder for backups").advise("start it with --backup-root"));
    }
    return inputs_.backups.resolve_below(key.name_space, path.empty() ? key.name : path, "spec.backup.path");
  }

  std::string scrape() {
    metrics_.manifests(store_.size(), 0);
    for (const auto& [kind, failures] : cluster_.failures()) {
      metrics_.watch_failures(kind, failures);
    }
    return metrics_.text();
  }

  const Options& options_;
  Log log_;
  Clock& clock_;
  StartupInputs inputs_;
  std::string host_;
  std::unique_ptr<HttpTransport> transport_;
  StopSource watches_stop_;   // the caches stay current until the work has ended
  StopSource requests_stop_;  // requested last: statuses, events and the Lease are written while the work ends
  std::mutex lease_mutex_;
  std::function<bool()> holds_lease_;  // empty: this replica is not a candidate yet, or no longer
  Metrics metrics_;
  WorkQueue queue_;
  std::unique_ptr<KubeClient> client_;
  RecentReads reads_;
  ClusterStore store_;
  AdmissionPolicy admission_;
  ApprovalIndex approvals_;
  NamespaceFloors floors_;
  LocalCredentials files_;
  ServiceAccountTokens service_accounts_;
  std::unique_ptr<HttpsCaller> caller_;
  CloudTokens tokens_;
  SecretCredentials credentials_;
  LocalSources folders_;
  ConfigMapSource config_maps_;
  std::shared_ptr<const CacheQuota> cache_quota_;
  GitRepositories repositories_;
  std::unique_ptr<ArtifactFetcher> fetcher_;
  FluxArtifacts artifacts_;
  ClusterSources sources_;
  std::unique_ptr<DatabaseAccessFactory> databases_;
  FolderBackups backups_;
  ScratchRehearsals rehearsals_;
  std::unique_ptr<JobRunner> jobs_;             // null: no Jobs
  std::unique_ptr<PlanConfigMaps> plan_texts_;  // null: plans are not published
  std::unique_ptr<KubeClient> event_client_;    // separate, so that events never delay status updates
  std::unique_ptr<EventRecorder> recorder_;
  EventReporter reporter_;
  MigrationFeed feed_;
  Reconciler reconciler_;
  MigrationFeed::Subscription events_;
  MigrationController controller_;
  StatusWithdrawals withdrawals_;
  SourcePoll poll_;
  std::unique_ptr<SelectedNamespaces> selected_;  // null: all watched namespaces
  Cluster cluster_;
};

}  // namespace

Result<int> run_on_cluster(const Options& options, const Log& log, const StopToken& stop) {
  forget_database_environment();  // authors of resources must not be able to use it
  TRY_ASSIGN(auto access, find_cluster(options));
  TRY_ASSIGN(auto sources, AllowedRoots::create_divided(options.source_roots));
  TRY_ASSIGN(auto secrets, AllowedRoots::create_divided(options.secret_roots));
  TRY_ASSIGN(auto backups, AllowedRoots::create(options.backup_roots));
  TRY_ASSIGN(auto cache, CacheFolder::open(options));
  TRY_ASSIGN(auto authorities, add_authorities(options, cache.path()));
  SystemClock clock;
  const auto identity = make_credentials(access, clock, environment_variable);
  auto transport = make_rest_transport(access, *identity, clock, stop);
  if (!transport && stop.requested()) {
    log.info("operator stopped during startup");
    return 0;
  }
  if (!transport) {
    return fail(std::move(transport).error());
  }
  const auto cluster =
      std::make_unique<ClusterOperator>(options,
                                        StartupInputs{std::move(access), std::move(sources), std::move(secrets),
                                                      std::move(backups), std::move(cache), std::move(authorities)},
                                        std::move(*transport), clock, log, stop);
  return cluster->run(stop);
}

}  // namespace athanor::controller
