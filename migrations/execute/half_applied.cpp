#include "migrations/execute/half_applied.hpp"

namespace athanor {
namespace {

// "1 of 2 steps", "0 of 1 steps"; "1 step" when the total is unknown.
std::string number_of(std::size_t done, std::size_t all, const char* noun) {
  if (all > 0) {
    return std::to_string(done) + " of " + std::to_string(all) + " " + noun + "s";
  }
  return std::to_string(done) + " " + noun + (done == 1 ? "" : "s");
}

void look_into_file(HalfApplied& half, const UnfinishedStep& open, const std::vector<ScriptStep>& steps) {
  half.steps = steps.size();
  auto next = static_cast<std::size_t>(open.step);
  auto statement = static_cast<std::size_t>(open.statement);
  if (next < steps.size() && steps[next].kind == StepKind::Autocommit) {
    if (statement >= steps[next].statements.size()) {  // all statements of this step are done
      ++next;
      statement = 0;
    } else if (statement > 0 || open.intent) {
      half.statements = steps[next].statements.size();
      half.statements_done = statement;
    }
  } else {
    statement = 0;
  }
  half.steps_done = next;
  for (; next < steps.size(); ++next, statement = 0) {
    if (statement < steps[next].statements.size()) {
      half.next_line = steps[next].statements[statement].line;
      half.next_statement = sanitise_sql(steps[next].statements[statement].sql);
      return;
    }
  }
}

}  // namespace

HalfApplied half_applied(const UnfinishedStep& open, const std::vector<ScriptStep>* steps) {
  HalfApplied half;
  half.revision = open.revision;
  half.direction = open.direction;
  half.outcome_unknown = open.intent;
  half.in_batches = open.cursor.has_value();
  half.rows = open.rows;
  half.steps_done = static_cast<std::size_t>(open.step);
  half.statements_done = static_cast<std::size_t>(open.statement);
  if (steps != nullptr) {
    half.statements_done = 0;
    look_into_file(half, open, *steps);
  }
  return half;
}

std::string parts_done(const HalfApplied& half) {
  const std::string step = "step " + std::to_string(half.steps_done + 1);
  std::string text = number_of(half.steps_done, half.steps, "step") + " done";
  if (half.in_batches) {
    text += ", and about " + std::to_string(half.rows) + (half.rows == 1 ? " row of " : " rows of ") + step;
  } else if (half.statements > 0 || half.statements_done > 0) {
    text += ", and " + number_of(half.statements_done, half.statements, "statement") + " of " + step;
  }
  if (half.outcome_unknown) {
    text += "; whether statement " + std::to_string(half.statements_done + 1) + " of it took effect is unknown";
  }
  return text;
}

std::string describe_half_applied(const HalfApplied& half) {
  const bool down = half.direction == Direction::Downgrade;
  return (down ? "the downgrade of revision " : "revision ") + half.revision + " is half-applied: " + parts_done(half);
}

}  // namespace athanor
