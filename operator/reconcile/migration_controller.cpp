#include "operator/reconcile/migration_controller.hpp"

namespace athanor::controller {
namespace {

using Call = ReconcileCall<DatabaseMigration>;

ReconcileCallbacks callbacks_for(const MigrationStore& store, const DatabaseMigration& resource, const Call& call,
                                 Clock& clock) {
  ReconcileCallbacks callbacks;
  if (call.report_progress) {
    callbacks.running = [&](const PlanReview& review, const Observed& observed, const RunState& run) {
      call.report_progress(
          [&](const DatabaseMigration& before) { return summarise_running(before, review, observed, run, clock.wall_now()); });
    };
    callbacks.outdated_soon = [&](const Observed& observed, const std::string& message) {
      // A status that is not final misleads no reader, so it need not be withdrawn.
      if (looks_final(resource)) {
        call.report_soon(
            [&](const DatabaseMigration& before) { return summarise_outdated(before, observed, message, clock.wall_now()); });
      }
    };
    callbacks.outdated = [&](const Observed& observed, const std::string& message) -> Result<void> {
      // Another report of this reconcile may have written it already.
      const auto stored = store.find(resource.key());
      if (!stored || !looks_final(*stored)) {
        return {};
      }
      return call.report_now(
          [&](const DatabaseMigration& before) { return summarise_outdated(before, observed, message, clock.wall_now()); });
    };
    callbacks.backing_up = [&](const PlanReview& review, const std::string& message) {
      call.report_progress(
          [&](const DatabaseMigration& before) { return summarise_backing_up(before, review, message, clock.wall_now()); });
    };
    callbacks.rehearsing = [&](const PlanReview& review, const Observed& observed, const std::string& message) {
      call.report_progress([&](const DatabaseMigration& before) {
        return summarise_rehearsing(before, review, observed, message, clock.wall_now());
      });
    };
  }
  callbacks.declaration = [&] { return declaration_state(store, resource); };
  return callbacks;
}

void count_backup(ReconcileObserver& observer, const Outcome& outcome) {
  const auto& review = outcome.review;
  if (review && review->backup && !review->backup_accepted) {
    observer.backup_taken(static_cast<double>(review->backup->duration_ms) / 1'000);
  }
  if (outcome.reason == Reason::BackupFailed || (review && review->backup_error)) {
    observer.backup_failed();
  }
}

}  // namespace

MigrationController::Kind migration_kind(const MigrationStore& store, Reconciler& reconciler, ReconcileObserver& observer,
                                         Clock& clock) {
  MigrationController::Kind kind;
  kind.reconcile = [&store, &reconciler, &observer, &clock](const DatabaseMigration& resource, const Call& call) {
    if (auto refusal = store.refusal(resource.key())) {
      return std::move(*refusal);
    }
    const ReconcileCallbacks callbacks = callbacks_for(store, resource, call, clock);
    Outcome outcome = reconciler.reconcile(resource, store.claimed_by(resource.key()), callbacks, call.stop, call.log);
    if (!outcome.requeued) {
      count_backup(observer, outcome);
    }
    return outcome;
  };
  kind.result = [](const Outcome& outcome) -> const ReconcileResult& { return outcome; };
  kind.summarise = summarise;
  kind.next_attempt = next_attempt;
  kind.forget = [&reconciler](const ResourceKey& key) { reconciler.forget(key); };
  return kind;
}

DeclarationState declaration_state(const MigrationStore& store, const DatabaseMigration& resource) {
  if (!store.may_act()) {
    return DeclarationState::Withdrawn;
  }
  const ResourceKey key = resource.key();
  const std::string& read = resource.metadata.resource_version;
  const auto version = store.version(key);
  // Compare resourceVersion before reading the whole resource. In standalone mode there are no versions.
  const bool same_object = version && !read.empty() && version->resource_version == read;
  if (!same_object) {
    const auto now = store.find(key);
    if (!now || now->metadata.uid != resource.metadata.uid || now->spec.suspend || now->metadata.deleting) {
      return DeclarationState::Withdrawn;
    }
    if (now->metadata.generation != resource.metadata.generation) {
      return DeclarationState::Changed;
    }
  }
  // Even if the declaration is unchanged, another resource may own the version table now.
  return store.lost_to(key).empty() ? DeclarationState::Holds : DeclarationState::Changed;
}

}  // namespace athanor::controller
