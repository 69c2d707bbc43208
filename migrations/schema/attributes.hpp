// The attributes of facts, kind by kind: the extraction queries produce them, and the rules know how to change them.
//
// An attribute with PostgreSQL's default value is absent (a column with the storage of its type, a sequence that starts at 1).
// Booleans are "true" or absent. Lists are JSON arrays; a name with its schema is ["schema","name"].
//
// Threads and ownership: constants.
#pragma once

#include <string_view>

namespace athanor::schema::attribute {

// The definition as the server prints it, without a final semicolon.
//   Index, Trigger, Rule, Statistics, Routine: the whole statement (pg_get_indexdef, pg_get_functiondef, …) with its own name.
//   Aggregate, Operator, OperatorFamily, OperatorClass, Cast, TextSearch…: the whole CREATE
//   statement, built from the catalog, because the server has no function that prints it.
//   View, MaterializedView: the query. Constraint, DomainConstraint: what follows CONSTRAINT name, without NOT VALID and NOT
//   ENFORCED, which are separate attributes.
inline constexpr std::string_view kDefinition = "definition";
// Extension: its schema. Versions are not compared, because environments may differ in them on purpose.
inline constexpr std::string_view kSchema = "schema";
inline constexpr std::string_view kOptions = "options";  // reloptions, or options of a foreign object: ["fillfactor=70"]
// Trigger, Rule, EventTrigger: "disabled", "always", "replica"; absent: origin.
inline constexpr std::string_view kEnabled = "enabled";
// Any kind that supports ALTER … DEPENDS ON EXTENSION: ["postgis"].
inline constexpr std::string_view kDependsOnExtensions = "depends_on_extensions";

// Collation: provider ("c", "i", "d", "b"), locale, collate, ctype, deterministic ("false"), rules.
inline constexpr std::string_view kProvider = "provider";
inline constexpr std::string_view kLocale = "locale";
inline constexpr std::string_view kCollate = "collate";
inline constexpr std::string_view kCtype = "ctype";
inline constexpr std::string_view kNotDeterministic = "not_deterministic";
inline constexpr std::string_view kRules = "rules";

// EnumType: ["a","b"] in order.
inline constexpr std::string_view kLabels = "labels";
// CompositeType: [["name","type","collation or empty"], …] in order; the collation as SQL writes it.
inline constexpr std::string_view kAttributes = "attributes";
// RangeType.
inline constexpr std::string_view kSubtype = "subtype";
inline constexpr std::string_view kSubtypeClass = "subtype_opclass";  // ["schema","name"]; absent: the default one
inline constexpr std::string_view kCanonical = "canonical";
inline constexpr std::string_view kSubtypeDiff = "subtype_diff";
inline constexpr std::string_view kMultirange = "multirange_type_name";
// Domain, Column, Sequence: format_type with its modifiers, qualified; a sequence of bigint has none.
inline constexpr std::string_view kType = "type";
inline constexpr std::string_view kCollation = "collation";  // ["schema","name"]; absent: the type's default
inline constexpr std::string_view kDefault = "default";      // Domain: its expression
inline constexpr std::string_view kNotNull = "not_null";     // Domain, Column
// In PostgreSQL 18, NOT NULL is a named constraint. It is described with its column or domain, not as a separate fact: by its
// name unless the server chose it, and by its differences from a plain NOT NULL.
inline constexpr std::string_view kNotNullName = "not_null_name";
inline constexpr std::string_view kNotNullNotValid = "not_null_not_valid";
inline constexpr std::string_view kNotNullNoInherit = "not_null_no_inherit";
// DomainConstraint, Constraint.
inline constexpr std::string_view kNotValid = "not_valid";

// Sequence (not those of identity columns), and inside kIdentityOptions of a column.
inline constexpr std::string_view kStart = "start";
inline constexpr std::string_view kIncrement = "increment";
inline constexpr std::string_view kMinValue = "min";
inline constexpr std::string_view kMaxValue = "max";
inline constexpr std::string_view kCache = "cache";
inline constexpr std::string_view kCycle = "cycle";
inline constexpr std::string_view kOwnedBy = "owned_by";  // ["schema","table","column"]

// Table. Ordinary, partitioned ("partition_key" set) and foreign ("server" set) tables, and partitions ("partition_of").
inline constexpr std::string_view kPersistence = "persistence";       // Table, Sequence: "unlogged"; absent: permanent
inline constexpr std::string_view kPartitionKey = "partition_key";    // "RANGE (created_at)"
inline constexpr std::string_view kPartitionOf = "partition_of";      // ["schema","parent"]; Index: the parent's index
inline constexpr std::string_view kBound = "bound";                   // "FOR VALUES FROM ('…') TO ('…')", "DEFAULT"
inline constexpr std::string_view kDetachPending = "detach_pending";  // DETACH CONCURRENTLY was interrupted
inline constexpr std::string_view kInherits = "inherits";             // [["schema","parent"], …] in order
inline constexpr std::string_view kOfType = "of_type";
inline constexpr std::string_view kRowSecurity = "row_security";
inline constexpr std::string_view kForceRowSecurity = "force_row_security";
inline constexpr std::string_view kReplicaIdentity = "replica_identity";  // "full", "nothing", "index:NAME"
inline constexpr std::string_view kClusterOn = "cluster_on";              // an index's name
inline constexpr std::string_view kAccessMethod = "access_method";        // absent: heap; Index: in the definition
inline constexpr std::string_view kTablespace = "tablespace";
inline constexpr std::string_view kServer = "server";
// Column. A column from a parent (kInherited), or from its table's type (kOfType), is a fact only if something differs from
// there. Its attributes are then the differences, which never include type and generation. The same holds for columns of
// materialized views. A default that differs from the parent's is a ColumnDefault, with the expression NULL if the column has
// no default.
inline constexpr std::string_view kIdentity = "identity";  // "always", "by default"
inline constexpr std::string_view kIdentityOptions =
    "identity_options";  // JSON object with the sequence's attributes as strings, defaults absent: {"start":"10"}; and its
                         // "name", unless the server chose it unless it is the one that the server chooses
inline constexpr std::string_view kGenerated = "generated";    // "stored", "virtual"
inline constexpr std::string_view kExpression = "expression";  // ColumnDefault and generated columns
inline constexpr std::string_view kStorage = "storage";        // "external"; absent: the type's default
inline constexpr std::string_view kCompression = "compression";
inline constexpr std::string_view kStatistics = "statistics";  // Column, Statistics; Index: {"1":"100"}
// The column comes from a parent, from its table's type or from a query, and the table does not declare it itself.
inline constexpr std::string_view kInherited = "inherited";
inline constexpr std::string_view kForeignOptions = "foreign_options";  // of a foreign table's column; kOptions: n_distinct

// Constraint: its type ("p", "u", "c", "f", "x" as in pg_constraint.contype).
inline constexpr std::string_view kContype = "contype";
inline constexpr std::string_view kColumns = "columns";             // Constraint, Index: names; View: [["name","type"], …]
inline constexpr std::string_view kReferences = "references";       // foreign key: ["schema","table"]
inline constexpr std::string_view kIndexOptions = "index_options";  // of a constraint's index: ["fillfactor=70"]
inline constexpr std::string_view kNotEnforced = "not_enforced";
// Index: FactId.parent is its table.
inline constexpr std::string_view kUnique = "unique";
inline constexpr std::string_view kInvalid = "invalid";
// Policy.
inline constexpr std::string_view kCommand = "command";  // "ALL", "SELECT", …; EventTrigger: the event
inline constexpr std::string_view kRestrictive = "restrictive";
inline constexpr std::string_view kRoles = "roles";  // [] is PUBLIC
inline constexpr std::string_view kUsing = "using";
inline constexpr std::string_view kCheck = "check";
inline constexpr std::string_view kTags = "tags";
inline constexpr std::string_view kFunction = "function";  // ["schema","name"]

// Routine: "function", "procedure", "window".
inline constexpr std::string_view kRoutineKind = "routine_kind";
inline constexpr std::string_view kResult = "result";        // pg_get_function_result
inline constexpr std::string_view kSignature = "signature";  // pg_get_function_arguments: names, modes and defaults
inline constexpr std::string_view kLanguage = "language";

// OperatorFamily: members added outside a class, as ALTER OPERATOR FAMILY … ADD expects them: ["OPERATOR 1 …", …].
inline constexpr std::string_view kMembers = "members";
// TextSearchConfiguration: [["asciiword", [["schema","dictionary"], …]], …].
inline constexpr std::string_view kMappings = "mappings";

// ForeignDataWrapper: functions as ["schema","name"]. ForeignServer: its wrapper. The options of a user mapping contain
// passwords, so only their hash is an attribute.
inline constexpr std::string_view kHandler = "handler";
inline constexpr std::string_view kValidator = "validator";
inline constexpr std::string_view kWrapper = "wrapper";
inline constexpr std::string_view kServerType = "server_type";
inline constexpr std::string_view kServerVersion = "server_version";
inline constexpr std::string_view kOptionsHash = "options_hash";

// Publication: [["schema","table",["column",…] or null,"where" or ""], …]. Subscription: kPublications.
inline constexpr std::string_view kTables = "tables";
inline constexpr std::string_view kPublications = "publications";
inline constexpr std::string_view kSchemas = "schemas";
inline constexpr std::string_view kAllTables = "all_tables";
inline constexpr std::string_view kConnection = "connection";  // its hash, because it may contain a password

// Owner: the role. Grant, DefaultPrivilege: [["SELECT", false], ["INSERT", true]], sorted; true is WITH GRANT OPTION.
inline constexpr std::string_view kRole = "role";
inline constexpr std::string_view kPrivileges = "privileges";
inline constexpr std::string_view kText = "text";  // Comment

// Of Fact::uncompared.
inline constexpr std::string_view kIndexColumn = "index_column";
inline constexpr std::string_view kColumn = "column";
inline constexpr std::string_view kCheckConstraint = "check_constraint";

}  // namespace athanor::schema::attribute
