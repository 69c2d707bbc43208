#include "migrations/postgres/observer_session.hpp"

#include <sys/socket.h>

#include <atomic>
#include <future>
#include <optional>
#include <pqxx/pqxx>
#include <system_error>
#include <thread>

#include "migrations/postgres/server_error.hpp"

namespace athanor::postgres {
namespace {

// "ERROR:  relation "x" does not exist\nLINE 1: …" → only the primary message.
std::string primary_message(const std::string& report) {
  auto line = report.substr(0, report.find('\n'));
  const auto severity = line.find(":  ");
  return severity == std::string::npos ? line : line.substr(severity + 3);
}

// libpqxx on a connection that is already made. By itself libpqxx connects without a deadline.
class MadeConnection final : public pqxx::connection_base {
 public:
  explicit MadeConnection(Connection made) : connection_base(policy_), policy_(std::move(made)) { init(); }
  ~MadeConnection() noexcept { close(); }

 private:
  class Policy final : public pqxx::connectionpolicy {
   public:
    explicit Policy(Connection made) : connectionpolicy(std::string()), made_(std::move(made)) {}
    handle do_startconnect(handle current) override { return current == nullptr ? made_.release() : current; }

   private:
    Connection made_;
  };
  Policy policy_;
};

// Shared by the calling thread and the thread of a call. Only one of them uses the connection at a time.
struct Line {
  std::optional<MadeConnection> connection;
  std::atomic<int> socket{-1};  // closed together with the Line, so a thread that shares the Line may shut it down
  std::string place;
};

Result<Rows> open_line(Line& line, const std::function<Result<Connection>()>& connect) {
  auto made = connect();
  if (!made) {
    return fail(ErrorCode::DatabaseUnreachable, "cannot open a second connection to " + line.place);
  }
  try {
    line.connection.emplace(std::move(*made));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // gone in libpqxx 7, together with what it inhibits
    line.connection->inhibit_reactivation(true);
#pragma GCC diagnostic pop
    line.socket = line.connection->sock();
    return Rows{};
  } catch (const std::exception&) {
    return fail(ErrorCode::DatabaseUnreachable, "cannot open a second connection to " + line.place);
  }
}

Result<Rows> ask_line(Line& line, const std::string& sql, const Parameters& parameters) {
  try {
    pqxx::nontransaction transaction(*line.connection);
    std::vector<const char*> values;
    values.reserve(parameters.size());
    for (const auto& parameter : parameters) {
      values.push_back(parameter ? parameter->c_str() : nullptr);
    }
    const pqxx::result answer = transaction.exec_params(sql, pqxx::prepare::make_dynamic_params(values));
    Rows rows;
    for (const auto& row : answer) {
      auto& cells = rows.rows.emplace_back();
      for (const auto& field : row) {
        cells.push_back(field.is_null() ? Parameter{} : Parameter{field.c_str()});
      }
    }
    rows.affected = static_cast<std::int64_t>(answer.affected_rows());
    return rows;
  } catch (const pqxx::sql_error& error) {
    return fail(server_error(error.sqlstate(), primary_message(error.what())));
  } catch (const std::exception&) {
    return fail(connection_lost(line.place));
  }
}

class ObserverSession final : public ReadSession {
 public:
  explicit ObserverSession(std::string place) : line_(std::make_shared<Line>()) { line_->place = std::move(place); }

  Result<void> open(std::function<Result<Connection>()> connect) {
    TRY(on_a_thread([connect = std::move(connect)](Line& line) { return open_line(line, connect); }));
    return {};
  }

  Result<Rows> query(std::string_view sql, const Parameters& parameters) override {
    return on_a_thread([text = std::string(sql), parameters](Line& line) { return ask_line(line, text, parameters); });
  }

 private:
  template <class Call>
  Result<Rows> on_a_thread(Call call) {
    if (left_) {
      return fail(connection_lost(line_->place));
    }
    // The task shares ownership of the Line, so an abandoned call still has a valid connection.
    std::packaged_task<Result<Rows>()> task([line = line_, call = std::move(call)] { return call(*line); });
    auto answer = task.get_future();
    try {
      // Detached: joining could block for as long as the network does.
      std::thread(std::move(task)).detach();
    } catch (const std::system_error&) {
      return fail(ErrorCode::Io, "cannot create a thread for the second connection");
    }
    if (answer.wait_for(kObserverPatience) == std::future_status::ready) {
      return answer.get();
    }
    // Shutting the socket down makes the call on the other thread return.
    left_ = true;
    if (const int socket = line_->socket; socket >= 0) {
      ::shutdown(socket, SHUT_RDWR);
    }
    return fail(connection_lost(line_->place));
  }

  std::shared_ptr<Line> line_;
  bool left_ = false;
};

}  // namespace

Result<std::unique_ptr<ReadSession>> open_observer_session(std::function<Result<Connection>()> connect,
                                                           const std::string& place) {
  auto session = std::make_unique<ObserverSession>(place);
  TRY(session->open(std::move(connect)));
  return session;
}

}  // namespace athanor::postgres
