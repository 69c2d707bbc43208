// The verb repair: records decisions that the tool must leave to a person.
#include <algorithm>
#include <map>
#include <memory>

#include "migrations/base/sha256.hpp"
#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/plan/script.hpp"

namespace athanor::cli {
namespace {

// Applied revisions whose file no longer has the checksum in the ledger: by id, the current checksum.
using Changed = std::map<std::string, std::string>;

// Null if the file is not a revision any more.
std::unique_ptr<RevisionScript> parsed(const Revision& revision, std::string text) {
  auto script = parse_script(revision, std::move(text));
  return script ? std::make_unique<RevisionScript>(std::move(*script)) : nullptr;
}

Result<Changed> find_changed(Situation& situation) {
  TRY_ASSIGN(const auto recorded, situation.database.migrator().applied_revisions());
  TRY_ASSIGN(const auto applied, situation.project.graph.applied(situation.observation.current_heads));
  Changed changed;
  for (const std::string& id : applied) {
    const auto entry = recorded.find(id);
    if (entry == recorded.end() || entry->second.checksum.empty()) {
      continue;
    }
    TRY_ASSIGN(std::string text, situation.project.source->read(*situation.project.graph.find(id)));
    std::string checksum = sha256_hex(text);
    const auto script =
        checksum == entry->second.checksum ? nullptr : parsed(*situation.project.graph.find(id), std::move(text));
    // A baseline of `athanor squash` has the id of the last revision that it replaces, but another text.
    if (checksum != entry->second.checksum && (!script || !script->stands_for(id, entry->second.checksum))) {
      changed.emplace(id, std::move(checksum));
    }
  }
  return changed;
}

Result<Migrator::StepResolution> parse_resolution(const std::string& word) {
  if (word == "done") {
    return Migrator::StepResolution::Done;
  }
  if (word == "redo") {
    return Migrator::StepResolution::Redo;
  }
  if (word == "abandon") {
    return Migrator::StepResolution::Abandon;
  }
  return fail(Error(ErrorCode::Usage, "--step takes done, redo or abandon, not '" + word + "'")
                  .advise("done: the statement took effect; redo: it did not; abandon: its traces were removed by hand"));
}

Result<void> resolve_step(CommandContext& context, Situation& situation, const std::string& word) {
  TRY_ASSIGN(const Migrator::StepResolution resolution, parse_resolution(word));
  if (!situation.observation.unfinished) {
    return fail(Error(ErrorCode::Usage, "no revision is half-applied").advise("see `athanor status`"));
  }
  TRY(situation.database.migrator().resolve_step(resolution, context.outside().stop));
  const std::string step = "unfinished step of " + situation.observation.unfinished->revision;
  context.output().set_message(step + " marked as " + word);
  context.output().note("The " + step + " is marked as " + word + ".");
  return {};
}

// --accept accepts any symbol that means only applied revisions.
Result<Changed> chosen(CommandContext& context, const Situation& situation, const Changed& changed) {
  if (context.arguments().has("--all")) {
    return changed;
  }
  Changed accepted;
  for (const std::string& symbol : context.arguments().list("--accept")) {
    TRY_ASSIGN(const auto ids, situation.project.graph.resolve(symbol));
    for (const std::string& id : ids) {
      const auto found = changed.find(id);
      if (const auto& open = situation.observation.unfinished; found == changed.end() && open && open->revision == id) {
        const auto half = half_applied_revision(situation.project, open);
        return fail(Error(ErrorCode::Usage,
                          describe_half_applied(half->parts) + "; only the file of a fully applied revision can be accepted")
                        .advise(way_on(*half)));
      }
      if (found == changed.end()) {
        return fail(Error(ErrorCode::Usage,
                          "the file of revision '" + id + "' is unchanged since it was applied, or was never recorded")
                        .advise("run `athanor repair` to list changed files"));
      }
      accepted.insert(*found);
    }
  }
  return accepted;
}

void list_findings(CommandContext& context, const Situation& situation, const Changed& changed) {
  Output& output = context.output();
  Json list = Json::array();
  for (const auto& [id, checksum] : changed) {
    const Revision& revision = *situation.project.graph.find(id);
    output.line("changed: " + id + ", " + revision.message + " (" + revision.path + ")");
    list.push_back({{"revision", id}, {"path", revision.path}, {"checksum", checksum}});
  }
  output.fields()["changed"] = std::move(list);
  const auto unfinished = half_applied_revision(situation.project, situation.observation.unfinished);
  output.fields()["unfinished"] = unfinished ? Json(unfinished->parts.revision) : Json(nullptr);
  output.fields()["half_applied"] = half_applied_json(unfinished, situation.observation.unfinished);
  if (unfinished) {
    output.line("half-applied: " + half_applied_line(*unfinished));
    output.note(way_on(*unfinished));
  }
  if (!changed.empty()) {
    output.note("Restore the files, or accept them with `athanor repair --accept REV` or `--all`.");
  } else if (!unfinished) {
    output.line("Nothing to repair.");
  }
  output.set_message(changed.empty() && !unfinished
                         ? "nothing to repair"
                         : std::to_string(changed.size()) + " changed, " +
                               (unfinished ? "1 half-applied revision" : "no half-applied revision"));
}

}  // namespace

Result<void> run_repair(CommandContext& context) {
  const Arguments& arguments = context.arguments();
  const bool accept = arguments.has("--all") || arguments.has("--accept");
  if (accept && arguments.has("--step")) {
    return fail(Error(ErrorCode::Usage, "--step cannot be combined with accepting files").advise("run the command twice"));
  }
  TRY_ASSIGN(Situation situation, observe_situation(context));
  if (const auto word = arguments.value("--step")) {
    return resolve_step(context, situation, *word);
  }
  TRY(require_known_heads(situation.database.migrator(), situation.project.graph, situation.observation.current_heads));
  TRY_ASSIGN(const Changed changed, find_changed(situation));
  if (!accept) {
    list_findings(context, situation, changed);
    return {};
  }
  TRY_ASSIGN(const Changed accepted, chosen(context, situation, changed));
  if (accepted.empty()) {
    context.output().set_message("nothing to accept");
    context.output().note("Nothing to accept.");
    return {};
  }
  TRY_ASSIGN(const int count, situation.database.migrator().accept_checksums(accepted, context.outside().stop));
  context.output().fields()["accepted"] = count;
  context.output().set_message(std::to_string(count) + (count == 1 ? " file accepted" : " files accepted"));
  context.output().note(std::to_string(count) + (count == 1 ? " file accepted." : " files accepted."));
  return {};
}

}  // namespace athanor::cli
