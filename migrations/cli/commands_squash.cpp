// The verb squash: replaces many revisions with one baseline.
#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "migrations/base/sha256.hpp"
#include "migrations/cli/baseline.hpp"
#include "migrations/cli/beyond_schema.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/new_file.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/inspect.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

// The contents of a scratch database.
struct Holdings {
  schema::Catalog catalog;
  schema::Catalog owners;  // the same with owners, which the baseline itself must not contain
  std::map<std::string, std::string> column_orders;
  DatabaseRows rows;
};

// Both have the same tables with the same columns. A later revision may insert without a list of columns.
std::vector<std::string> different_orders(const Holdings& made, const Holdings& old) {
  std::vector<std::string> lines;
  for (const auto& [table, columns] : old.column_orders) {
    const auto found = made.column_orders.find(table);
    if (found != made.column_orders.end() && found->second != columns) {
      lines.push_back("~ " + table + ": the columns are " + found->second + ", should be " + columns);
    }
  }
  return lines;
}

// A baseline creates triggers before it inserts the rows, so a trigger also changes rows that are older than it.
Error rows_differ(const std::vector<std::string>& tables, const schema::Catalog& catalog) {
  Error error = baseline_differs("the baseline does not insert the rows that the revisions insert", tables);
  for (const schema::Fact& fact : catalog.facts()) {
    const std::string table = "table " + fact.id.schema + "." + fact.id.parent;
    if (fact.id.kind == schema::Kind::Trigger && std::ranges::find(tables, table) != tables.end()) {
      error.hint = "the " + describe(fact.id) +
                   " may be the reason: a baseline creates triggers before it inserts rows; squash up to a revision before the "
                   "trigger (--to), or write the baseline by hand; nothing was written";
      break;
    }
  }
  return error;
}

class Squash {
 public:
  Squash(CommandContext& context, Configuration configuration, Project project)
      : context_(context), configuration_(std::move(configuration)), project_(std::move(project)) {}

  Result<void> run() {
    TRY(choose_revisions());
    TRY(read_texts());
    TRY_ASSIGN(const Plan plan, make_plan(project_.graph, *project_.source, Direction::Upgrade, {}, {last_}));
    TRY(refuse_server_objects(plan));
    TRY_ASSIGN(const int version, read_target_settings(context_, configuration_));  // what the baseline will run on
    SchemaWork work(context_, configuration_, version);
    TRY_ASSIGN(const Holdings old, made_by_revisions(work));
    TRY(name_file());
    TRY_ASSIGN(const std::string text, baseline_text(header_, replaces_, old.catalog, old.rows.sql,
                                                     "it is a baseline, and the revisions it replaces are gone"));
    TRY(prove(work, text, old));
    return write(text, old.rows.tables);
  }

 private:
  // Selects all revisions up to --to. No other revision may descend from one in the middle.
  Result<void> choose_revisions() {
    const std::string symbol = context_.arguments().value("--to").value_or("head");
    TRY_ASSIGN(const auto ids, project_.graph.resolve(symbol));
    if (ids.size() != 1) {
      return fail(
          Error(ErrorCode::InvalidTarget, "'" + symbol + "' means " + std::to_string(ids.size()) + " revisions, not one")
              .advise("name the last revision of the baseline: --to REVISION"));
    }
    last_ = ids.front();
    TRY_ASSIGN(const auto below, project_.graph.applied({last_}));
    squashed_.insert(below.begin(), below.end());
    if (squashed_.size() < 2) {
      return fail(Error(ErrorCode::InvalidTarget, "revision " + last_ + " has no ancestors; there is nothing to squash"));
    }
    for (const Revision& revision : project_.graph.revisions()) {
      if (squashed_.contains(revision.id)) {
        continue;
      }
      std::vector<std::string> needs = project_.graph.dependencies(revision.id);
      needs.insert(needs.end(), revision.down.begin(), revision.down.end());
      for (const std::string& need : needs) {
        if (squashed_.contains(need) && need != last_) {
          return fail(Error(ErrorCode::InvalidTarget, "revision " + revision.id + " depends on " + need +
                                                          ", which the baseline would replace; nothing was written")
                          .at(revision.path)
                          .advise("squash up to " + need + ", or merge the branches first"));
        }
      }
    }
    return {};
  }

  Result<void> read_texts() {
    TRY_ASSIGN(const Walk walk, make_walk(project_.graph, Direction::Upgrade, {}, {last_}));
    for (const WalkStep& step : walk.steps) {
      const Revision& revision = *project_.graph.find(*step.revision);
      TRY_ASSIGN(std::string text, project_.source->read(revision));
      const std::string checksum = sha256_hex(text);
      TRY_ASSIGN(const RevisionScript script, parse_script(revision, std::move(text)));
      for (const ReplacedRevision& earlier : script.replaces) {  // replaced by an earlier squash
        add_replaced(earlier.id, earlier.checksum);
      }
      add_replaced(revision.id, checksum);
      paths_.push_back(revision.path);
      for (const std::string& label : revision.labels) {
        header_.labels.push_back(label);
      }
    }
    return {};
  }

  void add_replaced(const std::string& id, const std::string& checksum) {
    replaces_ += "-- athanor:replaces " + id + " " + checksum + "\n";
    replaced_.push_back(id);
  }

  Result<Holdings> read_holdings(const schema::ScratchDatabase& database) {
    Holdings found;
    TRY_ASSIGN(const auto session, database.open());
    TRY(refuse_database_settings(*session));
    schema::InspectOptions options = everything(configuration_);
    TRY_ASSIGN(found.catalog, schema::inspect(*session, options));
    options.owners = true;
    TRY_ASSIGN(found.owners, schema::inspect(*session, options));
    TRY_ASSIGN(found.column_orders, read_column_orders(*session));
    TRY_ASSIGN(found.rows, read_database_rows(*session, configuration_.version_table, configuration_.ledger_schema));
    return found;
  }

  // Runs the revisions twice: values that differ, such as random ids and times, are created at run time and cannot be part of a
  // baseline.
  Result<Holdings> made_by_revisions(SchemaWork& work) {
    TRY_ASSIGN(const auto first, work.migrated(project_, {last_}));
    TRY_ASSIGN(Holdings holdings, read_holdings(*first));
    if (holdings.rows.contents.empty()) {
      return holdings;
    }
    TRY_ASSIGN(const auto second, work.migrated(project_, {last_}));
    TRY_ASSIGN(const Holdings again, read_holdings(*second));
    if (const auto names = different_contents(holdings.rows, again.rows); !names.empty()) {
      return fail(Error(ErrorCode::SchemaChangeRefused, "the revisions insert values that change from run to run into " +
                                                            names.front() + (names.size() > 1 ? " and others" : "") +
                                                            ", which a baseline cannot reproduce")
                      .advise("write fixed values into the revision that inserts them, or squash up to one before it: --to"));
    }
    return holdings;
  }

  Result<void> name_file() {
    header_.id = last_;
    header_.message = context_.arguments().value("--message").value_or("");
    if (header_.message.empty()) {
      const std::size_t count =
          std::set<std::string>(replaced_.begin(), replaced_.end()).size();  // a baseline has an id of theirs
      header_.message = "Baseline of " + std::to_string(count) + " revisions up to " + last_;
    }
    std::ranges::sort(header_.labels);
    header_.labels.erase(std::ranges::unique(header_.labels).begin(), header_.labels.end());
    const std::string folder = fs::path(project_.graph.find(last_)->path).parent_path().string();
    TRY_ASSIGN(NewRevisionFile file, name_new_revision(configuration_.naming, folder, header_.id, header_.message,
                                                       context_.outside().clock->wall_now()));
    header_.path = std::move(file.path);
    header_.created = std::move(file.created);
    return {};
  }

  Result<void> prove(SchemaWork& work, const std::string& text, const Holdings& old) {
    TRY_ASSIGN(const auto database, run_baseline(work, header_, text));
    TRY_ASSIGN(const Holdings made, read_holdings(*database));
    if (const auto lines = describe_difference(made.catalog, old.catalog); !lines.empty()) {
      return fail(baseline_differs("the baseline does not create the schema that the revisions create", lines));
    }
    if (const auto lines = different_orders(made, old); !lines.empty()) {
      return fail(baseline_differs("the baseline does not make the columns in the order that the revisions make", lines));
    }
    if (const auto lines = describe_difference(made.owners, old.owners); !lines.empty()) {
      return fail(baseline_differs("the revisions change owners of objects, which a baseline does not reproduce", lines));
    }
    if (const auto names = different_contents(old.rows, made.rows); !names.empty()) {
      return fail(rows_differ(names, old.catalog));
    }
    return {};
  }

  Result<void> write(const std::string& text, std::size_t tables) {
    Output& output = context_.output();
    const bool dry = context_.arguments().has("--dry-run");
    output.fields()["revision"] = last_;
    output.fields()["path"] = header_.path;
    output.fields()["replaces"] = replaced_;
    output.fields()["removed"] = paths_;
    output.fields()["tables_with_rows"] = tables;
    output.fields()["dry_run"] = dry;
    const std::string what = std::to_string(paths_.size()) + " revisions into " + header_.path;
    if (dry) {
      output.set_message("would squash " + what);
      output.text(text);
      return {};
    }
    TRY(write_new_file(header_.path, text));
    // Only after the baseline is written, so that a failure never leaves the project without its history.
    for (const std::string& path : paths_) {
      std::error_code fault;
      fs::remove(path, fault);
      if (fault) {
        return fail(Error(ErrorCode::Io, "cannot remove " + path + ": " + fault.message())
                        .with_retry(RetryClass::Terminal)
                        .advise("the baseline is written: remove this file and the other replaced ones by hand"));
      }
    }
    output.set_message("squashed " + what);
    output.line("squashed " + what);
    output.note("Proven on scratch databases: the same schema" + std::string(tables > 0 ? ", the same rows." : "."));
    output.note("Databases at " + last_ +
                " or past it need no change; first upgrade other databases to it with the files from before the squash.");
    return {};
  }

  CommandContext& context_;
  Configuration configuration_;
  Project project_;
  std::string last_;
  std::set<std::string> squashed_;
  std::vector<std::string> paths_;
  std::vector<std::string> replaced_;
  std::string replaces_;
  Revision header_;
};

}  // namespace

Result<void> run_squash(CommandContext& context) {
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  TRY_ASSIGN(Project project, open_project(context, configuration));
  return Squash(context, std::move(configuration), std::move(project)).run();
}

}  // namespace athanor::cli
