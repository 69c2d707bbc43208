#include "migrations/postgres/answer_stream.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

namespace athanor::postgres {
namespace {

struct ResultClearer {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultHandle = std::unique_ptr<PGresult, ResultClearer>;

using SteadyClock = std::chrono::steady_clock;

bool failed(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE;
}

bool is_copy(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_COPY_OUT || status == PGRES_COPY_IN || status == PGRES_COPY_BOTH;
}

Error too_large(std::string_view what, const std::string& place) {
  return Error(ErrorCode::ConnectionLost,
               place + " sent " + std::string(what) + " of more than 64 MiB; the connection was closed")
      .advise("select fewer rows: the results of a revision are discarded");
}

std::string in_seconds(milliseconds duration) {
  return std::to_string(duration.count() / 1000) + " s";
}

}  // namespace

// Shared, because a detached thread may still use it after the stream is gone.
struct AnswerStream::Canceller {
  explicit Canceller(PGconn* connection) : handle(PQgetCancel(connection)) {}
  ~Canceller() { PQfreeCancel(handle); }
  Canceller(const Canceller&) = delete;
  Canceller& operator=(const Canceller&) = delete;

  PGcancel* handle;
  std::atomic<bool> busy{false};
};

AnswerStream::AnswerStream(PGconn* connection, std::unique_ptr<MeteredSocket> socket, StreamSettings settings)
    : connection_(connection),
      socket_(std::move(socket)),
      settings_(std::move(settings)),
      canceller_(std::make_shared<Canceller>(connection)) {
  // A blocking PQsend… would wait for room in the socket pair, which only our own turns make.
  PQsetnonblocking(connection_, 1);
  // By default libpq prints notices to stderr.
  PQsetNoticeReceiver(
      connection_, [](void* self, const PGresult* notice) { static_cast<AnswerStream*>(self)->hear(notice); }, this);
}

AnswerStream::~AnswerStream() = default;

void AnswerStream::expect_answer(Handling handling) {
  expected_.push_back({.handling = std::move(handling)});
}

void AnswerStream::expect_synchronisation() {
  expected_.push_back({.synchronisation = true, .handling = {.keep_rows = false}});
}

bool AnswerStream::alive() const {
  return !reason_ && PQstatus(connection_) == CONNECTION_OK;
}

Error AnswerStream::lost() const {
  return reason_ ? *reason_ : connection_lost(settings_.place);
}

// The first reason is the cause; later errors only follow from the cut connection.
void AnswerStream::leave(Error reason) {
  if (!reason_) {
    reason_ = std::move(reason);
    socket_->cut();
  }
}

Result<void> AnswerStream::flush() {
  const auto now = SteadyClock::now();
  Wait wait{now, now + settings_.listen_every};
  milliseconds timeout{0};
  while (true) {
    // The server may stop reading until we read: exchange() serves both directions, or both sides would wait forever.
    TRY(exchange(timeout));
    // A broken connection never takes the rest. Return success, so that the caller still gets the answers that arrived before.
    if (!alive() || (PQflush(connection_) == 0 && !socket_->has_unsent())) {
      return {};
    }
    TRY(ask(wait));
    timeout = settings_.listen_every;
  }
}

Result<AnswerStream::Arrived> AnswerStream::take() {
  const auto now = SteadyClock::now();
  Wait wait{now, now + settings_.listen_every};
  // The first turn does not wait: the answer may have arrived already.
  milliseconds timeout{0};
  while (arrived_.empty()) {
    TRY(exchange(timeout));
    if (arrived_.empty()) {
      TRY(ask(wait));
      timeout = std::max(milliseconds(0), std::chrono::ceil<milliseconds>(wait.next_question - SteadyClock::now()));
    }
  }
  Arrived arrived = std::move(arrived_.front());
  arrived_.pop_front();
  return arrived;
}

Result<AnswerStream::Answer> AnswerStream::take_answer() {
  TRY_ASSIGN(Arrived arrived, take());
  // Answer and synchronisation point in the wrong order: the connection is out of step.
  if (arrived.synchronisation) {
    return fail(lost());
  }
  return std::move(arrived.answer);
}

Result<AnswerStream::Answer> AnswerStream::take_synchronisation() {
  TRY_ASSIGN(Arrived arrived, take());
  if (!arrived.synchronisation) {
    return fail(lost());
  }
  return std::move(arrived.answer);
}

// Reads everything that libpq was given; leftover bytes would block the next portion. With TLS a portion may contain several
// records, but PQconsumeInput() decodes one per call and does not reveal the others. Returns false at the end of the
// connection.
bool AnswerStream::read_portion() {
  constexpr int kRecords = 4;
  int records = PQsslInUse(connection_) != 0 ? kRecords : 1;
  int unread = 0;
  do {
    const bool ended = PQconsumeInput(connection_) == 0;
    take_arrived();  // what arrived complete before the end still counts
    if (ended || !alive()) {
      return false;
    }
    ::ioctl(PQsocket(connection_), FIONREAD, &unread);
  } while (--records > 0 || unread > 0);
  return true;
}

// One turn: sends, receives, and takes complete answers. Success without an answer means: keep waiting.
Result<void> AnswerStream::exchange(milliseconds timeout) {
  bool broken = reason_.has_value() || PQflush(connection_) < 0;
  if (!broken && socket_->turn(timeout)) {
    broken = !read_portion();
  } else if (!broken) {
    take_arrived();  // results that need no bytes: those of an aborted pipeline
  }
  if (!arrived_.empty()) {
    return {};
  }
  if (broken || !alive()) {
    return fail(lost());
  }
  // libpq keeps buffering an incomplete message of any announced length. Cut before it exhausts our memory.
  if (socket_->received() - mark_ > kLargestMessage) {
    leave(too_large("a message", settings_.place));
    return fail(lost());
  }
  return {};
}

bool AnswerStream::stop_wanted(Wait& wait, SteadyTime now) {
  if (listener_) {
    return listener_(std::chrono::duration_cast<milliseconds>(now - wait.since));
  }
  if (!settings_.stop.requested()) {
    return false;
  }
  if (!wait.stop_seen) {
    wait.stop_seen = now;
  }
  // Our own queries may be cancelled at once; a migration's statements get the grace period.
  const bool hurried = expected_.empty() || expected_.front().handling.hurried;
  return hurried || settings_.stop.level() == StopLevel::Now || now - *wait.stop_seen >= settings_.stop_grace;
}

Result<void> AnswerStream::ask(Wait& wait) {
  const auto now = SteadyClock::now();
  if (now < wait.next_question) {
    return {};
  }
  wait.next_question = now + settings_.listen_every;
  if (stop_wanted(wait, now)) {
    // Cancel first, and abandon the server only if it does not react.
    if (!wait.cancelled) {
      wait.cancelled = now;
    }
    if (now - *wait.cancelled >= kPatience) {
      leave(Error(ErrorCode::Interrupted, "stopped on request; " + settings_.place +
                                              " did not respond to the cancel request within " + in_seconds(kPatience) +
                                              " and the connection was closed"));
      return fail(lost());
    }
    // A listener asks for reasons of its own, and explains the error itself.
    cancelled_by_stop_ = cancelled_by_stop_ || !listener_;
    // Repeated at every call: the first cancellation may have reached the server between two statements, where it has no
    // effect.
    cancel();
  }
  const bool hurried = !expected_.empty() && expected_.front().handling.hurried;
  // The server limits the statements of a migration; only our own queries have a limit here.
  if (hurried && now - wait.since >= settings_.answer_timeout) {
    leave(Error(ErrorCode::ConnectionLost, settings_.place + " did not respond within " + in_seconds(settings_.answer_timeout) +
                                               "; the connection was closed")
              .advise("check that the server is working, and any firewall or proxy in between"));
    return fail(lost());
  }
  return {};
}

void AnswerStream::take_arrived() {
  while (!expected_.empty() && !reason_) {
    if (!begun_) {
      begun_ = true;
      if (!expected_.front().synchronisation) {
        PQsetSingleRowMode(connection_);  // before the first row is parsed; no effect on results without rows
      }
    }
    if (copying_) {
      drop_copied();
      if (copying_) {
        return;
      }
    }
    if (PQisBusy(connection_) != 0) {
      while (PGnotify* unread = PQnotifies(connection_)) {  // from a LISTEN in a revision; nobody reads them
        PQfreemem(unread);
      }
      return;
    }
    const ResultHandle result(PQgetResult(connection_));
    mark_ = socket_->received();
    if (!result) {
      end_answer();
    } else {
      absorb(result.get());
    }
  }
}

void AnswerStream::end_answer() {
  if (expected_.front().synchronisation && current_.error && any_result_) {
    begun_ = any_result_ = false;  // the commit failed; the synchronisation point itself follows
    return;
  }
  if (expected_.front().synchronisation || !any_result_) {
    leave(connection_lost(settings_.place));  // libpq has no result where an answer must be: out of step
    return;
  }
  arrived_.push_back({.answer = std::move(current_)});
  expected_.pop_front();
  // A loop that raises notices must not flood the log, but the user should know that some are missing.
  if (messages_ > kMostMessages && message_listener_) {
    message_listener_(
        {"NOTICE", "", std::to_string(messages_ - kMostMessages) + " more messages from the server are not shown", ""});
  }
  current_ = {};
  begun_ = any_result_ = complete_ = false;
  kept_ = notice_bytes_ = 0;
  messages_ = 0;
}

MessageSource AnswerStream::source(std::string_view sql) const {
  const char* const password = PQpass(connection_);
  return {settings_.show_values, sql, password == nullptr ? std::string_view() : std::string_view(password)};
}

Error AnswerStream::with_stop_reason(Error error) const {
  constexpr std::string_view kQueryCancelled = "57014";
  if (!cancelled_by_stop_ || error.sqlstate != kQueryCancelled || !settings_.stop.requested()) {
    return error;
  }
  return Error(ErrorCode::Interrupted, "stopped on request; the running statement was cancelled").with_sqlstate(error.sqlstate);
}

void AnswerStream::absorb(const PGresult* result) {
  any_result_ = true;
  const auto status = PQresultStatus(result);
  if (expected_.front().synchronisation && failed(result)) {
    current_.error = with_stop_reason(result_error(result, source({})));
    return;
  }
  // libpq and our list of expected answers disagree: no later answer could be assigned to its command.
  if ((status == PGRES_PIPELINE_SYNC) != expected_.front().synchronisation) {
    leave(connection_lost(settings_.place));
    return;
  }
  if (status == PGRES_PIPELINE_SYNC) {
    arrived_.push_back({.synchronisation = true, .answer = std::exchange(current_, {})});
    expected_.pop_front();
    begun_ = any_result_ = false;
    return;
  }
  if (status == PGRES_PIPELINE_ABORTED) {
    current_.aborted = true;
    return;
  }
  if (is_copy(result)) {
    copying_ = true;
    return;
  }
  // Only the last statement of a text counts: discard the rows of the one before.
  if (std::exchange(complete_, status != PGRES_SINGLE_TUPLE)) {
    current_.rows = {};
    kept_ = 0;
  }
  if (failed(result)) {
    current_.error = with_stop_reason(result_error(result, source(expected_.front().handling.sql)));
    return;
  }
  if (expected_.front().handling.keep_rows) {
    keep_rows(result);
  }
  if (status != PGRES_SINGLE_TUPLE) {
    const char* affected = PQcmdTuples(const_cast<PGresult*>(result));
    std::from_chars(affected, affected + std::strlen(affected), current_.rows.affected);
  }
}

void AnswerStream::keep_rows(const PGresult* result) {
  const int columns = PQnfields(result);
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& cells = current_.rows.rows.emplace_back();
    cells.reserve(static_cast<std::size_t>(columns));
    for (int column = 0; column < columns; ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        cells.emplace_back(std::nullopt);
      } else {
        const auto length = static_cast<std::size_t>(PQgetlength(result, row, column));
        cells.emplace_back(std::string(PQgetvalue(result, row, column), length));
        kept_ += length;
      }
    }
  }
  // A corrupt or malicious table must not exhaust our memory.
  if (kept_ > kMostKept || current_.rows.rows.size() > kMostKeptRows) {
    leave(too_large("a result", settings_.place));
  }
}

// There is no peer for COPY: its output is dropped, and there is no input.
void AnswerStream::drop_copied() {
  char* line = nullptr;
  int length = 0;
  while ((length = PQgetCopyData(connection_, &line, 1)) > 0) {
    PQfreemem(line);
    mark_ = socket_->received();
  }
  if (length == -1) {
    copying_ = false;
  } else if (length == -2) {
    leave(Error(ErrorCode::StatementFailed, "COPY FROM STDIN has no input in a revision; the connection was closed")
              .advise("write the rows as INSERT statements"));
  }
}

void AnswerStream::hear(const PGresult* notice) {
  const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  // A complete message, so the size limit starts again.
  mark_ = socket_->received();
  notice_bytes_ += text == nullptr ? 1 : std::strlen(text);
  if (notice_bytes_ > kMostNoticeBytes) {
    leave(Error(ErrorCode::ConnectionLost, settings_.place + " sent more than 1 GiB of messages; the connection was closed")
              .with_retry(RetryClass::Terminal)
              .advise("raise fewer messages in the revision and in the functions and triggers it runs, or set "
                      "client_min_messages = error in the revision"));
  } else if (message_listener_ && ++messages_ <= kMostMessages) {
    message_listener_(server_message(
        notice, source(expected_.empty() ? std::string_view() : std::string_view(expected_.front().handling.sql))));
  }
}

void AnswerStream::cancel() {
  // At most one cancellation at a time.
  if (canceller_->handle == nullptr || canceller_->busy.exchange(true)) {
    return;
  }
  try {
    std::thread([canceller = canceller_] {
      char reason[256];
      PQcancel(canceller->handle, reason, sizeof reason);
      canceller->busy = false;
    }).detach();
  } catch (const std::system_error&) {
    canceller_->busy = false;  // no thread available; the next call tries again
  }
}

}  // namespace athanor::postgres
