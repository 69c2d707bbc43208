#include "operator/reconcile/decide.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "migrations/graph/target_position.hpp"

namespace athanor::controller {
namespace {

using Decided = std::optional<Decision>;

constexpr const char* kManagedBy = "the database is already managed by ";

Decision stalled(Reason reason, Error error) {
  Decision decision;
  decision.kind = Decision::Kind::Stalled;
  decision.reason = reason;
  decision.message = error.describe();
  decision.error = std::move(error);
  return decision;
}

// A finalizer may keep a deleted resource for a long time. Do nothing for it in the meantime.
Decided check_deleting(const DatabaseMigration& resource, const Situation& /*situation*/) {
  if (!resource.metadata.deleting) {
    return std::nullopt;
  }
  Decision decision;
  decision.kind = Decision::Kind::Suspended;
  decision.reason = Reason::Deleting;
  decision.message = "the resource is being deleted: the database is left alone";
  return decision;
}

Decided check_suspended(const DatabaseMigration& resource, const Situation& /*situation*/) {
  if (!resource.spec.suspend) {
    return std::nullopt;
  }
  Decision decision;
  decision.kind = Decision::Kind::Suspended;
  decision.reason = Reason::Suspended;
  decision.message = "spec.suspend is true: the database is left alone";
  return decision;
}

Decided check_claim(const DatabaseMigration& /*resource*/, const Situation& situation) {
  if (situation.claimed_by.empty()) {
    return std::nullopt;
  }
  return stalled(Reason::DatabaseClaimed,
                 Error(ErrorCode::PolicyRefused, kManagedBy + situation.claimed_by)
                     .advise("delete one of the two resources, or give them different schemas or version tables"));
}

Decided check_database_revisions(const DatabaseMigration& /*resource*/, const Situation& situation) {
  // First: the heads of a squashed line are unknown as well, but here the message can name the way out.
  if (const auto& squashed = situation.squashed) {
    return stalled(Reason::UnknownDatabaseRevision,
                   Error(ErrorCode::UnknownDatabaseRevision, squashed->describe())
                       .advise("point spec.source at the files from before the squash, with spec.targetRevision " +
                               squashed->baseline + "; return to these files once the database is there"));
  }
  if (const auto unknown = unknown_heads(*situation.graph, situation.database.current_heads); !unknown.empty()) {
    const std::string& head = unknown.front();
    return stalled(
        Reason::UnknownDatabaseRevision,
        Error(ErrorCode::UnknownDatabaseRevision, "the database is at revision " + head + ", which is not in the source")
            .advise("restore the file of " + head + " in the source, or stamp the database with a known revision"));
  }
  if (const auto apart = refuse_overlapping_rows(*situation.graph, situation.database.current_heads); !apart) {
    return stalled(reason_for(apart.error()), apart.error());
  }
  return std::nullopt;
}

// The verdict on an unfinished revision that the target does not include.
Decision stalled_half_way(const DatabaseMigration& resource, const TargetPosition& position, const Situation& situation) {
  Decision decision = stalled(Reason::UnfinishedRevision,
                              unfinished_beyond(situation.database.unfinished->revision, resource.spec.target_revision));
  decision.resolved = position.resolved;
  return decision;
}

// `target`: resolved in the situation's graph.
Decision decide_ahead(const DatabaseMigration& resource, const std::string& target, const TargetPosition& position,
                      const Situation& situation) {
  Decision decision;
  decision.resolved = position.resolved;
  const auto& heads = situation.database.current_heads;
  switch (resource.spec.policy.downgrade) {
    case DowngradePolicy::Refuse:
      decision.kind = Decision::Kind::Stalled;
      decision.reason = Reason::DatabaseAhead;
      decision.message = ahead_message(heads, resource.spec.target_revision, situation.files == nullptr);
      return decision;
    case DowngradePolicy::Keep:
      if (situation.database.unfinished) {  // the schema to keep contains half a revision
        return stalled_half_way(resource, position, situation);
      }
      decision.kind = Decision::Kind::UpToDate;
      decision.reason = Reason::AheadAccepted;
      decision.message = kept_message(heads, resource.spec.target_revision);
      return decision;
    case DowngradePolicy::Allow:
      break;
  }
  decision.kind = resource.spec.dry_run ? Decision::Kind::Plan : Decision::Kind::Apply;
  decision.reason = resource.spec.dry_run ? Reason::PlanPublished : Reason::Applying;
  decision.direction = Direction::Downgrade;
  decision.targets = {target};
  return decision;
}

Decision decide_reached(const DatabaseMigration& resource, const TargetPosition& position, const Situation& situation) {
  if (situation.database.unfinished) {
    return stalled_half_way(resource, position, situation);
  }
  Decision decision;
  decision.resolved = position.resolved;
  decision.kind = Decision::Kind::UpToDate;
  decision.reason = Reason::UpToDate;
  decision.message = "the database is at " + heads_text(situation.database.current_heads, ", ");
  return decision;
}

Decision decide_behind(const DatabaseMigration& resource, const TargetPosition& position, const Situation& situation) {
  Decision decision;
  decision.resolved = position.resolved;
  const auto wanted = situation.graph->applied(position.resolved);
  if (!wanted) {
    return stalled(reason_for(wanted.error()), wanted.error());
  }
  const std::set<std::string> applied(position.applied.begin(), position.applied.end());
  for (const auto& id : *wanted) {
    if (!applied.contains(id)) {
      decision.pending.push_back(id);
    }
  }
  decision.kind = resource.spec.dry_run ? Decision::Kind::Plan : Decision::Kind::Apply;
  decision.reason = resource.spec.dry_run ? Reason::PlanPublished : Reason::Applying;
  decision.direction = Direction::Upgrade;
  decision.targets = {resource.spec.target_revision};
  return decision;
}

// Source and database have different successors of a common revision. Applying the source's beside the database's own would
// create a branch that nobody declared.
Decision decide_parted(const DatabaseMigration& resource, const Situation& situation) {
  return stalled(Reason::UnknownDatabaseRevision,
                 Error(ErrorCode::AheadOfFiles, "the database is at " + heads_text(situation.database.current_heads, ", ") +
                                                    ", which is not in the source and does not include the target " +
                                                    resource.spec.target_revision)
                     .advise("restore the files in the source, or merge the two histories there"));
}

// Translates the declared target into the situation's graph: `head` means the source's head, not one that only the ledger has.
Result<std::string> target_in(const Situation& situation, const std::string& target) {
  if (situation.files == nullptr) {
    return target;
  }
  TRY_ASSIGN(const auto resolved, situation.files->resolve(target));
  if (resolved.size() > 1) {
    return fail(Error(ErrorCode::MultipleHeads,
                      "the database is ahead of the source, and the target " + target + " resolves to several revisions")
                    .advise("set spec.targetRevision to one revision"));
  }
  return resolved.empty() ? std::string("base") : resolved.front();
}

// The last check always decides.
Decided check_position(const DatabaseMigration& resource, const Situation& situation) {
  const auto target = target_in(situation, resource.spec.target_revision);
  if (!target) {
    return stalled(reason_for(target.error()), target.error());
  }
  const auto position = locate_target(*situation.graph, *target, situation.database.current_heads);
  if (!position) {
    return stalled(reason_for(position.error()), position.error());
  }
  if (position->ahead) {
    return decide_ahead(resource, *target, *position, situation);
  }
  if (position->reached) {
    return decide_reached(resource, *position, situation);
  }
  return situation.files != nullptr ? decide_parted(resource, situation) : decide_behind(resource, *position, situation);
}

// A wait that also shows what will be done afterwards, as far as it is known.
Decision wait_with(Reason reason, std::string message, const Decided& position) {
  Decision decision;
  decision.kind = Decision::Kind::Wait;
  decision.reason = reason;
  decision.message = std::move(message);
  if (position) {
    decision.resolved = position->resolved;
    decision.pending = position->pending;
  }
  return decision;
}

Decided check_lock(const DatabaseMigration& resource, const Situation& situation) {
  if (situation.lock_holders.empty()) {
    return std::nullopt;
  }
  return wait_with(Reason::LockHeld, lock_message("the migration lock", situation.lock_holders),
                   check_position(resource, situation));
}

// A standby cannot be migrated. Wait until the same name leads to the primary.
Decided check_writable(const DatabaseMigration& resource, const Situation& situation) {
  if (!situation.database.read_only || resource.spec.dry_run) {
    return std::nullopt;
  }
  Decided decided = check_position(resource, situation);
  // A verdict that writes nothing is also correct on a standby.
  if (decided && decided->kind != Decision::Kind::Apply) {
    return decided;
  }
  return wait_with(Reason::Retrying, "the server is a read-only standby; waiting for the primary at this address", decided);
}

using Check = Decided (*)(const DatabaseMigration&, const Situation&);
// The order is the priority. A held lock comes before the revisions in the database, because the run that holds it may be
// changing them.
constexpr std::array<Check, 7> kChecks{check_deleting,           check_suspended, check_claim,   check_lock,
                                       check_database_revisions, check_writable,  check_position};

}  // namespace

std::optional<Decision> decide_early(const DatabaseMigration& resource, const std::string& claimed_by) {
  Situation situation;
  situation.claimed_by = claimed_by;
  for (const Check check : {check_deleting, check_suspended}) {
    if (auto decided = check(resource, situation)) {
      return decided;
    }
  }
  return check_claim(resource, situation);
}

std::string claimant_in(const DatabaseMigrationStatus& status) {
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  const std::string_view managed_by = kManagedBy;
  return ready != nullptr && ready->reason == Reason::DatabaseClaimed && ready->message.starts_with(managed_by)
             ? ready->message.substr(managed_by.size())
             : std::string();
}

Decision decide(const DatabaseMigration& resource, const Situation& situation) {
  for (const Check check : kChecks) {
    if (auto decided = check(resource, situation)) {
      return std::move(*decided);
    }
  }
  return stalled(Reason::InternalError, Error(ErrorCode::Internal, "no check decided"));
}

std::string lock_message(std::string_view what, const std::vector<Blocker>& holders) {
  std::string message = std::string(kWaitsFor) + std::string(what);
  if (holders.empty()) {
    return message + " held by another session";
  }
  const Blocker& holder = holders.front();
  message += " held by " + (holder.pid == 0 ? "the prepared transaction" : "pid " + std::to_string(holder.pid));
  message += holder.application.empty() ? "" : ", " + holder.application;
  message += holder.since.empty() ? "" : ", since " + holder.since;
  const std::size_t more = holders.size() - 1;
  return message + (more == 0 ? "" : " (and " + std::to_string(more) + " more)");
}

std::string ahead_message(const std::vector<std::string>& rows, const std::string& target, bool in_source) {
  const std::string at = "the database is at " + heads_text(rows, ", ");
  return in_source ? at + ", ahead of the declared target " + target +
                         "; raise spec.targetRevision, or set spec.policy.downgrade to Allow to go back"
                   : at + ", ahead of the declared target " + target +
                         "; its files are no longer in the source, but the ledger has them: restore the files, or set "
                         "spec.policy.downgrade to Keep to keep the newer schema, or to Allow to go back with the files in the "
                         "ledger";
}

std::string kept_message(const std::vector<std::string>& rows, const std::string& target) {
  return "the database is at " + heads_text(rows, ", ") + ", ahead of the declared target " + target +
         ": spec.policy.downgrade is Keep, so the newer schema stays";
}

Error unfinished_beyond(const std::string& revision, const std::string& target) {
  return Error(ErrorCode::StepOutcomeUnknown,
               "revision " + revision + " stopped half-way and the declared target " + target + " does not finish it")
      .advise("set spec.targetRevision to " + revision + " or later to finish it, or resolve it with `athanor repair`");
}

Reason reason_for(const Error& error) {
  switch (error.code) {
    case ErrorCode::Io:
      return Reason::SourceNotFound;
    case ErrorCode::MalformedRevision:
    case ErrorCode::FileTooLarge:
    case ErrorCode::NotUtf8:
    case ErrorCode::PathEscape:
    case ErrorCode::DuplicateRevision:
    case ErrorCode::InvalidRevisionId:
    case ErrorCode::MissingParent:
    case ErrorCode::MissingDependency:
    case ErrorCode::SelfLoop:
    case ErrorCode::Cycle:
    case ErrorCode::DependencySelfLoop:
    case ErrorCode::DependencyCycle:
    case ErrorCode::DuplicateLabel:
    case ErrorCode::UnsupportedStatement:
      return Reason::SourceInvalid;
    case ErrorCode::NotRenderable:
      return Reason::NotRenderable;
    case ErrorCode::UnknownRevision:
    case ErrorCode::InvalidTarget:
    case ErrorCode::RelativeOutOfRange:
    case ErrorCode::WalkedTooFar:
    case ErrorCode::InvalidDowngradeTarget:
    case ErrorCode::RangeNotAllowed:
    case ErrorCode::NotAHead:
      return Reason::TargetNotFound;
    case ErrorCode::AmbiguousPrefix:
    case ErrorCode::MultipleHeads:
    case ErrorCode::AmbiguousWalk:
    case ErrorCode::OverlappingHeads:
      return Reason::TargetAmbiguous;
    case ErrorCode::AheadOfFiles:
    case ErrorCode::UnknownDatabaseRevision:
      return Reason::UnknownDatabaseRevision;
    case ErrorCode::ChecksumMismatch:
      return Reason::ChecksumMismatch;
    case ErrorCode::Irreversible:
      return Reason::Irreversible;
    case ErrorCode::StepOutcomeUnknown:
    case ErrorCode::CommitOutcomeUnknown:
      return Reason::OutcomeUnknown;
    case ErrorCode::DatabaseUnreachable:
    case ErrorCode::ConnectionLost:
      return Reason::DatabaseUnreachable;
    case ErrorCode::AuthenticationFailed:
      return Reason::AuthenticationFailed;
    case ErrorCode::MissingDatabaseUrl:
    case ErrorCode::Configuration:
      return Reason::CredentialsNotFound;
    case ErrorCode::PoolerRefused:
      return Reason::PoolerRefused;
    case ErrorCode::InsufficientPrivilege:
    case ErrorCode::UntrustedTable:
      return Reason::InsufficientPrivilege;
    case ErrorCode::LockHeld:
      return Reason::LockHeld;
    case ErrorCode::LockTimeout:
      return Reason::LockTimeout;
    case ErrorCode::StatementFailed:
    case ErrorCode::BookkeepingChanged:
      return Reason::StatementFailed;
    case ErrorCode::Interrupted:
      return Reason::Interrupted;
    case ErrorCode::PolicyRefused:  // of AllowedHosts; other refusals set their own reason
      return Reason::HostNotAllowed;
    case ErrorCode::StalePlan:
    case ErrorCode::VersionRowMismatch:
      return Reason::Retrying;
    case ErrorCode::BackupFailed:
    case ErrorCode::BackupRefused:
    case ErrorCode::BackupCorrupt:
    case ErrorCode::BackupNotFound:
      return Reason::BackupFailed;
    case ErrorCode::Drifted:
      return Reason::SchemaChanged;
    case ErrorCode::LintFindings:
      return Reason::LintFindings;
    case ErrorCode::ApiUnreachable:
    case ErrorCode::ApiThrottled:
    case ErrorCode::ApiUnauthorized:
    case ErrorCode::ApiForbidden:
    case ErrorCode::ApiConflict:
    case ErrorCode::ApiExpired:
      return Reason::ApiUnavailable;
    case ErrorCode::ApiNotFound:
    case ErrorCode::ApiInvalid:
    case ErrorCode::NotUpToDate:
    case ErrorCode::DesiredSchemaFailed:
    case ErrorCode::ScratchUnavailable:
    case ErrorCode::SchemaChangeRefused:
    case ErrorCode::ProofFailed:
    case ErrorCode::ModelsAhead:
    case ErrorCode::VerificationFailed:
    case ErrorCode::Usage:
    case ErrorCode::Internal:
      break;
  }
  return Reason::InternalError;
}

}  // namespace athanor::controller
