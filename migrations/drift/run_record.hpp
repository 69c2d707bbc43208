// Records the catalog at the end of a run, in its session and under its lock.
//
// What was changed by hand before the run stays drift: the catalog is compared with the recorded one before the run begins, and
// what differs then and was not touched by the run is expected to be as it was. A catalog that cannot be read or written never
// fails a run; nothing is recorded then, and the sink is told why.
//
// OnDrift::Refuse: a run whose database was changed by hand, or cannot be compared, ends before it changes anything. A look
// before the lock cannot promise that: the lock may have been waited for, and it stops nobody who alters tables by hand.
//
// Threads: the migrator's. Ownership: borrows the sink.
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

  // With OnDrift::Refuse: StalePlan with the first changes, or why the database cannot be compared.
  [[nodiscard]] Result<void> before_run(Session& session);
  void after_run(Session& session, const Plan& plan, const ExecutionReport& report);

 private:
  struct Drifted {
    schema::Catalog expected;
    schema::Catalog live;
  };
  [[nodiscard]] Result<void> look(Session& session);
  [[nodiscard]] Result<void> record(Session& session, const ExecutionReport& report);

  DriftSettings settings_;
  ProgressSink& sink_;
  OnDrift on_drift_;
  std::optional<Drifted> drifted_;
  std::optional<Error> failed_;  // of the look before the run
};

// A migrator with this witness records the catalog of every run.
[[nodiscard]] RunWitness recording_witness(DriftSettings settings, ProgressSink& sink, OnDrift on_drift = OnDrift::Record);

}  // namespace athanor
