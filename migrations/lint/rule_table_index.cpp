#include <array>

#include "migrations/lint/rule_parts.hpp"
#include "migrations/lint/rules.hpp"

namespace athanor {
namespace {

using enum LockMode;
using enum Severity;

constexpr auto kIndex = RuleTopic::Index;

constexpr std::array kRules{
    RuleSpec{.id = "index-create",
             .severity = Error,
             .topic = kIndex,
             .summary = "CREATE INDEX without CONCURRENTLY",
             .why = "The table is locked in SHARE mode until the index is built: every INSERT, UPDATE and DELETE waits.",
             .instead = "Build it CONCURRENTLY, outside a transaction.",
             .claim = {.lock = Share, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "CREATE INDEX users_email_idx ON users (email);",
             .good = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);",
             .check = rule::index_create},
    RuleSpec{
        .id = "index-drop",
        .severity = Warning,
        .topic = kIndex,
        .summary = "DROP INDEX without CONCURRENTLY",
        .why = "It takes ACCESS EXCLUSIVE on the table. While it waits for a running query, every new query waits behind it.",
        .instead = "Drop it CONCURRENTLY, outside a transaction.",
        .claim = {.lock = AccessExclusive},
        .quiet_on_new = true,
        .bad = "DROP INDEX users_email_idx;",
        .good = "-- athanor:step autocommit\nDROP INDEX CONCURRENTLY users_email_idx;",
        .check = rule::index_drop},
    RuleSpec{
        .id = "index-partitioned",
        .severity = Error,
        .topic = kIndex,
        .summary = "CREATE INDEX on a partitioned table",
        .why =
            "Every partition is locked in SHARE mode until all of their indexes are built, and CONCURRENTLY is not possible.",
        .instead = "Create the index ON ONLY the parent, build one CONCURRENTLY on each partition, and attach them.",
        .claim = {.lock = Share, .other = Share, .scans = true},
        .quiet_on_new = true,
        .bad = "CREATE INDEX events_at_idx ON events (at);",
        .good = "CREATE INDEX events_at_idx ON ONLY events (at);",
        .check = rule::index_partitioned},
    RuleSpec{.id = "index-duplicate",
             .severity = Warning,
             .topic = kIndex,
             .summary = "an index on the same columns as another one",
             .why = "Each index costs time in every write and room in memory; a second one on the same columns helps no query.",
             .instead = "Leave it out.",
             .bad = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\nCREATE INDEX users_email_idx ON users (email);\n"
                    "CREATE INDEX users_email_idx2 ON users (email);",
             .good = "CREATE TABLE users (id bigint PRIMARY KEY, email text);\nCREATE INDEX users_email_idx ON users (email);",
             .check = rule::index_duplicate},
    RuleSpec{
        .id = "index-unnamed",
        .severity = Warning,
        .topic = kIndex,
        .summary = "CREATE INDEX CONCURRENTLY without a name",
        .why =
            "A build that fails leaves an INVALID index behind. Without a name nobody can tell it from another, and the next "
            "run builds a second one.",
        .instead = "Name it.",
        .bad = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY ON users (email);",
        .good = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);",
        .check = rule::index_unnamed},
    RuleSpec{
        .id = "reindex",
        .severity = Error,
        .topic = kIndex,
        .summary = "REINDEX without CONCURRENTLY",
        .why =
            "The table is locked in SHARE mode and the index in ACCESS EXCLUSIVE mode until it is rebuilt: writes wait, and so "
            "do queries that plan with the index.",
        .instead = "REINDEX CONCURRENTLY, outside a transaction.",
        .claim = {.lock = Share, .scans = true},
        .quiet_on_new = true,
        .quiet_on_small = true,
        .bad = "REINDEX TABLE users;",
        .good = "-- athanor:step autocommit\nREINDEX TABLE CONCURRENTLY users;",
        .check = rule::reindex},
    RuleSpec{.id = "cic-if-not-exists",
             .severity = Warning,
             .topic = kIndex,
             .summary = "CREATE INDEX CONCURRENTLY IF NOT EXISTS",
             .why = "A failed build leaves an INVALID index, which no query uses and every write must maintain. IF NOT EXISTS "
                    "silently accepts it.",
             .instead = "Omit IF NOT EXISTS; Athanor checks `indisvalid` and rebuilds an INVALID index.",
             .bad = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY IF NOT EXISTS users_email_idx ON users (email);",
             .good = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);",
             .check = rule::cic_if_not_exists},
    RuleSpec{.id = "concurrent-in-transaction",
             .severity = Error,
             .topic = kIndex,
             .summary = "CONCURRENTLY, VACUUM and similar statements inside a transaction",
             .why = "The server rejects them inside a transaction block.",
             .instead = "Put them into a step of their own: `-- athanor:step autocommit`.",
             .claim = {.fails = true},
             .bad = "CREATE INDEX CONCURRENTLY users_email_idx ON users (email);",
             .good = "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY users_email_idx ON users (email);",
             .check = rule::concurrent_in_transaction},
    RuleSpec{.id = "matview-refresh",
             .severity = Error,
             .topic = kIndex,
             .summary = "REFRESH MATERIALIZED VIEW without CONCURRENTLY",
             .why = "Nobody can read the view while its query runs.",
             .instead = "REFRESH MATERIALIZED VIEW CONCURRENTLY, which needs a unique index.",
             .claim = {.lock = AccessExclusive, .rewrites = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "REFRESH MATERIALIZED VIEW sales;",
             .good = "REFRESH MATERIALIZED VIEW CONCURRENTLY sales;",
             .check = rule::matview_refresh},
    RuleSpec{.id = "cluster-or-vacuum-full",
             .severity = Error,
             .topic = kIndex,
             .summary = "CLUSTER or VACUUM FULL",
             .why = "The whole table is rewritten under ACCESS EXCLUSIVE: reads and writes wait, for minutes or hours.",
             .instead = "pg_repack does the same with a short lock at the end; plain VACUUM makes room for new rows.",
             .claim = {.lock = AccessExclusive, .rewrites = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "CLUSTER users USING users_pkey;",
             .good = "-- athanor:step autocommit\nVACUUM users;",
             .check = rule::cluster_or_vacuum_full},
};

}  // namespace

std::span<const RuleSpec> index_rules() {
  return kRules;
}

}  // namespace athanor
