// The check functions of the rules, one per rule; rule_table.cpp refers to them.
//
// Threads: pure functions of the check.
#pragma once

#include <string>

#include "migrations/lint/statement_check.hpp"

namespace athanor::rule {

// rules_index.cpp
void index_create(StatementCheck& check);
void index_drop(StatementCheck& check);
void index_duplicate(StatementCheck& check);
void index_partitioned(StatementCheck& check);
void index_unnamed(StatementCheck& check);
void reindex(StatementCheck& check);
void cic_if_not_exists(StatementCheck& check);
void concurrent_in_transaction(StatementCheck& check);
void matview_refresh(StatementCheck& check);
void cluster_or_vacuum_full(StatementCheck& check);
// rules_constraint.cpp
void check_not_valid(StatementCheck& check);
void domain_constraint(StatementCheck& check);
void domain_with_constraint(StatementCheck& check);
void exclusion_add(StatementCheck& check);
void pk_add(StatementCheck& check);
void pk_using_index_nullable(StatementCheck& check);
void set_not_null(StatementCheck& check);
void unique_add(StatementCheck& check);
void validate_same_transaction(StatementCheck& check);
// rules_foreign_key.cpp
void addcol_inline_fk(StatementCheck& check);
void drop_table_with_fk(StatementCheck& check);
void fk_drop(StatementCheck& check);
void fk_in_create_table(StatementCheck& check);
void fk_not_valid(StatementCheck& check);
// rules_column.cpp
void addcol_constrained_domain(StatementCheck& check);
void addcol_generated_stored(StatementCheck& check);
void addcol_inline_check(StatementCheck& check);
void addcol_inline_unique(StatementCheck& check);
void addcol_required(StatementCheck& check);
void addcol_serial_or_identity(StatementCheck& check);
void addcol_volatile_default(StatementCheck& check);
void drop_column(StatementCheck& check);
void drop_default(StatementCheck& check);
void drop_not_null(StatementCheck& check);
void identity_nullable(StatementCheck& check);
// rules_type_change.cpp
void collation_change(StatementCheck& check);
void timestamptz_change(StatementCheck& check);
void type_change(StatementCheck& check);
// rules_design.cpp
void char_n(StatementCheck& check);
void duplicate_column(StatementCheck& check);
void enum_type(StatementCheck& check);
void int_width(StatementCheck& check);
void json_type(StatementCheck& check);
void money_type(StatementCheck& check);
void prefer_identity(StatementCheck& check);
void table_without_key(StatementCheck& check);
void timestamp_no_tz(StatementCheck& check);
void timetz_type(StatementCheck& check);
void unlogged_table(StatementCheck& check);
void unqualified_name(StatementCheck& check);
void varchar_n(StatementCheck& check);
// rules_enum.cpp
void enum_add_use_same_transaction(StatementCheck& check);
void enum_order(StatementCheck& check);
// rules_rename.cpp
void move_schema(StatementCheck& check);
void rename_attribute(StatementCheck& check);
void rename_column(StatementCheck& check);
void rename_enum_value(StatementCheck& check);
void rename_function(StatementCheck& check);
void rename_schema(StatementCheck& check);
void rename_table(StatementCheck& check);
// rules_loss.cpp
void cascade(StatementCheck& check);
void drop_attribute(StatementCheck& check);
void drop_database(StatementCheck& check);
void drop_extension(StatementCheck& check);
void drop_foreign_table(StatementCheck& check);
void drop_function(StatementCheck& check);
void drop_owned(StatementCheck& check);
void drop_schema(StatementCheck& check);
void drop_sequence(StatementCheck& check);
void drop_table(StatementCheck& check);
void drop_type(StatementCheck& check);
void drop_view(StatementCheck& check);
void truncate(StatementCheck& check);
// rules_dependents.cpp
void drop_identity(StatementCheck& check);
void drop_primary_key(StatementCheck& check);
void drop_publication(StatementCheck& check);
void drop_subscription(StatementCheck& check);
void replica_identity_nothing(StatementCheck& check);
void revoke(StatementCheck& check);
// rules_data.cpp
void backfill_in_ddl_transaction(StatementCheck& check);
void backfill_unbatched(StatementCheck& check);
void dml_without_where(StatementCheck& check);
// rules_transaction.cpp
void identifier_63(StatementCheck& check);
void lock_table(StatementCheck& check);
void lock_timeout_missing(StatementCheck& check);
void merge_alter_table(StatementCheck& check);
void robust_statement(StatementCheck& check);
void session_state(StatementCheck& check);
void statement_timeout_missing(StatementCheck& check);
void work_after_ael(StatementCheck& check);
// rules_storage.cpp
void partition_attach(StatementCheck& check);
void partition_create(StatementCheck& check);
void partition_detach(StatementCheck& check);
void server_settings(StatementCheck& check);
void set_access_method(StatementCheck& check);
void set_tablespace(StatementCheck& check);
void set_unlogged(StatementCheck& check);
// rules_access.cpp
void copy_program(StatementCheck& check);
void dynamic_sql(StatementCheck& check);
void grant_to_public(StatementCheck& check);
void password_in_file(StatementCheck& check);
void policy_change(StatementCheck& check);
void rls_enable(StatementCheck& check);
void rule_create(StatementCheck& check);
void security_definer_search_path(StatementCheck& check);
void trigger_create(StatementCheck& check);
void triggers_disabled(StatementCheck& check);

// Helpers shared by the rules.

// The SQL of a fix that must run outside a transaction: in a revision, preceded by its step directive.
[[nodiscard]] std::string autocommit_fix(const StatementCheck& check, const std::string& sql);
// The parts of a fix that must not share a transaction: in a revision each gets a step directive, in a plain file a comment.
[[nodiscard]] std::string stepwise_fix(const StatementCheck& check, const std::string& first, const std::string& second);
// "t_a_b_suffix", truncated to 63 bytes.
[[nodiscard]] std::string made_name(const QualifiedName& table, const std::vector<std::string>& columns,
                                    std::string_view suffix);
// Info when the session has a lock_timeout: then waiting for the lock is bounded, and the finding is only a hint.
[[nodiscard]] std::optional<Severity> milder_with_lock_timeout(StatementCheck& check);

}  // namespace athanor::rule
