#include "migrations/drift/run_record.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace athanor {

Result<void> RunRecord::look(Session& session) {
  DriftSettings everything = settings_;
  everything.compare = {};
  everything.exclude.clear();
  TRY_ASSIGN(DriftCheck check, check_drift(session, everything));
  if (check.state == DriftCheck::State::Changed) {
    drifted_ = Drifted{std::move(*check.expected), std::move(*check.live)};
  }
  return {};
}

void RunRecord::before_run(Session& session) {
  drifted_.reset();
  failed_.reset();
  if (auto looked = look(session); !looked) {
    failed_ = std::move(looked).error();
  }
}

Result<void> RunRecord::record(Session& session, const ExecutionReport& report) {
  const auto kinds = kinds_of(settings_.compare);
  TRY_ASSIGN(schema::Catalog catalog, read_catalog_now(session, settings_, kinds));
  if (drifted_) {
    catalog = expected_after_run(drifted_->expected, drifted_->live, catalog);
  }
  return CatalogTable(settings_.ledger_schema)
      .record(session, catalog, {report.run_id, settings_.version_table, "run", settings_.actor, kinds});
}

void RunRecord::after_run(Session& session, const Plan& plan, const ExecutionReport& report) {
  // A revision that is one transaction leaves nothing when it fails; one of several steps may.
  const bool changed = !report.executed.empty() || !std::ranges::all_of(plan.revisions, &PlannedRevision::single_transaction);
  if (!changed) {
    return;
  }
  // Not knowing what was changed by hand before, we would record it as expected.
  auto recorded = failed_ ? Result<void>(fail(*failed_)) : record(session, report);
  if (!recorded) {
    sink_.catalog_not_recorded(recorded.error());
  }
}

RunWitness recording_witness(DriftSettings settings, ProgressSink& sink) {
  auto record = std::make_shared<RunRecord>(std::move(settings), sink);
  return {[record](Session& session) { record->before_run(session); },
          [record](Session& session, const Plan& plan, const ExecutionReport& report) {
            record->after_run(session, plan, report);
          }};
}

}  // namespace athanor
