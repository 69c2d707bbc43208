#include "migrations/rehearse/rehearsal.hpp"

#include <utility>

#include "migrations/schema/difference.hpp"
#include "migrations/schema/run_script.hpp"

namespace athanor {
namespace {

class Stage {
 public:
  explicit Stage(const RehearsalRequest& request) : request_(request) {}

  Result<Rehearsal> run() {
    TRY_ASSIGN(const schema::Catalog before, request_.inspect(request_.copy));
    TRY_ASSIGN(const bool up, walk_up());
    if (!up || request_.plan.operation != Direction::Upgrade) {  // a downgrade has no way back of its own
      return std::move(rehearsal_);
    }
    TRY_ASSIGN(const schema::Catalog after, request_.inspect(request_.copy));
    TRY_ASSIGN(const bool down, walk_down());
    if (!down) {
      return std::move(rehearsal_);
    }
    TRY_ASSIGN(const schema::Catalog returned, request_.inspect(request_.copy));
    rehearsal_.difference = schema::describe_difference(returned, before);
    rehearsal_.back = rehearsal_.difference.empty() ? Rehearsal::Back::Same : Rehearsal::Back::Different;
    TRY(walk_up_again(after));
    return std::move(rehearsal_);
  }

 private:
  // A new session per revision, because the migrator resets its session after each one.
  [[nodiscard]] Result<std::unique_ptr<Session>> open() const { return request_.copy.open(request_.search_path); }

  // A lost connection says nothing about the revision.
  static bool is_of_statement(const Error& error) { return !error.sqlstate.empty() && error.code != ErrorCode::Interrupted; }

  Result<void> failed(const PlannedRevision& revision, Error error) {
    if (!is_of_statement(error)) {
      return fail(std::move(error));
    }
    rehearsal_.failed_revision = revision.walk.revision.value_or("");
    error.context = revision.path + (error.context.empty() ? "" : ", " + error.context);
    rehearsal_.error = std::move(error);
    return {};
  }

  Result<bool> walk_up() {
    for (const PlannedRevision& revision : request_.plan.revisions) {
      TRY_ASSIGN(const auto session, open());
      WatchedRun run = run_watched(*session, request_.clock, revision.walk.revision.value_or(""), revision.steps());
      std::ranges::move(run.statements, std::back_inserter(rehearsal_.statements));
      if (run.error) {
        TRY(failed(revision, std::move(*run.error)));
        return false;
      }
    }
    return true;
  }

  Result<bool> walk_down() {
    const auto& planned = request_.plan.revisions;
    for (auto at = planned.rbegin(); at != planned.rend(); ++at) {
      const PlannedRevision& revision = *at;
      const RevisionScript& script = *revision.script;
      if (script.irreversible || !script.has_downgrade) {
        rehearsal_.irreversible =
            revision.walk.revision.value_or("") +
            (script.irreversible ? " is irreversible: " + script.irreversible_reason : " has no downgrade");
        return false;
      }
    }
    for (auto at = planned.rbegin(); at != planned.rend(); ++at) {
      const PlannedRevision& revision = *at;
      TRY_ASSIGN(const auto session, open());
      if (auto done = schema::run_steps(*session, revision.script->downgrade); !done) {
        TRY(failed(revision, std::move(done).error()));
        rehearsal_.back = Rehearsal::Back::Failed;
        return false;
      }
    }
    return true;
  }

  Result<void> walk_up_again(const schema::Catalog& after) {
    for (const PlannedRevision& revision : request_.plan.revisions) {
      TRY_ASSIGN(const auto session, open());
      if (auto done = schema::run_steps(*session, revision.steps()); !done) {
        return failed(revision, std::move(done).error());
      }
    }
    TRY_ASSIGN(const schema::Catalog again, request_.inspect(request_.copy));
    rehearsal_.difference_again = schema::describe_difference(again, after);
    rehearsal_.up_again = rehearsal_.difference_again.empty();
    return {};
  }

  const RehearsalRequest& request_;
  Rehearsal rehearsal_;
};

}  // namespace

Result<Rehearsal> rehearse(const RehearsalRequest& request) {
  return Stage(request).run();
}

}  // namespace athanor
