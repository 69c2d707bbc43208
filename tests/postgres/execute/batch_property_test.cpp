// Random tables, keys, sizes, stops and an application at work: every row that was there when a batch step began and stays is
// done exactly once by each of two steps.
//
// A failure names its seed; ATHANOR_SEED=<seed> runs that one alone.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <random>
#include <thread>

#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

struct KeyType {
  const char* name;
  const char* of_number;  // a key made of the number %
};
constexpr KeyType kTypes[] = {
    {"int", "%"},
    {"numeric(12, 3)", "% / 8.0"},
    {"float8", "1e7 + % / 7.0::float8"},
    {"text", "CASE % % 3 WHEN 0 THEN 'it''s' WHEN 1 THEN E'b\\\\' ELSE '' END || %"},
    {"uuid", "md5((%)::text)::uuid"},
    {"timestamptz", "timestamptz '2000-02-27 12:00+00' + % * interval '7 hours 1 microsecond'"},
    {"interval", "% * interval '1 day -3 hours'"},
    {"bytea", "decode(md5((%)::text), 'hex')"},
};

class BatchProperty : public test::MigrationScene {
 protected:
  int pick(int least, int most) { return std::uniform_int_distribution<int>(least, most)(random_); }

  [[nodiscard]] std::string key_of(const std::string& number) const {
    std::string sql = type_.of_number;
    for (std::size_t at = sql.find('%'); at != std::string::npos; at = sql.find('%', at + number.size() + 2)) {
      if (sql.compare(at, 3, "% 3") == 0) {  // the operator
        continue;
      }
      sql.replace(at, 1, "(" + number + ")");
    }
    return "(" + sql + ")::" + type_.name;
  }

  void set_up(bool unique) {
    database_.run("DROP TABLE IF EXISTS t, alembic_version; DROP SCHEMA IF EXISTS athanor CASCADE");
    files_.clear();
    const int rows = pick(0, 400);
    const std::string number = unique ? "g" : "g / " + std::to_string(pick(2, 40));
    revision("a1", "",
             std::string("CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY, k ") + type_.name +
                 (pick(0, 1) == 0 ? " NOT NULL" : "") +
                 ", n int NOT NULL DEFAULT 0, m int NOT NULL DEFAULT 0, touched int NOT NULL DEFAULT 0);\nINSERT INTO t (k) "
                 "SELECT " +
                 key_of(number) + " FROM generate_series(1, " + std::to_string(rows) + ") AS g;\nCREATE " +
                 (unique ? "UNIQUE " : "") + "INDEX ON t (k);");
    const auto step = [&](const std::string& column) {
      return "-- athanor:step batch table=t key=k size=" + std::to_string(pick(1, 60)) + "\nUPDATE t SET " + column + " = " +
             column + " + 1 WHERE {batch};\n";
    };
    revision("b2", "a1", step("n") + step("m"));
    ASSERT_TRUE(upgrade("a1").ok());
    database_.run("CREATE TABLE IF NOT EXISTS was (id int); TRUNCATE was; INSERT INTO was SELECT id FROM t");
  }

  // Inserts, updates and deletes until it is told to end.
  void application(unsigned seed, const std::atomic<bool>& end) {
    std::mt19937 random(seed);
    auto client = database_.connect();
    client.run("SET lock_timeout = '50ms'");
    const auto number = [&](int least, int most) {
      return std::to_string(std::uniform_int_distribution<int>(least, most)(random));
    };
    while (!end) {
      switch (random() % 3) {
        case 0:
          (void)client.attempt("INSERT INTO t (k) SELECT " + key_of(number(-100, 900)) + " ON CONFLICT DO NOTHING");
          break;
        case 1:
          (void)client.attempt("UPDATE t SET touched = touched + 1 WHERE id = " + number(1, 450));
          break;
        default:
          (void)client.attempt("DELETE FROM t WHERE id = " + number(1, 450));
          break;
      }
    }
  }

  // Stops the run after random batches, 150 times at most: how many batches there are depends on what the application inserts.
  void run_to_the_end() {
    constexpr int kStops = 150;
    for (int attempt = 0; attempt <= kStops; ++attempt) {
      StopSource stop;
      sink_.on_batch = [&](std::int64_t) {
        if (attempt < kStops && pick(0, 7) == 0) {
          stop.request();
        }
      };
      auto sessions = factory();
      settings_.run_id.clear();
      athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
      const auto report = migrator.execute(plan(Direction::Upgrade, "heads", {"a1"}).value(), stop.token());
      if (report.ok()) {
        return;
      }
      ASSERT_EQ(report.error->code, ErrorCode::Interrupted) << text(report.error);
    }
    FAIL() << "the run after the last stop did not come to the end";
  }

  void round(unsigned seed) {
    SCOPED_TRACE("ATHANOR_SEED=" + std::to_string(seed));
    random_.seed(seed);
    type_ = kTypes[pick(0, static_cast<int>(std::size(kTypes)) - 1)];
    const bool unique = pick(0, 2) > 0;
    ASSERT_NO_FATAL_FAILURE(set_up(unique));
    settings_.execution.lock_retry_budget = milliseconds(30'000);
    std::atomic<bool> end = false;
    std::thread application([&, own = random_()] { this->application(static_cast<unsigned>(own), end); });
    run_to_the_end();
    end = true;
    application.join();
    EXPECT_EQ(database_.value("SELECT count(*) FROM t JOIN was USING (id) WHERE n <> 1 OR m <> 1"), "0") << type_.name;
    EXPECT_EQ(database_.value("SELECT count(*) FROM t WHERE n > 1 OR m > 1"), "0")
        << type_.name << ": a row of the application";
  }

  std::mt19937 random_;
  KeyType type_ = kTypes[0];
};

TEST_F(BatchProperty, DoesEveryRowOnceInEachStepWhateverHappensMeanwhile) {
  if (const char* one = std::getenv("ATHANOR_SEED"); one != nullptr) {
    round(static_cast<unsigned>(std::strtoul(one, nullptr, 10)));
    return;
  }
  std::random_device device;
  for (int i = 0; i < 12 && !HasFailure(); ++i) {
    round(device());
  }
}

TEST_F(BatchProperty, RefusesNullKeysBeforeTheFirstRow) {
  for (const auto& type : kTypes) {
    random_.seed(1);
    type_ = type;
    database_.run("DROP TABLE IF EXISTS t, alembic_version; DROP SCHEMA IF EXISTS athanor CASCADE");
    files_.clear();
    revision("a1", "",
             std::string("CREATE TABLE t (k ") + type.name + ", n int NOT NULL DEFAULT 0);\nINSERT INTO t (k) SELECT " +
                 key_of("g") + " FROM generate_series(1, 30) AS g;\nINSERT INTO t VALUES (NULL);");
    revision("b2", "a1", "-- athanor:step batch table=t key=k size=7\nUPDATE t SET n = n + 1 WHERE {batch};");
    EXPECT_FALSE(upgrade().ok()) << type.name;
    EXPECT_EQ(database_.value("SELECT sum(n) FROM t"), "0") << type.name;
  }
}

}  // namespace
}  // namespace athanor
