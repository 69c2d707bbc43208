#include "tests/support/postgres_fixture.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <random>
#include <stdexcept>
#include <thread>

#include "tests/support/temp_folder.hpp"

namespace athanor::test {
namespace {

using ResultPointer = std::unique_ptr<PGresult, decltype(&PQclear)>;

bool succeeded(const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY;
}

std::string state_of(const PGresult* result) {
  if (succeeded(result)) {
    return {};
  }
  const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  return state == nullptr ? "no SQLSTATE" : state;
}

// Unique across the processes of a parallel ctest run and across the databases of one test.
std::string unique_suffix() {
  static std::atomic<int> counter{0};
  std::random_device random;
  return std::to_string(::getpid()) + "_" + std::to_string(counter++) + "_" + std::to_string(random() % 1'000'000U);
}

}  // namespace

std::string server_url() {
  if (const char* named = std::getenv("ATHANOR_TEST_URL"); named != nullptr && *named != '\0') {
    return named;
  }
  try {
    std::string url = read_file(ATHANOR_BINARY_DIR "/postgres/url");
    while (!url.empty() && url.back() == '\n') {
      url.pop_back();
    }
    return url;
  } catch (const std::runtime_error&) {
    throw std::runtime_error(
        "no PostgreSQL for this test: run it through ctest, which starts one, or start it with "
        "`tests/support/throwaway-postgres start " ATHANOR_BINARY_DIR "/postgres`");
  }
}

std::string url_of(std::string_view database, std::string_view user, std::string_view password) {
  // postgresql://user:password@host:port/name
  const std::string base = server_url();
  const std::size_t scheme = base.find("://") + 3;
  const std::size_t slash = base.find('/', scheme);
  const std::size_t host = base.rfind('@', slash) + 1;
  const std::string credentials =
      user.empty() ? base.substr(scheme, host - scheme) : std::string(user) + ":" + std::string(password) + "@";
  return base.substr(0, scheme) + credentials + base.substr(host, slash - host) + "/" + std::string(database);
}

Client::Client(const std::string& url) : connection_(PQconnectdb(url.c_str())) {
  if (PQstatus(connection_) != CONNECTION_OK) {
    const std::string message = PQerrorMessage(connection_);
    PQfinish(connection_);
    throw std::runtime_error("the test cannot connect: " + message);
  }
  PQsetNoticeProcessor(
      connection_, [](void*, const char*) {}, nullptr);
}

Client::~Client() {
  PQfinish(connection_);
}

Client::Client(Client&& other) noexcept : connection_(other.connection_) {
  other.connection_ = nullptr;
}

void Client::run(const std::string& sql) {
  const ResultPointer result(PQexec(connection_, sql.c_str()), &PQclear);
  if (!succeeded(result.get())) {
    throw std::runtime_error("the test's own statement failed: " + sql + "\n" + PQerrorMessage(connection_));
  }
}

std::string Client::attempt(const std::string& sql) {
  const ResultPointer result(PQexec(connection_, sql.c_str()), &PQclear);
  return state_of(result.get());
}

std::vector<Client::Row> Client::rows(const std::string& sql) {
  const ResultPointer result(PQexec(connection_, sql.c_str()), &PQclear);
  if (!succeeded(result.get())) {
    throw std::runtime_error("the test's own query failed: " + sql + "\n" + PQerrorMessage(connection_));
  }
  std::vector<Row> answer;
  for (int row = 0; row < PQntuples(result.get()); ++row) {
    Row cells;
    for (int column = 0; column < PQnfields(result.get()); ++column) {
      const bool is_null = PQgetisnull(result.get(), row, column) != 0;
      cells.emplace_back(is_null ? "∅" : PQgetvalue(result.get(), row, column));
    }
    answer.push_back(std::move(cells));
  }
  return answer;
}

std::string Client::value(const std::string& sql) {
  const std::vector<Row> answer = rows(sql);
  if (answer.empty()) {
    throw std::runtime_error("the test's own query has no row: " + sql);
  }
  return answer.front().front();
}

std::vector<std::string> Client::column(const std::string& sql) {
  std::vector<std::string> answer;
  for (const Row& row : rows(sql)) {
    answer.push_back(row.front());
  }
  return answer;
}

int Client::backend_pid() const {
  return PQbackendPID(connection_);
}

void Client::start(const std::string& sql) {
  if (PQsendQuery(connection_, sql.c_str()) == 0) {
    throw std::runtime_error("the test cannot send " + sql + ": " + PQerrorMessage(connection_));
  }
}

std::string Client::finish() {
  std::string state;
  while (true) {
    const ResultPointer result(PQgetResult(connection_), &PQclear);
    if (!result) {
      return state;
    }
    if (state.empty()) {
      state = state_of(result.get());
    }
  }
}

TestDatabase::TestDatabase(std::string_view hint)
    : name_("t_" + std::string(hint) + "_" + unique_suffix()), url_(url_of(name_)) {
  Client(server_url()).run("CREATE DATABASE \"" + name_ + "\"");
}

TestDatabase::~TestDatabase() {
  client_.reset();
  try {
    Client(server_url()).run("DROP DATABASE IF EXISTS \"" + name_ + "\" WITH (FORCE)");
  } catch (const std::exception&) {  // a crash test may have left the server down; its folder is removed at the end of the run
  }
}

Client& TestDatabase::client() {
  if (!client_) {
    client_.emplace(url_);
  }
  return *client_;
}

std::vector<std::string> TestDatabase::version_rows() {
  if (!has_relation("public.alembic_version")) {
    return {};
  }
  return column("SELECT version_num FROM public.alembic_version ORDER BY version_num COLLATE \"C\"");
}

bool TestDatabase::has_relation(const std::string& qualified_name) {
  return value("SELECT to_regclass('" + qualified_name + "') IS NOT NULL") == "t";
}

bool TestDatabase::wait_until(const std::string& sql, int timeout_ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(timeout_ms);
  while (value(sql) != "t") {
    if (std::chrono::steady_clock::now() > deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return true;
}

std::string TestDatabase::schema_fingerprint() {
  const std::string schemas = "n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'athanor')";
  const std::string lines =
      "SELECT format('relation %I.%I %s', n.nspname, c.relname, c.relkind) AS line FROM pg_class c"
      " JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " +
      schemas +
      " AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"
      " UNION ALL SELECT format('column %I.%I.%I %s %s default %s %s', n.nspname, c.relname, a.attname,"
      " format_type(a.atttypid, a.atttypmod), a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity) FROM pg_attribute a"
      " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum WHERE " +
      schemas +
      " AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND a.attnum > 0 AND NOT a.attisdropped"
      " UNION ALL SELECT format('index %s valid %s', pg_get_indexdef(i.indexrelid), i.indisvalid) FROM pg_index i"
      " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE " +
      schemas +
      " UNION ALL SELECT format('constraint %s %I %s', k.conrelid::regclass, k.conname, pg_get_constraintdef(k.oid))"
      " FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace WHERE " +
      schemas +
      " UNION ALL SELECT format('enum %I.%I %s %s', n.nspname, t.typname, e.enumsortorder, e.enumlabel) FROM pg_enum e"
      " JOIN pg_type t ON t.oid = e.enumtypid JOIN pg_namespace n ON n.oid = t.typnamespace WHERE " +
      schemas +
      " UNION ALL SELECT format('view %I.%I %s', v.schemaname, v.viewname, v.definition) FROM pg_views v"
      " WHERE v.schemaname NOT IN ('pg_catalog', 'information_schema', 'athanor')"
      " UNION ALL SELECT format('function %s', pg_get_functiondef(p.oid)) FROM pg_proc p"
      " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE " +
      schemas + " AND p.prokind IN ('f', 'p')";
  std::string text;
  for (const std::string& line : column("SELECT line FROM (" + lines + ") x ORDER BY line COLLATE \"C\"")) {
    text += line + "\n";
  }
  return text;
}

TestRole::TestRole(TestDatabase& database, std::string_view attributes)
    : database_(database), name_("r_" + unique_suffix()), password_("pw" + unique_suffix()) {
  database_.run("CREATE ROLE \"" + name_ + "\" " + std::string(attributes) + " PASSWORD '" + password_ + "'");
}

TestRole::~TestRole() {
  try {
    database_.run("DROP OWNED BY \"" + name_ + "\" CASCADE; DROP ROLE \"" + name_ + "\"");
  } catch (const std::exception&) {  // as above
  }
}

std::string TestRole::url() const {
  return url_of(database_.name(), name_, password_);
}

}  // namespace athanor::test
