// The verb adopt: takes over the folder and the database of another tool.
#include <algorithm>
#include <filesystem>
#include <optional>

#include "migrations/cli/adopt_database.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/equal_warnings.hpp"
#include "migrations/cli/foreign_table.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/import/adoption.hpp"
#include "migrations/import/foreign_history.hpp"
#include "migrations/import/new_files.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

std::string count_of(std::size_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::string problem_line(const std::string& folder, const ForeignProblem& problem) {
  std::error_code ignored;
  const fs::path path = fs::is_regular_file(folder, ignored) ? fs::path(folder) : fs::path(folder) / problem.file;
  return shown_path(path.string()) + (problem.line > 0 ? ":" + std::to_string(problem.line) : "") + ": " + problem.reason;
}

void report_problems(Output& output, std::string_view field, std::string_view title, const std::string& folder,
                     const std::vector<ForeignProblem>& problems) {
  Json list = Json::array();
  if (!problems.empty()) {
    output.line(title);
  }
  for (const ForeignProblem& problem : problems) {
    output.line("  " + problem_line(folder, problem));
    list.push_back(
        {{"file", problem.file}, {"line", problem.line > 0 ? Json(problem.line) : Json(nullptr)}, {"reason", problem.reason}});
  }
  output.fields()[std::string(field)] = std::move(list);
}

Result<ForeignOptions> foreign_options(const Arguments& arguments) {
  ForeignOptions options;
  for (const std::string& given : arguments.values("--placeholder")) {
    const std::size_t cut = given.find('=');
    if (cut == std::string::npos || cut == 0) {
      return fail(Error(ErrorCode::Usage, "--placeholder takes NAME=VALUE, not '" + given + "'"));
    }
    options.placeholders[given.substr(0, cut)] = given.substr(cut + 1);
  }
  return options;
}

Result<const ForeignFormat*> format_named(const std::string& name) {
  if (const ForeignFormat* const format = find_foreign_format(name)) {
    return format;
  }
  std::vector<std::string_view> names;
  for (const ForeignFormat& format : foreign_formats()) {
    names.push_back(format.name);
  }
  return fail(Error(ErrorCode::Usage, "'" + name + "' is not a tool that can be adopted from").advise(suggest(name, names)));
}

// One run of the verb.
class Adopting {
 public:
  Adopting(CommandContext& context, const ForeignFormat& format, Configuration configuration)
      : context_(context),
        format_(format),
        configuration_(std::move(configuration)),
        folder_(context.arguments().operands()[1]) {
    const auto given = context.arguments().value("--output");
    output_folder_ = given ? *given : configuration_.version_locations.front();
    if (given) {
      const auto& locations = configuration_.version_locations;
      configured_ =
          std::ranges::find_if(locations, [&](const std::string& one) { return same_folder(one, *given); }) != locations.end();
      if (!configured_) {
        configuration_.version_locations = {*given};
      }
    }
  }

  Result<void> run() {
    TRY(prepare());
    TRY(join_graph());
    if (configuration_.database_url.empty()) {
      TRY(write());
      print_files();
      output().note(
          "No database is configured: with DATABASE_URL, the same command stamps it. For a new database: `athanor upgrade "
          "heads`.");
      print_configuration();
      return {};
    }
    // Before writing: a database that contradicts the files must leave the folder unchanged.
    TRY(observe_database());
    TRY(write());
    print_files();
    TRY(stamp());
    print_configuration();
    return {};
  }

 private:
  Output& output() { return context_.output(); }
  [[nodiscard]] bool dry() const { return context_.arguments().has("--dry-run"); }

  static bool same_folder(const std::string& a, const std::string& b) {
    std::error_code problem;
    return fs::weakly_canonical(fs::absolute(a, problem) / "", problem) ==
           fs::weakly_canonical(fs::absolute(b, problem) / "", problem);
  }

  Result<void> prepare() {
    if (same_folder(output_folder_, folder_)) {
      return fail(Error(ErrorCode::Usage, "the revision files would be written among the files of " +
                                              std::string(format_.title) + " in " + folder_)
                      .advise("choose another folder with --output"));
    }
    if (const auto table = context_.arguments().value("--history-table"); table && table->empty()) {
      return fail(Error(ErrorCode::Usage, "--history-table does not name a table").advise("omit it to use the tool's default"));
    }
    TRY_ASSIGN(const ForeignOptions options, foreign_options(context_.arguments()));
    TRY_ASSIGN(const auto files, read_foreign_files(folder_, format_.recursive, configuration_.limits));
    const AdoptionRequest request{format_, output_folder_, context_.arguments().has("--partial")};
    TRY_ASSIGN(adoption_, prepare_adoption(request, format_.read_folder(files, options)));
    output().fields()["tool"] = format_.name;
    output().fields()["output"] = output_folder_;
    report_problems(output(), "left_out", "Left out:", folder_, adoption_.folder.left_out);
    report_problems(output(), "refused", "Cannot be taken over:", folder_, adoption_.refused);
    report_problems(output(), "irreversible", "Without a way back:", folder_, adoption_.irreversible);
    for (const std::string& warning : folded_warnings(adoption_.warnings)) {
      output().warn(warning);
    }
    return adoption_.refused.empty() ? Result<void>() : fail(refusal());
  }

  Error refusal() {
    const bool code = std::ranges::any_of(adoption_.folder.revisions,
                                          [](const ForeignRevision& revision) { return !revision.unreadable.empty(); });
    return Error(ErrorCode::NotRenderable,
                 count_of(adoption_.refused.size(), "problem") + " in " + folder_ + ": nothing was written")
        .advise(code ? "fix the scripts; with --partial, a migration that is not SQL becomes a revision that fails until you "
                       "write its SQL by hand"
                     : "fix the scripts, then run this again");
  }

  // Builds the graph of the adopted revisions and those already in the folder, which must be one history.
  Result<void> join_graph() {
    std::vector<Revision> revisions;
    std::error_code ignored;
    const bool folders_exist = std::ranges::all_of(
        configuration_.version_locations, [&](const std::string& folder) { return fs::is_directory(folder, ignored); });
    source_ = context_.outside().open_source(configuration_);
    if (folders_exist) {
      TRY_ASSIGN(revisions, source_->list());
    }
    std::string parent;
    for (const AdoptedFile& file : adoption_.files) {
      if (!file.present) {
        Revision revision;
        revision.id = file.revision;
        revision.down = parent.empty() ? std::vector<std::string>{} : std::vector<std::string>{parent};
        revision.path = file.path;
        revisions.push_back(std::move(revision));
      }
      parent = file.revision;
    }
    TRY_ASSIGN(graph_, RevisionGraph::build(std::move(revisions)));
    for (const std::string& base : graph_->bases()) {
      if (base != adoption_.files.front().revision) {
        return fail(Error(ErrorCode::PolicyRefused, graph_->find(base)->path +
                                                        " is the base of another history than the one of " +
                                                        std::string(format_.title) + "; nothing was written")
                        .advise("choose an empty folder with --output"));
      }
    }
    return {};
  }

  Result<void> observe_database() {
    TRY_ASSIGN(database_, Database::connect(context_, configuration_, progress()));
    TRY_ASSIGN(const Observation observation, database_->migrator().observe());
    heads_ = observation.current_heads;
    output().set_current(heads_);
    TRY_ASSIGN(const auto factory, context_.outside().connect(configuration_.database_url, configuration_.execution));
    TRY_ASSIGN(const auto session, factory->open());
    TRY_ASSIGN(table_, read_foreign_table(*session, format_, context_.arguments().value("--history-table").value_or("")));
    output().fields()["history_table"] = table_->name;
    TRY_ASSIGN(applied_, format_.read_history(adoption_.folder, table_->rows));
    output().fields()["applied"] = applied_;
    if (heads_.empty() || applied_ == 0) {
      return {};
    }
    TRY(require_known_heads(*graph_, heads_));
    TRY_ASSIGN(const auto known, graph_->applied(heads_));
    if (std::ranges::find(known, target()) == known.end()) {
      return fail(Error(ErrorCode::VersionRowMismatch, "the version table says that the database is at " +
                                                           join_revisions(heads_) + ", and " + std::string(format_.title) +
                                                           " has applied " + target() + " since; nothing was written")
                      .advise("let only one tool apply revisions; if the schema really is at " + target() + ": athanor stamp " +
                              target()));
    }
    adopted_before_ = true;
    return {};
  }

  std::unique_ptr<ProgressSink> progress() {
    return make_progress(output(), *context_.outside().clock, context_.outside().err_is_terminal, context_.outside().columns);
  }

  [[nodiscard]] const std::string& target() const { return adoption_.files[applied_ - 1].revision; }

  Result<void> write() {
    if (dry() || std::ranges::all_of(adoption_.files, &AdoptedFile::present)) {
      return {};
    }
    return write_adoption(adoption_, output_folder_);
  }

  void print_files() {
    Json written = Json::array();
    Json present = Json::array();
    for (const AdoptedFile& file : adoption_.files) {
      Json entry = {{"revision", file.revision}, {"version", file.version}, {"source", file.source}, {"file", file.path}};
      (file.present ? present : written).push_back(std::move(entry));
    }
    const std::size_t count = written.size();
    message_ = std::string(dry() ? "would write " : "wrote ") + count_of(count, "revision") + " into " + output_folder_;
    if (count < adoption_.files.size()) {
      message_ += ", " + std::to_string(adoption_.files.size() - count) + (count == 0 ? " already exist" : " already existed");
    }
    output().fields()["dry_run"] = dry();
    output().fields()["written"] = std::move(written);
    output().fields()["already_there"] = std::move(present);
    output().fields()["stamped"] = false;
    output().set_message(message_);
    output().line(message_);
  }

  Result<void> stamp() {
    const std::string pending = std::to_string(adoption_.files.size() - applied_) + " pending";
    if (applied_ == 0) {
      return say("the database has none of them applied; nothing to stamp", false);
    }
    const std::string place = target() + ": " + std::to_string(applied_) + " applied, " + pending;
    if (adopted_before_) {
      return say("the database is already adopted and is at " + join_revisions(heads_), false);
    }
    if (dry()) {
      return say("would stamp the database at " + place, false);
    }
    TRY_ASSIGN(const Plan plan, make_plan(*graph_, *source_, Direction::Stamp, heads_, {target()}));
    const ExecutionReport report = database_->migrator().adopt(plan, table_->takeover, context_.outside().stop);
    if (report.current_heads) {
      output().set_current(*report.current_heads);
    } else {
      output().forget_current();
    }
    if (!report.ok()) {
      Error error = *report.error;
      error.message += "; the files are written, the database is not stamped";
      if (error.code == ErrorCode::InsufficientPrivilege || error.sqlstate == "42501") {
        error.hint = "the table is locked while the database is stamped: GRANT UPDATE ON TABLE " + table_->name +
                     " TO the role of the run, or run as its owner";
      }
      return fail(std::move(error));
    }
    output().fields()["run_id"] = report.run_id;
    return say("the database is at " + place, true);
  }

  Result<void> say(const std::string& sentence, bool stamped) {
    output().fields()["stamped"] = stamped;
    output().set_message(message_ + "; " + sentence);
    output().line(sentence);
    return {};
  }

  void print_configuration() {
    if (!configured_) {
      output().note("Next: put `version_locations: [" + output_folder_ + "]` into athanor.yaml.");
    }
    const std::string table = context_.arguments().value("--history-table").value_or(std::string(format_.table));
    std::string drift = "athanor drift --exclude-table " + table.substr(table.rfind('.') + 1);
    drift += format_.beside.empty() ? "" : " --exclude-table " + std::string(format_.beside);
    output().note("Then read the files, and compare the database with the schema they create: " + drift);
  }

  CommandContext& context_;
  const ForeignFormat& format_;
  Configuration configuration_;
  std::string folder_;
  std::string output_folder_;
  bool configured_ = true;
  Adoption adoption_;
  std::unique_ptr<RevisionSource> source_;
  std::optional<RevisionGraph> graph_;
  std::optional<Database> database_;
  std::optional<ForeignTable> table_;
  std::vector<std::string> heads_;
  std::size_t applied_ = 0;
  bool adopted_before_ = false;
  std::string message_;
};

}  // namespace

Result<void> run_adopt(CommandContext& context) {
  const auto& operands = context.arguments().operands();
  if (operands.front() == "database") {
    if (operands.size() > 1) {
      return fail(
          Error(ErrorCode::Usage, "`adopt database` does not take a folder").advise("set the database with DATABASE_URL"));
    }
    return adopt_plain_database(context);
  }
  TRY_ASSIGN(const ForeignFormat* const format, format_named(operands.front()));
  if (operands.size() < 2) {
    return fail(Error(ErrorCode::Usage, "which folder contains the migrations of " + std::string(format->title) + "?")
                    .advise("write `athanor adopt " + operands.front() + " DIR`"));
  }
  TRY_ASSIGN(Configuration configuration, load_settings(context));
  return Adopting(context, *format, std::move(configuration)).run();
}

}  // namespace athanor::cli
