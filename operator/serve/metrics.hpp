// Metrics: controller-runtime's names, so that existing dashboards work, and our own under athanor_*.
//
// Labels are bounded: controller, result, reason (one closed list), direction, code and method; namespace and name of resources
// only on the series of resource_series.hpp. Those, the values of the queue and those of the process are read when scraped.
//
// Threads: safe from any thread. Ownership: borrows queue and store once attached.
#pragma once

#include <memory>
#include <string>

#include "operator/reconcile/reconcile_observer.hpp"
#include "operator/reconcile/resource_store.hpp"
#include "operator/reconcile/work_queue.hpp"

namespace athanor::controller {

class Metrics final : public ReconcileObserver, public QueueObserver {
 public:
  explicit Metrics(std::size_t workers);
  ~Metrics() override;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void attach(const WorkQueue& queue, const ResourceStore& resources);
  void manifests(std::size_t resources, std::size_t problems);
  // A request to the API server; status 0: no answer.
  void api_request(const std::string& method, int status, const std::string& host);
  // Whoever does not lead says nothing of single resources: each has one series, not one for each replica.
  void leading(bool is_leader);
  // The text exposition format.
  [[nodiscard]] std::string text() const;

  void worker_started() override;
  void worker_finished() override;
  void reconciled(const Outcome& outcome, bool requeued, double seconds) override;
  void revision_applied(Direction direction, double seconds) override;
  void run_failed(Reason reason) override;
  void lock_waited(double seconds) override;
  void statement_retried() override;

  void added() override;
  void retried() override;
  void taken(double waited_seconds) override;
  void finished(double worked_seconds) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace athanor::controller
