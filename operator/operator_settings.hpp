// Converts the command line's options into the settings of each part.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "operator/cluster/cluster.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/options.hpp"
#include "operator/reconcile/rescheduler.hpp"
#include "operator/sources/flux_source.hpp"
#include "operator/sources/git_source.hpp"

namespace athanor::controller {

[[nodiscard]] ControllerOptions controller_options(const Options& options);
[[nodiscard]] QueueLimits queue_limits(const Options& options);
// Returns false when every worker has been busy with one key for longer than any wait may last, except runs of migrations and
// backups. Used by the liveness probe.
[[nodiscard]] bool some_worker_works(const WorkQueue& queue, const Options& options);
// `jobs`: whether Jobs are enabled.
[[nodiscard]] ClusterOptions cluster_options(const Options& options, bool jobs);
// `pod_namespace`: the Lease's namespace unless the options set one. `host`: the prefix of this replica's identity.
[[nodiscard]] LeaseOptions lease_options(const Options& options, const std::string& pod_namespace, const std::string& host);
[[nodiscard]] JobOptions job_options(const Options& options);
// `cache`: the folder of this process that contains repositories and artifacts.
// Of both.
[[nodiscard]] std::shared_ptr<const CacheQuota> cache_quota(const Options& options);
[[nodiscard]] GitOptions git_options(const Options& options, const std::string& cache, std::shared_ptr<const CacheQuota> quota);
[[nodiscard]] FluxOptions flux_options(const Options& options, const std::string& cache,
                                       std::shared_ptr<const CacheQuota> quota);

}  // namespace athanor::controller
