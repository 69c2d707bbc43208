// Indexes are known by table, definition and schema: recovery takes no index of somebody else's for its own.
#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "migrations/execute/ledger.hpp"
#include "tests/postgres/execute/migration_scene.hpp"

namespace athanor {
namespace {

class IndexProbe : public test::MigrationScene {
 protected:
  void statement(const std::string& before, const std::string& sql) {
    revision("a1", "", before);
    revision("b2", "a1", "-- athanor:step autocommit\n" + sql);
    const auto report = upgrade("a1");
    ASSERT_TRUE(report.ok()) << text(report.error);
  }
  // The ledger as a run leaves it that died inside the statement.
  void crashed(const std::string& before) {
    const auto made = plan(Direction::Upgrade, "b2", {"a1"}).value();
    database_.run(athanor::Ledger("athanor").steps().create_statement());
    database_.run(
        "INSERT INTO athanor.step (version_table, revision, direction, step, statement, state, before, checksum, run_id) "
        "VALUES "
        "('public.alembic_version', 'b2', 'upgrade', 0, 0, 'intent', E'" +
        before + "', '" + made.revisions[0].script->checksum + "', 'old')");
  }
  // An INVALID index as a CREATE INDEX CONCURRENTLY or a REINDEX leaves it that ran into a lock.
  void interrupted(const std::string& table, const std::string& sql) {
    auto blocker = database_.connect();
    blocker.run("BEGIN; LOCK TABLE " + table + " IN ROW EXCLUSIVE MODE");
    auto builder = database_.connect();
    builder.run("SET lock_timeout = '100ms'");
    EXPECT_EQ(builder.attempt(sql), "55P03");
  }
  [[nodiscard]] std::string count(const std::string& indexes) {
    return database_.value("SELECT count(*) FROM pg_index WHERE " + indexes);
  }
};

TEST_F(IndexProbe, RecognisesItsIndexInAnySchemaOfThePath) {
  settings_.execution.search_path = "public, app";
  settings_.version_table_schema = "public";
  database_.run("CREATE SCHEMA app");
  statement("CREATE TABLE app.t (a int); CREATE TABLE public.t2 (a int); CREATE INDEX ix ON public.t2 (a);",
            "CREATE INDEX CONCURRENTLY ix ON t (a);");
  crashed("absent");
  database_.run("CREATE INDEX ix ON app.t (a)");
  const auto oid = database_.value("SELECT 'app.ix'::regclass::oid");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(database_.value("SELECT 'app.ix'::regclass::oid"), oid);
}

TEST_F(IndexProbe, RemembersTheTableThatAnEarlierRunMeant) {
  database_.run("CREATE SCHEMA app");
  statement("CREATE TABLE app.t (a int); CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY ix ON t (a);");
  crashed("absent\\tapp.t");  // under another search_path
  database_.run("CREATE INDEX ix ON app.t (a)");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(count("indrelid = 'public.t'::regclass"), "0");
}

TEST_F(IndexProbe, NeverDropsAnInvalidIndexOfAnotherTable) {
  settings_.execution.search_path = "public, audit";
  settings_.version_table_schema = "public";
  database_.run("CREATE SCHEMA audit; CREATE TABLE audit.other (b int); CREATE TABLE beside (b int)");
  interrupted("audit.other", "CREATE INDEX CONCURRENTLY ix ON audit.other (b)");
  statement("CREATE TABLE t (a int);", "CREATE INDEX CONCURRENTLY ix ON t (a);");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(count("indrelid = 'audit.other'::regclass AND NOT indisvalid"), "1");
  interrupted("beside", "CREATE INDEX CONCURRENTLY iy ON beside (b)");
  revision("c3", "b2", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY iy ON t (a);");
  const auto taken = upgrade();
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error->sqlstate, "42P07");
  EXPECT_EQ(count("indrelid = 'beside'::regclass AND NOT indisvalid"), "1");
}

TEST_F(IndexProbe, NeverDropsAnInvalidIndexOfAnotherDefinition) {
  for (const std::string other : {"(b)", "(a, b)", "USING hash (a)", "(a) WHERE b > 0", "((a + b))", "(a) INCLUDE (b)"}) {
    database_.run("DROP TABLE IF EXISTS t; CREATE TABLE t (a int, b int)");
    interrupted("t", "CREATE INDEX CONCURRENTLY ix ON t " + other);
    files_.clear();
    revision("a1", "", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t (a);");
    const auto report = upgrade();
    EXPECT_FALSE(report.ok()) << other;
    EXPECT_EQ(count("indexrelid = 'ix'::regclass AND NOT indisvalid"), "1") << other;
  }
}

TEST_F(IndexProbe, ReplacesAnInvalidIndexOfItsOwnDefinition) {
  for (const std::string own : {"(a)", "(a, lower(c)) INCLUDE (b)", "USING hash (a)", "(\"a\" DESC) WHERE b > 0"}) {
    database_.run("DROP TABLE IF EXISTS t; CREATE TABLE t (a int, b int, c text)");
    interrupted("t", "CREATE INDEX CONCURRENTLY ix ON t " + own);
    files_.clear();
    revision("a1", "", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t " + own + ";");
    const auto report = upgrade();
    EXPECT_TRUE(report.ok()) << own << ": " << text(report.error);
    EXPECT_EQ(count("indexrelid = 'ix'::regclass AND indisvalid"), "1") << own;
    database_.run("DROP TABLE alembic_version; DELETE FROM athanor.history");
  }
}

// What is told apart only by what the server prints.
TEST_F(IndexProbe, KnowsAnIndexByItsWholeDefinition) {
  const std::vector<std::array<std::string, 2>> different = {
      {"(a DESC)", "(a)"},           {"(a)", "(a DESC NULLS LAST)"},  {"(a NULLS FIRST)", "(a)"},
      {"((a + b))", "((a - b))"},    {"(lower(c))", "(upper(c))"},    {"(a) WHERE b > 0", "(a) WHERE b > 1"},
      {"(a)", "(a) WHERE b > 0"},    {"(c text_pattern_ops)", "(c)"}, {"(c COLLATE \"C\")", "(c)"},
      {"(a, b)", "(a) INCLUDE (b)"}, {"(a) INCLUDE (b)", "(a, b)"},
  };
  for (const auto& [there, asked] : different) {
    for (const bool valid : {false, true}) {
      database_.run("DROP TABLE IF EXISTS t; CREATE TABLE t (a int, b int, c text)");
      if (valid) {
        database_.run("CREATE INDEX ix ON t " + there);
      } else {
        interrupted("t", "CREATE INDEX CONCURRENTLY ix ON t " + there);
      }
      const auto oid = database_.value("SELECT 'ix'::regclass::oid");
      for (const std::string condition : {"", "IF NOT EXISTS "}) {
        files_.clear();
        revision("a1", "", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY " + condition + "ix ON t " + asked + ";");
        const auto report = upgrade();
        ASSERT_FALSE(report.ok()) << there << " " << asked << valid << condition;
        EXPECT_NE(
            report.error->message.find(condition.empty() ? "already exists" : "the name of the index is taken: public.ix"),
            std::string::npos)
            << report.error->message;
        EXPECT_EQ(database_.value("SELECT 'ix'::regclass::oid"), oid) << there << " " << asked << valid << condition;
        database_.run("DROP TABLE athanor.step");
      }
    }
  }
}

TEST_F(IndexProbe, KnowsItsIndexHoweverTheStatementWritesIt) {
  database_.run("CREATE SCHEMA app");
  const std::vector<std::array<std::string, 2>> same = {
      {"(a)", "USING btree (a ASC NULLS LAST)"},
      {"(a, lower(c)) INCLUDE (b) WHERE b > 0", "(\"a\", LOWER(\"T x\".c)) INCLUDE (b) WHERE (\"T x\".b > 0)"},
      {"(c) WHERE c IN ('x', 'y')", "(c) WHERE c = ANY (ARRAY['x', 'y'])"},
      {"(a) WITH (fillfactor = 70)", "(a) WITH (fillfactor=70)"},
  };
  for (const auto& [there, asked] : same) {
    for (const bool valid : {false, true}) {
      database_.run(
          "DROP TABLE IF EXISTS app.\"T x\"; CREATE TABLE app.\"T x\" (z int, a int, b int, c text);"
          " ALTER TABLE app.\"T x\" DROP COLUMN z");
      if (valid) {
        database_.run("CREATE INDEX ix ON app.\"T x\" " + there);
      } else {
        interrupted("app.\"T x\"", "CREATE INDEX CONCURRENTLY ix ON app.\"T x\" " + there);
      }
      const auto oid = database_.value("SELECT 'app.ix'::regclass::oid");
      files_.clear();
      revision("a1", "",
               "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON app.\"T x\" " + asked + ";");
      const auto report = upgrade();
      EXPECT_TRUE(report.ok()) << there << ": " << text(report.error);
      EXPECT_EQ(count("indexrelid = 'app.ix'::regclass AND indisvalid"), "1") << there;
      EXPECT_EQ(database_.value("SELECT 'app.ix'::regclass::oid") == oid, valid) << there;
      database_.run("DROP TABLE alembic_version; DELETE FROM athanor.history");
    }
  }
}

TEST_F(IndexProbe, DropsNothingThatItCannotCompare) {
  const std::string role = "plain_" + database_.name();
  database_.run("CREATE ROLE " + role + "; CREATE SCHEMA app AUTHORIZATION " + role + "; SET ROLE " + role +
                "; CREATE TABLE app.t (a int); RESET ROLE; GRANT CREATE ON DATABASE " + database_.name() + " TO " + role +
                "; GRANT ALL ON SCHEMA public TO " + role + "; REVOKE TEMPORARY ON DATABASE " + database_.name() +
                " FROM PUBLIC");
  interrupted("app.t", "CREATE INDEX CONCURRENTLY ix ON app.t (a)");
  settings_.execution.role = role;
  revision("a1", "", "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON app.t (a);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("cannot compare"), std::string::npos) << report.error->message;
  EXPECT_EQ(count("indexrelid = 'app.ix'::regclass AND NOT indisvalid"), "1");
  database_.run("DROP INDEX app.ix");
  const auto again = upgrade();
  EXPECT_TRUE(again.ok()) << text(again.error);
  database_.run("DROP OWNED BY " + role + " CASCADE; DROP ROLE " + role);
}

TEST_F(IndexProbe, RefusesIfNotExistsWhenTheNameIsTaken) {
  statement("CREATE TABLE t (a int); CREATE TABLE u (a int); CREATE INDEX ix ON u (a);",
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON t (a);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("public.ix"), std::string::npos) << report.error->message;
  EXPECT_EQ(database_.version_rows(), std::vector<std::string>{"a1"});
}

TEST_F(IndexProbe, TakesAdroppedIndexForDoneThoughThePathHoldsAnotherOfItsName) {
  settings_.execution.search_path = "public, app";
  settings_.version_table_schema = "public";
  database_.run("CREATE SCHEMA app; CREATE TABLE app.t (a int); CREATE INDEX ix ON app.t (a)");
  statement("CREATE TABLE public.u (a int);", "DROP INDEX CONCURRENTLY ix;");
  crashed("valid\\tpublic.ix");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(count("indexrelid = 'app.ix'::regclass"), "1");
}

TEST_F(IndexProbe, FindsAnIndexThatTheServerNamed) {
  statement("CREATE TABLE t (a int); INSERT INTO t VALUES (1), (1); CREATE INDEX ON t (a);",
            "CREATE UNIQUE INDEX CONCURRENTLY ON t (a);");
  const auto report = upgrade();
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error->sqlstate, "23505");
  EXPECT_EQ(count("NOT indisvalid"), "0");
  database_.run("DELETE FROM t WHERE ctid = '(0,2)'");
  crashed("absent\\tpublic.t\\t" + database_.value("SELECT 't_a_idx'::regclass::oid"));
  database_.run("CREATE UNIQUE INDEX ON t (a)");
  const auto again = upgrade();
  ASSERT_TRUE(again.ok()) << text(again.error);
  EXPECT_EQ(count("indisunique AND indrelid = 't'::regclass"), "1");
}

TEST_F(IndexProbe, DropsWhatItsReindexLeftAndNothingElse) {
  const std::string long_name(60, 'x');
  statement(
      "CREATE TABLE p (id int NOT NULL, v text) PARTITION BY RANGE (id);"
      " CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO "
      "(20);"
      " CREATE INDEX " +
          long_name + " ON p1 (v); CREATE INDEX pv ON p2 (lower(v)) WHERE id > 3;",
      "REINDEX TABLE CONCURRENTLY p;");
  interrupted("p2", "CREATE INDEX CONCURRENTLY pv_ccnew ON p2 (id)");
  interrupted("p2", "REINDEX INDEX CONCURRENTLY pv");  // another session's: pv_ccnew1
  EXPECT_EQ(count("NOT indisvalid"), "2");
  settings_.execution.lock_retry_budget = milliseconds(60'000);
  auto reader = database_.connect();
  reader.run("BEGIN; SELECT * FROM p");
  std::thread administrator([&] {
    const std::string waits =
        " FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE ";
    EXPECT_TRUE(database_.wait_until("SELECT count(*) = 1" + waits + "'REINDEX%'"));
    EXPECT_TRUE(database_.wait_until("SELECT count(*) > 2 FROM pg_index WHERE NOT indisvalid"));
    database_.run("SELECT pg_cancel_backend(pid)" + waits + "'REINDEX%'");
    EXPECT_TRUE(database_.wait_until("SELECT count(*) = 1" + waits + "'DROP INDEX%'"));
    reader.run("COMMIT");
  });
  auto report = upgrade();
  administrator.join();
  ASSERT_FALSE(report.ok());
  EXPECT_NE(report.error->message.find("cancelled"), std::string::npos) << report.error->message;
  EXPECT_EQ(database_.value("SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY 1) FROM pg_index WHERE NOT indisvalid"),
            "pv_ccnew pv_ccnew1");
  report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
}

TEST_F(IndexProbe, DropsWhatAnInterruptedReindexLeftOnAtoastTableAndUnderAcutName) {
  const std::string long_name(63, 'y');
  statement("CREATE TABLE t (a int, v text); CREATE INDEX " + long_name + " ON t (a); CREATE INDEX short ON t (v);",
            "REINDEX TABLE CONCURRENTLY t;");
  crashed("unknown\\tpublic.t");
  interrupted("t", "REINDEX TABLE CONCURRENTLY t");
  EXPECT_EQ(count("NOT indisvalid"), "3");
  const auto report = upgrade();
  ASSERT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(count("NOT indisvalid"), "0");
  EXPECT_EQ(count("indrelid = 't'::regclass"), "2");
}

TEST_F(IndexProbe, TellsOfAtoastIndexThatItsRoleMayNotDrop) {
  statement("CREATE TABLE t (v text);", "REINDEX TABLE CONCURRENTLY t;");
  const std::string role = "toast_" + database_.name();
  database_.run("CREATE ROLE " + role + "; ALTER TABLE t OWNER TO " + role + "; ALTER SCHEMA athanor OWNER TO " + role +
                "; ALTER TABLE athanor.history OWNER TO " + role + "; ALTER TABLE alembic_version OWNER TO " + role);
  crashed("unknown\\tpublic.t");
  database_.run("ALTER TABLE athanor.step OWNER TO " + role);
  interrupted("t", "REINDEX TABLE CONCURRENTLY t");
  settings_.execution.role = role;
  const auto report = upgrade();
  EXPECT_TRUE(report.ok()) << text(report.error);
  EXPECT_EQ(count("NOT indisvalid"), "1");
  EXPECT_TRUE(sink_.saw("index_left " + database_.value("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid")));
  database_.run("REASSIGN OWNED BY " + role + " TO postgres; DROP OWNED BY " + role + "; DROP ROLE " + role);
}

}  // namespace
}  // namespace athanor
