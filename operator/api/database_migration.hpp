// DatabaseMigration: declares the revision that one database should have.
//
// A plain value in the form of a Kubernetes resource (group athanor.dev, version v1alpha1), read from a file or an API server:
// metadata, spec (what the user declares), status (what the operator observed). The database is the source of truth: the status
// is never read to decide what was applied.
//
// docs/spec/database-migration.md documents every field. Threads: plain values. Secrets: `DatabaseSpec::url` and `password` may
// contain credentials if a manifest does; only the connection may read them.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/lint/lint_context.hpp"
#include "operator/api/condition.hpp"
#include "operator/api/database_auth.hpp"

namespace athanor::controller {

inline constexpr std::string_view kApiVersion = "athanor.dev/v1alpha1";
inline constexpr std::string_view kDatabaseMigrationKind = "DatabaseMigration";
inline constexpr std::string_view kDefaultNamespace = "default";

// Identifies a resource: "namespace/name".
struct ResourceKey {
  std::string name_space;
  std::string name;
  [[nodiscard]] std::string text() const { return name_space + "/" + name; }
  // Parses the result of text(). Without a slash the name is empty.
  [[nodiscard]] static ResourceKey parse(std::string_view text) {
    const std::size_t slash = std::min(text.find('/'), text.size());  // namespaces contain no slash
    return {std::string(text.substr(0, slash)), std::string(text.substr(std::min(slash + 1, text.size())))};
  }
  auto operator<=>(const ResourceKey&) const = default;
};

// Joins the rows of a version table with `between`; "base" when there are none.
[[nodiscard]] std::string heads_text(const std::vector<std::string>& heads, std::string_view between);

struct Metadata {
  std::string name;
  std::string name_space{kDefaultNamespace};
  std::int64_t generation = 0;   // 0: unknown
  std::string uid;               // on a cluster
  std::string resource_version;  // on a cluster
  bool deleting = false;         // it has a deletionTimestamp
  std::map<std::string, std::string> annotations;
  std::map<std::string, std::string> labels;
  bool operator==(const Metadata&) const = default;
};

// Where a secret value is read from when a connection is made. Values are never read earlier or kept.
struct SecretReference {
  enum class Kind : std::uint8_t { Environment, File, SecretKey };
  Kind kind = Kind::Environment;
  std::string value;  // name of the variable, path of the file, or name of the Secret in the resource's namespace
  std::string key;    // in the Secret's data
  bool operator==(const SecretReference&) const = default;
};

struct DatabaseSpec {
  // Either a URL ...
  std::string url;
  std::optional<SecretReference> url_from;
  // ... or parts.
  std::string host;
  std::optional<SecretReference> host_from;
  int port = 5432;
  std::optional<SecretReference> port_from;
  std::string name;
  std::optional<SecretReference> name_from;
  std::string user;
  std::optional<SecretReference> user_from;
  std::string password;
  std::optional<SecretReference> password_from;
  std::string ssl_mode;
  std::string require_auth;          // as libpq's; empty: the operator decides
  std::optional<DatabaseAuth> auth;  // instead of a password; only with parts
  // Certificates, as PEM.
  std::optional<SecretReference> root_certificate_from;
  std::optional<SecretReference> client_certificate_from;
  std::optional<SecretReference> client_key_from;
  // Either way.
  std::string role;
  std::string schema;
  std::string version_table = "alembic_version";
  // Not declared but set by the operator (policy_floor.hpp): the lowest sslmode, and the one if none is declared.
  std::string minimum_ssl_mode;
  std::string default_ssl_mode;
  bool operator==(const DatabaseSpec&) const = default;
};

struct GitSource {
  std::string url;
  // Exactly one of them.
  std::string commit;
  std::string tag;
  std::string branch;
  std::string path;               // folder in the repository; empty: its root
  milliseconds interval{60'000};  // between two requests for the target of a tag or branch
  std::string secret_name;        // credentials, in the resource's namespace; empty: none
  bool operator==(const GitSource&) const = default;
};

struct FluxSource {
  std::string kind;  // "GitRepository", "OCIRepository", "Bucket"
  std::string name;
  std::string path;  // folder in the artifact
  bool operator==(const FluxSource&) const = default;
};

struct ImageSource {
  std::string reference;
  std::string path;  // folder in the image
  bool operator==(const ImageSource&) const = default;
};

// Exactly one of path, config_maps, git, flux and image.
struct SourceSpec {
  std::string path;  // as written; relative to the manifest, or to the first source root on a cluster
  std::vector<std::string> config_maps;
  std::optional<GitSource> git;
  std::optional<FluxSource> flux;
  std::optional<ImageSource> image;
  std::string revision;  // the content that the source must have: a commit or a digest; empty: any
  bool recursive = false;
  [[nodiscard]] std::string_view kind() const;  // "path", "configMaps", "git", "flux", "image"
  bool operator==(const SourceSpec&) const = default;
};

enum class DowngradePolicy : std::uint8_t { Refuse, Keep, Allow };
enum class ApprovalPolicy : std::uint8_t { Never, Destructive, Always };
enum class DriftPolicy : std::uint8_t { Ignore, Report, Block };
enum class RehearsalPolicy : std::uint8_t { Never, Schema, Backup };
inline constexpr int kMostApprovals = 10;

struct PolicySpec {
  DowngradePolicy downgrade = DowngradePolicy::Refuse;
  milliseconds direction_cooldown{600'000};  // between runs in opposite directions; 0: none
  ApprovalPolicy approval = ApprovalPolicy::Never;
  DriftPolicy drift = DriftPolicy::Ignore;
  milliseconds drift_interval{600'000};
  std::vector<std::string> drift_exclude{};  // patterns of objects
  std::optional<LintSettings> lint{};        // nullopt: plans are not linted
  RehearsalPolicy rehearsal = RehearsalPolicy::Never;
  int approvals = 1;  // number of different approvers required
  bool operator==(const PolicySpec&) const = default;
};

enum class BackupWhen : std::uint8_t { Never, Destructive, Always };

struct BackupSpec {
  BackupWhen when = BackupWhen::Never;
  std::string path;  // folder, below a --backup-root of the operator; empty: the resource's own
  int compression = 6;
  std::int64_t keep = 0;       // restore points; 0: no limit
  milliseconds keep_for{0};    // 0: no limit
  bool required = true;        // no backup, no migration
  milliseconds accept_for{0};  // accept an existing backup of the revision up to this age; 0: always take a new one
  bool operator==(const BackupSpec&) const = default;
};

struct MaintenanceWindow {
  std::string schedule;  // cron, five fields: when it opens
  milliseconds duration{0};
  std::string time_zone = "UTC";
  auto operator<=>(const MaintenanceWindow&) const = default;
};

enum class ExecutionMode : std::uint8_t { InProcess, Job };

struct ExecutionSpec {
  ExecutionMode mode = ExecutionMode::InProcess;
  std::vector<MaintenanceWindow> windows;  // empty: always open
  std::string pod_template;                // JSON, for Job mode; empty: none
  std::string job;                         // JSON of spec.execution.job, for Job mode; empty: none
  milliseconds job_ttl{3'600'000};
  milliseconds active_deadline{0};  // of a Job; 0: no limit
  milliseconds lock_wait{5'000};    // how long one attempt waits for the migration lock before it frees its worker
  milliseconds lock_timeout{2'000};
  milliseconds lock_retry_budget{600'000};
  milliseconds statement_timeout{0};
  bool operator==(const ExecutionSpec&) const = default;
};

struct DatabaseMigrationSpec {
  DatabaseSpec database;
  SourceSpec source;
  std::optional<SecretReference> scratch_url_from{};  // of a server for scratch databases; empty: none is named
  std::optional<SecretReference> scratch_root_certificate_from{};
  std::string target_revision = "head";
  std::string baseline;  // revision at which a database that has tables but no history is adopted; empty: none
  PolicySpec policy;
  BackupSpec backup;
  ExecutionSpec execution;
  bool suspend = false;
  bool dry_run = false;
  bool operator==(const DatabaseMigrationSpec&) const = default;
};

enum class Phase : std::uint8_t { Pending, Ready, Planning, Migrating, Waiting, Retrying, Stalled, Suspended, Planned };
[[nodiscard]] std::string_view phase_name(Phase phase);

// Lists in a status are limited: people read them, and on a cluster they are stored in etcd.
inline constexpr std::size_t kMaxListed = 20;
inline constexpr std::size_t kMaxMessageBytes = 1'024;
inline constexpr std::size_t kMaxSourceRevisionBytes = 1'024;

// What lint finds in a plan.
struct LintStatus {
  std::int64_t errors = 0;
  std::int64_t warnings = 0;
  std::int64_t hints = 0;
  std::vector<std::string> findings;  // "a2.sql:7: error drop-column: what happens", errors first
  bool operator==(const LintStatus&) const = default;
};

struct PlanStatus {
  std::string hash;                  // the hash that an approval names: this plan, on this database, of this resource
  std::string content_hash;          // hash of the plan alone, independent of database and resource
  std::string direction;             // "upgrade" or "downgrade"
  std::int64_t revisions = 0;        // how many
  std::vector<std::string> summary;  // "upgrade 8c1f0a2b7d3e Add email to users", the first kMaxListed
  std::vector<std::string> warnings;
  std::vector<std::string> destructive;  // what it irreversibly removes
  std::string sql_sha256;                // digest of its SQL, if published (plan_text.hpp)
  std::optional<LintStatus> lint;        // nullopt: not linted
  bool operator==(const PlanStatus&) const = default;
};

struct ApprovalStatus {
  std::string name;  // of the MigrationApproval that completed the approval, or of the newest so far
  std::string plan_hash;
  std::string approved_by;
  std::string approved_at;
  std::int64_t required = 1;
  std::int64_t given = 0;
  std::vector<std::string> approvers;  // the first kMaxListed
  bool operator==(const ApprovalStatus&) const = default;
};

// Policies that are stricter than declared, because of the operator's floor (policy_floor.hpp) or other resources on the same
// database (database_policies.hpp).
struct PolicyStatus {
  std::vector<std::string> raised;  // "approval from Never to Destructive"
  bool operator==(const PolicyStatus&) const = default;
};

struct SourceStatus {
  std::string kind;
  std::string revision;               // the resolved content: a commit, a digest, resource versions
  std::optional<std::int64_t> files;  // number of revision files; nullopt: unknown
  std::string checked_at;
  bool operator==(const SourceStatus&) const = default;
};

struct BackupStatus {
  std::string location;
  std::string revision;  // rows of the version table when it was taken
  std::string started_at;
  std::int64_t duration_ms = 0;
  std::int64_t size_bytes = 0;
  std::string sha256;
  bool verified = false;
  bool operator==(const BackupStatus&) const = default;
};

// The last rehearsal: a plan on a scratch copy.
struct RehearsalStatus {
  std::string approval_hash;  // of status.plan
  std::string copy;           // "Schema", "Backup"
  std::string backup;         // where that is; empty: it was a copy of the schema
  bool passed = false;
  std::string time;
  std::int64_t duration_ms = 0;  // with the making of the copy
  std::int64_t statements = 0;
  std::string message;
  std::vector<std::string> locks;     // the strongest of each table: "ACCESS EXCLUSIVE on public.orders: line 7 of a2"
  std::vector<std::string> rewrites;  // "public.orders: line 7 of a2, about 1200 rows and 98 MiB in the database"
  bool operator==(const RehearsalStatus&) const = default;
};

struct JobStatus {
  std::string name;
  std::string phase;        // "Running", "Succeeded", "Failed", "Deleted" before its end was seen
  std::string declaration;  // digest of the declaration it was created for
  bool operator==(const JobStatus&) const = default;
};

struct ProgressStatus {
  std::int64_t done = 0;
  std::int64_t total = 0;
  std::string revision;   // running now
  std::int64_t rows = 0;  // rows done by a batch step
  bool operator==(const ProgressStatus&) const = default;
};

struct BlockerStatus {
  std::int64_t pid = 0;
  std::string application;
  std::string user;
  std::string since;
  std::string query;
  bool operator==(const BlockerStatus&) const = default;
};

struct ErrorStatus {
  std::string code;  // the stable name, "statement-failed"
  std::string message;
  std::string hint;
  std::string sqlstate;
  std::string revision;
  std::int64_t line = 0;
  std::string statement;  // sanitised
  std::string time;
  std::vector<BlockerStatus> blockers;
  bool operator==(const ErrorStatus&) const = default;
};

struct HistoryStatus {
  std::string time;
  std::string direction;
  std::string from;  // rows, comma separated; "base" for none
  std::string to;
  std::int64_t revisions = 0;
  std::int64_t duration_ms = 0;
  std::string outcome;  // "applied", or the code of the error
  std::string run_id;
  bool operator==(const HistoryStatus&) const = default;
};

struct DatabaseMigrationStatus {
  std::int64_t observed_generation = -1;
  Phase phase = Phase::Pending;
  std::vector<std::string> current_revisions;  // rows of the version table
  std::string current_revision;                // the same as one text, for kubectl's table
  std::string target_revision;                 // as declared
  std::vector<std::string> resolved_revisions;
  std::string database_id;                     // identifies the database, independent of how it is reached
  std::optional<std::int64_t> pending_count;   // nullopt: unknown
  std::vector<std::string> pending_revisions;  // the first kMaxListed
  std::optional<PolicyStatus> policy;
  std::optional<SourceStatus> source;
  std::optional<PlanStatus> plan;
  std::optional<ApprovalStatus> approval;
  std::optional<RehearsalStatus> rehearsal;
  std::optional<ProgressStatus> progress;
  std::optional<JobStatus> job;
  std::optional<BackupStatus> last_backup;
  std::optional<ErrorStatus> last_error;
  std::int64_t failures = 0;           // attempts in a row that failed
  std::string next_retry;              // ISO 8601
  std::vector<HistoryStatus> history;  // newest first, kMaxListed
  Conditions conditions;
  bool operator==(const DatabaseMigrationStatus&) const = default;
};

// Windows of another resource on the same database; they must be open too.
struct OtherWindows {
  std::string of;  // "namespace/name"
  std::vector<MaintenanceWindow> windows;
  bool operator==(const OtherWindows&) const = default;
};

struct DatabaseMigration {
  Metadata metadata;
  DatabaseMigrationSpec spec;
  DatabaseMigrationStatus status;
  std::optional<PolicyStatus> policy;       // which policies of the spec were raised
  std::vector<OtherWindows> other_windows;  // database_policies.hpp
  bool too_many_windows = false;            // on the same database: nothing is started
  std::string origin;                       // "shop.yaml:1": where it was declared, for messages
  std::string folder;                       // base of relative paths in the spec
  // Objects that the spec refers to (Secrets, ConfigMaps) must be read after this moment, because the newest declaration may
  // have been applied together with them. The default forces a new read.
  SteadyTime known_since = SteadyTime::max();

  [[nodiscard]] ResourceKey key() const { return {metadata.name_space, metadata.name}; }
  [[nodiscard]] bool ready() const { return is_true(status.conditions, ConditionType::Ready); }
};

}  // namespace athanor::controller
