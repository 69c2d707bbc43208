#include "operator/reconcile/run_progress.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kReportEvery(1);
constexpr std::chrono::seconds kWarnEvery(10);
constexpr int kMostMessages = 20;  // per revision: a loop may raise millions

double seconds(milliseconds duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string id_of(const PlannedRevision& revision) {
  return revision.walk.revision.value_or("stamp");
}

}  // namespace

void RunProgress::report(bool at_once) {
  if (!listener_ || plan_ == nullptr) {
    return;
  }
  const SteadyTime now = clock_.steady_now();
  if (at_once || now - reported_ >= kReportEvery) {
    reported_ = now;
    changed_ = false;
    listener_(*plan_, state_);
  }
}

// A change too soon after the last report is reported later, from working().
void RunProgress::report_change() {
  changed_ = true;
  report(false);
}

void RunProgress::wait_for(std::optional<LockWait> wait) {
  if (state_.wait == wait) {
    return;
  }
  // Report the beginning and the end of a wait without delay. Blockers that come and go during it are limited to one report a
  // second.
  const bool at_once = state_.wait.has_value() != wait.has_value();
  state_.wait = std::move(wait);
  changed_ = true;
  report(at_once);
}

void RunProgress::pass_checkpoint(bool begun) {
  const SteadyTime now = clock_.steady_now();
  // Called for every batch and every poll of the lock, but the checkpoint may send requests.
  if (checkpoint_ && now - asked_ >= kReportEvery) {
    asked_ = now;
    checkpoint_(begun);
  }
}

void RunProgress::run_started(const Plan& plan) {
  plan_ = &plan;
  state_ = {};
  state_.progress.total = static_cast<std::int64_t>(plan.revisions.size());
  report(true);
}

void RunProgress::waiting_for_lock(const std::vector<Blocker>& holders, milliseconds waited) {
  holders_ = holders;
  log_.debug("waiting for the migration lock",
             {{"waitedSeconds", seconds(waited)}, {"holderPid", holders.empty() ? 0 : holders.front().pid}});
  wait_for(LockWait{true, {}, holders});
  pass_checkpoint(false);
}

void RunProgress::revision_started(std::size_t index, const PlannedRevision& revision) {
  if (state_.wait && state_.wait->migration_lock) {
    state_.wait.reset();
  }
  state_.progress.done = static_cast<std::int64_t>(index);
  state_.progress.revision = id_of(revision);
  state_.progress.rows = 0;
  messages_ = 0;
  report_change();
}

void RunProgress::working(const PlannedRevision& /*revision*/, milliseconds /*waited*/) {
  wait_for(std::nullopt);
  if (changed_) {
    report(false);
  }
}

void RunProgress::batch_progress(const PlannedRevision& /*revision*/, std::int64_t rows, milliseconds /*elapsed*/) {
  state_.progress.rows = rows;
  state_.wait.reset();
  report_change();
  pass_checkpoint(true);
}

void RunProgress::blocked(const PlannedRevision& revision, const std::vector<Blocker>& blockers, milliseconds waited) {
  const SteadyTime now = clock_.steady_now();
  if (now - warned_ >= kWarnEvery) {
    warned_ = now;
    log_.warn("a statement waits for a lock", {{"revision", id_of(revision)},
                                               {"waitedSeconds", seconds(waited)},
                                               {"blockers", blockers.size()},
                                               {"blockerPid", blockers.empty() ? 0 : blockers.front().pid}});
  }
  wait_for(LockWait{false, id_of(revision), blockers});
}

void RunProgress::waiting_for_replica(const PlannedRevision& revision, milliseconds lag, milliseconds limit,
                                      milliseconds waited) {
  const SteadyTime now = clock_.steady_now();
  if (now - warned_ >= kWarnEvery) {
    warned_ = now;
    log_.warn("a batch step waits for a replica", {{"revision", id_of(revision)},
                                                   {"lagSeconds", seconds(lag)},
                                                   {"limitSeconds", seconds(limit)},
                                                   {"waitedSeconds", seconds(waited)}});
  }
  if (changed_) {
    report(false);
  }
}

void RunProgress::superuser_migrates() {
  log_.warn("the migrator is a superuser: every function that a revision calls runs with superuser rights");
}

void RunProgress::catalog_not_recorded(const Error& error) {
  log_.warn("failed to record the catalog; drift cannot be detected until the next run", error_fields(error));
}

void RunProgress::index_left(const PlannedRevision& revision, const std::string& index) {
  log_.warn("an INVALID index is left that only a superuser can drop", {{"revision", id_of(revision)}, {"index", index}});
}

void RunProgress::retrying(const PlannedRevision& revision, const Error& error, int attempt, milliseconds delay) {
  observer_.statement_retried();
  LogFields fields = error_fields(hidden_.hide(error));
  fields.emplace_back("revision", id_of(revision));
  fields.emplace_back("attempt", attempt);
  fields.emplace_back("delaySeconds", seconds(delay));
  log_.warn("retrying a revision", fields);
}

void RunProgress::revision_finished(std::size_t index, const PlannedRevision& revision, milliseconds duration) {
  observer_.revision_applied(revision.walk.direction, seconds(duration));
  if (log_.enabled(LogLevel::Debug)) {
    log_.debug("revision done", {{"revision", id_of(revision)},
                                 {"direction", direction_name(revision.walk.direction)},
                                 {"seconds", seconds(duration)}});
  }
  state_.wait.reset();
  state_.progress.done = static_cast<std::int64_t>(index) + 1;
  // The next revision, if any, has started already.
  const auto& revisions = plan_->revisions;
  state_.progress.revision = index + 1 < revisions.size() ? id_of(revisions[index + 1]) : std::string();
  state_.progress.rows = 0;
  report_change();
  pass_checkpoint(true);
}

void RunProgress::server_message(const ServerMessage& message) {
  if (++messages_ > kMostMessages) {
    return;
  }
  const LogFields fields{{"revision", state_.progress.revision},
                         {"sqlState", message.sqlstate},
                         {"text", hidden_.hide(message.text)},
                         {"hint", hidden_.hide(message.hint)}};
  if (message.is_warning()) {
    log_.warn("database warning", fields);
  } else {
    log_.info("database notice", fields);
  }
}

}  // namespace athanor::controller
