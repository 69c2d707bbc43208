#include "operator/reconcile/controller.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <functional>
#include <utility>

#include "migrations/base/ids.hpp"

namespace athanor::controller {
namespace {

// How long until a moment that comes once in a period and is the key's own: a hash of it spreads the resources evenly, from the
// first look after a start on, and needs no memory. The one after is taken when this one is sooner than `least`.
milliseconds until_own_moment(milliseconds period, milliseconds least, const ResourceKey& key, SteadyTime now) {
  const std::int64_t length = std::max<std::int64_t>(period.count(), 1);
  const std::int64_t passed = std::chrono::duration_cast<milliseconds>(now.time_since_epoch()).count() % length;
  const auto own = static_cast<std::int64_t>(std::hash<std::string>{}(key.text()) % static_cast<std::size_t>(length));
  const std::int64_t wait = (own - passed + length) % length;
  return milliseconds(wait >= least.count() ? wait : wait + length);
}

}  // namespace

Controller::Controller(ControllerParts parts, ControllerOptions options, Log log)
    : parts_(std::move(parts)),
      options_(options),
      log_(std::move(log)),
      writer_(parts_.store),
      updates_(
          parts_.clock, [this](const ResourceKey& key, const DatabaseMigrationStatus& status) { write_note(key, status); },
          options_.report_after) {}

Controller::~Controller() {
  stop();
}

void Controller::start(const StopToken& stop) {
  for (std::size_t index = 0; index < options_.workers; ++index) {
    threads_.emplace_back([this, stop] { work(stop); });
  }
}

void Controller::stop() {
  parts_.queue.shut_down();
  for (auto& thread : threads_) {
    thread.join();
  }
  threads_.clear();
}

void Controller::work(const StopToken& stop) {
  while (const auto key = parts_.queue.get()) {
    parts_.observer.worker_started();
    try {
      process(*key, stop);
    } catch (const std::exception& exception) {  // a thread's boundary: one broken resource must not end the others
      log_.error("a reconcile threw", {{"resource", key->text()}, {"error", exception.what()}});
      parts_.queue.add_rate_limited(*key);
    }
    parts_.observer.worker_finished();
    parts_.queue.done(*key);
  }
}

bool Controller::process(const ResourceKey& key, const StopToken& stop) {
  auto resource = parts_.store.find(key);
  if (!resource) {
    forget(key);
    return false;
  }
  resource->known_since = std::max(resource->known_since, parts_.queue.asked(key));
  const Log log = log_.with({{"resource", key.text()}, {"reconcileID", new_run_id()}});
  const SteadyTime began = parts_.clock.steady_now();
  ReconcileCallbacks callbacks;
  std::optional<DatabaseMigration> noted;  // with the status of the last note
  if (!options_.once) {
    const auto send = [&](const auto& summarised) {
      if (is_still(*resource)) {
        if (!noted) {
          noted = resource;
        }
        noted->status = summarised(*noted);
        updates_.send(key, noted->status);
      }
    };
    callbacks.running = [&, send](const PlanReview& review, const ProgressStatus& step) {
      send([&](const DatabaseMigration& before) { return summarise_running(before, review, step, parts_.clock.wall_now()); });
    };
    callbacks.backing_up = [&, send](const PlanReview& review, const std::string& message) {
      send([&](const DatabaseMigration& before) {
        return summarise_backing_up(before, review, message, parts_.clock.wall_now());
      });
    };
  }
  callbacks.declaration = [&] { return declaration_state(*resource); };
  const auto refusal = parts_.store.refusal(key);
  const Outcome outcome =
      refusal ? *refusal : parts_.reconciler.reconcile(*resource, parts_.store.claimed_by(key), callbacks, stop, log);
  updates_.flush(key);
  if (outcome.requeued) {  // nothing happened, and nobody is told
    parts_.queue.requeue(key);
    return true;
  }
  const auto delay = conclude(*resource, outcome, log);
  const double seconds = std::chrono::duration<double>(parts_.clock.steady_now() - began).count();
  parts_.observer.reconciled(outcome, delay.has_value() || outcome.kind == Verdict::Kind::Waiting, seconds);
  report(key, outcome, seconds, log);
  return true;
}

// Puts the key back and writes the status; the delay when a back-off was chosen.
std::optional<milliseconds> Controller::conclude(const DatabaseMigration& resource, const Outcome& outcome, const Log& log) {
  const ResourceKey key = resource.key();
  if (!parts_.store.mark(key)) {  // deleted while it was worked on
    forget(key);
    return std::nullopt;
  }
  const Requeue next = next_attempt(outcome, count_conflict(key, outcome.retry_now));
  const auto delay = requeue(key, next, outcome);
  // A lost race is not worth telling: the next look begins right away. What became of an older resource is told to nobody.
  if (next != Requeue::AtOnce && is_still(resource)) {
    const bool news = publish(resource, outcome, delay, log);
    if (parts_.reported) {
      parts_.reported(key, outcome, news);
    }
  }
  return delay;
}

// Whatever woke a resource that is not there, or was there a moment ago, leaves nothing behind.
void Controller::forget(const ResourceKey& key) {
  parts_.queue.retire(key);
  parts_.reconciler.forget(key);
  const std::lock_guard lock(mutex_);
  pending_.erase(key);
  conflicts_.erase(key);
}

// False when the resource was deleted, perhaps made again under its name, while it was worked on.
bool Controller::is_still(const DatabaseMigration& resource) const {
  const auto stored = parts_.store.mark(resource.key());
  return stored && stored->uid == resource.metadata.uid;
}

DeclarationState Controller::declaration_state(const DatabaseMigration& resource) const {
  const std::string& version = resource.metadata.resource_version;
  if (const auto mark = parts_.store.mark(resource.key()); mark && !version.empty() && mark->resource_version == version) {
    return parts_.store.lost_to(resource.key()).empty() ? DeclarationState::Holds
                                                        : DeclarationState::Changed;  // the very object
  }
  const auto now = parts_.store.find(resource.key());
  if (!now || now->metadata.uid != resource.metadata.uid || now->spec.suspend) {
    return DeclarationState::Withdrawn;
  }
  const bool same = now->metadata.generation == resource.metadata.generation && parts_.store.lost_to(resource.key()).empty();
  return same ? DeclarationState::Holds : DeclarationState::Changed;
}

int Controller::count_conflict(const ResourceKey& key, bool conflict) {
  const std::lock_guard lock(mutex_);
  if (!conflict) {
    conflicts_.erase(key);
    return 0;
  }
  return conflicts_[key]++;
}

bool Controller::publish(const DatabaseMigration& resource, const Outcome& outcome, std::optional<milliseconds> delay,
                         const Log& log) {
  Attempt attempt;
  attempt.now = parts_.clock.wall_now();
  attempt.failures = parts_.queue.failures(resource.key());
  attempt.retry_in = delay;
  DatabaseMigration current = resource;
  auto kept = take_pending(resource);
  if (kept) {
    current.status = std::move(kept->status);
  } else if (const auto mark = parts_.store.mark(resource.key());
             mark && (mark->resource_version.empty() || mark->resource_version != resource.metadata.resource_version)) {
    if (const auto stored = parts_.store.find(resource.key())) {  // with the notes of the run that has just ended
      current.status = stored->status;
    }
  }
  DatabaseMigrationStatus status = summarise(current, outcome, attempt);
  const auto* before = find_condition(current.status.conditions, ConditionType::Ready);
  const auto* now = find_condition(status.conditions, ConditionType::Ready);
  const bool news = before == nullptr || now == nullptr || *before != *now;
  const auto written = writer_.write(resource.key(), status);
  if (!written) {
    log.warn("the status cannot be written", error_fields(written.error()));
    const int failures = (kept ? kept->failures : 0) + 1;
    keep_pending(resource, {resource.metadata.uid, std::move(status), failures});
    // The look itself did not fail: how often it could not be told counts on its own, and spaces the looks as failures do, or
    // an API server that is down would have every database looked at all the time.
    if (!delay) {
      parts_.queue.add_after(resource.key(), parts_.queue.pause_after(failures));
    }
  }
  return news;
}

// A thread's boundary, and nobody's loss: the next note or the outcome says more.
void Controller::write_note(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  const Log log = log_.with({{"resource", key.text()}});
  try {
    if (const auto written = writer_.write(key, status); !written) {
      log.warn("the status cannot be written", error_fields(written.error()));
    }
  } catch (const std::exception& exception) {
    log.error("the status cannot be written", {{"error", exception.what()}});
  }
}

std::optional<Controller::PendingStatus> Controller::take_pending(const DatabaseMigration& resource) {
  const std::lock_guard lock(mutex_);
  auto kept = pending_.extract(resource.key());
  const bool ours = !kept.empty() && kept.mapped().uid == resource.metadata.uid;
  return ours ? std::optional(std::move(kept.mapped())) : std::nullopt;
}

void Controller::keep_pending(const DatabaseMigration& resource, PendingStatus take_pending) {
  const std::lock_guard lock(mutex_);
  pending_.insert_or_assign(resource.key(), std::move(take_pending));
}

milliseconds Controller::until_resync(const ResourceKey& key) const {
  double periods = 1;
  if (options_.resyncs_per_second > 0) {
    // Whole ones: a resource that comes or goes must not move everybody's moment.
    const double in_one = options_.resyncs_per_second * std::chrono::duration<double>(options_.resync).count();
    periods = std::max(1.0, std::ceil(static_cast<double>(parts_.queue.size()) / in_one));
  }
  const milliseconds period = options_.resync * static_cast<milliseconds::rep>(periods);
  return until_own_moment(period, options_.resync / 10, key, parts_.clock.steady_now());
}

std::optional<milliseconds> Controller::requeue(const ResourceKey& key, Requeue next, const Outcome& outcome) {
  if (next != Requeue::BackOff && next != Requeue::AtOnce) {
    parts_.queue.forget(key);
  }
  if (next == Requeue::AtOnce) {  // not a retry: the one pass of --once includes it
    parts_.queue.add(key);
    return std::nullopt;
  }
  if (options_.once) {
    return std::nullopt;
  }
  switch (next) {
    case Requeue::BackOff:
      return parts_.queue.add_rate_limited(key);
    case Requeue::Shortly:
      parts_.queue.add_after(key, options_.wait_again);
      break;
    case Requeue::Scheduled:
      parts_.queue.add_after(key, std::min(outcome.requeue_after.value_or(options_.resync), until_resync(key)));
      break;
    case Requeue::Resync:
      parts_.queue.add_after(key, until_resync(key));
      break;
    case Requeue::AtOnce:
    case Requeue::Never:
      break;
  }
  return std::nullopt;
}

void Controller::report(const ResourceKey& key, const Outcome& outcome, double seconds, const Log& log) const {
  LogFields fields{{"outcome", outcome_name(outcome.kind)}, {"reason", reason_name(outcome.reason)}, {"seconds", seconds}};
  if (outcome.error) {
    const LogFields more = error_fields(*outcome.error);
    fields.insert(fields.end(), more.begin(), more.end());
    fields.emplace_back("failures", parts_.queue.failures(key));
  }
  if (outcome.kind == Verdict::Kind::Failed) {
    log.warn("reconcile failed", fields);
  } else if (outcome.kind == Verdict::Kind::Stalled && !outcome.repeated) {
    log.error("reconcile stalled", fields);
  } else if (outcome.kind == Verdict::Kind::Waiting) {
    log.info("reconcile waits", fields);
  } else if (outcome.reason == Reason::UpToDate || outcome.repeated) {
    log.debug("reconcile done", fields);
  } else {
    log.info("reconcile done", fields);
  }
}

}  // namespace athanor::controller
