// Records the catalog at the end of a run, in the run's session and under its lock.
//
// Changes made by hand before the run remain drift: the catalog is compared with the recorded one before the run begins, and
// differences that the run does not touch are recorded in their old state. Failing to read or write a catalog never fails a
// run: nothing is recorded, and the sink gets the reason.
//
// OnDrift::Refuse: if the database was changed by hand, or its schema cannot be read, the run ends before it changes anything.
// A check before the lock could not guarantee that, because the wait for the lock may be long. The lock itself does not stop
// manual changes.
//
// Threads: the migrator's thread. Ownership: borrows the sink.
#pragma once

#include <cstdint>
#include <optional>

#include "migrations/drift/compare_catalog.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/execute/progress_sink.hpp"

namespace athanor {

enum class OnDrift : std::uint8_t { Record, Refuse };

class RunRecord {
 public:
  RunRecord(DriftSettings settings, ProgressSink& sink, OnDrift on_drift)
      : settings_(std::move(settings)), sink_(sink), on_drift_(on_drift) {}

  // Compares the schema before the run. Errors, with OnDrift::Refuse only: StalePlan with the first changes, or why the schema
  // could not be compared.
  [[nodiscard]] Result<void> before_run(Session& session);
  // Records the catalog if the run changed anything.
  void after_run(Session& session, const Plan& plan, const ExecutionReport& report);

 private:
  struct Drifted {
    schema::Catalog expected;
    schema::Catalog live;
  };
  [[nodiscard]] Result<void> compare(Session& session);
  [[nodiscard]] Result<void> record(Session& session, const ExecutionReport& report);

  DriftSettings settings_;
  ProgressSink& sink_;
  OnDrift on_drift_;
  std::optional<Drifted> drifted_;
  std::optional<Error> failed_;  // of the comparison before the run
};

// A witness that makes a migrator record the catalog of every run.
[[nodiscard]] RunWitness recording_witness(DriftSettings settings, ProgressSink& sink, OnDrift on_drift = OnDrift::Record);

}  // namespace athanor
