// The verb verify: runs queries with expected results on the database.
#include <algorithm>
#include <filesystem>

#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/lint_input.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/plan/expected_query.hpp"
#include "migrations/text/duration.hpp"

namespace athanor::cli {
namespace {

namespace fs = std::filesystem;

constexpr milliseconds kDefaultTimeout{20'000};

struct Verdict {
  bool passed = false;
  std::string found;  // "3 rows"; empty after an error
  std::string error;
  milliseconds duration{0};
};

Result<std::vector<ExpectedQuery>> read_queries(CommandContext& context, const Configuration& configuration) {
  std::vector<std::string> operands = context.arguments().operands();
  if (operands.empty()) {
    const std::string folder = (fs::path(configuration.directory) / "verify").string();
    std::error_code ignored;
    if (!fs::is_directory(folder, ignored)) {
      return fail(Error(ErrorCode::Usage, "no queries given, and there is no folder " + folder)
                      .advise("give files or folders of queries: athanor verify FILE..."));
    }
    operands.push_back(folder);
  }
  std::vector<ExpectedQuery> queries;
  for (const std::string& operand : operands) {
    TRY_ASSIGN(const auto files, sql_files_of(operand));
    for (const std::string& file : files) {
      TRY_ASSIGN(const std::string text, read_sql_text(file, configuration.limits));
      TRY_ASSIGN(auto found, parse_expected_queries(text, file));
      std::move(found.begin(), found.end(), std::back_inserter(queries));
    }
  }
  if (queries.empty()) {
    return fail(
        Error(ErrorCode::Usage, "the files contain no query").advise("write `-- expect: no rows` and a SELECT below it"));
  }
  return queries;
}

// Runs all queries in one read-only transaction, so that they share a snapshot and cannot change anything.
class Verification {
 public:
  Verification(Session& session, Clock& clock, bool show_values)
      : session_(session), clock_(clock), show_values_(show_values) {}

  Result<void> begin(milliseconds timeout) {
    TRY(session_.query("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    TRY(session_.query("SELECT pg_catalog.set_config('statement_timeout', $1, true)", {std::to_string(timeout.count())}));
    return {};
  }

  // Runs one query. The outer error is a lost connection.
  Result<Verdict> run(const ExpectedQuery& query) {
    // A failed query aborts the transaction only up to the savepoint, so the others still run.
    TRY(session_.query("SAVEPOINT athanor_verify"));
    const auto start = clock_.steady_now();
    auto rows = ask(query);
    Verdict verdict;
    verdict.duration = std::chrono::duration_cast<milliseconds>(clock_.steady_now() - start);
    if (!rows) {
      if (!session_.alive()) {
        return fail(std::move(rows).error().at(query.path + ":" + std::to_string(query.line)));
      }
      if (rows.error().code == ErrorCode::Interrupted) {
        return fail(std::move(rows).error());
      }
      verdict.error = rows.error().describe();
    } else {
      judge(query, *rows, verdict);
    }
    TRY(session_.query("ROLLBACK TO SAVEPOINT athanor_verify"));
    return verdict;
  }

 private:
  struct Answer {
    Rows first;  // at most two rows
    std::size_t count = 0;
  };

  // However many rows there are, two are enough to judge by; the others are counted where they are.
  Result<Answer> ask(const ExpectedQuery& query) {
    Answer answer;
    if (query.is_show) {  // no cursor takes it
      TRY_ASSIGN(answer.first, session_.query(query.sql));
      answer.count = answer.first.rows.size();
      return answer;
    }
    TRY(session_.query("DECLARE athanor_verify NO SCROLL CURSOR FOR " + query.sql));
    TRY_ASSIGN(answer.first, session_.query("FETCH FORWARD 2 FROM athanor_verify"));
    TRY_ASSIGN(const Rows rest, session_.query("MOVE FORWARD ALL IN athanor_verify"));
    answer.count = answer.first.rows.size() + static_cast<std::size_t>(rest.affected);
    return answer;
  }

  void judge(const ExpectedQuery& query, const Answer& answer, Verdict& verdict) const {
    const Rows& rows = answer.first;
    const std::size_t count = answer.count;
    const bool single = count == 1 && rows.rows.front().size() == 1;
    verdict.found = count == 0 ? "no rows" : std::to_string(count) + (count == 1 ? " row" : " rows");
    switch (query.kind) {
      case ExpectedQuery::Kind::NoRows:
        verdict.passed = count == 0;
        break;
      case ExpectedQuery::Kind::Rows:
        verdict.passed = count > 0;
        break;
      case ExpectedQuery::Kind::Value:
        verdict.passed = single && rows.cell(0, 0) == Parameter(query.value);
        if (count == 1 && !single) {
          verdict.found = "a row of " + std::to_string(rows.rows.front().size()) + " values";
        } else if (single) {
          // The value may be confidential.
          verdict.found = show_values_ || verdict.passed ? rows.cell(0, 0).value_or("NULL") : "another value";
        }
        break;
    }
  }

  Session& session_;
  Clock& clock_;
  bool show_values_;
};

Result<std::unique_ptr<Session>> open_session(CommandContext& context, const Configuration& configuration,
                                              milliseconds timeout) {
  if (configuration.database_url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database is configured")
                    .advise("set DATABASE_URL in the environment, or database_url in athanor.yaml"));
  }
  ExecutionSettings settings = configuration.execution;
  settings.show_values = context.arguments().has("--show-values");
  // Let the server's statement_timeout end a slow query: a session timeout would lose the connection.
  settings.answer_timeout = std::max(settings.answer_timeout, timeout + milliseconds(10'000));
  TRY_ASSIGN(const auto factory, context.outside().connect(configuration.database_url, settings));
  return factory->open();
}

Json verdict_json(const ExpectedQuery& query, const Verdict& verdict) {
  return {{"name", query.name},
          {"path", query.path},
          {"line", query.line},
          {"passed", verdict.passed},
          {"expected", query.expectation()},
          {"found", verdict.error.empty() ? Json(verdict.found) : Json(nullptr)},
          {"error", verdict.error.empty() ? Json(nullptr) : Json(verdict.error)},
          {"duration_ms", verdict.duration.count()}};
}

std::string failure_line(const ExpectedQuery& query, const Verdict& verdict) {
  const std::string where = query.path + ":" + std::to_string(query.line) + ": ";
  const std::string name = query.name.starts_with(query.path) ? std::string() : query.name + ": ";
  return where + name +
         (verdict.error.empty() ? "expected " + query.expectation() + ", found " + verdict.found : verdict.error);
}

Result<milliseconds> timeout_of(const Arguments& arguments) {
  const auto given = arguments.value("--timeout");
  if (!given) {
    return kDefaultTimeout;
  }
  const auto timeout = parse_duration(*given);
  if (!timeout || timeout->count() <= 0) {
    return fail(
        Error(ErrorCode::Usage, "--timeout takes a duration, not '" + *given + "'").advise("for example --timeout 20s"));
  }
  return *timeout;
}

}  // namespace

Result<void> run_verify(CommandContext& context) {
  TRY_ASSIGN(const Configuration configuration, load_settings(context));
  TRY_ASSIGN(const milliseconds timeout, timeout_of(context.arguments()));
  TRY_ASSIGN(const auto queries, read_queries(context, configuration));
  TRY_ASSIGN(const auto session, open_session(context, configuration, timeout));
  Verification verification(*session, *context.outside().clock, context.arguments().has("--show-values"));
  TRY(verification.begin(timeout));
  Output& output = context.output();
  Json all = Json::array();
  std::size_t failed = 0;
  for (const ExpectedQuery& query : queries) {
    if (context.outside().stop.requested()) {
      return fail(ErrorCode::Interrupted, "stopped before every query was verified");
    }
    TRY_ASSIGN(const Verdict verdict, verification.run(query));
    all.push_back(verdict_json(query, verdict));
    if (!verdict.passed) {
      ++failed;
      output.line("failed: " + failure_line(query, verdict));
    } else if (context.verbose()) {
      output.line("passed: " + query.name);
    }
  }
  output.fields()["queries"] = std::move(all);
  output.fields()["failed"] = failed;
  const std::string count = std::to_string(queries.size()) + (queries.size() == 1 ? " query" : " queries");
  if (failed > 0) {
    return fail(
        Error(ErrorCode::VerificationFailed, std::to_string(failed) + " of " + count + " did not return what was expected")
            .advise("check the data they query; --show-values prints the values found"));
  }
  output.set_message(count + (queries.size() == 1 ? " answers" : " answer") + " as expected");
  output.line(count + (queries.size() == 1 ? " answers" : " answer") + " as expected.");
  return {};
}

}  // namespace athanor::cli
