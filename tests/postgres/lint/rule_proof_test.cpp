// What rules claim about the server, seen on a server: one row a rule, with the statement that it flags and those that it
// leaves alone. Lint must flag the one and not the others, and the server must lock, read and write as claimed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "migrations/lint/linter.hpp"
#include "tests/postgres/lint/server_proof.hpp"

namespace athanor {
namespace {

using enum LockMode;

constexpr const char* kTables =
    "CREATE TABLE users (id bigint PRIMARY KEY, name text, short varchar(20), amount numeric(8,2), at timestamp, n int, m int);"
    "INSERT INTO users SELECT i, 'n' || i, 's', i, now(), i, i FROM generate_series(1, 100) i;"
    "CREATE INDEX users_name_idx ON users (name);"
    "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint, total int);"
    "INSERT INTO orders SELECT i, i, i FROM generate_series(1, 100) i;";

struct Quiet {
  std::string sql;
  LockMode at_most = None;  // on the table
  bool may_scan = false;
  std::string setup = {};
  bool alone = false;  // outside a transaction
  int since = 14;
};

struct Proof {
  const char* rule;
  std::string setup = {};
  std::string sql;
  std::string table = "users";
  std::string other = {};
  std::vector<Quiet> quiet = {};
  bool alone = false;
  int since = 14;
  int before = 99;  // the version from which on the server is milder
};

// Names the test instead of its bytes.
void PrintTo(const Proof& proof, std::ostream* out) {
  *out << proof.sql;
}

// A type change that writes nothing.
Quiet free_change(const std::string& column, const std::string& type) {
  return {"ALTER TABLE users ALTER COLUMN " + column + " TYPE " + type, AccessExclusive};
}

std::vector<Proof> index_proofs() {
  return {
      {.rule = "index-create",
       .sql = "CREATE INDEX i ON users (n)",
       .quiet = {{"CREATE INDEX CONCURRENTLY i ON users (n)", ShareUpdateExclusive, true, "", true},
                 {"CREATE TABLE fresh (a int); CREATE INDEX ON fresh (a)", None}}},
      {.rule = "index-drop",
       .sql = "DROP INDEX users_name_idx",
       .quiet = {{"DROP INDEX CONCURRENTLY users_name_idx", ShareUpdateExclusive, true, "", true}}},
      {.rule = "index-partitioned",
       .setup =
           "CREATE TABLE p (a int, b int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);",
       .sql = "CREATE INDEX i ON p (b)",
       .table = "p",
       .other = "p1",
       .quiet = {{"CREATE INDEX i ON ONLY p (b)", Share}}},
      {.rule = "reindex",
       .sql = "REINDEX TABLE users",
       .quiet = {{"REINDEX TABLE CONCURRENTLY users", ShareUpdateExclusive, true, "", true}}},
      {.rule = "concurrent-in-transaction",
       .sql = "CREATE INDEX CONCURRENTLY i ON users (n)",
       .quiet = {{"CREATE INDEX CONCURRENTLY i ON users (n)", ShareUpdateExclusive, true, "", true}}},
      {.rule = "matview-refresh",
       .setup = "CREATE MATERIALIZED VIEW v AS SELECT id FROM users; CREATE UNIQUE INDEX ON v (id);",
       .sql = "REFRESH MATERIALIZED VIEW v",
       .table = "v",
       .quiet = {{"REFRESH MATERIALIZED VIEW CONCURRENTLY v", Exclusive, true}}},
      {.rule = "cluster-or-vacuum-full",
       .sql = "CLUSTER users USING users_pkey",
       .quiet = {{"VACUUM users", ShareUpdateExclusive, true, "", true}}},
      {.rule = "cluster-or-vacuum-full", .sql = "VACUUM FULL users", .alone = true},
  };
}

std::vector<Proof> constraint_proofs() {
  const std::string check = "ALTER TABLE users ADD CONSTRAINT c CHECK (n IS NOT NULL) NOT VALID;";
  return {
      {.rule = "fk-not-valid",
       .sql = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id)",
       .table = "orders",
       .other = "users",
       .quiet = {{"ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
                  ShareRowExclusive},
                 {"ALTER TABLE orders VALIDATE CONSTRAINT f", ShareUpdateExclusive, true,
                  "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;"}}},
      {.rule = "addcol-inline-fk",
       .sql = "ALTER TABLE orders ADD COLUMN o bigint REFERENCES users (id)",
       .table = "orders",
       .other = "users",
       .quiet = {{"ALTER TABLE orders ADD COLUMN o bigint", AccessExclusive}}},
      {.rule = "fk-in-create-table",
       .sql = "CREATE TABLE fresh (id bigint PRIMARY KEY, u bigint REFERENCES users (id))",
       .table = "",
       .other = "users",
       .quiet = {{"CREATE TABLE fresh (id bigint PRIMARY KEY, u bigint)"}}},
      {.rule = "fk-drop",
       .setup = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id);"
                "ALTER TABLE orders ADD CONSTRAINT k CHECK (total > 0);",
       .sql = "ALTER TABLE orders DROP CONSTRAINT f",
       .table = "orders",
       .other = "users",
       .quiet = {{"ALTER TABLE orders DROP CONSTRAINT k", AccessExclusive}}},
      {.rule = "drop-table-with-fk",
       .setup = "ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY (user_id) REFERENCES users (id);",
       .sql = "DROP TABLE orders",
       .table = "orders",
       .other = "users"},
      {.rule = "check-not-valid",
       .sql = "ALTER TABLE users ADD CONSTRAINT c CHECK (n > 0)",
       .quiet = {{"ALTER TABLE users ADD CONSTRAINT c CHECK (n > 0) NOT VALID", AccessExclusive},
                 {"ALTER TABLE users VALIDATE CONSTRAINT c", ShareUpdateExclusive, true, check}}},
      {.rule = "validate-same-transaction",
       .sql = check + "ALTER TABLE users VALIDATE CONSTRAINT c",
       .quiet = {{"ALTER TABLE users VALIDATE CONSTRAINT c", ShareUpdateExclusive, true, check}}},
      {.rule = "set-not-null",
       .sql = "ALTER TABLE users ALTER COLUMN n SET NOT NULL",
       .quiet = {{"ALTER TABLE users ALTER COLUMN n SET NOT NULL", AccessExclusive, false,
                  check + "ALTER TABLE users VALIDATE CONSTRAINT c;"},
                 {"ALTER TABLE users ALTER COLUMN id SET NOT NULL", AccessExclusive},
                 {"ALTER TABLE users ADD CONSTRAINT nn NOT NULL n NOT VALID", AccessExclusive, false, "", false, 18},
                 {"ALTER TABLE users VALIDATE CONSTRAINT nn", ShareUpdateExclusive, true,
                  "ALTER TABLE users ADD CONSTRAINT nn NOT NULL n NOT VALID;", false, 18}}},
      {.rule = "unique-add",
       .sql = "ALTER TABLE users ADD CONSTRAINT u UNIQUE (n)",
       .quiet = {{"ALTER TABLE users ADD CONSTRAINT u UNIQUE USING INDEX i", AccessExclusive, false,
                  "CREATE UNIQUE INDEX i ON users (n);"}}},
      {.rule = "pk-add",
       .setup = "CREATE TABLE t (a int); INSERT INTO t VALUES (1);",
       .sql = "ALTER TABLE t ADD PRIMARY KEY (a)",
       .table = "t",
       .quiet = {{"ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i", AccessExclusive, false,
                  "ALTER TABLE t ALTER a SET NOT NULL; CREATE UNIQUE INDEX i ON t (a);"}}},
      {.rule = "pk-using-index-nullable",
       .setup = "CREATE TABLE t (a int); INSERT INTO t VALUES (1); CREATE UNIQUE INDEX i ON t (a);",
       .sql = "ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i",
       .table = "t",
       .quiet = {{"ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY USING INDEX i", AccessExclusive, false,
                  "ALTER TABLE t ALTER a SET NOT NULL;"}}},
      {.rule = "exclusion-add", .sql = "ALTER TABLE users ADD CONSTRAINT e EXCLUDE (n WITH =)"},
      {.rule = "domain-constraint",
       .setup = "CREATE DOMAIN d AS int; CREATE TABLE t (a d); INSERT INTO t VALUES (1);",
       .sql = "ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0)",
       .table = "t",
       .quiet = {{"ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID", None}}},
      {.rule = "domain-constraint",
       .setup = "CREATE DOMAIN d AS int; CREATE TABLE t (a d); INSERT INTO t VALUES (1);",
       .sql = "ALTER DOMAIN d SET NOT NULL",
       .table = "t"},
      {.rule = "domain-constraint",
       .setup = "CREATE DOMAIN d AS int; CREATE TABLE t (a d); INSERT INTO t VALUES (1); ALTER DOMAIN d ADD CONSTRAINT c CHECK "
                "(VALUE > 0) NOT VALID;",
       .sql = "ALTER DOMAIN d VALIDATE CONSTRAINT c",
       .table = "t",
       .before = 18},
  };
}

std::vector<Proof> column_proofs() {
  return {
      {.rule = "addcol-required",
       .sql = "ALTER TABLE users ADD COLUMN a text NOT NULL",
       .quiet = {{"ALTER TABLE users ADD COLUMN a text NOT NULL DEFAULT 'x'", AccessExclusive}}},
      {.rule = "addcol-volatile-default",
       .sql = "ALTER TABLE users ADD COLUMN a uuid DEFAULT gen_random_uuid()",
       .quiet = {{"ALTER TABLE users ADD COLUMN a int DEFAULT 1", AccessExclusive},
                 {"ALTER TABLE users ADD COLUMN a timestamptz DEFAULT now()", AccessExclusive},
                 {"ALTER TABLE users ADD COLUMN a jsonb DEFAULT '{}'::jsonb", AccessExclusive}}},
      {.rule = "addcol-volatile-default", .sql = "ALTER TABLE users ADD COLUMN a timestamptz DEFAULT clock_timestamp()"},
      {.rule = "addcol-serial-or-identity",
       .sql = "ALTER TABLE users ADD COLUMN a bigserial",
       .quiet = {{"ALTER TABLE users ADD COLUMN a bigint", AccessExclusive}}},
      {.rule = "addcol-serial-or-identity", .sql = "ALTER TABLE users ADD COLUMN a bigint GENERATED ALWAYS AS IDENTITY"},
      {.rule = "identity-nullable",
       .sql = "ALTER TABLE users ALTER n ADD GENERATED ALWAYS AS IDENTITY",
       .quiet = {{"ALTER TABLE users ALTER id ADD GENERATED ALWAYS AS IDENTITY", AccessExclusive}}},
      {.rule = "addcol-generated-stored",
       .sql = "ALTER TABLE users ADD COLUMN a text GENERATED ALWAYS AS (lower(name)) STORED"},
      {.rule = "addcol-constrained-domain",
       .setup = "CREATE DOMAIN strict AS int CHECK (VALUE > 0); CREATE DOMAIN loose AS int;",
       .sql = "ALTER TABLE users ADD COLUMN a strict",
       .quiet = {{"ALTER TABLE users ADD COLUMN a loose", AccessExclusive}}},
      {.rule = "addcol-inline-check",
       .sql = "ALTER TABLE users ADD COLUMN a int CHECK (a > 0)",
       .quiet = {{"ALTER TABLE users ADD COLUMN a int", AccessExclusive}}},
      {.rule = "addcol-inline-unique", .sql = "ALTER TABLE users ADD COLUMN a int UNIQUE"},
      {.rule = "type-change",
       .sql = "ALTER TABLE users ALTER COLUMN n TYPE bigint",
       .quiet = {free_change("short", "varchar(40)"), free_change("short", "varchar"), free_change("short", "text"),
                 free_change("name", "varchar"), free_change("amount", "numeric(10,2)"), free_change("amount", "numeric"),
                 free_change("at", "timestamp(6)")}},
      {.rule = "type-change",
       .setup = "CREATE DOMAIN plain AS int; CREATE DOMAIN checked AS int CHECK (VALUE > 0); CREATE DOMAIN above AS checked;"
                "ALTER TABLE users ADD i interval(3), ADD j interval, ADD b bit(4), ADD p plain, ADD c checked, ADD d above;",
       .sql = "ALTER TABLE users ALTER COLUMN n TYPE checked",
       .quiet = {free_change("i", "interval"), free_change("i", "interval(5)"), free_change("j", "interval(6)"),
                 free_change("b", "varbit"), free_change("n", "plain"), free_change("p", "int"), free_change("c", "int"),
                 free_change("d", "int"), free_change("c", "plain")}},
      {.rule = "type-change", .sql = "ALTER TABLE users ALTER COLUMN amount TYPE numeric(10,4)"},
      {.rule = "type-change", .sql = "ALTER TABLE users ALTER COLUMN n TYPE text"},
      {.rule = "timestamptz-change",
       .sql = "SET LOCAL TimeZone = 'Europe/Zurich'; ALTER TABLE users ALTER COLUMN at TYPE timestamptz",
       .quiet = {{"SET LOCAL TimeZone = 'UTC'; ALTER TABLE users ALTER COLUMN at TYPE timestamptz", AccessExclusive}}},
      {.rule = "collation-change", .sql = "ALTER TABLE users ALTER COLUMN name TYPE text COLLATE \"C\""},
      {.rule = "drop-column", .sql = "ALTER TABLE users DROP COLUMN m"},
      {.rule = "drop-not-null",
       .setup = "ALTER TABLE users ALTER n SET NOT NULL;",
       .sql = "ALTER TABLE users ALTER n DROP NOT NULL"},
      {.rule = "drop-default",
       .setup = "ALTER TABLE users ALTER n SET DEFAULT 1;",
       .sql = "ALTER TABLE users ALTER n DROP DEFAULT"},
      {.rule = "rename-column", .sql = "ALTER TABLE users RENAME COLUMN n TO o"},
      {.rule = "rename-table", .sql = "ALTER TABLE users RENAME TO people"},
      {.rule = "move-schema", .setup = "CREATE SCHEMA s;", .sql = "ALTER TABLE users SET SCHEMA s"},
  };
}

std::vector<Proof> other_proofs() {
  const std::string parts =
      "CREATE TABLE p (a int) PARTITION BY RANGE (a); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9);";
  const std::string loose = parts + "CREATE TABLE q (a int); INSERT INTO q VALUES (11);";
  const std::string touch = "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';";
  return {
      {.rule = "enum-add-use-same-transaction",
       .setup = "CREATE TYPE mood AS ENUM ('ok');",
       .sql = "ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok'; SELECT 'happy'::mood",
       .quiet = {{"CREATE TYPE other AS ENUM ('x'); SELECT 'x'::other"},
                 {.sql = "CREATE TYPE other AS ENUM ('ok'); ALTER TYPE other ADD VALUE 'x' AFTER 'ok'; SELECT 'x'::other",
                  .since = 17}}},
      {.rule = "duplicate-column", .sql = "CREATE TABLE fresh (a int, a int)"},
      {.rule = "drop-table", .sql = "DROP TABLE users"},
      {.rule = "truncate", .sql = "TRUNCATE users"},
      {.rule = "drop-primary-key",
       .setup = "ALTER TABLE users ADD CONSTRAINT k CHECK (id > 0); CREATE UNIQUE INDEX i ON users (id);",
       .sql = "ALTER TABLE users DROP CONSTRAINT users_pkey",
       .quiet = {{"ALTER TABLE users DROP CONSTRAINT k", AccessExclusive},
                 {"ALTER TABLE users DROP CONSTRAINT users_pkey, ADD PRIMARY KEY USING INDEX i", AccessExclusive}}},
      {.rule = "drop-identity",
       .setup = "ALTER TABLE users ALTER id ADD GENERATED ALWAYS AS IDENTITY;",
       .sql = "ALTER TABLE users ALTER id DROP IDENTITY",
       .quiet = {{"ALTER TABLE users ALTER id SET GENERATED BY DEFAULT", AccessExclusive}}},
      {.rule = "drop-trigger",
       .setup = touch + "; CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
       .sql = "DROP TRIGGER t ON users",
       .quiet = {{"DROP TRIGGER t ON users; CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
                  AccessExclusive}}},
      {.rule = "replica-identity-nothing",
       .sql = "ALTER TABLE users REPLICA IDENTITY NOTHING",
       .quiet = {{"ALTER TABLE users REPLICA IDENTITY DEFAULT", AccessExclusive}}},
      {.rule = "lock-table", .sql = "LOCK TABLE users", .quiet = {{"LOCK TABLE users IN ROW SHARE MODE", RowShare}}},
      {.rule = "partition-attach",
       .setup = loose,
       .sql = "ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (10) TO (20)",
       .table = "q",
       .other = "p",
       .quiet = {{"ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (10) TO (20)", AccessExclusive, false,
                  "ALTER TABLE q ADD CONSTRAINT bound CHECK (a IS NOT NULL AND a >= 10 AND a < 20);"}}},
      {.rule = "partition-create",
       .setup = parts,
       .sql = "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (10) TO (20)",
       .table = "",
       .other = "p"},
      {.rule = "partition-detach",
       .setup = parts,
       .sql = "ALTER TABLE p DETACH PARTITION p1",
       .table = "p",
       .other = "p1",
       .quiet = {{"ALTER TABLE p DETACH PARTITION p1 CONCURRENTLY", ShareUpdateExclusive, true, "", true}}},
      {.rule = "set-unlogged",
       .sql = "ALTER TABLE users SET UNLOGGED",
       .quiet = {{"ALTER TABLE users SET (fillfactor = 90)", ShareUpdateExclusive}}},
      {.rule = "set-access-method",
       .setup = "CREATE ACCESS METHOD heap2 TYPE TABLE HANDLER heap_tableam_handler;",
       .sql = "ALTER TABLE users SET ACCESS METHOD heap2",
       .since = 15},
      {.rule = "trigger-create",
       .setup = touch,
       .sql = "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch()",
       .quiet =
           {{"CREATE TABLE fresh (a int); CREATE TRIGGER t BEFORE UPDATE ON fresh FOR EACH ROW EXECUTE FUNCTION touch()"}}},
      {.rule = "triggers-disabled", .sql = "ALTER TABLE users DISABLE TRIGGER USER"},
      {.rule = "rls-enable", .sql = "ALTER TABLE users ENABLE ROW LEVEL SECURITY"},
      {.rule = "policy-change", .sql = "CREATE POLICY own ON users USING (true)"},
      {.rule = "rule-create", .sql = "CREATE RULE quiet AS ON DELETE TO users DO ALSO NOTHING"},
  };
}

std::vector<Proof> all_proofs() {
  std::vector<Proof> all;
  for (auto part : {index_proofs(), constraint_proofs(), column_proofs(), other_proofs()}) {
    all.insert(all.end(), part.begin(), part.end());
  }
  return all;
}

// What lint says of the statement, told what the setup created.
bool flags(const std::string& rule, const std::string& setup, const std::string& sql, bool alone, int postgres) {
  LintContext context;
  context.postgres = postgres;
  Linter linter(context);
  linter.learn(plain_unit(kTables + setup, "setup.sql", false));
  linter.lint(plain_unit(sql + ";", "file.sql", !alone));
  const auto findings = linter.finish();
  return std::ranges::any_of(findings, [&](const Finding& finding) { return finding.rule == rule; });
}

class RuleProof : public ::testing::TestWithParam<Proof> {
 protected:
  void prepare(const std::string& more) {
    database_.run(kTables);
    for (const std::string& sql : {GetParam().setup, more}) {
      if (!sql.empty()) {
        database_.run(sql);
      }
    }
  }
  int postgres() { return std::stoi(database_.value("SHOW server_version_num")) / 10'000; }

  test::TestDatabase database_{"lint"};
};

TEST_P(RuleProof, HappensOnTheServerAsTheRuleClaims) {
  const Proof& proof = GetParam();
  if (postgres() < proof.since || postgres() >= proof.before) {
    return;
  }
  const Claim& claim = find_rule(proof.rule)->claim;
  EXPECT_TRUE(flags(proof.rule, proof.setup, proof.sql, proof.alone, postgres()));
  prepare("");
  const test::Seen seen = proof.alone ? test::look_alone(database_, proof.sql, proof.table)
                                      : test::look(database_, proof.sql, proof.table, proof.other);
  EXPECT_EQ(!seen.sqlstate.empty(), claim.fails) << seen.sqlstate;
  if (claim.fails) {
    return;
  }
  EXPECT_EQ(lock_name(seen.table), lock_name(proof.table.empty() ? LockMode::None : claim.lock));
  EXPECT_EQ(lock_name(seen.other), lock_name(proof.other.empty() ? LockMode::None : claim.other));
  EXPECT_EQ(seen.rewritten, claim.rewrites);
  if (claim.scans) {
    EXPECT_TRUE(seen.scanned);
  }
}

TEST_P(RuleProof, DoesNotHappenWhereTheRuleIsSilent) {
  const Proof& proof = GetParam();
  const int version = postgres();
  for (const Quiet& quiet : proof.quiet) {
    if (version < quiet.since || version < proof.since) {
      continue;
    }
    SCOPED_TRACE(quiet.sql);
    EXPECT_FALSE(flags(proof.rule, proof.setup + quiet.setup, quiet.sql, quiet.alone, version));
    test::TestDatabase database("lint");
    database.run(kTables + proof.setup + quiet.setup);
    const test::Seen seen = quiet.alone ? test::look_alone(database, quiet.sql, proof.table)
                                        : test::look(database, quiet.sql, proof.table, proof.other);
    EXPECT_EQ(seen.sqlstate, "");
    EXPECT_LE(seen.table, quiet.at_most) << lock_name(seen.table);
    EXPECT_FALSE(seen.rewritten && proof.table != "v");  // a view keeps its rows' file
    EXPECT_TRUE(quiet.may_scan || !seen.scanned);
  }
}

INSTANTIATE_TEST_SUITE_P(Table, RuleProof, ::testing::ValuesIn(all_proofs()), [](const auto& entry) {
  std::string name(entry.param.rule);
  std::ranges::replace(name, '-', '_');
  return name + "_" + std::to_string(entry.index);
});

// A type change that keeps the rows, and what it does besides.
struct Dependent {
  std::string setup;
  std::string sql;
  bool rebuilds = false;  // index i
  bool scans = false;     // the table
};

TEST(RuleProofs, TypeChangesThatKeepTheRowsRebuildIndexesAndReadForChecks) {
  for (const Dependent& one : std::vector<Dependent>{
           {"CREATE INDEX i ON users (lower(short))", "short TYPE text", true},
           {"CREATE INDEX i ON users (n) WHERE short = 'x'", "short TYPE varchar(40)", true},
           {"CREATE INDEX i ON users (short) WHERE n > 0", "short TYPE text", true},
           {"CREATE INDEX i ON users (n) INCLUDE (short) WHERE n > 0", "short TYPE text", true},
           {"CREATE INDEX i ON users (lower(name))", "name TYPE text", true},
           {"CREATE INDEX i ON users (short)", "short TYPE text"},
           {"CREATE INDEX i ON users (short varchar_pattern_ops, n)", "short TYPE text"},
           {"CREATE INDEX i ON users (abs(n))", "short TYPE text"},
           {"CREATE INDEX i ON users (n); ALTER TABLE users ADD CHECK (length(short) > 0)", "short TYPE text", false, true},
           {"CREATE INDEX i ON users (n); ALTER TABLE users ADD CHECK (length(short) > 0) NOT VALID", "short TYPE text"},
           {"CREATE INDEX i ON users (n); ALTER TABLE users ADD CHECK (n > 0)", "short TYPE text"}}) {
    SCOPED_TRACE(one.setup);
    const std::string sql = "ALTER TABLE users ALTER " + one.sql;
    test::TestDatabase database("lint");
    database.run(kTables + one.setup);
    const int version = std::stoi(database.value("SHOW server_version_num")) / 10'000;
    EXPECT_EQ(flags("type-change", one.setup + ";", sql, false, version), one.rebuilds || one.scans);
    test::Client client = database.connect();
    const std::string file = client.value("SELECT pg_relation_filenode('i')");
    client.run("BEGIN");
    const std::string scans = client.value("SELECT pg_stat_get_xact_numscans('users'::regclass)");
    client.run(sql);
    EXPECT_EQ(client.value("SELECT pg_relation_filenode('i')") != file, one.rebuilds);
    if (!one.rebuilds) {  // building an index reads the table, too
      EXPECT_EQ(client.value("SELECT pg_stat_get_xact_numscans('users'::regclass)") != scans, one.scans);
    }
    client.run("ROLLBACK");
  }
}

TEST(RuleProofs, CoverEveryRuleThatClaimsALockARewriteOrAFailure) {
  std::set<std::string_view> proven;
  for (const Proof& proof : all_proofs()) {
    proven.insert(proof.rule);
  }
  for (const RuleSpec& rule : rules()) {
    const Claim& claim = rule.claim;
    const bool claims = claim.lock != None || claim.other != None || claim.scans || claim.rewrites || claim.fails;
    // A tablespace needs a folder of the server's; the rule's claim is PostgreSQL's documentation.
    if (claims && rule.id != "set-tablespace") {
      EXPECT_TRUE(proven.contains(rule.id)) << rule.id;
    }
  }
}

}  // namespace
}  // namespace athanor
