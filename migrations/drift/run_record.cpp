#include "migrations/drift/run_record.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace athanor {
namespace {

constexpr std::size_t kNamedChanges = 5;

}  // namespace

Result<void> RunRecord::compare(Session& session) {
  // Compare everything, whatever the filters say: the record contains all schemas, and excluded drift must survive a run as
  // well.
  DriftSettings everything = settings_;
  everything.compare = {};
  everything.exclude.clear();
  TRY_ASSIGN(DriftCheck check, check_drift(session, everything));
  if (check.state == DriftCheck::State::Changed) {
    drifted_ = Drifted{std::move(*check.expected), std::move(*check.live)};
  }
  return {};
}

Result<void> RunRecord::before_run(Session& session) {
  drifted_.reset();
  failed_.reset();
  if (auto compared = compare(session); !compared) {
    failed_ = std::move(compared).error();
  }
  if (on_drift_ == OnDrift::Record) {
    return {};
  }
  if (failed_) {
    return fail(*failed_);
  }
  const auto lines = drifted_ ? drift_lines(settings_, drifted_->live, drifted_->expected) : std::vector<std::string>();
  if (lines.empty()) {
    return {};
  }
  std::string message = "the schema was changed by hand: ";
  for (std::size_t index = 0; index < std::min(lines.size(), kNamedChanges); ++index) {
    message += (index == 0 ? "" : "; ") + lines[index];
  }
  message += lines.size() > kNamedChanges ? "; and " + std::to_string(lines.size() - kNamedChanges) + " more" : "";
  return fail(Error(ErrorCode::StalePlan, message + "; nothing was applied")
                  .advise("undo the change, or accept it with `athanor drift --accept`"));
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
  // A failed revision that is one transaction leaves nothing behind; one with several steps may.
  const bool changed = !report.executed.empty() || !std::ranges::all_of(plan.revisions, &PlannedRevision::single_transaction);
  if (!changed) {
    return;
  }
  // If the comparison failed, changes by hand are unknown and would be recorded as expected.
  auto recorded = failed_ ? Result<void>(fail(*failed_)) : record(session, report);
  if (!recorded) {
    sink_.catalog_not_recorded(recorded.error());
  }
}

RunWitness recording_witness(DriftSettings settings, ProgressSink& sink, OnDrift on_drift) {
  auto record = std::make_shared<RunRecord>(std::move(settings), sink, on_drift);
  return {[record](Session& session) { return record->before_run(session); },
          [record](Session& session, const Plan& plan, const ExecutionReport& report) {
            record->after_run(session, plan, report);
          }};
}

}  // namespace athanor
