// A session: one connection to one database, and the core's only access to PostgreSQL.
//
// The migration session holds the advisory lock and does the work, so losing the session loses both together. query() runs one
// statement and returns its answer. submit() and collect() run whole transactions in a pipeline: several may be in flight, each
// BEGIN … COMMIT with its own synchronisation point. When one fails, every later one in flight fails too, without effect,
// because its BEGIN runs in an aborted transaction block. That holds only if each transaction starts with a statement that
// fails unless the previous transaction committed: the executor's version-row guard.
//
// No call waits forever. query() and query_each() are for our own queries: they have a time limit and keep a limited number of
// rows. The statements of a migration (submit(), execute_autocommit()) are limited only by the server's settings; their rows
// are discarded. All waits react to a stop request, and a server that does not answer a cancellation is abandoned.
//
// Threads: a session belongs to one thread, except cancel(). The adapter sanitises errors: they contain SQLSTATE and the
// server's primary message, without DETAIL, LINE or literals.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor {

using Parameter = std::optional<std::string>;
using Parameters = std::vector<Parameter>;

// The answer of one statement, in text format.
struct Rows {
  std::vector<std::vector<Parameter>> rows;
  std::int64_t affected = 0;
  [[nodiscard]] bool empty() const { return rows.empty(); }
  // A cell; NULL when the answer has no such cell, because a server may return any shape.
  [[nodiscard]] Parameter cell(std::size_t row, std::size_t column) const {
    return row < rows.size() && column < rows[row].size() ? rows[row][column] : Parameter();
  }
  // The cell's text; empty for NULL.
  [[nodiscard]] std::string text(std::size_t row, std::size_t column) const { return cell(row, column).value_or(""); }
};

// One statement of a pipelined transaction.
struct Command {
  std::string sql;
  Parameters parameters;
  std::string prepared;  // not empty: prepare the statement once under this name, then only bind it
  // For a revision's statement: discard its rows as they arrive, and only count them.
  bool rows_unused = false;
  // For query_each(): no time limit, because it scans a table. Without it, our own queries have one.
  bool unhurried = false;
};

struct Transaction {
  std::vector<Command> commands;  // between BEGIN and COMMIT, which the session adds
  // Use no prepared statements, whatever the commands say: one of them may drop prepared statements.
  bool unprepared = false;
};

struct TransactionOutcome {
  // The answers of the commands: all of them after a commit; those that arrived when the connection was lost.
  std::vector<Rows> answers;
  // Set when the transaction did not commit. `failed_command` is the index of the failed command; commands.size() means COMMIT.
  std::optional<Error> error;
  std::size_t failed_command = 0;
  // An earlier transaction of the pipeline failed, so this one did not run.
  bool skipped = false;
  // The connection was lost after sending this transaction; its outcome is unknown.
  bool lost = false;
};

// Called at least four times a second while the session waits for the server, in either direction, even while bytes arrive.
// Return true to cancel the running statement. A server that does not react within seconds is abandoned, and the session is
// lost.
using WaitListener = std::function<bool(milliseconds waited)>;

// A NOTICE or WARNING of the server: one line without control characters, with values masked as in errors.
struct ServerMessage {
  std::string severity;  // "WARNING" or "NOTICE", never translated
  std::string sqlstate;
  std::string text;
  std::string hint;
  [[nodiscard]] bool is_warning() const { return severity == "WARNING"; }
};
// Called on the session's thread, at most a hundred times per statement.
using MessageListener = std::function<void(const ServerMessage& message)>;

// A read-only session, such as the short-lived second connection that finds out who blocks the first.
class ReadSession {
 public:
  virtual ~ReadSession() = default;
  // Runs one statement with the extended protocol and waits for its answer. It is its own transaction unless one is open.
  [[nodiscard]] virtual Result<Rows> query(std::string_view sql, const Parameters& parameters = {}) = 0;
};

class Session : public ReadSession {
 public:
  // The backend's process id, as announced at connect time.
  [[nodiscard]] virtual int backend_pid() const = 0;
  [[nodiscard]] virtual int server_version() const = 0;  // for example 150018
  // Runs several statements in one round trip. Each is its own transaction: it sees everything committed before it began, and
  // fails or succeeds alone. The outer error is a lost connection.
  [[nodiscard]] virtual Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) = 0;
  // Runs one statement with the simple protocol outside a transaction block, as CONCURRENTLY requires. Discards its rows.
  [[nodiscard]] virtual Result<Rows> execute_autocommit(std::string_view sql) = 0;

  // Sends a transaction without waiting for its outcome. Blocks only while the connection's buffers are full.
  [[nodiscard]] virtual Result<void> submit(const Transaction& transaction) = 0;
  // Waits for the outcome of the oldest transaction in flight. After an outcome with an error, collect() the others, then call
  // recover().
  [[nodiscard]] virtual Result<TransactionOutcome> collect() = 0;
  // The number of transactions submitted but not collected.
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // Leaves an aborted transaction block. Settings made before that block stay.
  [[nodiscard]] virtual Result<void> roll_back() = 0;
  // Leaves an aborted transaction block and resets the session: role, settings, temporary tables, cursors, channels and
  // prepared statements, including ours. Only advisory locks remain.
  [[nodiscard]] virtual Result<void> recover() = 0;
  // False once the connection is lost, and the lock with it.
  [[nodiscard]] virtual bool alive() const = 0;

  // Replaces the listener; null removes it. Called on the session's thread, from within the calls that wait.
  virtual void set_wait_listener(WaitListener listener) = 0;
  // Replaces the receiver of the server's messages; null discards them.
  // By value, because an implementation keeps it.
  virtual void set_message_listener(MessageListener /*listener*/) {}  // NOLINT(performance-unnecessary-value-param)
  // False when the session has no pinned settings, because a pooler rejects them: then use it only for reading.
  [[nodiscard]] virtual bool pinned() const { return true; }
  // Requests cancellation of the running statement. Safe from any thread; returns immediately, whatever the network does.
  virtual void cancel() = 0;
};

class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  // Opens the migration session, with pinned settings. It may be behind a pooler: see refuse_pooler().
  [[nodiscard]] virtual Result<std::unique_ptr<Session>> open() = 0;
  // Opens a second, short-lived session that queries the server about the first (who blocks it).
  [[nodiscard]] virtual Result<std::unique_ptr<ReadSession>> open_observer() = 0;
  // "db.example.org:5432/app" without user and password, for messages.
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace athanor
