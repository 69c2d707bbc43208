#include "migrations/postgres/pipeline_session.hpp"

#include <poll.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "migrations/postgres/server_error.hpp"
#include "migrations/session/session_reset.hpp"

namespace athanor::postgres {
namespace {

struct ResultClearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultClearer>;

constexpr int kListenEvery = 250;  // milliseconds between two questions to the wait listener

bool failed(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

Rows rows_of(const PGresult* result) {
  Rows rows;
  const int count = PQntuples(result);
  const int columns = PQnfields(result);
  rows.rows.reserve(static_cast<std::size_t>(count));
  for (int row = 0; row < count; ++row) {
    auto& cells = rows.rows.emplace_back();
    cells.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        cells.emplace_back(std::nullopt);
      } else {
        cells.emplace_back(
            std::string(PQgetvalue(result, row, column), static_cast<std::size_t>(PQgetlength(result, row, column))));
      }
    }
  }
  const char* affected = PQcmdTuples(const_cast<PGresult*>(result));
  std::from_chars(affected, affected + std::strlen(affected), rows.affected);
  return rows;
}

std::vector<const char*> values_of(const Parameters& parameters) {
  std::vector<const char*> values;
  values.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    values.push_back(parameter ? parameter->c_str() : nullptr);
  }
  return values;
}

}  // namespace

PipelineSession::PipelineSession(Connection connection, std::string place)
    : connection_(std::move(connection)), place_(std::move(place)) {
  PQsetnonblocking(connection_.get(), 1);
  // Notices would go to stderr of their own accord; the run reports through its sink.
  PQsetNoticeReceiver(
      connection_.get(), [](void*, const PGresult*) {}, nullptr);
}

PipelineSession::~PipelineSession() = default;

int PipelineSession::backend_pid() const {
  return PQbackendPID(connection_.get());
}
int PipelineSession::server_version() const {
  return PQserverVersion(connection_.get());
}
bool PipelineSession::alive() const {
  return PQstatus(connection_.get()) == CONNECTION_OK;
}
Error PipelineSession::lost() const {
  return connection_lost(place_);
}

Result<void> PipelineSession::flush() {
  while (true) {
    const int pending = PQflush(connection_.get());
    if (pending == 0) {
      return {};
    }
    if (pending < 0) {
      return fail(lost());
    }
    // The server may be waiting for us to read before it reads on: serve both directions.
    pollfd descriptor{PQsocket(connection_.get()), POLLIN | POLLOUT, 0};
    ::poll(&descriptor, 1, kListenEvery);
    if ((descriptor.revents & POLLIN) != 0 && PQconsumeInput(connection_.get()) == 0) {
      return fail(lost());
    }
  }
}

Result<void> PipelineSession::wait_for_result() {
  int waited = 0;
  TRY(flush());
  while (PQisBusy(connection_.get()) != 0) {
    pollfd descriptor{PQsocket(connection_.get()), POLLIN, 0};
    const int ready = ::poll(&descriptor, 1, kListenEvery);
    if (ready == 0) {
      waited += kListenEvery;
      if (listener_ && listener_(milliseconds(waited))) {
        cancel();
      }
      continue;
    }
    if (PQconsumeInput(connection_.get()) == 0) {
      return fail(lost());
    }
    TRY(flush());
  }
  return {};
}

Result<PipelineSession::Answer> PipelineSession::take_answer() {
  Answer answer;
  bool any = false;
  while (true) {
    TRY(wait_for_result());
    const ResultHandle result(PQgetResult(connection_.get()));
    if (!result) {
      break;
    }
    any = true;
    if (PQresultStatus(result.get()) == PGRES_PIPELINE_ABORTED) {
      answer.aborted = true;
    } else if (failed(result.get())) {
      answer.error = result_error(result.get());
      if (PQstatus(connection_.get()) == CONNECTION_BAD) {
        return fail(lost());
      }
    } else {
      answer.rows = rows_of(result.get());
    }
  }
  if (!any || PQstatus(connection_.get()) == CONNECTION_BAD) {
    return fail(lost());
  }
  return answer;
}

Result<void> PipelineSession::take_synchronisation() {
  TRY(wait_for_result());
  const ResultHandle result(PQgetResult(connection_.get()));
  if (!result || PQresultStatus(result.get()) != PGRES_PIPELINE_SYNC) {
    return fail(lost());
  }
  return {};
}

Result<void> PipelineSession::enter_pipeline() {
  if (PQpipelineStatus(connection_.get()) == PQ_PIPELINE_OFF && PQenterPipelineMode(connection_.get()) != 1) {
    return fail(lost());
  }
  return {};
}

Result<void> PipelineSession::leave_pipeline() {
  if (!flights_.empty()) {
    return fail(ErrorCode::Internal, "a query was asked while transactions are in flight");
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
  return {};
}

Result<void> PipelineSession::prepare(const std::string& name, const std::string& sql, Flight& flight) {
  if (prepared_.contains(name)) {
    return {};
  }
  if (PQsendPrepare(connection_.get(), name.c_str(), sql.c_str(), 0, nullptr) != 1) {
    return fail(lost());
  }
  prepared_.emplace(name, sql);
  flight.prepared.push_back(name);
  return {};
}

Result<void> PipelineSession::send_command(const Command& command, bool prepared) {
  const auto values = values_of(command.parameters);
  const int count = static_cast<int>(values.size());
  // The same name may stand for another table's statement, when a session serves several version tables.
  const auto known = prepared ? prepared_.find(command.prepared) : prepared_.end();
  const int sent =
      known == prepared_.end() || known->second != command.sql
          ? PQsendQueryParams(connection_.get(), command.sql.c_str(), count, nullptr, values.data(), nullptr, nullptr, 0)
          : PQsendQueryPrepared(connection_.get(), command.prepared.c_str(), count, values.data(), nullptr, nullptr, 0);
  if (sent != 1) {
    return fail(lost());
  }
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
    TRY(synchronise());  // a transaction that aborts must not take the preparation with it
  }
  TRY(send_command(kBegin, prepared));
  for (const auto& command : transaction.commands) {
    TRY(send_command(command, prepared));
  }
  // Alone in flight, its answers (the transaction's id among them) are asked for before COMMIT is tried, so that a lost COMMIT
  // can be put to pg_xact_status. Behind others the extra wake-up would cost more than it tells: there the ledger decides.
  if (flights_.empty() && PQsendFlushRequest(connection_.get()) != 1) {
    return fail(lost());
  }
  TRY(send_command(kCommit, prepared));
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
    if (answer->error || answer->aborted) {
      prepared_.erase(name);
    }
  }
  if (!flight.prepared.empty()) {
    if (auto synchronised = take_synchronisation(); !synchronised) {
      return gone(std::move(synchronised).error());
    }
  }
  const std::size_t total = flight.commands + 2;
  for (std::size_t i = 0; i < total; ++i) {
    auto answer = take_answer();
    if (!answer) {
      return gone(std::move(answer).error());
    }
    if (answer->error && !outcome.error) {
      // BEGIN inside an aborted block: an earlier transaction of the pipeline failed.
      outcome.skipped = i == 0 && answer->error->sqlstate == "25P02";
      outcome.failed_command = i == 0 ? 0 : i - 1;
      outcome.error = std::move(answer->error);
    } else if (i > 0 && i <= flight.commands && !answer->aborted) {
      outcome.answers.push_back(std::move(answer->rows));
    }
  }
  if (auto synchronised = take_synchronisation(); !synchronised) {
    return gone(std::move(synchronised).error());
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
  // Outside a transaction no trigger waits for its end.
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
  TRY(send_command(Command{std::string(sql), parameters, ""}));
  return single_answer();
}

Result<Rows> PipelineSession::execute_autocommit(std::string_view sql) {
  TRY(leave_pipeline());
  if (PQsendQuery(connection_.get(), std::string(sql).c_str()) != 1) {
    return fail(lost());
  }
  return single_answer();
}

Result<std::vector<Result<Rows>>> PipelineSession::query_each(const std::vector<Command>& commands) {
  TRY(leave_pipeline());
  TRY(enter_pipeline());
  for (const auto& command : commands) {
    TRY(send_command(Command{command.sql, command.parameters, ""}));
    TRY(synchronise());
  }
  std::vector<Result<Rows>> answers;
  for (std::size_t i = 0; i < commands.size(); ++i) {
    TRY_ASSIGN(auto answer, take_answer());
    TRY(take_synchronisation());
    answers.push_back(answer.error ? Result<Rows>(fail(std::move(*answer.error))) : Result<Rows>(std::move(answer.rows)));
  }
  return answers;
}

void PipelineSession::cancel() {
  PGcancel* handle = PQgetCancel(connection_.get());
  if (handle != nullptr) {
    char reason[256];
    PQcancel(handle, reason, sizeof reason);
    PQfreeCancel(handle);
  }
}

}  // namespace athanor::postgres
