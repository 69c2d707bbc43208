#include <array>

#include "migrations/lint/rule_parts.hpp"
#include "migrations/lint/rules.hpp"

namespace athanor {
namespace {

using enum LockMode;
using enum Severity;

constexpr auto kType = RuleTopic::Type;

constexpr std::array kRules{
    RuleSpec{
        .id = "json-type",
        .severity = Warning,
        .topic = kType,
        .summary = "a column of type json",
        .why =
            "json has no equality: DISTINCT, GROUP BY and UNION over it fail. It has no GIN index, and is parsed at each use.",
        .instead = "jsonb, unless the text must be kept exactly as written.",
        .bad = "CREATE TABLE t (id bigint PRIMARY KEY, body json);",
        .good = "CREATE TABLE t (id bigint PRIMARY KEY, body jsonb);",
        .check = rule::json_type},
    RuleSpec{
        .id = "int-width",
        .severity = Warning,
        .topic = kType,
        .summary = "a number that ends at 2,147,483,647 or 32,767",
        .why = "A key that runs out stops every insert, and widening it rewrites the whole table. A warning for keys, identity "
               "and serial columns; a hint for others.",
        .instead = "bigint.",
        .bad = "CREATE TABLE t (id int PRIMARY KEY);",
        .good = "CREATE TABLE t (id bigint PRIMARY KEY);",
        .check = rule::int_width},
    RuleSpec{
        .id = "char-n",
        .severity = Warning,
        .topic = kType,
        .summary = "a column of type char(n)",
        .why = "Values are padded with blanks, which count for some functions and not for others. It is no faster than text.",
        .instead = "text with a CHECK.",
        .bad = "CREATE TABLE t (id bigint PRIMARY KEY, code char(3));",
        .good = "CREATE TABLE t (id bigint PRIMARY KEY, code text CHECK (length(code) = 3));",
        .check = rule::char_n},
    RuleSpec{.id = "varchar-n",
             .severity = Info,
             .topic = kType,
             .summary = "a column of type varchar(n)",
             .why = "A longer limit is free, a shorter one reads the whole table under ACCESS EXCLUSIVE. A CHECK can be "
                    "changed online.",
             .instead = "text with a CHECK.",
             .bad = "CREATE TABLE t (id bigint PRIMARY KEY, name varchar(100));",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY, name text CHECK (length(name) <= 100));",
             .check = rule::varchar_n},
    RuleSpec{
        .id = "timestamp-no-tz",
        .severity = Warning,
        .topic = kType,
        .summary = "a column of type timestamp without time zone",
        .why =
            "It does not identify a point in time: clients in different time zones write different values for the same moment.",
        .instead = "timestamptz.",
        .bad = "CREATE TABLE t (id bigint PRIMARY KEY, at timestamp);",
        .good = "CREATE TABLE t (id bigint PRIMARY KEY, at timestamptz);",
        .check = rule::timestamp_no_tz},
    RuleSpec{.id = "timetz-type",
             .severity = Warning,
             .topic = kType,
             .summary = "a column of type time with time zone",
             .why = "An offset without a date is meaningless where clocks change twice a year.",
             .instead = "timestamptz; or time, with the name of the time zone beside it.",
             .bad = "CREATE TABLE t (id bigint PRIMARY KEY, opens timetz);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY, opens time);",
             .check = rule::timetz_type},
    RuleSpec{.id = "money-type",
             .severity = Warning,
             .topic = kType,
             .summary = "a column of type money",
             .why = "Currency and decimals depend on the server's lc_monetary: a dump restored elsewhere has different values.",
             .instead = "numeric, and the currency in a column of its own.",
             .bad = "CREATE TABLE t (id bigint PRIMARY KEY, price money);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY, price numeric(12,2));",
             .check = rule::money_type},
    RuleSpec{
        .id = "prefer-identity",
        .severity = Warning,
        .topic = kType,
        .summary = "a serial column",
        .why = "The sequence has its own owner and rights, and an insert can use a number that the sequence returns later.",
        .instead = "GENERATED ALWAYS AS IDENTITY.",
        .bad = "CREATE TABLE t (id bigserial PRIMARY KEY);",
        .good = "CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY);",
        .check = rule::prefer_identity},
    RuleSpec{
        .id = "enum-type",
        .severity = Info,
        .topic = kType,
        .summary = "CREATE TYPE … AS ENUM",
        .why =
            "A value can be added or renamed but not removed: that needs a new type and a rewrite of every table that uses it.",
        .instead = "A table of values with a foreign key, or text with a CHECK.",
        .bad = "CREATE TYPE mood AS ENUM ('sad', 'ok');",
        .good = "CREATE TABLE moods (mood text PRIMARY KEY);",
        .check = rule::enum_type},
    RuleSpec{
        .id = "enum-order",
        .severity = Info,
        .topic = kType,
        .summary = "ADD VALUE without BEFORE or AFTER",
        .why = "The value sorts last. Where revisions reach databases in different orders, the order of values differs too.",
        .instead = "Name its neighbour.",
        .bad = "ALTER TYPE mood ADD VALUE 'happy';",
        .good = "ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok';",
        .check = rule::enum_order},
    RuleSpec{.id = "enum-add-use-same-transaction",
             .severity = Error,
             .topic = kType,
             .summary = "an enum value used in the transaction that adds it",
             .why = "The server refuses it. From PostgreSQL 17 on it is allowed when the same transaction created the type.",
             .instead = "Use it in a later step: `-- athanor:step transaction`.",
             .claim = {.fails = true},
             .bad = "ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok';\nUPDATE people SET mood = 'happy' WHERE id = 1;",
             .good = "ALTER TYPE mood ADD VALUE 'happy' AFTER 'ok';\n-- athanor:step transaction\n"
                     "UPDATE people SET mood = 'happy' WHERE id = 1;",
             .check = rule::enum_add_use_same_transaction},
    RuleSpec{.id = "table-without-key",
             .severity = Info,
             .topic = kType,
             .summary = "a table without a primary key",
             .why = "Logical replication rejects UPDATE and DELETE on it, and batch steps have no key to use.",
             .instead = "Give it a primary key.",
             .bad = "CREATE TABLE t (name text);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY, name text);",
             .check = rule::table_without_key},
    RuleSpec{.id = "unlogged-table",
             .severity = Warning,
             .topic = kType,
             .summary = "CREATE UNLOGGED TABLE",
             .why = "It is empty after a crash, and on every replica.",
             .instead = "Omit UNLOGGED unless the rows can be recreated.",
             .bad = "CREATE UNLOGGED TABLE t (id bigint PRIMARY KEY);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY);",
             .check = rule::unlogged_table},
    RuleSpec{.id = "unqualified-name",
             .severity = Off,
             .topic = kType,
             .summary = "a table without its schema",
             .why = "Which table it is depends on the search_path of the session. Off unless athanor.yaml sets a level.",
             .instead = "Name the schema.",
             .bad = "CREATE TABLE t (id bigint PRIMARY KEY);",
             .good = "CREATE TABLE public.t (id bigint PRIMARY KEY);",
             .check = rule::unqualified_name},
    RuleSpec{.id = "duplicate-column",
             .severity = Error,
             .topic = kType,
             .summary = "a column named twice",
             .why = "The server refuses the statement.",
             .instead = "Keep one of them.",
             .claim = {.fails = true},
             .bad = "CREATE TABLE t (id bigint PRIMARY KEY, a int, a text);",
             .good = "CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);",
             .check = rule::duplicate_column},
    RuleSpec{
        .id = "identifier-63",
        .severity = Error,
        .topic = kType,
        .summary = "a name of more than 63 bytes",
        .why = "PostgreSQL truncates it without an error, so two long names can become the same one. Athanor refuses such a "
               "revision.",
        .instead = "Choose a shorter name.",
        .bad = "CREATE TABLE a_very_long_name_that_goes_on_and_on_until_it_has_more_than_63_bytes (id bigint PRIMARY KEY);",
        .good = "CREATE TABLE a_short_name (id bigint PRIMARY KEY);",
        .check = rule::identifier_63},
};

}  // namespace

std::span<const RuleSpec> design_rules() {
  return kRules;
}

}  // namespace athanor
