// A session: one connection to one database, and the only way the core talks to PostgreSQL.
//
// The migration session holds the advisory lock and does the work, so a lost session loses both at once. Two ways to work:
// query() for one statement with its answer, and submit()/collect() for whole transactions that are pipelined: several may be
// in flight, each BEGIN … COMMIT with its own synchronisation point. When one fails, every later one in flight fails too
// without effect (its BEGIN meets an aborted transaction), which is why each transaction must start with a statement that
// fails unless the one before it committed: the executor's version-row guard.
//
// No call waits for ever. query() and query_each() are our own questions: they have a time limit and keep a limited number of
// rows. The statements of a migration (submit(), execute_autocommit()) have the limits that the server holds; their rows are
// dropped. While any of them waits, a stop is heard, and a server that does not answer a cancellation either is left.
//
// Threads: a session belongs to one thread, cancel() excepted. Errors are sanitised by the adapter: SQLSTATE and the server's
// primary message without DETAIL, LINE or literals.
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

// Text-format answer of one statement.
struct Rows {
  std::vector<std::vector<Parameter>> rows;
  std::int64_t affected = 0;
  [[nodiscard]] bool empty() const { return rows.empty(); }
  // A cell; NULL where the answer has none, because a server may answer in any shape.
  [[nodiscard]] Parameter cell(std::size_t row, std::size_t column) const {
    return row < rows.size() && column < rows[row].size() ? rows[row][column] : Parameter();
  }
  // Its text; empty for NULL.
  [[nodiscard]] std::string text(std::size_t row, std::size_t column) const { return cell(row, column).value_or(""); }
};

// One message of a pipelined transaction.
struct Command {
  std::string sql;
  Parameters parameters;
  std::string prepared;  // non-empty: the statement is prepared once under this name, then only bound
  // A revision's statement: its rows are dropped as they come, and only their number is kept.
  bool rows_unused = false;
  // For query_each(): may take as long as it needs (it scans a table). Anything else of ours has a time limit there.
  bool unhurried = false;
};

struct Transaction {
  std::vector<Command> commands;  // between BEGIN and COMMIT, which the session adds
  // Nothing is prepared for it, whatever its commands say: a command of it may drop prepared statements.
  bool unprepared = false;
};

struct TransactionOutcome {
  // The answers of the commands: all of them when it committed, those that arrived when the connection was lost.
  std::vector<Rows> answers;
  // Set when it did not commit; `failed_command` is the index of the command that failed, or commands.size() for COMMIT.
  std::optional<Error> error;
  std::size_t failed_command = 0;
  // True when an earlier transaction of the pipeline failed and this one was never run.
  bool skipped = false;
  // The connection was lost with this transaction sent and its end unknown.
  bool lost = false;
};

// Asked about four times a second while the session waits for the server, sending or receiving, whatever arrives meanwhile;
// returns true to cancel what is running. A server that does not end within seconds of that is left: the session is lost.
using WaitListener = std::function<bool(milliseconds waited)>;

// A NOTICE or WARNING of the server: one line, without control characters, its values masked as those of errors are.
struct ServerMessage {
  std::string severity;  // "WARNING", "NOTICE", never translated
  std::string sqlstate;
  std::string text;
  std::string hint;
  [[nodiscard]] bool is_warning() const { return severity == "WARNING"; }
};
// Called on the session's thread, at most a hundred times a statement.
using MessageListener = std::function<void(const ServerMessage& message)>;

// A session that only reads: the second, short-lived connection that finds out who blocks the first.
class ReadSession {
 public:
  virtual ~ReadSession() = default;
  // One statement by the extended protocol, in a transaction of its own unless one is open. Waits for the answer.
  [[nodiscard]] virtual Result<Rows> query(std::string_view sql, const Parameters& parameters = {}) = 0;
};

class Session : public ReadSession {
 public:
  // The server process as announced when connecting.
  [[nodiscard]] virtual int backend_pid() const = 0;
  [[nodiscard]] virtual int server_version() const = 0;  // 150018
  // Several statements in one round trip, each in a transaction of its own: each sees what was committed before it began, and
  // fails or succeeds alone. The outer error is a lost connection.
  [[nodiscard]] virtual Result<std::vector<Result<Rows>>> query_each(const std::vector<Command>& commands) = 0;
  // One statement by the simple protocol outside a transaction block, as CONCURRENTLY needs it. Its rows are dropped.
  [[nodiscard]] virtual Result<Rows> execute_autocommit(std::string_view sql) = 0;

  // Queues a transaction. Blocks only while the connection's buffers are full.
  [[nodiscard]] virtual Result<void> submit(const Transaction& transaction) = 0;
  // The outcome of the oldest transaction in flight; waits for it. After an outcome with an error, collect() the rest, then
  // recover().
  [[nodiscard]] virtual Result<TransactionOutcome> collect() = 0;
  // Transactions submitted and not yet collected.
  [[nodiscard]] virtual std::size_t in_flight() const = 0;
  // Leaves an aborted transaction block. What was set before it began stays set.
  [[nodiscard]] virtual Result<void> roll_back() = 0;
  // Leaves an aborted transaction block and makes the session like new: role, settings, temporary tables, cursors, channels and
  // prepared statements, ours among them. Only advisory locks stay.
  [[nodiscard]] virtual Result<void> recover() = 0;
  // False once the connection is gone, and the lock with it.
  [[nodiscard]] virtual bool alive() const = 0;

  // Replaces the listener; null removes it. It is called on the session's thread, from within the calls that wait.
  virtual void set_wait_listener(WaitListener listener) = 0;
  // Replaces the receiver of the server's messages; null drops them.
  virtual void set_message_listener(MessageListener /*listener*/) {}
  // False when the session works without the pinned settings, as some poolers force it to: it is for reading alone.
  [[nodiscard]] virtual bool pinned() const { return true; }
  // Asks the server to cancel the running statement. Safe from any thread; returns at once, whatever the network does.
  virtual void cancel() = 0;
};

class SessionFactory {
 public:
  virtual ~SessionFactory() = default;
  // Opens the migration session: pinned settings, pooler refused.
  [[nodiscard]] virtual Result<std::unique_ptr<Session>> open() = 0;
  // Opens a second, short-lived session that asks about the first (who blocks it).
  [[nodiscard]] virtual Result<std::unique_ptr<ReadSession>> open_observer() = 0;
  // "db.example.org:5432/app" without user and password, for messages.
  [[nodiscard]] virtual std::string describe() const = 0;
};

}  // namespace athanor
