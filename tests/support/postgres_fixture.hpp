// Real databases for tests, on the throwaway server of the test run.
//
// The server's URL comes from ATHANOR_TEST_URL, or from <build>/postgres/url, which the ctest fixture `postgres` writes.
// Without a server a test fails; it is never skipped. Everything here throws std::runtime_error on failure, which GoogleTest
// reports as a failed test.
//
//   TestDatabase database;                          // empty, uniquely named, dropped with force at the end of the scope
//   database.run("CREATE TABLE users (id int)");
//   EXPECT_EQ(database.value("SELECT count(*) FROM users"), "0");
//
// A Client is a second connection that stays open, to hold locks and open transactions while the code under test runs.
//
// Threads: one thread per object. Ownership: a TestDatabase owns its database on the server.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct pg_conn;

namespace athanor::test {

// The administrator's URL of the fixture server ("postgresql://postgres:…@127.0.0.1:PORT/postgres").
[[nodiscard]] std::string server_url();
// The URL of another database on the same server, with other credentials if given.
[[nodiscard]] std::string url_of(std::string_view database, std::string_view user = {}, std::string_view password = {});

class Client {
 public:
  explicit Client(const std::string& url);
  ~Client();
  Client(Client&& other) noexcept;
  Client& operator=(Client&&) = delete;

  using Row = std::vector<std::string>;  // NULL is "∅"
  // Runs one or more statements; throws with the server's complete message.
  void run(const std::string& sql);
  // Runs and returns the SQLSTATE of the failure, or "" when it succeeded.
  [[nodiscard]] std::string attempt(const std::string& sql);
  [[nodiscard]] std::vector<Row> rows(const std::string& sql);
  // The first cell of the first row; throws when there is no row.
  [[nodiscard]] std::string value(const std::string& sql);
  // The first column.
  [[nodiscard]] std::vector<std::string> column(const std::string& sql);
  [[nodiscard]] int backend_pid() const;
  // Sends a statement without waiting for it (it may block on a lock); finish() waits and returns the SQLSTATE or "".
  void start(const std::string& sql);
  [[nodiscard]] std::string finish();

 private:
  pg_conn* connection_;
};

class TestDatabase {
 public:
  // `hint` becomes part of the database's name, so that a hanging test can be recognized in pg_stat_activity.
  explicit TestDatabase(std::string_view hint = "test");
  ~TestDatabase();
  TestDatabase(const TestDatabase&) = delete;
  TestDatabase& operator=(const TestDatabase&) = delete;

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& url() const { return url_; }
  // A new connection to it.
  [[nodiscard]] Client connect() const { return Client(url_); }

  // The following run on one connection that is opened on first use and kept.
  void run(const std::string& sql) { client().run(sql); }
  [[nodiscard]] std::string attempt(const std::string& sql) { return client().attempt(sql); }
  [[nodiscard]] std::vector<Client::Row> rows(const std::string& sql) { return client().rows(sql); }
  [[nodiscard]] std::string value(const std::string& sql) { return client().value(sql); }
  [[nodiscard]] std::vector<std::string> column(const std::string& sql) { return client().column(sql); }

  // Sorted rows of public.alembic_version; empty when there is no such table.
  [[nodiscard]] std::vector<std::string> version_rows();
  [[nodiscard]] bool has_relation(const std::string& qualified_name);
  // Runs the boolean query `sql` every 20 ms until it returns true; false after `timeout_ms`. For states that another process
  // reaches.
  [[nodiscard]] bool wait_until(const std::string& sql, int timeout_ms = 20'000);
  // One line per table, column, index, constraint, enum label and view of the user's schemas (`athanor` left out), sorted:
  // two databases with equal fingerprints have equal schemas.
  [[nodiscard]] std::string schema_fingerprint();

 private:
  Client& client();
  std::string name_;
  std::string url_;
  std::optional<Client> client_;
};

// A role with a password. At the end of the scope it is dropped together with what it owns in `database`.
class TestRole {
 public:
  explicit TestRole(TestDatabase& database, std::string_view attributes = "LOGIN");
  ~TestRole();
  TestRole(const TestRole&) = delete;
  TestRole& operator=(const TestRole&) = delete;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& password() const { return password_; }
  // The database's URL with this role's credentials.
  [[nodiscard]] std::string url() const;

 private:
  TestDatabase& database_;
  std::string name_;
  std::string password_;
};

}  // namespace athanor::test
