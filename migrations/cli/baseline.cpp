#include "migrations/cli/baseline.hpp"

#include <algorithm>

#include "migrations/cli/schema_report.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/revision_template.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/schema/change_plan.hpp"

namespace athanor::cli {

schema::InspectOptions everything(const Configuration& configuration) {
  schema::InspectOptions options;
  options.privileges = true;
  options.default_privileges = true;
  options.publications = true;
  options.version_table = configuration.version_table;
  options.ledger_schema = configuration.ledger_schema;
  return options;
}

Result<std::string> baseline_text(const Revision& header, const std::string& above, const schema::Catalog& catalog,
                                  const std::string& rows, const std::string& irreversible) {
  for (const auto& [kind, names] : catalog.unmodelled) {
    return fail(
        Error(ErrorCode::SchemaChangeRefused, "the schema has a " + kind + " that a baseline would lose: " + names.front())
            .advise("write the baseline by hand, or drop it first"));
  }
  TRY_ASSIGN(const schema::ChangePlan plan, schema::plan_creation(catalog));
  NativeBody body;
  body.upgrade = section_text(plan);
  if (!rows.empty()) {
    // The preceding step may be an autocommit one.
    const bool cut = body.upgrade.find("-- athanor:step autocommit") != std::string::npos;
    body.upgrade += (body.upgrade.empty() ? "" : "\n") + std::string(cut ? "-- athanor:step transaction\n" : "") + rows;
  }
  if (body.upgrade.empty()) {
    body.upgrade = "-- Nothing to do.\n";
  }
  body.irreversible = irreversible;
  TRY_ASSIGN(std::string text, render_native_revision(header, body));
  if (!above.empty()) {
    text.insert(text.find("-- athanor:upgrade\n"), above + "\n");
  }
  return text;
}

Result<std::unique_ptr<schema::ScratchDatabase>> run_baseline(SchemaWork& work, const Revision& header,
                                                              const std::string& text) {
  const MemorySource source({{header.id + ".sql", text}});
  TRY_ASSIGN(auto revisions, source.list());
  TRY_ASSIGN(const RevisionGraph graph, RevisionGraph::build(std::move(revisions)));
  TRY_ASSIGN(const Plan plan, make_plan(graph, source, Direction::Upgrade, {}, {header.id}));
  TRY(work.prepare_roles(plan));
  TRY_ASSIGN(auto database, work.empty_database(plan));
  if (auto done = work.run_plan(*database, plan); !done) {
    Error error = std::move(done).error();
    if (!error.sqlstate.empty()) {
      error.code = ErrorCode::ProofFailed;
      error.message = "the baseline fails on an empty database: " + error.message;
      error.hint = "nothing was written; write the baseline by hand";
    }
    return fail(std::move(error));
  }
  return database;
}

Error baseline_differs(const std::string& message, const std::vector<std::string>& lines) {
  constexpr std::size_t kShown = 20;
  std::string text = message + ":";
  for (std::size_t i = 0; i < std::min(kShown, lines.size()); ++i) {
    text += "\n  " + lines[i];
  }
  if (lines.size() > kShown) {
    text += "\n  and " + std::to_string(lines.size() - kShown) + " more";
  }
  return Error(ErrorCode::ProofFailed, std::move(text)).advise("nothing was written; write the baseline by hand");
}

}  // namespace athanor::cli
