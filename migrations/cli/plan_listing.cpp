#include "migrations/cli/plan_listing.hpp"

#include "migrations/plan/statement.hpp"

namespace athanor::cli {

Json step_json(const WalkStep& step) {
  Json json = Json::object();
  json["direction"] = step.revision ? direction_name(step.direction) : direction_name(Direction::Stamp);
  json["revision"] = step.revision ? Json(*step.revision) : Json(nullptr);
  json["heads"] = step.heads;
  Json operations = Json::array();
  for (const RowOperation& operation : step.operations) {
    switch (operation.kind) {
      case RowOperation::Kind::Insert:
        operations.push_back(Json::array({"insert", operation.to}));
        break;
      case RowOperation::Kind::Delete:
        operations.push_back(Json::array({"delete", operation.from}));
        break;
      case RowOperation::Kind::Update:
        operations.push_back(Json::array({"update", operation.from, operation.to}));
        break;
    }
  }
  json["operations"] = std::move(operations);
  return json;
}

Json planned_json(const PlannedRevision& revision, const HalfAppliedRevision* half) {
  Json json = step_json(revision.walk);
  json["message"] = revision.message;
  json["path"] = revision.path;
  Json statements = Json::array();
  if (revision.script) {
    const auto& steps = revision.steps();
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const ScriptStep& step = steps[i];
      for (std::size_t n = 0; n < step.statements.size(); ++n) {
        const SqlStatement& statement = step.statements[n];
        Json entry = Json::object();
        entry["step"] = step_kind_name(step.kind);
        entry["line"] = statement.line;
        entry["sql"] = statement.sql;
        entry["destructive"] = is_destructive(statement);
        if (half != nullptr) {
          entry["done"] = is_done(*half, i, n);
        }
        statements.push_back(std::move(entry));
      }
    }
  }
  json["statements"] = std::move(statements);
  return json;
}

bool is_destructive(const SqlStatement& statement) {
  return !destroyed_by(statement.sql).empty();
}

std::string step_line(const WalkStep& step, const std::vector<std::string>& parents, std::string_view message) {
  std::string line;
  if (!step.revision) {
    line = std::string(direction_name(Direction::Stamp)) + " " + join_revisions(step.from) + " -> " + join_revisions(step.to);
  } else if (step.direction == Direction::Downgrade) {
    line = std::string(direction_name(step.direction)) + " " + *step.revision + " -> " + join_revisions(parents);
  } else {
    line = std::string(direction_name(step.direction)) + " " + join_revisions(parents) + " -> " + *step.revision;
  }
  if (!message.empty()) {
    line += ", ";
    line += message;
  }
  return line;
}

std::string step_line(const PlannedRevision& revision) {
  return step_line(revision.walk, revision.down, revision.message);
}

}  // namespace athanor::cli
