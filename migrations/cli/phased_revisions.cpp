#include "migrations/cli/phased_revisions.hpp"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "migrations/cli/new_file.hpp"
#include "migrations/cli/post_write_hook.hpp"
#include "migrations/cli/schema_report.hpp"

namespace athanor::cli {
namespace {

using schema::Catalog;
using schema::ChangePlan;

struct Part {
  std::string phase{};  // the label of its branch, too
  SchemaChange change{};
  std::optional<RevisionDraft> draft{};
  schema::Proof proof{};
};

Error not_survived(const schema::PlannedStatement& statement) {
  return Error(ErrorCode::ProofFailed, "the change of the " + describe(statement.subject) +
                                           " cannot be split into phases: old application code does not survive " +
                                           statement.sql.substr(0, statement.sql.find('\n')))
      .advise("write one revision without --phases, or put this change into a revision of its own");
}

Result<void> require_survival(const ChangePlan& plan) {
  for (const schema::PlannedStep& step : plan.steps) {
    const auto breaking = std::ranges::find(step.statements, false, &schema::PlannedStatement::expand);
    if (breaking != step.statements.end()) {
      return fail(not_survived(*breaking));
    }
  }
  return {};
}

class PhasedRevisions {
 public:
  PhasedRevisions(CommandContext& context, ChangePlanner& planner, const PhasesRequest& request)
      : context_(context), planner_(planner), request_(request) {}

  Result<void> write(CurrentSchema& now, const Catalog& desired) {
    TRY(check_request());
    for (const schema::RenameCandidate& candidate : likely_renames(now.catalog, desired)) {
      output().warn(describe(candidate.rename.from) + " and " + describe(candidate.rename.to) +
                    " look alike: expand creates the new one, contract drops the old one, and neither copies the values");
    }
    TRY(planner_.start(now));
    CurrentSchema middle;
    TRY_ASSIGN(middle.database, expanded(now, desired));
    TRY_ASSIGN(middle.catalog, planner_.work().loader().inspect_scratch(*middle.database));
    TRY(add_part("expand", now, middle.catalog));
    TRY(add_part("contract", middle, desired));
    return write_parts();
  }

 private:
  Output& output() { return context_.output(); }

  [[nodiscard]] Result<void> check_request() const {
    if (request_.phases != "expand,contract") {
      return fail(Error(ErrorCode::Usage, "--phases takes expand,contract, not '" + request_.phases + "'"));
    }
    if (request_.renames) {
      return fail(Error(ErrorCode::Usage, "a rename fits neither phase: old application code knows only the old name")
                      .advise("leave out the rename: expand then adds the new name and contract drops the old one; copy the "
                              "values in a revision between them"));
    }
    if (!request_.revision.id.empty() || context_.arguments().has("--sql")) {
      return fail(Error(ErrorCode::Usage, "--phases writes two revisions and cannot be combined with --rev-id or --sql"));
    }
    return {};
  }

  // A copy of the current schema on which every statement was run that old application code survives. A statement that fails
  // there requires that something else is dropped first, and so belongs to contract.
  Result<std::unique_ptr<schema::ScratchDatabase>> expanded(const CurrentSchema& now, const Catalog& desired) {
    schema::PlanOptions options;
    TRY_ASSIGN(options.style, planner_.style());
    TRY_ASSIGN(const ChangePlan whole, schema::plan_changes(now.catalog, desired, options));
    TRY_ASSIGN(auto copy, planner_.work().server().create(now.database.get()));
    TRY_ASSIGN(const auto session, copy->open(request_.configuration.execution.search_path));
    TRY(session->execute_autocommit("SET check_function_bodies = off"));
    std::vector<schema::FactId> left;
    for (const schema::PlannedStep& step : whole.steps) {
      for (const schema::PlannedStatement& statement : step.statements) {
        if (statement.sql.starts_with("SET LOCAL ")) {
          continue;
        }
        // Later statements about an object belong to the same phase as the first: SET NOT NULL with the CHECK before it.
        if (!statement.expand || std::ranges::find(left, statement.subject) != left.end()) {
          left.push_back(statement.subject);
          continue;
        }
        const auto done = session->execute_autocommit(statement.sql);
        if (!done && done.error().sqlstate.empty()) {
          return fail(done.error());  // the server, not the statement
        }
      }
    }
    return copy;
  }

  Result<void> add_part(const std::string& phase, CurrentSchema& from, const Catalog& to) {
    if (schema::diff(from.catalog, to).empty()) {
      return {};
    }
    Part part{.phase = phase};
    TRY_ASSIGN(part.change, planner_.plan(from.catalog, to));
    if (phase == "expand") {
      TRY(require_survival(part.change.up));
    }
    TRY_ASSIGN(part.draft, draft(part));
    TRY_ASSIGN(part.proof, planner_.prove(from, to, part.change, *part.draft));
    parts_.push_back(std::move(part));
    return {};
  }

  // The head of its branch. The first revision of a phase opens the branch beside the head, because contract must be able to
  // wait while expand goes on.
  Result<RevisionDraft> draft(const Part& part) {
    std::vector<Revision> revisions = request_.project.graph.revisions();
    RevisionRequest request = request_.revision;
    request.message += " (" + part.phase + ")";
    const bool opened = std::ranges::any_of(revisions, [&](const Revision& revision) {
      return std::ranges::find(revision.labels, part.phase) != revision.labels.end();
    });
    if (opened) {
      request.heads = {part.phase + "@head"};
    } else {
      request.labels.push_back(part.phase);
      if (request.heads.empty()) {
        request.heads = trunk();
      }
      request.splice = true;
    }
    for (const Part& before : parts_) {
      revisions.push_back(before.draft->revision);
      request.depends_on.push_back(before.draft->revision.id);
    }
    request.body = body_of(part.change);
    TRY_ASSIGN(const RevisionGraph graph, RevisionGraph::build(std::move(revisions)));
    return draft_revision(request_.configuration, graph, request, context_.outside().clock->wall_now());
  }

  // The parents of a new branch: those of the other branch if it exists, otherwise the heads.
  [[nodiscard]] std::vector<std::string> trunk() const {
    for (const Revision& revision : request_.project.graph.revisions()) {
      if (std::ranges::any_of(revision.labels,
                              [](const std::string& label) { return label == "expand" || label == "contract"; })) {
        return revision.down.empty() ? std::vector<std::string>{"base"} : revision.down;
      }
    }
    return request_.project.graph.heads();
  }

  Result<void> write_parts() {
    for (const Part& part : parts_) {
      TRY(write_new_file(part.draft->revision.path, part.draft->text));
    }
    Json written = Json::array();
    for (const Part& part : parts_) {
      written.push_back(report(part));
      TRY(run_hooks(request_.configuration.post_write_hooks, part.draft->revision.path));
    }
    output().fields()["revisions"] = std::move(written);
    output().set_message(parts_.size() == 2 ? "wrote two revisions"
                                            : "wrote one revision: every change is " + parts_.front().phase);
    if (parts_.size() == 1) {
      output().note("There is no second phase: every change is " + parts_.front().phase + ".");
    }
    output().note(
        "Proven on scratch copies, up and down. Next: `athanor upgrade expand@head`; once no old application code runs any "
        "more, `athanor upgrade contract@head`.");
    return {};
  }

  Json report(const Part& part) {
    const Revision& revision = part.draft->revision;
    output().line(part.phase == "expand" ? "expand: safe for old application code" : "contract: breaks old application code");
    print_summary(output(), part.change.up);
    warn_of_rows(output(), part.change.up);
    for (const std::string& warning : part.proof.warnings) {
      output().warn(warning);
    }
    if (!part.change.irreversible.empty()) {
      output().warn("the revision is irreversible: " + part.change.irreversible);
    }
    output().line(revision.path + ":" + std::to_string(upgrade_line(*part.draft)));
    Json json = plan_json(part.change.up);
    return {{"phase", part.phase},
            {"revision", revision.id},
            {"down_revision", revision.down},
            {"depends_on", revision.depends_on},
            {"labels", revision.labels},
            {"path", revision.path},
            {"summary", std::move(json["summary"])},
            {"statements", std::move(json["statements"])},
            {"proof", {{"downgrade", part.proof.downgrade}}}};
  }

  CommandContext& context_;
  ChangePlanner& planner_;
  const PhasesRequest& request_;
  std::vector<Part> parts_{};
};

}  // namespace

Result<void> write_phases(CommandContext& context, ChangePlanner& planner, CurrentSchema& now, const Catalog& desired,
                          const PhasesRequest& request) {
  return PhasedRevisions(context, planner, request).write(now, desired);
}

}  // namespace athanor::cli
