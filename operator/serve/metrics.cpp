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

const char* result_label(const Outcome& outcome, bool requeued) {
  if (outcome.kind == Verdict::Kind::Failed || (outcome.kind == Verdict::Kind::Stalled && outcome.error)) {
    return "error";
  }
  return requeued ? "requeue_after" : "success";
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

}  // namespace

struct Metrics::Impl {
  prometheus::Registry registry;
  Family<Counter>& reconciles =
      counters(registry, "controller_runtime_reconcile_total", "Reconciles by controller and result.");
  Counter& errors = counters(registry, "controller_runtime_reconcile_errors_total", "Reconciles that ended with an error.")
                        .Add(kOfController);
  Histogram& times = histograms(registry, "controller_runtime_reconcile_time_seconds", "Duration of a reconcile.")
                         .Add(kOfController, reconcile_buckets());
  Gauge& active = gauges(registry, "controller_runtime_active_workers", "Workers that reconcile now.").Add(kOfController);
  Gauge& most = gauges(registry, "controller_runtime_max_concurrent_reconciles", "Workers there are.").Add(kOfController);
  Counter& adds = counters(registry, "workqueue_adds_total", "Keys added to the queue.").Add(kOfQueue);
  Counter& queue_retries = counters(registry, "workqueue_retries_total", "Keys put back with a back-off.").Add(kOfQueue);
  Histogram& waits =
      histograms(registry, "workqueue_queue_duration_seconds", "Time a key waits in the queue.").Add(kOfQueue, queue_buckets());
  Histogram& works =
      histograms(registry, "workqueue_work_duration_seconds", "Time a key is worked on.").Add(kOfQueue, queue_buckets());
  Family<Counter>& applied =
      counters(registry, "athanor_migrations_applied_total", "Revisions run to their end, by direction.");
  Family<Counter>& failed = counters(registry, "athanor_migrations_failed_total", "Runs that ended with an error, by reason.");
  Histogram& steps = histograms(registry, "athanor_step_duration_seconds", "Duration of one revision.").Add({}, step_buckets());
  Histogram& locks =
      histograms(registry, "athanor_lock_wait_seconds", "Time spent waiting for the migration lock.").Add({}, step_buckets());
  Counter& retries = counters(registry, "athanor_retries_total", "Revisions tried again after a lock time-out.").Add({});
  Gauge& resources = gauges(registry, "athanor_resources", "Resources that are declared and readable.").Add({});
  Gauge& problems = gauges(registry, "athanor_manifest_problems", "Problems in manifests that stand now.").Add({});
  Family<Counter>& requests = counters(registry, "rest_client_requests_total", "Requests to the API server.");
  Family<Gauge>& leader = gauges(registry, "leader_election_master_status", "1: this replica leads.");
  Histogram& backups = histograms(registry, "athanor_backup_duration_seconds", "Duration of a backup.").Add({}, step_buckets());
  Counter& backups_failed =
      counters(registry, "athanor_backups_failed_total", "Backups that could not be taken or verified.").Add({});
  const WorkQueue* queue = nullptr;
  const ResourceStore* resources_shown = nullptr;
  std::atomic<bool> standby{false};
};

Metrics::Metrics(std::size_t workers) : impl_(std::make_unique<Impl>()) {
  impl_->most.Set(static_cast<double>(workers));
  // Series exist before their first event, so that rates begin at zero.
  for (const char* result : {"success", "error", "requeue_after"}) {
    impl_->reconciles.Add({{"controller", kController}, {"result", result}});
  }
  for (const char* direction : {"upgrade", "downgrade"}) {
    impl_->applied.Add({{"direction", direction}});
  }
  impl_->failed.Add({{"reason", std::string(reason_name(Reason::StatementFailed))}});
}

Metrics::~Metrics() = default;

void Metrics::attach(const WorkQueue& queue, const ResourceStore& resources) {
  impl_->queue = &queue;
  impl_->resources_shown = &resources;
}

void Metrics::manifests(std::size_t resources, std::size_t problems) {
  impl_->resources.Set(static_cast<double>(resources));
  impl_->problems.Set(static_cast<double>(problems));
}

std::string Metrics::text() const {
  using prometheus::MetricType;
  std::vector<MetricFamily> families = impl_->registry.Collect();
  if (impl_->queue != nullptr) {
    const QueueStatistics queue = impl_->queue->statistics();
    families.push_back(scraped("workqueue_depth", "Keys that wait in the queue.", MetricType::Gauge,
                               static_cast<double>(queue.depth), kOfQueue));
    families.push_back(scraped("workqueue_unfinished_work_seconds", "Time spent on keys that are worked on now.",
                               MetricType::Gauge, queue.unfinished_seconds, kOfQueue));
    families.push_back(scraped("workqueue_longest_running_processor_seconds",
                               "Longest time spent on a key that is worked on now.", MetricType::Gauge,
                               queue.longest_running_seconds, kOfQueue));
  }
  const ProcessFigures process = read_process_figures();
  families.push_back(
      scraped("process_cpu_seconds_total", "User and system CPU time.", MetricType::Counter, process.cpu_seconds));
  families.push_back(scraped("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, process.resident_bytes));
  families.push_back(scraped("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, process.virtual_bytes));
  families.push_back(scraped("process_start_time_seconds", "Start of the process since the epoch.", MetricType::Gauge,
                             process.start_time_seconds));
  families.push_back(scraped("process_open_fds", "Open file descriptors.", MetricType::Gauge, process.open_files));
  families.push_back(scraped("process_max_fds", "Most file descriptors there may be.", MetricType::Gauge, process.max_files));
  std::string text = prometheus::TextSerializer().Serialize(families);
  if (impl_->resources_shown != nullptr && !impl_->standby) {
    text += resource_series(*impl_->resources_shown);
  }
  return text;
}

void Metrics::worker_started() {
  impl_->active.Increment();
}
void Metrics::worker_finished() {
  impl_->active.Decrement();
}

void Metrics::api_request(const std::string& method, int status, const std::string& host) {
  const std::string code = status == 0 ? "<error>" : std::to_string(status);
  impl_->requests.Add({{"code", code}, {"method", method}, {"host", host}}).Increment();
}

void Metrics::leading(bool is_leader) {
  impl_->leader.Add({{"name", "athanor-operator"}}).Set(is_leader ? 1 : 0);
  impl_->standby = !is_leader;
}

void Metrics::reconciled(const Outcome& outcome, bool requeued, double seconds) {
  const std::string result = result_label(outcome, requeued);
  impl_->reconciles.Add({{"controller", kController}, {"result", result}}).Increment();
  if (result == "error") {
    impl_->errors.Increment();
  }
  impl_->times.Observe(seconds);
  if (outcome.review && outcome.review->backup && !outcome.review->backup_accepted) {
    impl_->backups.Observe(static_cast<double>(outcome.review->backup->duration_ms) / 1'000);
  }
  if (outcome.reason == Reason::BackupFailed || (outcome.review && outcome.review->backup_error)) {
    impl_->backups_failed.Increment();
  }
}

void Metrics::revision_applied(Direction direction, double seconds) {
  impl_->applied.Add({{"direction", std::string(direction_name(direction))}}).Increment();
  impl_->steps.Observe(seconds);
}
void Metrics::run_failed(Reason reason) {
  impl_->failed.Add({{"reason", std::string(reason_name(reason))}}).Increment();
}
void Metrics::lock_waited(double seconds) {
  impl_->locks.Observe(seconds);
}
void Metrics::statement_retried() {
  impl_->retries.Increment();
}

void Metrics::added() {
  impl_->adds.Increment();
}
void Metrics::retried() {
  impl_->queue_retries.Increment();
}
void Metrics::taken(double waited_seconds) {
  impl_->waits.Observe(waited_seconds);
}
void Metrics::finished(double worked_seconds) {
  impl_->works.Observe(worked_seconds);
}

}  // namespace athanor::controller
