#include "operator/operator_settings.hpp"

#include <unistd.h>

#include <algorithm>

#include "migrations/base/ids.hpp"

namespace athanor::controller {
namespace {

// The deadlines for connecting, observing and reading a source add up to less.
constexpr std::chrono::minutes kLongestReconcile{15};

}  // namespace

ControllerOptions controller_options(const Options& options) {
  ControllerOptions controller;
  controller.workers = options.workers;
  controller.resync = options.resync;
  controller.resyncs_per_second = static_cast<double>(options.resyncs_per_second);
  controller.once = options.once;
  return controller;
}

QueueLimits queue_limits(const Options& options) {
  QueueLimits limits;
  // Omit a limit that cannot be reached: it would cost the queue time anyway.
  limits.per_group = options.per_server < options.workers ? options.per_server : 0;
  const bool one_namespace = !options.kube || options.namespaces.size() == 1;
  limits.per_namespace = options.per_namespace;
  if (limits.per_namespace == 0 && !one_namespace) {
    limits.per_namespace = std::max<std::size_t>(1, options.workers * 3 / 4);
  }
  if (limits.per_namespace >= options.workers) {
    limits.per_namespace = 0;
  }
  limits.failing = std::max<std::size_t>(1, options.workers / 2);
  return limits;
}

bool some_worker_works(const WorkQueue& queue, const Options& options) {
  return queue.stuck(kLongestReconcile) < options.workers;
}

ClusterOptions cluster_options(const Options& options, bool jobs) {
  ClusterOptions cluster;
  cluster.namespaces = options.namespaces;
  cluster.label_selector = options.selector;
  cluster.flux = flux_types();
  cluster.retry_missing_kinds = options.resync;
  cluster.jobs = jobs;
  cluster.namespace_labels = options.namespace_labels;
  cluster.seed = static_cast<std::uint64_t>(::getpid());
  return cluster;
}

LeaseOptions lease_options(const Options& options, const std::string& pod_namespace, const std::string& host) {
  LeaseOptions lease;
  lease.name = options.lease_name;
  lease.name_space = options.lease_namespace.empty() ? pod_namespace : options.lease_namespace;
  lease.identity = host + "_" + new_run_id();
  lease.seed = static_cast<std::uint64_t>(::getpid());
  return lease;
}

JobOptions job_options(const Options& options) {
  JobOptions jobs{options.job_image, {options.job_service_accounts, options.job_variables}, options.source_images};
  if (!options.job_defaults.empty()) {
    // The parser of options has already refused what cannot be parsed.
    jobs.defaults = parse_job_defaults(options.job_defaults).value_or(KubeObject::object());
  }
  return jobs;
}

GitOptions git_options(const Options& options, const std::string& cache, std::shared_ptr<const CacheQuota> quota) {
  GitOptions git;
  git.folder = cache + "/git";
  // Shorter than the resync interval, even for an early resync: otherwise it would reuse the previous one's commit.
  git.requeue_after = options.resync * 4 / 5;
  git.limits = options.limits;
  git.max_repository_bytes = options.max_repository_bytes;
  git.quota = std::move(quota);
  git.hosts = AllowedHosts(options.source_hosts);
  git.labelled_secrets = options.require_secret_label;
  return git;
}

std::shared_ptr<const CacheQuota> cache_quota(const Options& options) {
  return std::make_shared<CacheQuota>(options.max_cache_bytes, GitOptions().keep_unused());
}

FluxOptions flux_options(const Options& options, const std::string& cache, std::shared_ptr<const CacheQuota> quota) {
  FluxOptions flux;
  flux.folder = cache + "/flux";
  flux.limits = options.limits;
  flux.max_artifact_bytes = options.max_artifact_bytes;
  flux.quota = std::move(quota);
  return flux;
}

}  // namespace athanor::controller
