#include <array>

#include "migrations/lint/rule_parts.hpp"
#include "migrations/lint/rules.hpp"

namespace athanor {
namespace {

using enum LockMode;
using enum Severity;

constexpr auto kTransaction = RuleTopic::Transaction;
constexpr auto kPartition = RuleTopic::Partition;
constexpr auto kAccess = RuleTopic::Access;
constexpr auto kLint = RuleTopic::Lint;

constexpr std::array kRules{
    RuleSpec{
        .id = "work-after-ael",
        .severity = Warning,
        .topic = kTransaction,
        .summary = "work in a transaction that holds ACCESS EXCLUSIVE",
        .why =
            "Whatever follows in the transaction prolongs the lock. A hint where it only takes a lock on a second table, which "
            "two transactions can deadlock over.",
        .instead = "Put it into a transaction of its own: `-- athanor:step transaction`.",
        .quiet_on_new = true,
        .bad = "ALTER TABLE users ADD COLUMN email text;\nSELECT count(*) FROM users;",
        .good = "ALTER TABLE users ADD COLUMN email text;\n-- athanor:step transaction\nSELECT count(*) FROM users;",
        .check = rule::work_after_ael},
    RuleSpec{.id = "merge-alter-table",
             .severity = Info,
             .topic = kTransaction,
             .summary = "two ALTER TABLE of one table in one transaction",
             .why = "Each one that reads or rewrites the table does so again; joined, they do it once.",
             .instead = "One ALTER TABLE with several actions.",
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users ADD COLUMN email text;\nALTER TABLE users ADD COLUMN phone text;",
             .good = "ALTER TABLE users ADD COLUMN email text, ADD COLUMN phone text;",
             .check = rule::merge_alter_table},
    RuleSpec{
        .id = "lock-timeout-missing",
        .severity = Warning,
        .topic = kTransaction,
        .summary = "a strong lock without lock_timeout",
        .why =
            "While the statement waits for its lock, queries that conflict with that lock wait behind it. A hint where these "
            "are "
            "other schema changes only. Silent for what runs beside readers and writers and should be left to finish: "
            "CONCURRENTLY, VALIDATE CONSTRAINT, VACUUM and ANALYZE. Athanor's sessions have `execution.lock_timeout` (2s), so "
            "this is about plain SQL files and about a setting of 0.",
        .instead = "SET lock_timeout before the first schema change.",
        .plain = true,
        .bad = "ALTER TABLE users ADD COLUMN email text;",
        .good = "SET lock_timeout = '2s';\nALTER TABLE users ADD COLUMN email text;",
        .check = rule::lock_timeout_missing},
    RuleSpec{
        .id = "statement-timeout-missing",
        .severity = Info,
        .topic = kTransaction,
        .summary = "a strong lock without statement_timeout",
        .why = "A statement that takes longer than anybody thought holds its lock for as long. Silent for what runs beside "
               "readers "
               "and writers and should be left to finish: CONCURRENTLY, VALIDATE CONSTRAINT, VACUUM and ANALYZE. A timeout "
               "ends an "
               "index build half-way and leaves the index INVALID. For plain SQL files; in a revision "
               "`execution.statement_timeout` decides.",
        .instead = "SET statement_timeout before the first schema change, and RESET it before whatever is built CONCURRENTLY.",
        .plain = true,
        .bad = "ALTER TABLE users ADD COLUMN email text;",
        .good = "SET statement_timeout = '1min';\nALTER TABLE users ADD COLUMN email text;",
        .check = rule::statement_timeout_missing},
    RuleSpec{.id = "transaction-control-in-file",
             .severity = Error,
             .topic = kTransaction,
             .summary = "COMMIT in a revision; BEGIN and COMMIT that do not match in a file",
             .why = "A COMMIT inside a revision really commits, with half of it done; Athanor refuses it. In a plain file a "
                    "second BEGIN "
                    "does nothing, a second COMMIT neither, and a BEGIN without COMMIT is rolled back at the end.",
             .instead = "In a revision, `-- athanor:step transaction` ends one transaction and begins another.",
             .plain = true,
             .bad = "BEGIN;\nCREATE TABLE t (id bigint PRIMARY KEY);",
             .good = "BEGIN;\nCREATE TABLE t (id bigint PRIMARY KEY);\nCOMMIT;"},
    RuleSpec{
        .id = "session-state",
        .severity = Warning,
        .topic = kTransaction,
        .summary = "SET without LOCAL, DISCARD",
        .why =
            "What SET changes lasts longer than its transaction. Athanor sets it back behind each revision, so there it is a "
            "hint. DISCARD ALL releases the advisory lock that keeps other migrations out; Athanor refuses it.",
        .instead = "SET LOCAL.",
        .bad = "SET work_mem = '1GB';",
        .good = "SET LOCAL work_mem = '1GB';",
        .check = rule::session_state},
    RuleSpec{.id = "lock-table",
             .severity = Warning,
             .topic = kTransaction,
             .summary = "LOCK TABLE in SHARE mode or stronger",
             .why = "It is held to the end of the transaction, whatever that does.",
             .instead = "Lock rows, or use an advisory lock to keep migrations apart.",
             .claim = {.lock = AccessExclusive},
             .quiet_on_new = true,
             .bad = "LOCK TABLE users;",
             .good = "LOCK TABLE users IN ROW SHARE MODE;",
             .check = rule::lock_table},
    RuleSpec{
        .id = "robust-statement",
        .severity = Info,
        .topic = kTransaction,
        .summary = "a statement outside a transaction that cannot run twice",
        .why =
            "After a failure in the middle of a plain SQL file, a second run fails at the first statement that worked. Athanor "
            "continues a revision where it stopped, so this is about plain files only.",
        .instead = "IF EXISTS and IF NOT EXISTS, or BEGIN and COMMIT around the file.",
        .plain = true,
        .bad = "SELECT 1;\nALTER TABLE users ADD COLUMN email text;",
        .good = "SELECT 1;\nALTER TABLE users ADD COLUMN IF NOT EXISTS email text;",
        .check = rule::robust_statement},
    RuleSpec{
        .id = "partition-attach",
        .severity = Error,
        .topic = kPartition,
        .summary = "ATTACH PARTITION without a CHECK that proves its bounds",
        .why =
            "The new partition is read under ACCESS EXCLUSIVE, and so is a default partition. The parent only has SHARE UPDATE "
            "EXCLUSIVE. Silent when the table has a validated CHECK.",
        .instead = "Add a CHECK with the bounds NOT VALID, validate it, attach, drop it.",
        .claim = {.lock = AccessExclusive, .other = ShareUpdateExclusive, .scans = true},
        .quiet_on_new = true,
        .quiet_on_small = true,
        .bad = "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM (1) TO (100);",
        .good = "ALTER TABLE events_2026 ADD CONSTRAINT bound CHECK (id >= 1 AND id < 100 AND id IS NOT NULL) NOT VALID;\n"
                "-- athanor:step transaction\nALTER TABLE events_2026 VALIDATE CONSTRAINT bound;\n"
                "-- athanor:step transaction\nALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM (1) TO (100);",
        .check = rule::partition_attach},
    RuleSpec{
        .id = "partition-create",
        .severity = Warning,
        .topic = kPartition,
        .summary = "CREATE TABLE … PARTITION OF",
        .why = "The parent and its default partition are locked in ACCESS EXCLUSIVE mode, and the default partition is read.",
        .instead = "Create the table by itself, then ATTACH PARTITION, which leaves the parent usable.",
        .claim = {.other = AccessExclusive},
        .quiet_on_new = true,
        .bad = "CREATE TABLE events_2026 PARTITION OF events FOR VALUES FROM (1) TO (100);",
        .good = "CREATE TABLE events_2026 (LIKE events INCLUDING ALL);\n"
                "ALTER TABLE events ATTACH PARTITION events_2026 FOR VALUES FROM (1) TO (100);",
        .check = rule::partition_create},
    RuleSpec{.id = "partition-detach",
             .severity = Error,
             .topic = kPartition,
             .summary = "DETACH PARTITION without CONCURRENTLY",
             .why = "The parent is locked in ACCESS EXCLUSIVE mode: reads and writes of all partitions wait.",
             .instead = "DETACH PARTITION … CONCURRENTLY, outside a transaction.",
             .claim = {.lock = AccessExclusive, .other = AccessExclusive},
             .quiet_on_new = true,
             .bad = "ALTER TABLE events DETACH PARTITION events_2026;",
             .good = "-- athanor:step autocommit\nALTER TABLE events DETACH PARTITION events_2026 CONCURRENTLY;",
             .check = rule::partition_detach},
    RuleSpec{.id = "set-unlogged",
             .severity = Error,
             .topic = kPartition,
             .summary = "SET LOGGED or SET UNLOGGED",
             .why = "The whole table is written anew under ACCESS EXCLUSIVE.",
             .instead = "Create a new table of that kind, copy the rows in batches, swap the names.",
             .claim = {.lock = AccessExclusive, .rewrites = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users SET UNLOGGED;",
             .good = "ALTER TABLE users SET (fillfactor = 90);",
             .check = rule::set_unlogged},
    RuleSpec{.id = "set-tablespace",
             .severity = Error,
             .topic = kPartition,
             .summary = "SET TABLESPACE",
             .why = "The whole table is copied under ACCESS EXCLUSIVE.",
             .instead = "pg_repack --tablespace, which takes that lock for a moment only.",
             .claim = {.lock = AccessExclusive, .rewrites = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users SET TABLESPACE fast;",
             .good = "ALTER TABLE users SET (fillfactor = 90);",
             .check = rule::set_tablespace},
    RuleSpec{.id = "set-access-method",
             .severity = Error,
             .topic = kPartition,
             .summary = "SET ACCESS METHOD",
             .why = "The whole table is written anew under ACCESS EXCLUSIVE.",
             .instead = "Create a new table with that access method, copy the rows in batches, swap the names.",
             .claim = {.lock = AccessExclusive, .rewrites = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users SET ACCESS METHOD heap2;",
             .good = "ALTER TABLE users SET (fillfactor = 90);",
             .check = rule::set_access_method},
    RuleSpec{.id = "server-settings",
             .severity = Warning,
             .topic = kPartition,
             .summary = "ALTER SYSTEM, ALTER DATABASE … SET, ALTER ROLE … SET",
             .why = "It changes sessions that have nothing to do with the revision, and is in no dump of the schema.",
             .instead = "Keep settings with the server's configuration.",
             .bad = "ALTER ROLE shop SET work_mem = '1GB';",
             .good = "SET LOCAL work_mem = '1GB';",
             .check = rule::server_settings},
    RuleSpec{
        .id = "trigger-create",
        .severity = Warning,
        .topic = kAccess,
        .summary = "CREATE TRIGGER",
        .why =
            "The table is locked in SHARE ROW EXCLUSIVE mode until the transaction ends. A hint only where the session has a "
            "lock_timeout, as Athanor's has.",
        .instead = "Set lock_timeout, and keep the transaction short.",
        .claim = {.lock = ShareRowExclusive},
        .quiet_on_new = true,
        .bad = "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
        .good = "CREATE TABLE users (id bigint PRIMARY KEY);\n"
                "CREATE TRIGGER touch BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION touch();",
        .check = rule::trigger_create},
    RuleSpec{
        .id = "triggers-disabled",
        .severity = Error,
        .topic = kAccess,
        .summary = "DISABLE TRIGGER, session_replication_role",
        .why =
            "Rows written meanwhile pass by triggers and, with ALL or the setting, by foreign keys. What breaks stays broken.",
        .instead = "Let the triggers run, or have them look at a setting of this transaction.",
        .claim = {.lock = ShareRowExclusive},
        .quiet_on_new = true,
        .bad = "ALTER TABLE users DISABLE TRIGGER ALL;",
        .good = "ALTER TABLE users ENABLE TRIGGER touch;",
        .check = rule::triggers_disabled},
    RuleSpec{
        .id = "rls-enable",
        .severity = Warning,
        .topic = kAccess,
        .summary = "row-level security switched on or off",
        .why =
            "ACCESS EXCLUSIVE is taken, and from the commit on other rows are seen. Without a policy nobody but the owner sees "
            "any.",
        .instead = "Create the policies in the same transaction, and first.",
        .claim = {.lock = AccessExclusive},
        .quiet_on_new = true,
        .bad = "ALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        .good = "CREATE TABLE users (id bigint PRIMARY KEY);\nALTER TABLE users ENABLE ROW LEVEL SECURITY;",
        .check = rule::rls_enable},
    RuleSpec{.id = "policy-change",
             .severity = Warning,
             .topic = kAccess,
             .summary = "a policy created, changed or dropped",
             .why =
                 "The table is locked in ACCESS EXCLUSIVE mode until the transaction ends. A hint only where the session has a "
                 "lock_timeout, as Athanor's has.",
             .instead = "Set lock_timeout, and keep the transaction short.",
             .claim = {.lock = AccessExclusive},
             .quiet_on_new = true,
             .bad = "CREATE POLICY own ON users USING (login = current_user);",
             .good = "CREATE TABLE users (login text PRIMARY KEY);\nCREATE POLICY own ON users USING (login = current_user);",
             .check = rule::policy_change},
    RuleSpec{.id = "rule-create",
             .severity = Warning,
             .topic = kAccess,
             .summary = "CREATE RULE",
             .why = "The table is locked in ACCESS EXCLUSIVE mode, and the rule rewrites every query on it. A hint only where "
                    "the session "
                    "has a lock_timeout, as Athanor's has.",
             .instead = "A trigger.",
             .claim = {.lock = AccessExclusive},
             .quiet_on_new = true,
             .bad = "CREATE RULE quiet AS ON DELETE TO users DO NOTHING;",
             .good = "CREATE TABLE users (id bigint PRIMARY KEY);\nCREATE RULE quiet AS ON DELETE TO users DO NOTHING;",
             .check = rule::rule_create},
    RuleSpec{.id = "grant-to-public",
             .severity = Warning,
             .topic = kAccess,
             .summary = "GRANT … TO PUBLIC, by ALTER DEFAULT PRIVILEGES too",
             .why = "PUBLIC is every role of the server, those that are created later too.",
             .instead = "Grant it to a role, and that role to whoever needs it.",
             .bad = "GRANT SELECT ON users TO PUBLIC;",
             .good = "GRANT SELECT ON users TO readers;",
             .check = rule::grant_to_public},
    RuleSpec{
        .id = "security-definer-search-path",
        .severity = Error,
        .topic = kAccess,
        .summary = "SECURITY DEFINER without a search_path of its own",
        .why = "It runs with the caller's search_path: whoever can create a function or table there runs code as its owner.",
        .instead = "SET search_path in the definition.",
        .bad = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';",
        .good = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS "
                "'SELECT 1';",
        .check = rule::security_definer_search_path},
    RuleSpec{.id = "password-in-file",
             .severity = Error,
             .topic = kAccess,
             .summary = "a password in the text",
             .why = "It stays in the file, in its history and in the server's log. Of roles, user mappings and connections of "
                    "subscriptions. A warning for a SCRAM verifier, on which passwords can be tried.",
             .instead = "Set it outside of migrations, from a secret store.",
             .bad = "ALTER ROLE shop PASSWORD 'hunter2';",
             .good = "ALTER ROLE shop LOGIN;",
             .check = rule::password_in_file},
    RuleSpec{.id = "copy-program",
             .severity = Error,
             .topic = kAccess,
             .summary = "COPY … TO or FROM PROGRAM",
             .why = "It runs a shell command on the server's machine, as the user that PostgreSQL runs as.",
             .instead = "Run the program on a client, and copy its output.",
             .bad = "COPY users TO PROGRAM 'gzip > /tmp/users.gz';",
             .good = "SELECT 1;",
             .check = rule::copy_program},
    RuleSpec{.id = "dynamic-sql",
             .severity = Info,
             .topic = kLint,
             .summary = "SQL that exists at run time only",
             .why = "EXECUTE in DO runs text that lint cannot see. Plain statements in DO are linted like any other.",
             .instead = "Write the statement out.",
             .bad = "DO $$ BEGIN EXECUTE format('ALTER TABLE %I ADD COLUMN a int', 'users'); END $$;",
             .good = "DO $$ BEGIN PERFORM 1; END $$;",
             .check = rule::dynamic_sql},
    RuleSpec{.id = "unclassified",
             .severity = Warning,
             .topic = kLint,
             .summary = "a statement that lint cannot read",
             .why = "The parser knows PostgreSQL 15's grammar and the newer forms that docs/lint.md lists. A statement outside "
                    "of it is "
                    "shown as such: nothing is known about it.",
             .instead = "Look at what it takes yourself, and say so in an allow line.",
             .bad = "ALTER TABLE users FROBNICATE email;",
             .good = "ALTER TABLE users ADD COLUMN email text;"},
    RuleSpec{.id = "invalid-revision",
             .severity = Error,
             .topic = kLint,
             .summary = "a revision that Athanor refuses to run",
             .why = "Its directives or statements are wrong; the finding says which, as `upgrade` would.",
             .instead = "See the finding."},
    RuleSpec{.id = "allow-unknown-rule",
             .severity = Error,
             .topic = kLint,
             .summary = "an allow line that names no rule",
             .why = "A misspelt line allows nothing.",
             .instead = "`athanor lint --list-rules` has the names.",
             .bad = "-- athanor:allow drop-tabel it is empty\nDROP TABLE users;",
             .good = "-- athanor:allow drop-table it is empty\nDROP TABLE users;"},
    RuleSpec{.id = "allow-unused",
             .severity = Warning,
             .topic = kLint,
             .summary = "an allow line that allows nothing",
             .why = "What it was for is gone, or stands elsewhere; the next finding of that rule would pass unseen.",
             .instead = "Remove it.",
             .bad = "-- athanor:allow drop-table it is empty\nCREATE TABLE t (id bigint PRIMARY KEY);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY);"},
};

}  // namespace

std::span<const RuleSpec> run_rules() {
  return kRules;
}

}  // namespace athanor
