#include <array>

#include "migrations/lint/rule_parts.hpp"
#include "migrations/lint/rules.hpp"

namespace athanor {
namespace {

using enum LockMode;
using enum Severity;

constexpr auto kConstraint = RuleTopic::Constraint;

constexpr std::array kRules{
    RuleSpec{.id = "fk-not-valid",
             .severity = Error,
             .topic = kConstraint,
             .summary = "ADD FOREIGN KEY without NOT VALID",
             .why = "Both tables are locked in SHARE ROW EXCLUSIVE mode while every row is checked: writes to both wait.",
             .instead = "Add it NOT VALID, which reads no rows; VALIDATE it in a later transaction, which allows writes.",
             .claim = {.lock = ShareRowExclusive, .other = ShareRowExclusive, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id);",
             .good =
                 "ALTER TABLE orders ADD CONSTRAINT orders_user_fkey FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID;\n"
                 "-- athanor:step transaction\nALTER TABLE orders VALIDATE CONSTRAINT orders_user_fkey;",
             .check = rule::fk_not_valid},
    RuleSpec{
        .id = "addcol-inline-fk",
        .severity = Warning,
        .topic = kConstraint,
        .summary = "REFERENCES in ADD COLUMN",
        .why =
            "The statement holds ACCESS EXCLUSIVE on one table while it waits for the other. With a default it also reads the "
            "whole table.",
        .instead = "Add the column, then the foreign key NOT VALID, then validate it.",
        .claim = {.lock = AccessExclusive, .other = ShareRowExclusive},
        .quiet_on_new = true,
        .bad = "ALTER TABLE orders ADD COLUMN user_id bigint REFERENCES users (id);",
        .good = "ALTER TABLE orders ADD COLUMN user_id bigint;",
        .check = rule::addcol_inline_fk},
    RuleSpec{
        .id = "fk-in-create-table",
        .severity = Warning,
        .topic = kConstraint,
        .summary = "a new table with a foreign key to an older one",
        .why =
            "The older table is locked in SHARE ROW EXCLUSIVE mode until the transaction ends. A hint only where the session "
            "has a lock_timeout, as Athanor's has.",
        .instead = "Set lock_timeout, and keep the transaction short.",
        .claim = {.other = ShareRowExclusive},
        .quiet_on_new = true,
        .bad = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
        .good = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);",
        .check = rule::fk_in_create_table},
    RuleSpec{.id = "fk-drop",
             .severity = Warning,
             .topic = kConstraint,
             .summary = "a foreign key dropped",
             .why = "ACCESS EXCLUSIVE is taken on both tables. A hint only where the session has a lock_timeout. A constraint "
                    "that lint does not know from the history counts if it is named like a foreign key.",
             .instead = "Set lock_timeout, and do nothing else in the transaction.",
             .claim = {.lock = AccessExclusive, .other = AccessExclusive},
             .quiet_on_new = true,
             .bad = "ALTER TABLE orders DROP CONSTRAINT orders_user_id_fkey;",
             .good = "ALTER TABLE orders DROP CONSTRAINT orders_total_check;",
             .check = rule::fk_drop},
    RuleSpec{.id = "drop-table-with-fk",
             .severity = Warning,
             .topic = kConstraint,
             .summary = "a table with foreign keys dropped",
             .why = "Every table that it refers to is locked in ACCESS EXCLUSIVE mode, all at once.",
             .instead = "Drop the foreign keys first, each in a transaction of its own with lock_timeout.",
             .claim = {.lock = AccessExclusive, .other = AccessExclusive},
             .bad = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\nDROP TABLE orders;",
             .good = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint);\nDROP TABLE orders;",
             .check = rule::drop_table_with_fk},
    RuleSpec{.id = "fk-unindexed",
             .severity = Warning,
             .topic = kConstraint,
             .summary = "a foreign key whose columns have no index",
             .why = "Each DELETE, and each UPDATE of the key, in the table it refers to reads the whole referring table. "
                    "Reported when no linted revision creates an index that begins with the columns.",
             .instead = "Create the index, CONCURRENTLY if the table has rows.",
             .quiet_on_small = true,
             .bad = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));",
             .good = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint REFERENCES users (id));\n"
                     "CREATE INDEX orders_user_idx ON orders (user_id);"},
    RuleSpec{.id = "check-not-valid",
             .severity = Error,
             .topic = kConstraint,
             .summary = "ADD CHECK without NOT VALID",
             .why = "The whole table is read under ACCESS EXCLUSIVE: reads and writes wait.",
             .instead = "Add it NOT VALID; VALIDATE it in a later transaction, which allows reads and writes.",
             .claim = {.lock = AccessExclusive, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0);",
             .good = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n"
                     "-- athanor:step transaction\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
             .check = rule::check_not_valid},
    RuleSpec{.id = "not-validated",
             .severity = Info,
             .topic = kConstraint,
             .summary = "a NOT VALID constraint that no revision validates",
             .why = "Existing rows may violate it, and the planner does not use it.",
             .instead = "VALIDATE CONSTRAINT in a later transaction.",
             .quiet_on_new = true,
             .bad = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;",
             .good = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n"
                     "-- athanor:step transaction\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;"},
    RuleSpec{.id = "validate-same-transaction",
             .severity = Error,
             .topic = kConstraint,
             .summary = "VALIDATE in a transaction that still holds a stronger lock",
             .why = "VALIDATE itself allows writes, but the lock of ADD CONSTRAINT is held to the end of the transaction.",
             .instead = "Validate in a transaction of its own: `-- athanor:step transaction`.",
             .claim = {.lock = AccessExclusive, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n"
                    "ALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
             .good = "ALTER TABLE orders ADD CONSTRAINT orders_total_check CHECK (total >= 0) NOT VALID;\n"
                     "-- athanor:step transaction\nALTER TABLE orders VALIDATE CONSTRAINT orders_total_check;",
             .check = rule::validate_same_transaction},
    RuleSpec{.id = "set-not-null",
             .severity = Error,
             .topic = kConstraint,
             .summary = "SET NOT NULL that has to read the table",
             .why = "The whole table is read under ACCESS EXCLUSIVE. From PostgreSQL 12 on, a validated CHECK (column IS NOT "
                    "NULL) avoids that; from 18 on, NOT NULL itself can be NOT VALID.",
             .instead =
                 "Add and validate a CHECK first, then SET NOT NULL, then drop the CHECK. From 18 on: ADD CONSTRAINT … NOT "
                 "NULL … NOT VALID, then VALIDATE.",
             .claim = {.lock = AccessExclusive, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users ALTER COLUMN email SET NOT NULL;",
             .good = "ALTER TABLE users ADD CONSTRAINT users_email_not_null CHECK (email IS NOT NULL) NOT VALID;\n"
                     "-- athanor:step transaction\nALTER TABLE users VALIDATE CONSTRAINT users_email_not_null;\n"
                     "-- athanor:step transaction\nALTER TABLE users ALTER COLUMN email SET NOT NULL;\n"
                     "ALTER TABLE users DROP CONSTRAINT users_email_not_null;",
             .check = rule::set_not_null},
    RuleSpec{
        .id = "unique-add",
        .severity = Error,
        .topic = kConstraint,
        .summary = "ADD UNIQUE that builds its index",
        .why = "The index is built under ACCESS EXCLUSIVE: reads and writes wait until it is built.",
        .instead = "Build a unique index CONCURRENTLY, then ADD CONSTRAINT … UNIQUE USING INDEX.",
        .claim = {.lock = AccessExclusive, .scans = true},
        .quiet_on_new = true,
        .quiet_on_small = true,
        .bad = "ALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE (email);",
        .good =
            "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY users_email_key ON users (email);\n"
            "-- athanor:step transaction\nALTER TABLE users ADD CONSTRAINT users_email_key UNIQUE USING INDEX users_email_key;",
        .check = rule::unique_add},
    RuleSpec{.id = "pk-add",
             .severity = Error,
             .topic = kConstraint,
             .summary = "ADD PRIMARY KEY that builds its index",
             .why = "The index is built, and the columns are set NOT NULL, under ACCESS EXCLUSIVE: reads and writes wait.",
             .instead = "Make the columns NOT NULL, build a unique index CONCURRENTLY, then ADD PRIMARY KEY USING INDEX.",
             .claim = {.lock = AccessExclusive, .scans = true},
             .quiet_on_new = true,
             .quiet_on_small = true,
             .bad = "ALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY (id);",
             .good =
                 "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);\n"
                 "-- athanor:step transaction\nALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey;",
             .check = rule::pk_add},
    RuleSpec{
        .id = "pk-using-index-nullable",
        .severity = Warning,
        .topic = kConstraint,
        .summary = "PRIMARY KEY USING INDEX over nullable columns",
        .why = "The columns are also set NOT NULL, which reads the whole table under ACCESS EXCLUSIVE. Only a hint if the "
               "columns of the index are unknown.",
        .instead = "Make the columns NOT NULL first, as `set-not-null` shows.",
        .claim = {.lock = AccessExclusive, .scans = true},
        .quiet_on_new = true,
        .quiet_on_small = true,
        .bad = "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);\n"
               "-- athanor:step transaction\nALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey;",
        .good = "ALTER TABLE users VALIDATE CONSTRAINT users_id_not_null;\nALTER TABLE users ALTER COLUMN id SET NOT NULL;\n"
                "-- athanor:step autocommit\nCREATE UNIQUE INDEX CONCURRENTLY users_pkey ON users (id);\n"
                "-- athanor:step transaction\nALTER TABLE users ADD CONSTRAINT users_pkey PRIMARY KEY USING INDEX users_pkey;",
        .check = rule::pk_using_index_nullable},
    RuleSpec{
        .id = "exclusion-add",
        .severity = Error,
        .topic = kConstraint,
        .summary = "ADD EXCLUDE",
        .why =
            "The index is built under ACCESS EXCLUSIVE, and there is no alternative, because USING INDEX does not support it.",
        .instead = "Create a new table with the constraint, copy the rows in batches, and swap the names.",
        .claim = {.lock = AccessExclusive, .scans = true},
        .quiet_on_new = true,
        .quiet_on_small = true,
        .bad = "ALTER TABLE bookings ADD CONSTRAINT bookings_excl EXCLUDE USING gist (during WITH &&);",
        .good = "CREATE TABLE bookings_new (id bigint PRIMARY KEY, during tstzrange, EXCLUDE USING gist (during WITH &&));",
        .check = rule::exclusion_add},
    RuleSpec{.id = "domain-constraint",
             .severity = Error,
             .topic = kConstraint,
             .summary = "a constraint of a domain added or validated",
             .why = "Every table that uses the domain is read, with SHARE held on all of them: writes wait. Before PostgreSQL "
                    "18, VALIDATE of a NOT VALID constraint takes the same lock for the same time.",
             .instead = "Add it NOT VALID, which holds for new values; from PostgreSQL 18 on, validate it in its own step. "
                        "Before, put the CHECK on the tables, one at a time.",
             .claim = {.lock = Share, .scans = true},
             .bad = "ALTER DOMAIN email ADD CONSTRAINT email_check CHECK (VALUE LIKE '%@%');",
             .good = "ALTER DOMAIN email ADD CONSTRAINT email_check CHECK (VALUE LIKE '%@%') NOT VALID;",
             .check = rule::domain_constraint},
    RuleSpec{.id = "domain-with-constraint",
             .severity = Warning,
             .topic = kConstraint,
             .summary = "CREATE DOMAIN with a constraint",
             .why = "A column of such a domain cannot be added without a rewrite, and a change of the constraint reads every "
                    "table that "
                    "uses it at once.",
             .instead = "Use the base type, with a CHECK on each table.",
             .bad = "CREATE DOMAIN email AS text CHECK (VALUE LIKE '%@%');",
             .good = "CREATE DOMAIN email AS text;",
             .check = rule::domain_with_constraint},
};

}  // namespace

std::span<const RuleSpec> constraint_rules() {
  return kRules;
}

}  // namespace athanor
