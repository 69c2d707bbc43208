// One row a rule: more forms that it flags, and their neighbours that it does not.
#include <gtest/gtest.h>

#include "tests/unit/lint/lint_sketch.hpp"

namespace athanor {
namespace {

struct RuleCases {
  const char* rule;
  std::vector<const char*> flagged;
  std::vector<const char*> silent;
};

const std::vector<RuleCases>& all_cases() {
  static const std::vector<RuleCases> kCases{
      {"index-create",
       {"CREATE UNIQUE INDEX i ON t (a)", "CREATE INDEX ON s.t USING gin (a)",
        "CREATE INDEX IF NOT EXISTS i ON t ((lower(a)))"},
       {"CREATE TABLE t (a int); CREATE INDEX ON t (a)", "CREATE TEMP TABLE t AS SELECT 1 AS a; CREATE INDEX ON t (a)",
        "CREATE MATERIALIZED VIEW t AS SELECT 1 AS a; CREATE INDEX ON t (a)"}},
      {"index-drop",
       {"DROP INDEX IF EXISTS a, b", "DROP INDEX s.a CASCADE"},
       {"DROP TABLE a", "CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i"}},
      {"reindex",
       {"REINDEX INDEX i", "REINDEX (VERBOSE) TABLE t", "REINDEX (CONCURRENTLY false) INDEX i"},
       {"CREATE TABLE t (a int); REINDEX TABLE t"}},
      {"matview-refresh",
       {"REFRESH MATERIALIZED VIEW v WITH NO DATA"},
       {"CREATE MATERIALIZED VIEW v AS SELECT 1; REFRESH MATERIALIZED VIEW v"}},
      {"index-duplicate",
       {"CREATE INDEX a ON t (x, y); CREATE INDEX b ON t (x, y)"},
       {"CREATE INDEX a ON t (x, y); CREATE INDEX b ON t (y, x)",
        "CREATE INDEX a ON t (x); CREATE INDEX b ON t (x) WHERE x > 0",
        "CREATE INDEX a ON t (x); CREATE INDEX b ON t USING hash (x)",
        "CREATE INDEX a ON t (lower(x)); CREATE INDEX b ON t (upper(x))"}},
      {"fk-not-valid",
       {"ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o",
        "ALTER TABLE s.t ADD CONSTRAINT f FOREIGN KEY (a, b) REFERENCES o (c, d)"},
       {"CREATE TABLE t (a int); ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES o", "CREATE TABLE t (a int REFERENCES o)"}},
      {"addcol-inline-fk", {"ALTER TABLE t ADD a int REFERENCES o DEFERRABLE"}, {"ALTER TABLE t ADD a int"}},
      {"fk-in-create-table",
       {"CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES o (id))"},
       {"CREATE TABLE o (id int PRIMARY KEY); CREATE TABLE t (a int REFERENCES o)",
        "CREATE TABLE t (id int PRIMARY KEY, up int REFERENCES t)"}},
      {"fk-drop", {"ALTER TABLE t DROP CONSTRAINT fk_orders"}, {"ALTER TABLE t DROP CONSTRAINT t_a_check"}},
      {"check-not-valid",
       {"ALTER TABLE t ADD CHECK (a > 0)", "ALTER TABLE t ADD a int, ADD CONSTRAINT c CHECK (a > 0)"},
       {"CREATE TABLE t (a int); ALTER TABLE t ADD CHECK (a > 0)"}},
      {"validate-same-transaction",
       {"ALTER TABLE t ADD a int; ALTER TABLE t VALIDATE CONSTRAINT old",
        "ALTER TABLE t ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES o NOT VALID; "
        "ALTER TABLE t VALIDATE CONSTRAINT f"},
       {"ALTER TABLE t VALIDATE CONSTRAINT f", "ALTER TABLE t VALIDATE CONSTRAINT f; ALTER TABLE t DROP CONSTRAINT f2"}},
      {"set-not-null", {"ALTER TABLE t ALTER a SET NOT NULL, ALTER b DROP DEFAULT"}, {"ALTER TABLE t ALTER a DROP NOT NULL"}},
      {"unique-add",
       {"ALTER TABLE t ADD UNIQUE (a, b)", "ALTER TABLE t ADD CONSTRAINT u UNIQUE NULLS NOT DISTINCT (a)"},
       {"ALTER TABLE t ADD CONSTRAINT u UNIQUE USING INDEX i", "ALTER TABLE t DROP CONSTRAINT u"}},
      {"pk-add", {"ALTER TABLE t ADD PRIMARY KEY (a)"}, {"ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i"}},
      {"exclusion-add", {"ALTER TABLE t ADD EXCLUDE (a WITH =)"}, {"CREATE TABLE t (a int, EXCLUDE (a WITH =))"}},
      {"domain-constraint",
       {"ALTER DOMAIN d SET NOT NULL", "ALTER DOMAIN d ADD CHECK (VALUE > 0)"},
       {"ALTER DOMAIN d DROP NOT NULL", "ALTER DOMAIN d DROP CONSTRAINT c", "ALTER DOMAIN d RENAME TO e",
        "ALTER DOMAIN d VALIDATE CONSTRAINT c"}},
      {"domain-with-constraint",
       {"CREATE DOMAIN d AS text NOT NULL"},
       {"CREATE DOMAIN d AS text DEFAULT 'x'", "CREATE DOMAIN d AS varchar"}},
      {"addcol-required",
       {"ALTER TABLE t ADD a text NOT NULL DEFAULT NULL", "ALTER TABLE t ADD a text PRIMARY KEY"},
       {"ALTER TABLE t ADD a int NOT NULL DEFAULT 1", "ALTER TABLE t ADD a int GENERATED ALWAYS AS (b + 1) STORED NOT NULL",
        "ALTER TABLE t ADD a serial NOT NULL", "ALTER TABLE t ADD a int"}},
      {"addcol-volatile-default",
       {"ALTER TABLE t ADD a float DEFAULT random()", "ALTER TABLE t ADD a timestamptz DEFAULT clock_timestamp()",
        "ALTER TABLE t ADD a int DEFAULT my_function()", "ALTER TABLE t ADD a int DEFAULT nextval('s')",
        "ALTER TABLE t SET LOGGED, ADD a uuid DEFAULT uuid_generate_v4()"},
       {"ALTER TABLE t ADD a timestamptz DEFAULT now()", "ALTER TABLE t ADD a timestamptz DEFAULT current_timestamp",
        "ALTER TABLE t ADD a jsonb DEFAULT '{}'::jsonb", "ALTER TABLE t ADD a int DEFAULT 2 + 2",
        "ALTER TABLE t ADD a text[] DEFAULT ARRAY['x']::text[]",
        "ALTER TABLE t ADD a timestamptz DEFAULT now() - interval '100 years'", "ALTER TABLE t ALTER a SET DEFAULT random()"}},
      {"addcol-serial-or-identity",
       {"ALTER TABLE t ADD a serial", "ALTER TABLE t ADD a int GENERATED ALWAYS AS IDENTITY"},
       {"CREATE TABLE t (a serial)"}},
      {"addcol-inline-unique",
       {"ALTER TABLE t ADD a text CONSTRAINT u UNIQUE", "ALTER TABLE t ADD a int PRIMARY KEY"},
       {"CREATE TABLE t (a int UNIQUE)"}},
      {"addcol-inline-check", {"ALTER TABLE t ADD a int DEFAULT 1 CHECK (a > 0)"}, {"CREATE TABLE t (a int CHECK (a > 0))"}},
      {"collation-change", {"ALTER TABLE t ALTER a TYPE varchar(20) COLLATE \"de_DE\""}, {"ALTER TABLE t ALTER a TYPE text"}},
      {"drop-column",
       {"ALTER TABLE t DROP a", "ALTER TABLE t ADD b int, DROP COLUMN IF EXISTS a CASCADE"},
       {"ALTER TABLE t DROP CONSTRAINT c", "CREATE TABLE t (a int, b int); ALTER TABLE t DROP a",
        "ALTER TYPE ty DROP ATTRIBUTE a"}},
      {"char-n",
       {"CREATE TABLE t (a character(100))", "CREATE TABLE t (a char)", "CREATE TABLE t (a nchar)",
        "ALTER TABLE t ADD a char[]", "CREATE TABLE t (a \"char\")"},
       {"CREATE TABLE t (a varchar(100), b text)"}},
      {"int-width",
       {"CREATE TABLE t (a smallserial)", "CREATE TABLE t (a int[])", "ALTER TABLE t ADD a int2"},
       {"CREATE TABLE t (a bigint, b serial8, c numeric)"}},
      {"prefer-identity",
       {"CREATE TABLE t (id \"serial\")", "ALTER TABLE t ADD id serial4"},
       {"CREATE TABLE t (id bigint GENERATED BY DEFAULT AS IDENTITY)"}},
      {"timestamp-no-tz",
       {"CREATE TABLE t (a timestamp without time zone)", "ALTER TABLE t ALTER a TYPE timestamp",
        "CREATE TABLE t (a timestamp[])"},
       {"CREATE TABLE t (a timestamp with time zone)"}},
      {"varchar-n",
       {"ALTER TABLE t ALTER a TYPE varchar(1000)", "CREATE TABLE t (a pg_catalog.varchar(10))"},
       {"CREATE TABLE t (a varchar)"}},
      {"duplicate-column",
       {"UPDATE t SET a = 1, a = 2 WHERE id = 1", "INSERT INTO t (a, a) VALUES (1, 2)", "CREATE VIEW v AS SELECT 1 a, 2 a",
        "UPDATE t SET a = 1, a.x = 2 WHERE id = 1", "INSERT INTO k VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1, a = 2"},
       {"UPDATE t SET a.x = 1, a.y = 2 WHERE id = 1", "CREATE VIEW v (a, b) AS SELECT 1 a, 2 a", "SELECT 1 a, 2 a"}},
      {"enum-order",
       {"ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'"},
       {"ALTER TYPE e ADD VALUE 'x' BEFORE 'y'", "ALTER TYPE e RENAME VALUE 'x' TO 'y'"}},
      {"enum-add-use-same-transaction",
       {"ALTER TYPE e ADD VALUE 'x' AFTER 'w'; ALTER TABLE t ALTER a SET DEFAULT 'x'"},
       {"CREATE TYPE e AS ENUM ('w'); SELECT 'w'::e", "ALTER TYPE e ADD VALUE 'x' AFTER 'w'; SELECT 'y'::e"}},
      {"rename-column",
       {"ALTER VIEW v RENAME COLUMN a TO b"},
       {"CREATE TABLE t (a int); ALTER TABLE t RENAME a TO b", "ALTER TABLE t RENAME CONSTRAINT a TO b"}},
      {"rename-table", {"ALTER VIEW v RENAME TO w"}, {"ALTER INDEX i RENAME TO j", "ALTER TABLE t RENAME a TO b"}},
      {"cascade",
       {"TRUNCATE a CASCADE", "DROP SCHEMA s CASCADE", "ALTER TABLE t DROP COLUMN a CASCADE"},
       {"TRUNCATE a, b", "DROP VIEW v"}},
      {"truncate", {"TRUNCATE a, b"}, {"CREATE TABLE a (i int); TRUNCATE a"}},
      {"drop-type", {"DROP DOMAIN d"}, {"DROP TABLE t"}},
      {"dml-without-where",
       {"UPDATE t SET a = 1", "DELETE FROM t WHERE true", "UPDATE t SET a = 1 WHERE 1 = 1"},
       {"UPDATE t SET a = 1 WHERE b IS NULL", "CREATE TABLE t (a int); DELETE FROM t"}},
      {"backfill-in-ddl-transaction",
       {"ALTER TABLE t ADD a int; DELETE FROM u WHERE b < 3"},
       {"ALTER TABLE t ADD a int; UPDATE v SET version = 'b' WHERE v.version = 'a'",
        "CREATE TABLE t (a int); DELETE FROM u WHERE b < 3"}},
      {"backfill-unbatched",
       {"DELETE FROM t WHERE a < 3"},
       {"DELETE FROM t WHERE a = 3 AND b < 4", "INSERT INTO t VALUES (1)"}},
      {"work-after-ael",
       {"ALTER TABLE t ADD a int; ALTER TABLE u ADD b int", "ALTER TABLE t ADD a int; UPDATE u SET b = 1 WHERE c < 3"},
       {"ALTER TABLE t ADD a int; SELECT 1", "CREATE TABLE t (a int); SELECT count(*) FROM t",
        "ALTER TABLE t ADD a int; CREATE TABLE u (a int)"}},
      {"merge-alter-table",
       {"ALTER TABLE t ALTER a SET NOT NULL; SELECT 1; ALTER TABLE t ALTER b SET NOT NULL"},
       {"ALTER TABLE t ADD a int; ALTER TABLE u ADD a int", "ALTER TABLE t ADD a int; ALTER TABLE t RENAME a TO b"}},
      {"session-state",
       {"SET search_path = a", "SET SESSION work_mem = '1GB'"},
       {"SET LOCAL search_path = a", "SET lock_timeout = '1s'", "RESET work_mem"}},
      {"lock-table", {"LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE"}, {"LOCK TABLE t IN ACCESS SHARE MODE"}},
      {"partition-attach",
       {"ALTER TABLE p ATTACH PARTITION c DEFAULT"},
       {"CREATE TABLE c (a int); ALTER TABLE p ATTACH PARTITION c FOR VALUES IN (1)"}},
      {"partition-detach", {"ALTER TABLE p DETACH PARTITION c"}, {"ALTER TABLE p DETACH PARTITION c FINALIZE"}},
      {"set-unlogged", {"ALTER TABLE t SET LOGGED"}, {"CREATE TABLE t (a int); ALTER TABLE t SET UNLOGGED"}},
      {"triggers-disabled",
       {"SET session_replication_role = replica", "ALTER TABLE t DISABLE TRIGGER USER"},
       {"ALTER TABLE t ENABLE TRIGGER ALL"}},
      {"policy-change", {"ALTER POLICY p ON t TO x", "DROP POLICY p ON s.t"}, {"DROP TRIGGER p ON t"}},
      {"rls-enable",
       {"ALTER TABLE t DISABLE ROW LEVEL SECURITY", "ALTER TABLE t FORCE ROW LEVEL SECURITY"},
       {"ALTER TABLE t ENABLE RULE r"}},
      {"grant-to-public", {"GRANT ALL ON SCHEMA s TO PUBLIC"}, {"REVOKE ALL ON SCHEMA s FROM PUBLIC"}},
      {"server-settings", {"ALTER DATABASE d SET work_mem = '1GB'"}, {"SET LOCAL work_mem = '1GB'"}},
      {"dynamic-sql",
       {"DO $$ BEGIN FOR r IN EXECUTE 'SELECT 1' LOOP NULL; END LOOP; END $$"},
       {"DO $$ BEGIN UPDATE t SET a = 1 WHERE id = 2; END $$"}},
  };
  return kCases;
}

class RuleCase : public ::testing::TestWithParam<RuleCases> {};

TEST_P(RuleCase, FlagsTheseAndNotThose) {
  for (const char* const sql : GetParam().flagged) {
    const auto findings = test::lint_body(std::string(sql) + ";");
    EXPECT_TRUE(test::has_rule(findings, GetParam().rule)) << sql << "\n" << testing::PrintToString(test::rules_of(findings));
  }
  for (const char* const sql : GetParam().silent) {
    const auto findings = test::lint_body(std::string(sql) + ";");
    EXPECT_FALSE(test::has_rule(findings, GetParam().rule)) << sql;
    EXPECT_FALSE(test::has_rule(findings, "unclassified")) << sql;
    EXPECT_FALSE(test::has_rule(findings, "invalid-revision")) << sql << findings.front().message;
  }
}

INSTANTIATE_TEST_SUITE_P(Table, RuleCase, ::testing::ValuesIn(all_cases()), [](const auto& entry) {
  std::string name(entry.param.rule);
  std::ranges::replace(name, '-', '_');
  return name;
});

}  // namespace
}  // namespace athanor
