#include <algorithm>
#include <system_error>
#include <thread>

#include "migrations/graph/target_position.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/plan/plan_hash.hpp"

namespace athanor {
namespace {

constexpr std::size_t kStepsForAThread = 128;

Error irreversible(const Revision& revision, std::string why, std::string hint) {
  return Error(ErrorCode::Irreversible, "revision " + revision.id + " cannot be undone: " + std::move(why))
      .at(revision.path)
      .advise(std::move(hint));
}

// Check before anything runs, so that a downgrade never stops half-way because of this.
Result<void> check_downgrade(const Revision& revision, const RevisionScript& script) {
  if (script.irreversible) {
    return fail(irreversible(revision, script.irreversible_reason,
                             "write a new revision that undoes it, or restore a backup; nothing was changed"));
  }
  if (!script.has_downgrade) {
    return fail(irreversible(revision, "its file has no downgrade section",
                             "add '-- athanor:downgrade' and the SQL that undoes it (an empty section does nothing), or "
                             "'-- athanor:irreversible' with the reason"));
  }
  return {};
}

Result<PlannedRevision> plan_revision(const RevisionGraph& graph, const RevisionSource& source, WalkStep step) {
  PlannedRevision planned;
  planned.walk = std::move(step);
  if (!planned.walk.revision) {
    return planned;
  }
  const Revision* const revision = graph.find(*planned.walk.revision);
  if (revision == nullptr) {
    return fail(ErrorCode::Internal, "the walk names revision " + *planned.walk.revision + ", which the graph does not know");
  }
  planned.message = revision->message;
  planned.path = revision->path;
  planned.down = revision->down;
  planned.depends_on = revision->depends_on;
  planned.labels = revision->labels;
  TRY_ASSIGN(auto text, source.read(*revision));
  TRY_ASSIGN(auto script, parse_script(*revision, std::move(text)));
  // An irreversible revision can still be applied, so only a downgrade checks this.
  if (planned.walk.direction == Direction::Downgrade) {
    TRY(check_downgrade(*revision, script));
  }
  planned.script = std::make_shared<const RevisionScript>(std::move(script));
  return planned;
}

// Nothing can run before every script is read and split, and the server is idle meanwhile: long plans use a second thread. The
// first error in plan order is returned, whichever thread found it.
Result<std::vector<PlannedRevision>> plan_steps(const RevisionGraph& graph, const RevisionSource& source,
                                                std::vector<WalkStep> steps) {
  std::vector<PlannedRevision> planned(steps.size());
  const auto plan_range = [&](std::size_t first, std::size_t last) -> Result<void> {
    for (std::size_t index = first; index < last; ++index) {
      TRY_ASSIGN(planned[index], plan_revision(graph, source, std::move(steps[index])));
    }
    return {};
  };
  // Both halves write to different elements, so they need no lock.
  std::size_t middle = steps.size();
  Result<void> rest;
  std::thread second;
  if (steps.size() >= kStepsForAThread) {
    middle /= 2;
    try {
      second = std::thread([&] { rest = plan_range(middle, steps.size()); });
    } catch (const std::system_error&) {  // no thread available: this one does all the work
      middle = steps.size();
    }
  }
  const Result<void> begun = plan_range(0, middle);
  if (second.joinable()) {
    second.join();
  }
  // The first half comes first in the plan, so its error wins.
  TRY(begun);
  TRY(rest);
  return planned;
}

Result<Plan> plan_walk(const RevisionGraph& graph, const RevisionSource& source, Plan plan, Walk walk) {
  // Sorted, so that the order of the rows does not change the hash.
  std::sort(plan.from.begin(), plan.from.end());
  plan.warnings = std::move(walk.warnings);
  TRY_ASSIGN(plan.revisions, plan_steps(graph, source, std::move(walk.steps)));
  plan.to = plan.revisions.empty() ? plan.from : plan.revisions.back().walk.heads;
  plan.hash = plan_hash(plan);
  return plan;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text += (text.empty() ? "" : " ") + word;
  }
  return text;
}

}  // namespace

const std::vector<ScriptStep>& PlannedRevision::steps() const {
  static const std::vector<ScriptStep> kNone;
  if (!script) {
    return kNone;
  }
  return walk.direction == Direction::Downgrade ? script->downgrade : script->upgrade;
}

bool PlannedRevision::single_transaction() const {
  const auto& all = steps();
  return all.empty() || (all.size() == 1 && all.front().kind == StepKind::Transaction);
}

std::vector<std::string> destructive_statements(const Plan& plan) {
  std::vector<std::string> found;
  for (const auto& revision : plan.revisions) {
    for (const auto& step : revision.steps()) {
      for (const auto& statement : step.statements) {
        if (auto destroyed = destroyed_by(statement.sql); !destroyed.empty()) {
          found.push_back(revision.walk.revision.value_or("") + ", line " + std::to_string(statement.line) + ": " +
                          std::move(destroyed));
        }
      }
    }
  }
  return found;
}

Result<Walk> make_walk(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& from,
                       const std::vector<std::string>& targets) {
  if (operation == Direction::Stamp) {
    if (targets.size() > 1) {
      TRY(refuse_overlapping_targets(graph, targets, from));
    }
    return stamp_walk(graph, from, targets);
  }
  if (targets.size() != 1) {
    return fail(Error(ErrorCode::Usage, std::string(direction_name(operation)) + " takes exactly one target, not " +
                                            std::to_string(targets.size()))
                    .advise("name one revision, or use `heads` for all branches"));
  }
  return operation == Direction::Upgrade ? upgrade_walk(graph, from, targets.front())
                                         : downgrade_walk(graph, from, targets.front());
}

Result<Plan> make_plan(const RevisionGraph& graph, const RevisionSource& source, Direction operation,
                       const std::vector<std::string>& from, const std::vector<std::string>& targets) {
  TRY_ASSIGN(auto walk, make_walk(graph, operation, from, targets));
  Plan plan;
  plan.operation = operation;
  plan.target = joined(targets);
  plan.from = from;
  return plan_walk(graph, source, std::move(plan), std::move(walk));
}

Result<Plan> make_offline_plan(const RevisionGraph& graph, const RevisionSource& source, Direction operation,
                               const std::string& range) {
  const auto colon = range.find(':');
  if (operation == Direction::Downgrade && colon == std::string::npos) {
    return fail(Error(ErrorCode::InvalidTarget, "downgrade --sql needs a start")
                    .advise("write from:to, for example `downgrade ae1027:base --sql`"));
  }
  if (colon == std::string::npos) {
    return make_plan(graph, source, operation, {}, {range});
  }
  if (operation == Direction::Stamp) {
    const auto start = range.substr(0, colon);
    std::vector<std::string> from;
    if (!start.empty() && start != "base") {
      TRY_ASSIGN(from, graph.resolve(start));
    }
    return make_plan(graph, source, operation, from, {range.substr(colon + 1)});
  }
  TRY_ASSIGN(auto found, offline_walk(graph, operation, range));
  Plan plan;
  plan.operation = operation;
  plan.target = range;
  plan.from = std::move(found.first);
  return plan_walk(graph, source, std::move(plan), std::move(found.second));
}

}  // namespace athanor
