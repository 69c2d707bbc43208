#include "operator/reconcile/baseline.hpp"

#include <algorithm>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::size_t kLedgerRows = 1'000;

// Whether no revision was ever applied: there is no version table, or only the empty one of an attempt that failed or was
// killed before its first revision.
Result<bool> is_untouched(const Observation& database, DatabaseAccess& access) {
  if (!database.current_heads.empty() || database.unfinished || (database.has_version_table && !database.has_ledger)) {
    return false;
  }
  TRY_ASSIGN(const auto history, access.ledger(kLedgerRows));
  return history.size() < kLedgerRows && std::ranges::all_of(history, [](const auto& row) { return row.outcome == "failed"; });
}

}  // namespace

Result<void> apply_baseline(const DatabaseMigration& resource, const Situation& situation, DatabaseAccess& access,
                            Decision& decision) {
  const std::string& baseline = resource.spec.baseline;
  // Ask the database only when a baseline could apply: these queries would otherwise run in every reconcile.
  const bool from_nothing = (decision.kind == Decision::Kind::Apply || decision.kind == Decision::Kind::Plan) &&
                            decision.direction == Direction::Upgrade && situation.database.current_heads.empty();
  if (baseline.empty() || !from_nothing) {
    return {};
  }
  TRY_ASSIGN(const bool untouched, is_untouched(situation.database, access));
  if (!untouched) {
    return {};
  }
  TRY_ASSIGN(const bool has_tables, access.has_user_tables());
  if (!has_tables) {
    return {};
  }
  if (situation.graph->find(baseline) == nullptr) {
    return fail(Error(ErrorCode::UnknownRevision, "revision " + baseline + " is not in the source")
                    .at("spec.baseline.revision")
                    .advise("set it to the full id of the revision that the existing tables correspond to"));
  }
  decision.direction = Direction::Stamp;
  decision.targets = {baseline};
  return {};
}

Verdict taken_over(const DatabaseMigration& resource, ExecutionReport report) {
  Verdict verdict;
  verdict.kind = Verdict::Kind::Waiting;
  verdict.reason = Reason::Baselined;
  verdict.message = "the database had tables but no version table; it was stamped with revision " + resource.spec.baseline +
                    " (spec.baseline.revision), and later revisions run from there";
  verdict.report = std::move(report);
  return verdict;
}

}  // namespace athanor::controller
