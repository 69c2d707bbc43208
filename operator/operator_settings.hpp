// The options of the command line as the settings of each folder that takes part.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "operator/cluster/cluster.hpp"
#include "operator/kube/lease_election.hpp"
#include "operator/options.hpp"
#include "operator/reconcile/rescheduler.hpp"
#include "operator/sources/flux_source.hpp"
#include "operator/sources/git_source.hpp"

namespace athanor::controller {

[[nodiscard]] ControllerOptions controller_options(const Options& options);
[[nodiscard]] QueueLimits queue_limits(const Options& options);
// False when every worker has been at something for longer than any wait may last, runs of migrations and backups aside.
[[nodiscard]] bool some_worker_works(const WorkQueue& queue, const Options& options);
// `jobs`: there is an image to run Jobs from.
[[nodiscard]] ClusterOptions cluster_options(const Options& options, bool jobs);
// `pod_namespace`: where the Lease is unless the options say otherwise. `host`: begins this replica's identity.
[[nodiscard]] LeaseOptions lease_options(const Options& options, const std::string& pod_namespace, const std::string& host);
// `cache`: this process's own folder, below which repositories and artifacts are kept.
[[nodiscard]] GitOptions git_options(const Options& options, const std::string& cache);
[[nodiscard]] FluxOptions flux_options(const Options& options, const std::string& cache);

}  // namespace athanor::controller
