#include "operator/serve/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <atomic>
#include <map>
#include <utility>

#include "operator/serve/process_figures.hpp"
#include "operator/serve/resource_series.hpp"

namespace athanor::controller {
namespace {

using prometheus::Counter;
using prometheus::Family;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::MetricFamily;
using Buckets = Histogram::BucketBoundaries;

constexpr const char* kController = "databasemigration";

Buckets reconcile_buckets() {
  return {0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800};
}
Buckets step_buckets() {
  return {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600};
}
Buckets queue_buckets() {
  return {0.00001, 0.0001, 0.001, 0.01, 0.1, 1, 10, 100, 1000};
}

Family<Counter>& counters(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildCounter().Name(name).Help(help).Register(registry);
}
Family<Gauge>& gauges(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildGauge().Name(name).Help(help).Register(registry);
}
Family<Histogram>& histograms(prometheus::Registry& registry, const char* name, const char* help) {
  return prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
}

const std::map<std::string, std::string> kOfController{{"controller", kController}};
const std::map<std::string, std::string> kOfQueue{{"name", kController}};

const char* result_label(const ReconcileResult& result, bool again) {
  using Kind = ReconcileResult::Kind;
  if (result.kind == Kind::Failed || (result.kind == Kind::Stalled && result.error)) {
    return "error";
  }
  return again ? "requeue_after" : "success";
}

MetricFamily scraped(const char* name, const char* help, prometheus::MetricType type, double value,
                     const std::map<std::string, std::string>& labels = {}) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  prometheus::ClientMetric metric;
  for (const auto& [label, text] : labels) {
    metric.label.push_back({label, text});
  }
  if (type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
  return family;
}

class ControllerMetrics final : public ControllerObserver {
 public:
  ControllerMetrics(prometheus::Registry& registry, std::size_t workers)
      : reconciles_(counters(registry, "controller_runtime_reconcile_total", "Reconciles by controller and result.")),
        errors_(counters(registry, "controller_runtime_reconcile_errors_total", "Reconciles that ended with an error.")
                    .Add(kOfController)),
        times_(histograms(registry, "controller_runtime_reconcile_time_seconds", "Duration of a reconcile.")
                   .Add(kOfController, reconcile_buckets())),
        active_(gauges(registry, "controller_runtime_active_workers", "Workers that are reconciling.").Add(kOfController)),
        retries_(counters(registry, "workqueue_retries_total", "Keys requeued with back-off.").Add(kOfQueue)) {
    gauges(registry, "controller_runtime_max_concurrent_reconciles", "Number of workers.")
        .Add(kOfController)
        .Set(static_cast<double>(workers));
    // Create the series before their first event, so that rate() sees the increase from zero.
    for (const char* result : {"success", "error", "requeue_after"}) {
      reconciles_.Add({{"controller", kController}, {"result", result}});
    }
  }

  void worker_started() override { active_.Increment(); }
  void worker_finished() override { active_.Decrement(); }
  void retry_scheduled() override { retries_.Increment(); }
  void reconciled(const ReconcileResult& result, bool again, double seconds) override {
    const std::string label = result_label(result, again);
    reconciles_.Add({{"controller", kController}, {"result", label}}).Increment();
    if (label == "error") {
      errors_.Increment();
    }
    times_.Observe(seconds);
  }

 private:
  Family<Counter>& reconciles_;
  Counter& errors_;
  Histogram& times_;
  Gauge& active_;
  Counter& retries_;
};

class RunMetrics final : public ReconcileObserver {
 public:
  explicit RunMetrics(prometheus::Registry& registry)
      : applied_(counters(registry, "athanor_migrations_applied_total", "Revisions applied, by direction.")),
        failed_(counters(registry, "athanor_migrations_failed_total", "Runs that ended with an error, by reason.")),
        steps_(histograms(registry, "athanor_step_duration_seconds", "Duration of one revision.").Add({}, step_buckets())),
        locks_(histograms(registry, "athanor_lock_wait_seconds", "Time spent waiting for the migration lock.")
                   .Add({}, step_buckets())),
        retries_(counters(registry, "athanor_retries_total", "Revisions retried after a lock timeout.").Add({})),
        backups_(histograms(registry, "athanor_backup_duration_seconds", "Duration of a backup.").Add({}, step_buckets())),
        backups_failed_(
            counters(registry, "athanor_backups_failed_total", "Backups that could not be taken or verified.").Add({})) {
    for (const char* direction : {"upgrade", "downgrade"}) {
      applied_.Add({{"direction", direction}});
    }
    failed_.Add({{"reason", std::string(reason_name(Reason::StatementFailed))}});
  }

  void revision_applied(Direction direction, double seconds) override {
    applied_.Add({{"direction", std::string(direction_name(direction))}}).Increment();
    steps_.Observe(seconds);
  }
  void run_failed(Reason reason) override { failed_.Add({{"reason", std::string(reason_name(reason))}}).Increment(); }
  void lock_waited(double seconds) override { locks_.Observe(seconds); }
  void statement_retried() override { retries_.Increment(); }
  void backup_taken(double seconds) override { backups_.Observe(seconds); }
  void backup_failed() override { backups_failed_.Increment(); }

 private:
  Family<Counter>& applied_;
  Family<Counter>& failed_;
  Histogram& steps_;
  Histogram& locks_;
  Counter& retries_;
  Histogram& backups_;
  Counter& backups_failed_;
};

class QueueMetrics final : public QueueObserver {
 public:
  explicit QueueMetrics(prometheus::Registry& registry)
      : adds_(counters(registry, "workqueue_adds_total", "Keys added to the queue.").Add(kOfQueue)),
        waits_(histograms(registry, "workqueue_queue_duration_seconds", "Time a key waits in the queue.")
                   .Add(kOfQueue, queue_buckets())),
        works_(histograms(registry, "workqueue_work_duration_seconds", "Time spent processing a key.")
                   .Add(kOfQueue, queue_buckets())) {}

  void added() override { adds_.Increment(); }
  void taken(double waited_seconds) override { waits_.Observe(waited_seconds); }
  void finished(double worked_seconds) override { works_.Observe(worked_seconds); }

 private:
  Counter& adds_;
  Histogram& waits_;
  Histogram& works_;
};

}  // namespace

struct Metrics::Impl {
  explicit Impl(std::size_t workers) : controller(registry, workers), runs(registry), queue(registry) {}

  prometheus::Registry registry;
  ControllerMetrics controller;
  RunMetrics runs;
  QueueMetrics queue;
  Gauge& resources = gauges(registry, "athanor_resources", "Valid resources.").Add({});
  Gauge& problems = gauges(registry, "athanor_manifest_problems", "Current problems in manifests.").Add({});
  Family<Counter>& requests = counters(registry, "rest_client_requests_total", "Requests to the API server.");
  Family<Gauge>& watch_failures =
      gauges(registry, "athanor_watch_failures", "Attempts to list or watch a kind that failed in a row up to now.");
  Family<Gauge>& leader = gauges(registry, "leader_election_master_status", "1: this replica leads.");
  const WorkQueue* attached_queue = nullptr;
  const MigrationStore* attached_resources = nullptr;
  std::atomic<bool> standby{false};
};

Metrics::Metrics(std::size_t workers) : impl_(std::make_unique<Impl>(workers)) {}

Metrics::~Metrics() = default;

ControllerObserver& Metrics::controller() {
  return impl_->controller;
}
ReconcileObserver& Metrics::runs() {
  return impl_->runs;
}
QueueObserver& Metrics::queue() {
  return impl_->queue;
}

void Metrics::attach(const WorkQueue& queue, const MigrationStore& resources) {
  impl_->attached_queue = &queue;
  impl_->attached_resources = &resources;
}

void Metrics::manifests(std::size_t resources, std::size_t problems) {
  impl_->resources.Set(static_cast<double>(resources));
  impl_->problems.Set(static_cast<double>(problems));
}

std::string Metrics::text() const {
  using prometheus::MetricType;
  std::vector<MetricFamily> families = impl_->registry.Collect();
  if (impl_->attached_queue != nullptr) {
    const QueueStatistics queue = impl_->attached_queue->statistics();
    families.push_back(scraped("workqueue_depth", "Keys waiting in the queue.", MetricType::Gauge,
                               static_cast<double>(queue.depth), kOfQueue));
    families.push_back(scraped("workqueue_unfinished_work_seconds", "Time spent on keys being processed.", MetricType::Gauge,
                               queue.unfinished_seconds, kOfQueue));
    families.push_back(scraped("workqueue_longest_running_processor_seconds", "Longest time spent on a key being processed.",
                               MetricType::Gauge, queue.longest_running_seconds, kOfQueue));
  }
  const ProcessFigures process = read_process_figures();
  families.push_back(
      scraped("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, process.cpu_seconds));
  families.push_back(scraped("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, process.resident_bytes));
  families.push_back(scraped("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, process.virtual_bytes));
  families.push_back(scraped("process_start_time_seconds", "Start time of the process, in seconds since the epoch.",
                             MetricType::Gauge, process.start_time_seconds));
  families.push_back(scraped("process_open_fds", "Open file descriptors.", MetricType::Gauge, process.open_files));
  families.push_back(
      scraped("process_max_fds", "Maximum number of open file descriptors.", MetricType::Gauge, process.max_files));
  std::string text = prometheus::TextSerializer().Serialize(families);
  // Only the leader: a standby knows the resources as well, and each series would exist twice.
  if (impl_->attached_resources != nullptr && !impl_->standby) {
    text += resource_series(*impl_->attached_resources);
  }
  return text;
}

void Metrics::watch_failures(const std::string& kind, std::uint64_t failures) {
  impl_->watch_failures.Add({{"kind", kind}}).Set(static_cast<double>(failures));
}

void Metrics::api_request(const std::string& method, int status, const std::string& host) {
  const std::string code = status == 0 ? "<error>" : std::to_string(status);
  impl_->requests.Add({{"code", code}, {"method", method}, {"host", host}}).Increment();
}

void Metrics::leading(bool is_leader) {
  impl_->leader.Add({{"name", "athanor-operator"}}).Set(is_leader ? 1 : 0);
  impl_->standby = !is_leader;
}

}  // namespace athanor::controller
