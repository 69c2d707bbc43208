#include "migrations/schema/load_statements.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "migrations/plan/statement.hpp"

namespace athanor::schema {
namespace {

// Every created table holds a lock until COMMIT, and the lock table is limited.
constexpr std::size_t kStatementsInOneTransaction = 500;

bool runs_alone(std::string_view sql) {
  const SqlStatement statement{sql, 1};
  // A new enum label must be committed before other statements use it; statements such as CREATE INDEX CONCURRENTLY refuse to
  // run in a transaction block.
  return recovery_probe(sql).kind == RecoveryProbe::Kind::AddEnumValue ||
         (!check_statement(statement, true) && check_statement(statement, false));
}

// "schema.sql:14": the statement's place, plus the lines up to the error position inside it.
std::string exact_place(const SchemaStatement& statement, int position) {
  const std::size_t colon = statement.place.rfind(':');
  int line = 0;
  const char* end = statement.place.data() + statement.place.size();
  if (position <= 0 || colon == std::string::npos ||
      std::from_chars(statement.place.data() + colon + 1, end, line).ptr != end) {
    return statement.place;
  }
  // The server counts characters, not bytes, so non-ASCII text before the position can make the line too small.
  const auto bytes = std::min(static_cast<std::size_t>(position - 1), statement.sql.size());
  return statement.place.substr(0, colon + 1) +
         std::to_string(line + static_cast<int>(std::ranges::count(statement.sql.substr(0, bytes), '\n')));
}

std::string quoted_in(const std::string& message) {
  const std::size_t open = message.find('"');
  const std::size_t close = message.find('"', open + 1);
  return close == std::string::npos ? std::string() : message.substr(open + 1, close - open - 1);
}

// The extension that the server does not have; empty for another error. Before PostgreSQL 15 the message names the missing
// control file of the extension instead.
std::string missing_extension(const Error& error) {
  constexpr std::string_view kControl = ".control";
  if (error.message.starts_with("extension \"") && error.message.ends_with("is not available")) {
    return quoted_in(error.message);
  }
  const std::string path = quoted_in(error.message);
  if (!error.message.starts_with("could not open extension control file") || !path.ends_with(kControl)) {
    return {};
  }
  const std::string file = path.substr(path.rfind('/') + 1);
  return file.substr(0, file.size() - kControl.size());
}

Error load_error(Error error, const SchemaStatement& statement) {
  if (error.sqlstate.empty() || error.code == ErrorCode::Interrupted) {
    return error;  // an error of the connection, not of the statement
  }
  Error failed(ErrorCode::DesiredSchemaFailed, error.message);
  failed.sqlstate = error.sqlstate;
  failed.position = error.position;
  failed.hint = error.hint;
  failed.context = exact_place(statement, error.position);
  if (const std::string extension = missing_extension(error); !extension.empty()) {
    failed.hint =
        "install the extension `" + extension +
        "` on the server of the scratch databases, or point scratch_url at a server that has it, for example one with "
        "the image of your database";
  } else if (error.message.starts_with("type \"") && error.sqlstate == "42704") {
    const std::string type = quoted_in(error.message);
    failed.hint = "if an extension provides the type, create it first: CREATE EXTENSION IF NOT EXISTS …" +
                  (type == "vector"     ? std::string(" (vector)")
                   : type == "geometry" ? std::string(" (postgis)")
                                        : std::string());
  }
  return failed;
}

Result<void> load_together(Session& session, std::span<const SchemaStatement> statements) {
  std::vector<Command> commands;
  commands.reserve(statements.size());
  for (const SchemaStatement& statement : statements) {
    commands.push_back({std::string(statement.sql), {}, {}, true});
  }
  std::size_t failed = 0;
  auto done = run_in_transaction(session, std::move(commands), &failed);
  if (!done) {
    return fail(failed < statements.size() ? load_error(std::move(done).error(), statements[failed]) : std::move(done).error());
  }
  return {};
}

}  // namespace

Result<void> run_in_transaction(Session& session, std::vector<Command> commands, std::size_t* failed) {
  Transaction transaction;
  transaction.commands = std::move(commands);
  TRY(session.submit(transaction));
  TRY_ASSIGN(TransactionOutcome outcome, session.collect());
  if (outcome.error) {
    if (failed != nullptr) {
      *failed = outcome.failed_command;
    }
    (void)session.roll_back();
    return fail(std::move(*outcome.error));
  }
  return {};
}

Result<void> load_statements(Session& session, std::span<const SchemaStatement> statements) {
  TRY(session.execute_autocommit("SET check_function_bodies = off"));
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= statements.size(); ++at) {
    const bool alone = at < statements.size() && runs_alone(statements[at].sql);
    if (at < statements.size() && !alone && at - begin < kStatementsInOneTransaction) {
      continue;
    }
    if (at > begin) {
      TRY(load_together(session, statements.subspan(begin, at - begin)));
    }
    begin = at;
    if (alone) {
      if (auto done = session.execute_autocommit(statements[at].sql); !done) {
        return fail(load_error(std::move(done).error(), statements[at]));
      }
      begin = at + 1;
    }
  }
  return {};
}

Result<std::vector<std::string>> recheck_bodies(Session& session) {
  // The schema's statements may have changed it: a dump by pg_dump sets it to ''. RESET returns to the one of the connection.
  TRY(session.execute_autocommit("RESET search_path"));
  TRY(session.execute_autocommit("SET check_function_bodies = on"));
  TRY_ASSIGN(const Rows bodies,
             session.query("SELECT p.oid::pg_catalog.regprocedure::text, pg_catalog.pg_get_functiondef(p.oid) FROM "
                           "pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace JOIN "
                           "pg_catalog.pg_language l ON l.oid = p.prolang WHERE p.prokind <> 'a' AND n.nspname !~ '^pg_' AND "
                           "n.nspname <> 'information_schema' AND l.lanname IN ('sql', 'plpgsql') AND p.prosqlbody IS NULL AND "
                           "NOT EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = "
                           "'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = p.oid AND d.deptype = 'e') ORDER BY 1"));
  std::vector<Command> commands;
  for (std::size_t row = 0; row < bodies.rows.size(); ++row) {
    commands.push_back({bodies.text(row, 1), {}, {}, true});
  }
  std::vector<std::string> faults;
  if (commands.empty()) {
    return faults;
  }
  TRY_ASSIGN(const auto answers, session.query_each(commands));
  for (std::size_t row = 0; row < answers.size(); ++row) {
    if (!answers[row]) {
      faults.push_back("function " + bodies.text(row, 0) + ": " + answers[row].error().message);
    }
  }
  return faults;
}

}  // namespace athanor::schema
