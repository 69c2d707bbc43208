#include "migrations/cli/draft_findings.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "migrations/cli/lint_input.hpp"
#include "migrations/cli/lint_report.hpp"
#include "migrations/plan/script.hpp"

namespace athanor::cli {
namespace {

Result<std::vector<Finding>> lint_draft(CommandContext& context, const Configuration& configuration, const Project& project,
                                        const RevisionDraft& draft) {
  TRY_ASSIGN(LintInput input, read_revisions(project, project.graph.heads(), false));
  std::move(input.units.begin(), input.units.end(), std::back_inserter(input.history));
  input.units.clear();
  TRY_ASSIGN(const RevisionScript script, parse_script(draft.revision, draft.text));
  input.units.push_back(unit_of(script, Direction::Upgrade, draft.revision.path, draft.revision.id));
  std::optional<LiveDatabase> live;
  if (!configuration.database_url.empty()) {
    TRY_ASSIGN(live, ask_live_database(context, configuration));
  }
  const LiveDatabase* const known = live ? &*live : nullptr;
  TRY_ASSIGN(auto findings, findings_of(input, lint_context(context, configuration, known), known));
  // The planner writes one statement per change, and reads or rewrites no table twice.
  std::erase_if(findings, [](const Finding& finding) { return finding.rule == "merge-alter-table"; });
  return findings;
}

}  // namespace

void print_findings(CommandContext& context, const Configuration& configuration, const Project& project,
                    const RevisionDraft& draft) {
  Output& output = context.output();
  // The file is already written, so a failure of lint is only a warning.
  const auto findings = lint_draft(context, configuration, project, draft);
  if (!findings) {
    output.warn("the revision could not be linted: " + findings.error().message);
    return;
  }
  output.fields()["findings"] = lint_json(*findings);
  std::string text = lint_text(*findings, output.style().error_color);
  if (!text.empty()) {
    text.pop_back();
    output.note(text);
  }
}

}  // namespace athanor::cli
