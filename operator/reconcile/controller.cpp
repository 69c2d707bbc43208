#include "operator/reconcile/controller.hpp"

namespace athanor::controller {

void log_result(const Log& log, const ReconcileResult& result, double seconds, int failures) {
  LogFields fields{{"outcome", outcome_name(result.kind)}, {"reason", reason_name(result.reason)}, {"seconds", seconds}};
  if (result.error) {
    const LogFields more = error_fields(*result.error);
    fields.insert(fields.end(), more.begin(), more.end());
    fields.emplace_back("failures", failures);
  }
  if (result.kind == ReconcileResult::Kind::Failed) {
    log.warn("reconcile failed", fields);
  } else if (result.kind == ReconcileResult::Kind::Stalled && !result.repeated) {
    log.error("reconcile stalled", fields);
  } else if (result.kind == ReconcileResult::Kind::Waiting) {
    log.info("reconcile waits", fields);
  } else if (result.reason == Reason::UpToDate || result.reason == Reason::AheadAccepted || result.repeated) {
    log.debug("reconcile done", fields);
  } else {
    log.info("reconcile done", fields);
  }
}

}  // namespace athanor::controller
