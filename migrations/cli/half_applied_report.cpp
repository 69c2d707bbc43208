#include "migrations/cli/half_applied_report.hpp"

#include "migrations/execute/part_checksums.hpp"

namespace athanor::cli {
namespace {

std::string place(const HalfAppliedRevision& half) {
  return half.path + (half.parts.next_line > 0 ? ":" + std::to_string(half.parts.next_line) : "");
}

// The command that finishes the revision.
std::string finishing_command(const HalfAppliedRevision& half) {
  if (half.parts.direction != Direction::Downgrade) {
    return "athanor upgrade " + half.parts.revision;
  }
  if (half.parents.empty()) {
    return "athanor downgrade base";
  }
  return "athanor downgrade " + half.parents.front();  // for a merge, any of its parents
}

}  // namespace

std::optional<HalfAppliedRevision> half_applied_revision(const Project& project, const std::optional<UnfinishedStep>& open) {
  if (!open) {
    return std::nullopt;
  }
  HalfAppliedRevision half;
  // Without the script, only what the ledger recorded: used if the file is missing or cannot be read.
  half.parts = half_applied(*open, nullptr);
  const Revision* const revision = project.graph.find(open->revision);
  if (revision == nullptr) {
    return half;
  }
  half.path = revision->path;
  half.parents = revision->down;
  auto text = project.source->read(*revision);
  if (!text) {
    return half;
  }
  const auto script = parse_script(*revision, std::move(*text));
  if (!script) {
    return half;
  }
  const auto& steps = open->direction == Direction::Downgrade ? script->downgrade : script->upgrade;
  half.parts = half_applied(*open, &steps);
  half.changed_line = PartChecksums(script->checksum, steps).changed_at(open->parts);
  return half;
}

std::string half_applied_line(const HalfAppliedRevision& half) {
  std::string text =
      std::string(direction_name(half.parts.direction)) + " of " + half.parts.revision + ", " + parts_done(half.parts);
  if (half.parts.next_line > 0) {
    text += "; next: " + place(half);
  } else if (half.path.empty()) {
    text += "; it has no revision file";
  }
  if (half.changed_line) {
    text += "; the file changed in a part that has already run";
    text += *half.changed_line > 0 ? " (line " + std::to_string(*half.changed_line) + ")" : "";
  }
  return text;
}

std::string way_on(const HalfAppliedRevision& half) {
  std::string text;
  if (half.path.empty()) {
    text = "restore the file of revision " + half.parts.revision + ", then run its " +
           std::string(direction_name(half.parts.direction)) + " again: it continues after the completed part. ";
  } else if (half.parts.outcome_unknown) {
    text = "run `" + finishing_command(half) +
           "`: it reads from the catalog how the statement ended. If the catalog does not show it, check the database and run "
           "`athanor repair --step done` or `--step redo`. ";
  } else {
    text = "`" + finishing_command(half) + "` continues after the completed part";
    text += half.changed_line ? ", once that part of the file is restored"
                              : "; you may first correct the part that has not run yet";
    text += ". ";
  }
  return text + "To give up, undo the completed part by hand, then run `athanor repair --step abandon`.";
}

bool is_done(const HalfAppliedRevision& half, std::size_t step, std::size_t statement) {
  return step < half.parts.steps_done || (step == half.parts.steps_done && statement < half.parts.statements_done);
}

Result<void> refuse_to_pass(const Project& project, const std::optional<UnfinishedStep>& open, const Walk& walk) {
  if (!open || (!walk.steps.empty() && walk.steps.front().revision == open->revision &&
                walk.steps.front().direction == open->direction)) {
    return {};
  }
  const HalfAppliedRevision half = *half_applied_revision(project, open);
  return fail(Error(ErrorCode::StepOutcomeUnknown, describe_half_applied(half.parts) + "; it must be finished first")
                  .at(place(half))
                  .advise(way_on(half)));
}

Json half_applied_json(const std::optional<HalfAppliedRevision>& half, const std::optional<UnfinishedStep>& open) {
  if (!half || !open) {
    return nullptr;
  }
  const auto number_or_null = [](std::size_t number) { return number > 0 ? Json(number) : Json(nullptr); };
  Json json = Json::object();
  json["revision"] = open->revision;
  json["direction"] = direction_name(open->direction);
  json["step"] = open->step;
  json["statement"] = open->statement;
  json["intent"] = open->intent;
  json["cursor"] = open->cursor ? Json(*open->cursor) : Json(nullptr);
  json["rows"] = open->rows;
  json["path"] = half->path;
  json["steps"] = number_or_null(half->parts.steps);
  json["steps_done"] = half->parts.steps_done;
  json["statements"] = number_or_null(half->parts.statements);
  json["statements_done"] = half->parts.statements_done;
  json["next_line"] = number_or_null(static_cast<std::size_t>(half->parts.next_line));
  json["next_statement"] = half->parts.next_statement;
  json["changed"] = half->changed_line.has_value();
  return json;
}

}  // namespace athanor::cli
