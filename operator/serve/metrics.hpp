// Metrics: controller-runtime's names, so that existing dashboards work, and our own under athanor_*.
//
// What is counted comes through three observers, one for each part of the operator that reports. Labels are bounded:
// controller, result, reason (one closed list), direction, code and method; namespace and name of resources only on the series
// of resource_series.hpp. Those, the values of the queue and those of the process are read when scraped.
//
// Threads: safe from any thread. Ownership: owns the observers; borrows queue and store once attached.
#pragma once

#include <memory>
#include <string>

#include "operator/reconcile/migration_store.hpp"
#include "operator/reconcile/reconcile_observer.hpp"
#include "operator/reconcile/reconcile_result.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

class Metrics {
 public:
  // `workers`: as they are configured.
  explicit Metrics(std::size_t workers);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // For whoever reports to them; they live as long as the metrics.
  [[nodiscard]] ControllerObserver& controller();
  [[nodiscard]] ReconcileObserver& runs();
  [[nodiscard]] QueueObserver& queue();

  // From now on text() shows these too. Once, before anything else calls text().
  void attach(const WorkQueue& queue, const MigrationStore& resources);
  // Resources that can be read, and problems of those that cannot.
  void manifests(std::size_t resources, std::size_t problems);
  // A request to the API server ended; status 0: without an answer.
  void api_request(const std::string& method, int status, const std::string& host);
  // A standby shows no series of single resources: each has one series, not one for each replica.
  void leading(bool is_leader);
  // The text exposition format, as of now.
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor::controller
