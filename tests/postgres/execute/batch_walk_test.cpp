// The walk of a batch step: which keys it takes, where it ends, and that no other run takes part in it.
#include <gtest/gtest.h>

#include "migrations/execute/ledger.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

using Rows = std::vector<std::string>;

class BatchWalk : public test::MigrationScene {
 protected:
  // A table t(k, n) of the first part, then a batch step on it.
  void walk(const std::string& table, const std::string& options, const std::string& statement = "UPDATE t SET n = n + 1") {
    revision("a1", "", table);
    revision("b2", "a1", "-- athanor:step batch table=t " + options + "\n" + statement + " WHERE {batch};");
    const auto report = upgrade("a1");
    ASSERT_TRUE(report.ok()) << text(report.error);
  }
  void stop_after(std::int64_t rows) {
    sink_.on_batch = [this, rows](std::int64_t done) {
      if (done >= rows) {
        stop_.request();
      }
    };
  }
  ExecutionReport resume() {
    sink_.on_batch = nullptr;
    StopSource fresh;
    auto sessions = factory();
    settings_.run_id.clear();
    athanor::Migrator migrator(*sessions, clock(), settings_, sink_);
    return migrator.execute(plan(Direction::Upgrade, "heads", database_.version_rows()).value(), fresh.token());
  }
  // "1|300": n and how many rows have it.
  [[nodiscard]] Rows counts() { return database_.column("SELECT n || '|' || count(*) FROM t GROUP BY n ORDER BY n"); }
};

TEST_F(BatchWalk, TakesEachRowOnceWhateverTheTypeOfTheKey) {
  const std::vector<std::pair<std::string, std::string>> keys{
      {"smallint", "g"},
      {"numeric", "CASE g % 50 WHEN 0 THEN 'NaN' ELSE g / 7.0 END"},
      {"float8", "CASE g % 50 WHEN 0 THEN 'NaN' WHEN 1 THEN '-Infinity' ELSE 1e6 + g / 7.0::float8 END"},
      {"float4", "g / 3.0::float4"},
      {"boolean", "g % 2 = 0"},
      {"text", "CASE g % 4 WHEN 0 THEN E'a\\\\''' WHEN 1 THEN '' WHEN 2 THEN E'\\t ' ELSE 'ü' END || g % 30"},
      {"varchar(9)", "'it''s ' || g % 100"},
      {"char(6)", "'c' || g % 100"},
      {"\"char\"", "chr(65 + g % 20)::\"char\""},
      {"name", "'n' || g"},
      {"uuid", "gen_random_uuid()"},
      {"bytea", "decode(md5(g::text), 'hex')"},
      {"date", "CASE g % 60 WHEN 0 THEN 'infinity' WHEN 1 THEN '0044-03-15 BC' ELSE date '1999-12-25' + g END"},
      {"timestamp", "timestamp '1999-12-25' + g * interval '31 hours 1 microsecond'"},
      {"timestamptz", "timestamptz '1999-12-25 02:00+05' + g * interval '31 hours'"},
      {"timetz", "timetz '00:00+03' + g * interval '3 minutes'"},
      {"interval", "g * interval '-1 mon 3 days 4 hours'"},
      {"inet", "inet '10.0.0.0/8' + g"},
      {"int4range", "int4range(g, g + g % 5)"},
      {"int[]", "ARRAY[g % 7, NULL, g]"},
      {"jsonb", "jsonb_build_object('k', g, 'v', 'it''s')"},
      {"bit(9)", "g::bit(9)"},
      {"xid8", "g::text::xid8"},
      {"mood", "(enum_range(NULL::mood))[1 + g % 3]"},
      {"small", "g"},
      {"pair", "ROW(g % 5, 'x''' || g)::pair"},
  };
  // Such as a revision may leave in the session: keys are written and read back regardless.
  const std::string kOtherSettings =
      "?options=-c%20DateStyle%3DSQL,DMY%20-c%20IntervalStyle%3Dsql_standard%20-c%20TimeZone%3DAsia/Kathmandu"
      "%20-c%20extra_float_digits%3D-15%20-c%20bytea_output%3Descape";
  database_.run(
      "CREATE TYPE mood AS ENUM ('sad', 'Ok', 'it''s'); CREATE DOMAIN small AS int CHECK (value < 1000);"
      " CREATE TYPE pair AS (a int, b text)");
  for (const auto& [type, key] : keys) {
    database_.run("DROP TABLE IF EXISTS t, alembic_version; DROP SCHEMA IF EXISTS athanor CASCADE");
    files_.clear();
    walk("CREATE TABLE t (k " + type + " NOT NULL, n int NOT NULL DEFAULT 0);\nINSERT INTO t SELECT (" + key + ")::" + type +
             " FROM generate_series(1, 300) AS g;",
         "key=k size=37");
    const auto report = run(Direction::Upgrade, "heads", *factory(database_.url() + kOtherSettings));
    EXPECT_TRUE(report.ok()) << type << ": " << text(report.error);
    EXPECT_EQ(counts(), Rows{"1|300"}) << type;
  }
}

TEST_F(BatchWalk, KeepsEqualKeysInOneBatch) {
  walk("CREATE TABLE t (k int NOT NULL, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g / 50 FROM generate_series(0, 299) g;",
       "key=k size=10");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"1|300"});
  EXPECT_TRUE(sink_.saw("batch 50"));
}

TEST_F(BatchWalk, KeepsKeysTogetherThatTheirCollationCallsEqual) {
  database_.run("CREATE COLLATION fold (provider = icu, locale = 'und-u-ks-level2', deterministic = false)");
  walk(
      "CREATE TABLE t (k text COLLATE fold NOT NULL, n int NOT NULL DEFAULT 0);\n"
      "INSERT INTO t SELECT CASE WHEN g % 2 = 0 THEN 'Key' ELSE 'kEY' END || g / 4 FROM generate_series(0, 199) g;",
      "key=k size=3");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"1|200"});
}

TEST_F(BatchWalk, RefusesKeysThatAreNull) {
  walk(
      "CREATE TABLE t (k int, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;"
      " INSERT INTO t VALUES (NULL), (NULL);",
      "key=k size=10");
  auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("key k is NULL"), std::string::npos) << report.error->message;
  EXPECT_EQ(counts(), Rows{"0|102"});
  database_.run("DELETE FROM t WHERE k IS NULL");
  report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"1|100"});
}

TEST_F(BatchWalk, NoticesKeysThatAViewAPartitionOrATriggerMoves) {
  const std::vector<std::pair<std::string, std::string>> ways{
      {"CREATE TABLE t (k int PRIMARY KEY, n int DEFAULT 0); CREATE VIEW v AS SELECT * FROM t;",
       "UPDATE v SET k = k + 5, n = n + 1"},
      {"CREATE TABLE t (k int PRIMARY KEY, n int DEFAULT 0) PARTITION BY RANGE (k); CREATE TABLE t1 PARTITION OF t FOR VALUES "
       "FROM "
       "(MINVALUE) TO (MAXVALUE);",
       "UPDATE t1 SET k = k + 5, n = n + 1"},
      {"CREATE TABLE t (k int PRIMARY KEY, n int DEFAULT 0); CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
       "NEW.k "
       ":= NEW.k + 5; RETURN NEW; END $$; CREATE TRIGGER m BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();",
       "UPDATE t SET n = n + 1"}};
  for (const auto& [table, statement] : ways) {
    database_.run(
        "DROP TABLE IF EXISTS t CASCADE; DROP FUNCTION IF EXISTS f; DROP SCHEMA IF EXISTS athanor CASCADE; DROP TABLE IF "
        "EXISTS alembic_version");
    files_.clear();
    walk(table + " INSERT INTO t SELECT g * 10 FROM generate_series(1, 20) g;", "key=k size=1", statement);
    const auto report = upgrade();
    ASSERT_FALSE(report.ok()) << statement;
    EXPECT_EQ(report.error->code, ErrorCode::StatementFailed) << text(report.error);
    EXPECT_EQ(database_.value("SELECT coalesce(max(n), 0) <= 1 FROM t"), "t") << statement;
  }
}

TEST_F(BatchWalk, RefusesWhatItCannotWalkOver) {
  database_.run(
      "CREATE TYPE price AS (shop int, amount money); CREATE TYPE place AS (p price, n text); CREATE DOMAIN tables AS "
      "regclass[];"
      "CREATE VIEW v AS SELECT 1 AS k; CREATE TABLE t (k money NOT NULL, r regclass NOT NULL, j json NOT NULL, p price NOT "
      "NULL,"
      " n place NOT NULL, a tables NOT NULL)");
  const std::vector<std::pair<std::string, std::string>> cases{
      {"table=v key=k", "not a table"}, {"table=nowhere key=k", "no table nowhere"},
      {"table=t key=x", "no column x"}, {"table=t key=ctid", "no column ctid"},
      {"table=t key=k", "money"},       {"table=t key=r", "regclass"},
      {"table=t key=p", "price"},       {"table=t key=n", "place"},
      {"table=t key=a", "_regclass"},   {"table=t key=j", "operator"}};
  for (const auto& [options, says] : cases) {
    files_.clear();
    revision("a1", "", "-- athanor:step batch " + options + "\nDELETE FROM t WHERE {batch};");
    const auto report = upgrade();
    ASSERT_FALSE(report.ok()) << options;
    EXPECT_NE(report.error->message.find(says), std::string::npos) << report.error->message;
    EXPECT_EQ(report.failed_revision, "a1");
  }
}

TEST_F(BatchWalk, WalksPartitionsAndTablesWithChildren) {
  walk(
      "CREATE TABLE t (k int NOT NULL, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (k);"
      " CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (100); CREATE TABLE t2 PARTITION OF t DEFAULT;\n"
      "INSERT INTO t SELECT g FROM generate_series(0, 299) g;",
      "key=k size=33");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"1|300"});
}

TEST_F(BatchWalk, EndsAtTheKeyThatWasTheLastWhenItBegan) {
  walk("CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
       "key=k size=10");
  stop_after(50);
  EXPECT_EQ(upgrade().error->code, ErrorCode::Interrupted);
  EXPECT_EQ(database_.value("SELECT bound FROM athanor.step"), "100");
  database_.run("INSERT INTO t SELECT g FROM generate_series(101, 200) g");
  const auto report = resume();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), (Rows{"0|100", "1|100"}));
}

TEST_F(BatchWalk, EndsThoughItsStatementAddsRowsOrMovesKeysUpwards) {
  walk(
      "CREATE TABLE t (k serial PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t (n) SELECT 0 FROM generate_series(1, "
      "90);",
      "key=k size=20", "INSERT INTO t (n) SELECT n + 1 FROM t");
  auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), (Rows{"0|90", "1|90"}));
  revision("c3", "b2", "-- athanor:step batch table=t key=k size=20\nUPDATE t SET k = k + 1000, n = n + 5 WHERE {batch};");
  report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), (Rows{"5|90", "6|90"}));
}

TEST_F(BatchWalk, RefusesKeysThatItsStatementMovesWhereTheWalkWillCome) {
  walk("CREATE TABLE t (k int NOT NULL, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
       "key=k size=10", "UPDATE t SET k = k + 15, n = n + 1");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("has not been reached yet"), std::string::npos) << report.error->message;
  EXPECT_EQ(counts(), Rows{"0|100"});
}

TEST_F(BatchWalk, WalksTheSecondStepFromTheStart) {
  const std::string step = "-- athanor:step batch table=t key=k size=30\nUPDATE t SET n = n + 1 WHERE {batch};\n";
  revision(
      "a1", "",
      "CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;");
  revision("b2", "a1", step + step);
  ASSERT_TRUE(upgrade("a1").ok());
  int batches = 0;
  sink_.on_batch = [&](std::int64_t) {
    if (++batches == 4) {  // the last of the first step
      stop_.request();
    }
  };
  EXPECT_EQ(upgrade().error->code, ErrorCode::Interrupted);
  const auto report = resume();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"2|100"});
}

TEST_F(BatchWalk, WalksTheSecondStepFromTheStartAfterTheFirstIsComplete) {
  const std::string step = "-- athanor:step batch table=t key=k size=30\nUPDATE t SET n = n + 1 WHERE {batch};\n";
  revision(
      "a1", "",
      "CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;");
  revision("b2", "a1", step + step);
  ASSERT_TRUE(upgrade("a1").ok());
  sink_.on_batch = [&](std::int64_t rows) {
    if (rows == 100) {
      sink_.on_batch = nullptr;
      database_.run("ALTER TABLE t ADD CONSTRAINT once CHECK (n < 2)");
    }
  };
  EXPECT_FALSE(upgrade().ok());
  EXPECT_EQ(database_.value("SELECT state || coalesce(cursor, '') FROM athanor.step WHERE step = 0"), "complete");
  database_.run("ALTER TABLE t DROP CONSTRAINT once");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"2|100"});
}

TEST_F(BatchWalk, StopsWhenTheVersionTableChangesBetweenTwoBatches) {
  walk("CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
       "key=k size=10");
  sink_.on_batch = [&](std::int64_t rows) {
    if (rows == 50) {
      database_.run("UPDATE alembic_version SET version_num = 'x9'");
    }
  };
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::VersionRowMismatch);
  EXPECT_EQ(counts(), (Rows{"0|50", "1|50"}));
}

TEST_F(BatchWalk, StopsWhenAnotherRunMovesItsCursor) {
  for (const std::string other : {"cursor = '70'", "cursor = NULL", "run_id = 'another'", "state = 'complete'"}) {
    database_.run("DROP TABLE IF EXISTS t, alembic_version; DROP SCHEMA IF EXISTS athanor CASCADE");
    files_.clear();
    walk("CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
         "key=k size=10");
    sink_.on_batch = [&](std::int64_t rows) {
      if (rows == 50) {
        database_.run("UPDATE athanor.step SET " + other);
      }
    };
    const auto report = upgrade();
    ASSERT_FALSE(report.ok()) << other;
    EXPECT_EQ(report.error->code, ErrorCode::VersionRowMismatch) << other;
    EXPECT_EQ(counts(), (Rows{"0|50", "1|50"})) << other;
  }
}

TEST_F(BatchWalk, DoesNotCompleteAstepThatAnotherRunHasTaken) {
  walk("CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
       "key=k size=50");
  sink_.on_batch = [&](std::int64_t rows) {
    if (rows == 100) {
      database_.run("UPDATE athanor.step SET run_id = 'another'");
    }
  };
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::VersionRowMismatch);
  EXPECT_EQ(database_.version_rows(), Rows{"a1"});
}

TEST_F(BatchWalk, GoesOnWithAstepThatAnOlderVersionBegan) {
  walk(
      "CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g, (g <= 40)::int FROM "
      "generate_series(1, 100) g;",
      "key=k size=30");
  const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
  database_.run(athanor::Ledger("athanor").steps().create_statement());
  database_.run(
      "ALTER TABLE athanor.step DROP COLUMN bound; INSERT INTO athanor.step (version_table, revision, direction, step,"
      " statement, state, cursor, rows, checksum, run_id) VALUES ('public.alembic_version', 'b2', 'upgrade', 0, 0,"
      " 'running', '40', 40, '" +
      made.revisions[0].script->checksum + "', 'old')");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(counts(), Rows{"1|100"});
}

TEST_F(BatchWalk, WaitsForLocksOnItsBoundsWithinTheBudgetOfEachBatch) {
  walk("CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0); INSERT INTO t SELECT g FROM generate_series(1, 100) g;",
       "key=k size=25");
  auto other = database_.connect();
  const auto block = [&] { other.run("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE"); };
  // Each wait takes more than half of the budget: without a good batch in between the second would find it used up.
  settings_.execution.lock_retry_budget = milliseconds(2'000);
  int attempts = 0;
  sink_.on_retry = [&](int attempt) {
    attempts = attempt;
    if (attempt == 2) {
      other.run("ROLLBACK");
    }
  };
  sink_.on_batch = [&](std::int64_t rows) {
    if (rows < 100) {
      block();
    }
  };
  block();
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(report.lock_retries, 8);
  EXPECT_EQ(attempts, 2);
  EXPECT_EQ(counts(), Rows{"1|100"});
}

TEST_F(BatchWalk, RefusesAreplicaLimitThatItsRoleCannotSeeBeforeAnythingIsApplied) {
  revision("a1", "", "CREATE TABLE t (k int PRIMARY KEY, n int NOT NULL DEFAULT 0);");
  revision("b2", "a1", "-- athanor:step batch table=t key=k\nUPDATE t SET n = n + 1 WHERE {batch};");
  const std::string role = "blind_" + database_.name();
  database_.run("CREATE ROLE " + role + "; GRANT ALL ON SCHEMA public TO " + role + "; GRANT CREATE ON DATABASE " +
                database_.name() + " TO " + role);
  settings_.execution.role = role;
  settings_.execution.max_replica_lag = milliseconds(200);
  auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->code, ErrorCode::InsufficientPrivilege);
  EXPECT_NE(report.error->hint.find("GRANT pg_monitor"), std::string::npos) << report.error->hint;
  EXPECT_FALSE(database_.has_relation("t"));
  database_.run("GRANT pg_monitor TO " + role);
  report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  database_.run("REASSIGN OWNED BY " + role + " TO postgres; DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace
}  // namespace athanor
