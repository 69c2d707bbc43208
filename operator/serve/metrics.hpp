// Metrics: controller-runtime's names, so that existing dashboards work, and our own under athanor_*.
//
// The parts of the operator report through three observers. Labels are bounded: controller, result, reason (one closed list),
// direction, code and method. Only the series of resource_series.hpp have the namespace and name of resources as labels. Those
// series, the queue's gauges and the process's are computed when scraped.
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
  // `workers`: the configured number.
  explicit Metrics(std::size_t workers);
  ~Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  // The observers to pass to the reporting parts. They live as long as this object.
  [[nodiscard]] ControllerObserver& controller();
  [[nodiscard]] ReconcileObserver& runs();
  [[nodiscard]] QueueObserver& queue();

  // Adds the queue and the resources to text(). Call it once, before any other thread calls text(). Borrows both.
  void attach(const WorkQueue& queue, const MigrationStore& resources);
  // Sets the number of readable resources and of problems in unreadable manifests.
  void manifests(std::size_t resources, std::size_t problems);
  // Counts a request to the API server; status 0 when there was no response.
  void api_request(const std::string& method, int status, const std::string& host);
  // Sets how many attempts to list or watch a kind (plural name) failed in a row up to now.
  void watch_failures(const std::string& kind, std::uint64_t failures);
  // Sets whether this replica leads. A standby exports no series of resources, so that each resource has one series instead of
  // one per replica.
  void leading(bool is_leader);
  // Returns the current metrics in the text exposition format.
  [[nodiscard]] std::string text() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor::controller
