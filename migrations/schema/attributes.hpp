// The attributes of facts, kind by kind: what the extraction queries produce and the rules know how to change.
//
// A value that PostgreSQL would choose by itself is absent (a column without STORAGE of its own, a sequence that starts at 1).
// Booleans are "true" or absent. Lists are the text of a JSON array; a name with its schema is ["schema","name"].
#pragma once

#include <string_view>

namespace athanor::schema::attribute {

// The definition as the server prints it, without a semicolon at the end.
//   Index, Trigger, Rule, Statistics, Routine: the whole statement (pg_get_indexdef, pg_get_functiondef, …), own name included.
//   Aggregate, Operator, OperatorFamily, OperatorClass, Cast, TextSearchDictionary, TextSearchConfiguration: the whole CREATE
//   statement, put together from the catalog, because the server has no function that prints it.
//   View, MaterializedView: the query. Constraint, DomainConstraint: what follows CONSTRAINT name, without NOT VALID and NOT
//   ENFORCED, which are attributes of their own.
inline constexpr std::string_view kDefinition = "definition";
// Extension: the schema it lives in. Versions are not compared: they differ between environments and must not be "fixed".
inline constexpr std::string_view kSchema = "schema";
inline constexpr std::string_view kOptions = "options";  // reloptions, or options of a foreign object: ["fillfactor=70"]
// Trigger, Rule, EventTrigger: "disabled", "always", "replica"; absent: origin.
inline constexpr std::string_view kEnabled = "enabled";
// Any kind that has it (ALTER … DEPENDS ON EXTENSION): ["postgis"].
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
inline constexpr std::string_view kSubtypeClass = "subtype_opclass";  // ["schema","name"], absent when it is the default
inline constexpr std::string_view kCanonical = "canonical";
inline constexpr std::string_view kSubtypeDiff = "subtype_diff";
inline constexpr std::string_view kMultirange = "multirange_type_name";
// Domain, Column, Sequence: format_type with its modifiers, qualified; a sequence of bigint has none.
inline constexpr std::string_view kType = "type";
inline constexpr std::string_view kCollation = "collation";  // ["schema","name"]; absent when it is the type's own
inline constexpr std::string_view kDefault = "default";      // Domain: its expression
inline constexpr std::string_view kNotNull = "not_null";     // Domain, Column
// PostgreSQL 18 gives NOT NULL a constraint. It is described with its column (with its domain from 18), not as a fact of its
// own: the constraint's name unless it is the one that the server chooses, and how it differs from a plain NOT NULL.
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
// Column. One that comes from a parent (kInherited), or from the type of its table (kOfType), is a fact only if something is
// its own: the attributes are then what differs from there, and type and generation are never among them. So is a column of a
// materialized view. A default that differs from the parent's is a ColumnDefault, with the expression NULL where there is none.
inline constexpr std::string_view kIdentity = "identity";  // "always", "by default"
inline constexpr std::string_view kIdentityOptions =
    "identity_options";  // JSON object of the sequence's attributes, all texts, defaults absent: {"start":"10"}; and its "name"
                         // unless it is the one that the server chooses
inline constexpr std::string_view kGenerated = "generated";    // "stored", "virtual"
inline constexpr std::string_view kExpression = "expression";  // ColumnDefault and generated columns
inline constexpr std::string_view kStorage = "storage";        // "external", absent when it is the type's own
inline constexpr std::string_view kCompression = "compression";
inline constexpr std::string_view kStatistics = "statistics";  // Column, Statistics; Index: {"1":"100"}
// The column comes from a parent, from the type of its table or from a query, and is not the table's own as well.
inline constexpr std::string_view kInherited = "inherited";
inline constexpr std::string_view kForeignOptions = "foreign_options";  // of a foreign table's column; kOptions: n_distinct

// Constraint: which ("p", "u", "c", "f", "x" as pg_constraint.contype).
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

// OperatorFamily: what was added to it outside of a class, as ALTER OPERATOR FAMILY … ADD takes it: ["OPERATOR 1 …", …].
inline constexpr std::string_view kMembers = "members";
// TextSearchConfiguration: [["asciiword", [["schema","dictionary"], …]], …].
inline constexpr std::string_view kMappings = "mappings";

// ForeignDataWrapper: functions as ["schema","name"]. ForeignServer: its wrapper. The options of a user mapping hold passwords:
// only their hash is an attribute.
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
inline constexpr std::string_view kConnection = "connection";  // its hash; it holds a password

// Owner: the role. Grant, DefaultPrivilege: [["SELECT", false], ["INSERT", true]], sorted; true is WITH GRANT OPTION.
inline constexpr std::string_view kRole = "role";
inline constexpr std::string_view kPrivileges = "privileges";
inline constexpr std::string_view kText = "text";  // Comment

}  // namespace athanor::schema::attribute
