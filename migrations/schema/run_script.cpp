#include "migrations/schema/run_script.hpp"

#include <string>
#include <utility>
#include <vector>

#include "migrations/schema/load_statements.hpp"

namespace athanor::schema {
namespace {

constexpr std::string_view kBatch = "{batch}";

std::string whole_batch(std::string_view sql) {
  std::string text(sql);
  if (const std::size_t at = text.find(kBatch); at != std::string::npos) {
    // The condition on the key range becomes true, so that one statement covers all rows.
    text.replace(at, kBatch.size(), "true");
  }
  return text;
}

Error at_statement(Error error, const ScriptStep& step, std::size_t index) {
  if (index < step.statements.size()) {
    error.context = "line " + std::to_string(step.statements[index].line);
  }
  return error;
}

}  // namespace

Result<void> run_steps(Session& session, std::span<const ScriptStep> steps) {
  for (const ScriptStep& step : steps) {
    if (step.kind == StepKind::Autocommit) {
      for (std::size_t index = 0; index < step.statements.size(); ++index) {
        if (auto done = session.execute_autocommit(step.statements[index].sql); !done) {
          return fail(at_statement(std::move(done).error(), step, index));
        }
      }
      continue;
    }
    std::vector<Command> commands;
    for (const SqlStatement& statement : step.statements) {
      commands.push_back(
          {step.kind == StepKind::Batch ? whole_batch(statement.sql) : std::string(statement.sql), {}, {}, true});
    }
    if (commands.empty()) {
      continue;
    }
    std::size_t failed = step.statements.size();
    if (auto done = run_in_transaction(session, std::move(commands), &failed); !done) {
      return fail(at_statement(std::move(done).error(), step, failed));
    }
  }
  return {};
}

Result<void> run_planned(Session& session, const std::vector<PlannedStep>& steps) {
  for (const PlannedStep& step : steps) {
    std::vector<Command> commands;
    for (const PlannedStatement& statement : step.statements) {
      if (step.autocommit) {
        TRY(session.execute_autocommit(statement.sql));
      } else {
        commands.push_back({statement.sql, {}, {}, true});
      }
    }
    if (!commands.empty()) {
      TRY(run_in_transaction(session, std::move(commands)));
    }
  }
  return {};
}

}  // namespace athanor::schema
