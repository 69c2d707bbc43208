// How long reading a catalog takes, beside the same questions asked over libpq without looking at the answers.
//
//   build/bench/inspect URL fill TABLES      fills an empty database
//   build/bench/inspect URL bare ROUNDS      milliseconds of each round: the questions alone
//   build/bench/inspect URL inspect ROUNDS   milliseconds of each round: the facts; then their number and the peak of memory
#include <libpq-fe.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "migrations/postgres/connect.hpp"
#include "migrations/schema/extraction.hpp"
#include "migrations/schema/inspect.hpp"

namespace {

using Milliseconds = std::chrono::duration<double, std::milli>;
struct Closer {
  void operator()(PGconn* connection) const { PQfinish(connection); }
  void operator()(PGresult* result) const { PQclear(result); }
};
using Connection = std::unique_ptr<PGconn, Closer>;
using Answer = std::unique_ptr<PGresult, Closer>;

void run(PGconn* connection, const std::string& sql) {
  const Answer answer(PQexec(connection, sql.c_str()));
  const auto status = PQresultStatus(answer.get());
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) {
    std::cerr << PQerrorMessage(connection) << "in: " << sql << '\n';
    std::exit(1);
  }
}

// A table has ten columns, a primary key, two more indexes, a check, a foreign key to the one before and a default; every tenth
// has a view, a function, a trigger and comments.
void fill(PGconn* connection, int tables) {
  run(connection, "BEGIN; CREATE SCHEMA shop; CREATE TYPE shop.state AS ENUM ('new', 'paid', 'sent')");
  run(connection,
      "CREATE FUNCTION shop.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.changed := now(); RETURN NEW; END'");
  for (int i = 0; i < tables; ++i) {
    const std::string n = std::to_string(i);
    const std::string t = "shop.t" + n;
    std::string sql =
        "CREATE TABLE " + t +
        " (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, code varchar(20), state shop.state "
        "DEFAULT 'new', amount numeric(12,2) NOT NULL DEFAULT 0 CHECK (amount >= 0), data jsonb, tags text[], made "
        "timestamptz NOT NULL DEFAULT now(), changed timestamptz, parent bigint" +
        (i > 0 ? " REFERENCES shop.t" + std::to_string(i - 1) : std::string()) + ");";
    sql += "CREATE INDEX t" + n + "_name ON " + t + " (lower(name)); CREATE UNIQUE INDEX t" + n + "_code ON " + t +
           " (code) WHERE code IS NOT NULL;";
    if (i % 10 == 0) {
      sql += "CREATE VIEW shop.v" + n + " AS SELECT id, name, amount FROM " + t + " WHERE state = 'paid';";
      sql += "CREATE FUNCTION shop.f" + n + "(a bigint) RETURNS numeric LANGUAGE sql STABLE AS 'SELECT sum(amount) FROM " + t +
             " WHERE id = a';";
      sql += "CREATE TRIGGER touch BEFORE UPDATE ON " + t + " FOR EACH ROW EXECUTE FUNCTION shop.touch();";
      sql += "COMMENT ON TABLE " + t + " IS 'Table'; COMMENT ON COLUMN " + t + ".name IS 'Name';";
    }
    run(connection, sql);
    if (i % 200 == 199) {
      run(connection, "COMMIT; BEGIN");
    }
  }
  run(connection, "COMMIT");
  run(connection, "VACUUM ANALYZE");
}

void ask_bare(PGconn* connection) {
  run(connection, "BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY");
  run(connection, "SET LOCAL search_path = pg_catalog; SET LOCAL jit = off");
  for (const auto& family : athanor::schema::families_for({}, PQserverVersion(connection))) {
    run(connection, family.sql);
  }
  run(connection, "COMMIT");
}

template <class Work>
void measure(int rounds, Work work) {
  for (int round = 0; round < rounds; ++round) {
    const auto start = std::chrono::steady_clock::now();
    work();
    std::cout << Milliseconds(std::chrono::steady_clock::now() - start).count() << '\n';
  }
}

// Connecting is part of no measurement.
int inspect(const std::string& url, int rounds) {
  const auto factory = athanor::postgres::PostgresFactory::create(url, {}).value();
  const auto session = factory->open().value();
  std::size_t facts = 0;
  std::size_t edges = 0;
  measure(rounds, [&] {
    const auto catalog = athanor::schema::inspect(*session);
    if (!catalog) {
      std::cerr << catalog.error().describe() << '\n';
      std::exit(1);
    }
    facts = catalog->facts().size();
    edges = catalog->edges().size();
  });
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  std::cout << "facts " << facts << " edges " << edges << " MiB " << used.ru_maxrss / 1024 << '\n';
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 4) {
    std::cerr << "usage: build/bench/inspect URL fill|bare|inspect NUMBER\n";
    return 2;
  }
  const std::string url = arguments[1];
  const std::string mode = arguments[2];
  const int number = std::atoi(arguments[3]);
  if (mode == "inspect") {
    return inspect(url, number);
  }
  const Connection connection(PQconnectdb(url.c_str()));
  if (PQstatus(connection.get()) != CONNECTION_OK) {
    std::cerr << PQerrorMessage(connection.get());
    return 1;
  }
  if (mode == "fill") {
    fill(connection.get(), number);
  } else {
    measure(number, [&] { ask_bare(connection.get()); });
  }
  return 0;
}
