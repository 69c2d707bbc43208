#include "migrations/postgres/pipeline_session.hpp"

#include "migrations/session/session_reset.hpp"

namespace athanor::postgres {
namespace {

std::vector<const char*> values_of(const Parameters& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  return values;
}

}  // namespace

PipelineSession::PipelineSession(Connection connection, std::unique_ptr<MeteredSocket> socket, StreamSettings settings,
                                 bool pinned)
    : stream_(connection.get(), std::move(socket), std::move(settings)), connection_(std::move(connection)), pinned_(pinned) {}

PipelineSession::~PipelineSession() = default;

int PipelineSession::backend_pid() const {
  return PQbackendPID(connection_.get());
}
int PipelineSession::server_version() const {
  return PQserverVersion(connection_.get());
}
bool PipelineSession::alive() const {
  return stream_.alive();
}

Result<void> PipelineSession::enter_pipeline() {
  if (PQpipelineStatus(connection_.get()) == PQ_PIPELINE_OFF && PQenterPipelineMode(connection_.get()) != 1) {
    return fail(lost());
  }
  return {};
}

Result<void> PipelineSession::leave_pipeline() {
  if (!flights_.empty()) {
    return fail(ErrorCode::Internal, "a query was sent while transactions are in flight");
  }
  if (PQpipelineStatus(connection_.get()) != PQ_PIPELINE_OFF && PQexitPipelineMode(connection_.get()) != 1) {
    return fail(lost());
  }
  return {};
}

Result<void> PipelineSession::synchronise() {
  if (PQpipelineSync(connection_.get()) != 1) {
    return fail(lost());
  }
  stream_.expect_synchronisation();
  return {};
}

Result<void> PipelineSession::prepare(const std::string& name, const std::string& sql, Flight& flight) {
  if (prepared_.contains(name)) {
    return {};
  }
  if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) != 1) {
    return fail(lost());
  }
  stream_.expect_answer({});
  prepared_.emplace(name, sql);
  flight.prepared.push_back(name);
  return {};
}

Result<void> PipelineSession::send_command(const Command& command, SendAs as) {
  const auto values = values_of(command.parameters);
  const int count = static_cast<int>(values.size());
  // The name may belong to a different text, when a session serves several version tables. Then send the text unprepared.
  const auto known = as.prepared ? prepared_.find(command.prepared) : prepared_.end();
  const int sent =
      known == prepared_.end() || known->second != command.sql
          ? PQsendQueryParams(connection_.get(), command.sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0)
          : PQsendQueryPrepared(connection_.get(), command.prepared.c_str(), count, values.data(), nullptr, nullptr, 0);
  if (sent != 1) {
    return fail(lost());
  }
  stream_.expect_answer({.keep_rows = !command.rows_unused,
                         .hurried = as.hurried && !command.unhurried,
                         .sql = command.rows_unused ? command.sql : std::string()});
  return {};
}

Result<void> PipelineSession::send_text(std::string_view sql) {
  if (PQsendQuery(connection_.get(), std::string(sql).c_str()) != 1) {
    return fail(lost());
  }
  stream_.expect_answer({.keep_rows = false, .sql = std::string(sql)});
  return {};
}

Result<void> PipelineSession::submit(const Transaction& transaction) {
  static const Command kBegin{"BEGIN", {}, prepared_name("begin")};
  static const Command kCommit{"COMMIT", {}, prepared_name("commit")};
  TRY(enter_pipeline());
  Flight flight;
  flight.commands = transaction.commands.size();
  const bool prepared = !transaction.unprepared;
  if (prepared) {
    TRY(prepare(kBegin.prepared, kBegin.sql, flight));
    TRY(prepare(kCommit.prepared, kCommit.sql, flight));
    for (const auto& command : transaction.commands) {
      if (!command.prepared.empty()) {
        TRY(prepare(command.prepared, command.sql, flight));
      }
    }
  }
  if (!flight.prepared.empty()) {
    TRY(synchronise());  // so that a transaction that aborts does not undo the preparation
  }
  TRY(send_command(kBegin, {.prepared = prepared}));
  for (const auto& command : transaction.commands) {
    TRY(send_command(command, {.prepared = prepared}));
  }
  // When nothing else is in flight, ask for its answers (which include the transaction's id) before the server tries COMMIT, so
  // that pg_xact_status() can resolve a lost COMMIT. Behind other transactions the extra wake-up costs more than it is worth:
  // there the ledger decides.
  if (flights_.empty() && PQsendFlushRequest(connection_.get()) != 1) {
    return fail(lost());
  }
  TRY(send_command(kCommit, {.prepared = prepared}));
  TRY(synchronise());
  flights_.push_back(std::move(flight));
  return flush();
}

Result<TransactionOutcome> PipelineSession::collect() {
  if (flights_.empty()) {
    return fail(ErrorCode::Internal, "no transaction is in flight");
  }
  const Flight flight = std::move(flights_.front());
  flights_.pop_front();
  TransactionOutcome outcome;
  const auto gone = [&](Error error) {
    outcome.lost = true;
    outcome.error = std::move(error);
    return outcome;
  };
  for (const auto& name : flight.prepared) {
    auto answer = take_answer();
    if (!answer) {
      return gone(std::move(answer).error());
    }
    // Not prepared after all: the next transaction has to prepare it again.
    if (answer->error || answer->aborted) {
      prepared_.erase(name);
    }
  }
  if (!flight.prepared.empty()) {
    if (auto synchronised = take_synchronisation(); !synchronised) {
      return gone(std::move(synchronised).error());
    }
  }
  // BEGIN and COMMIT have answers, too.
  const std::size_t total = flight.commands + 2;
  for (std::size_t i = 0; i < total; ++i) {
    auto answer = take_answer();
    if (!answer) {
      return gone(std::move(answer).error());
    }
    if (answer->error && !outcome.error) {
      // BEGIN in an aborted transaction block: an earlier transaction of the pipeline failed.
      outcome.skipped = i == 0 && answer->error->sqlstate == "25P02";
      outcome.failed_command = i == 0 ? 0 : i - 1;
      outcome.error = std::move(answer->error);
    } else if (i > 0 && i <= flight.commands && !answer->aborted) {
      outcome.answers.push_back(std::move(answer->rows));
    }
  }
  auto synchronised = take_synchronisation();
  if (!synchronised) {
    return gone(std::move(synchronised).error());
  }
  // A deferred constraint that fails at COMMIT is reported only here.
  if (synchronised->error && !outcome.error) {
    outcome.failed_command = flight.commands;
    outcome.error = std::move(synchronised->error);
  }
  return outcome;
}

Result<void> PipelineSession::roll_back() {
  TRY(leave_pipeline());
  if (PQtransactionStatus(connection_.get()) != PQTRANS_IDLE) {
    TRY(execute_autocommit("ROLLBACK"));
  }
  return {};
}

Result<void> PipelineSession::recover() {
  TRY(roll_back());
  // Without SET CONSTRAINTS ALL IMMEDIATE, the first command: outside a transaction nothing is deferred.
  std::vector<Command> commands(session_reset().begin() + 1, session_reset().end());
  commands.push_back({"DEALLOCATE ALL", {}, ""});
  prepared_.clear();
  TRY_ASSIGN(const auto answers, query_each(commands));
  for (const auto& answer : answers) {
    if (!answer) {
      return fail(answer.error());
    }
  }
  return {};
}

Result<Rows> PipelineSession::single_answer() {
  auto answer = take_answer();
  if (!answer) {
    return fail(std::move(answer).error());
  }
  if (answer->error) {
    return fail(std::move(*answer->error));
  }
  return std::move(answer->rows);
}

Result<Rows> PipelineSession::query(std::string_view sql, const Parameters& parameters) {
  TRY(leave_pipeline());
  TRY(send_command(Command{std::string(sql), parameters, ""}, {.hurried = true}));
  return single_answer();
}

Result<Rows> PipelineSession::execute_autocommit(std::string_view sql) {
  TRY(leave_pipeline());
  TRY(send_text(sql));
  return single_answer();
}

Result<std::vector<Result<Rows>>> PipelineSession::query_each(const std::vector<Command>& commands) {
  TRY(leave_pipeline());
  TRY(enter_pipeline());
  // A synchronisation point after each command makes it a transaction of its own.
  for (const auto& command : commands) {
    TRY(send_command(command, {.hurried = true}));
    TRY(synchronise());
  }
  std::vector<Result<Rows>> answers;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    TRY_ASSIGN(auto answer, take_answer());
    TRY_ASSIGN(auto end, take_synchronisation());
    if (!answer.error) {
      answer.error = std::move(end.error);  // at the commit
    }
    answers.push_back(answer.error ? Result<Rows>(fail(std::move(*answer.error))) : Result<Rows>(std::move(answer.rows)));
  }
  return answers;
}

}  // namespace athanor::postgres
