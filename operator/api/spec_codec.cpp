#include "operator/api/spec_codec.hpp"

#include <algorithm>
#include <initializer_list>

#include "migrations/base/utf8.hpp"
#include "migrations/lint/rule.hpp"
#include "migrations/revision/revision_id.hpp"
#include "operator/api/cron_schedule.hpp"
#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxTextBytes = 4'096;
constexpr std::size_t kMaxRevisionBytes = 255;
constexpr std::size_t kMaxWindows = 16;

bool is_lower_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// An RFC 1123 label, without its limit of length.
bool is_label(std::string_view text) {
  return !text.empty() && is_lower_or_digit(text.front()) && is_lower_or_digit(text.back()) &&
         std::ranges::all_of(text, [](char c) { return is_lower_or_digit(c) || c == '-'; });
}

constexpr std::chrono::hours kWeek(168);

void read_baseline(YamlFields& fields, std::string& revision) {
  fields.required_text("revision", revision);
  if (!revision.empty() && !check_revision_id(revision)) {
    fields.refuse("revision", "is not a revision id", "write the full id; head and labels change meaning when files are added");
  }
}

// Each drift check reads the whole catalog.
constexpr std::chrono::minutes kLeastDriftInterval(1);
constexpr std::size_t kMaxPatterns = 64;
constexpr std::int64_t kMostRows = 1'000'000'000'000;

void read_patterns(YamlFields& fields, std::string_view key, std::vector<std::string>& patterns) {
  fields.text_list(key, patterns);
  if (patterns.size() > kMaxPatterns) {
    fields.refuse(key, "has more than " + std::to_string(kMaxPatterns) + " entries");
  }
  for (const std::string& pattern : patterns) {
    if (pattern.empty() || pattern.size() > kMaxRevisionBytes) {
      fields.refuse(key, "has an entry that is empty or longer than " + std::to_string(kMaxRevisionBytes) + " bytes");
    }
  }
}

// A level is a word, `off` among them, which YAML's other readers take for a boolean.
void read_lint(YamlFields& fields, LintSettings& settings) {
  fields.integer("smallTableRows", settings.small_table_rows, 0, kMostRows);
  const YamlNode* const levels = fields.node("levels");
  if (levels == nullptr || levels->kind == YamlNode::Kind::Null) {
    return;
  }
  if (levels->kind != YamlNode::Kind::Mapping) {
    fields.refuse("levels", "is not a mapping of rules to levels");
    return;
  }
  for (const auto& entry : levels->entries) {
    if (find_rule(entry.key) == nullptr) {
      fields.refuse("levels", "unknown rule '" + std::string(cut_at_character(entry.key, kMaxRevisionBytes)) + "'",
                    suggest_rule(entry.key));
      return;
    }
    const auto level = entry.value.kind == YamlNode::Kind::Scalar ? severity_named(entry.value.text) : std::nullopt;
    if (!level) {
      fields.refuse("levels", "the level of " + entry.key + " is not one of error, warning, info, off",
                    "quote \"off\": to kubectl, a bare off is the boolean false");
      return;
    }
    settings.levels[entry.key] = *level;
  }
}

void read_policy(YamlFields& fields, PolicySpec& policy, OperatorMode operator_mode) {
  std::string downgrade = "Refuse";
  fields.choice("downgrade", downgrade, {"Refuse", "Keep", "Allow"});
  policy.downgrade = downgrade == "Allow"  ? DowngradePolicy::Allow
                     : downgrade == "Keep" ? DowngradePolicy::Keep
                                           : DowngradePolicy::Refuse;
  read_duration(fields, "directionCooldown", policy.direction_cooldown, milliseconds(0));
  std::string approval = "Never";
  fields.choice("approval", approval, {"Never", "Destructive", "Always"});
  policy.approval = approval == "Always"        ? ApprovalPolicy::Always
                    : approval == "Destructive" ? ApprovalPolicy::Destructive
                                                : ApprovalPolicy::Never;
  std::string drift = "Ignore";
  fields.choice("drift", drift, {"Ignore", "Report", "Block"});
  policy.drift = drift == "Block" ? DriftPolicy::Block : drift == "Report" ? DriftPolicy::Report : DriftPolicy::Ignore;
  read_duration(fields, "driftInterval", policy.drift_interval, kLeastDriftInterval);
  read_patterns(fields, "driftExclude", policy.drift_exclude);
  if (fields.has("lint")) {
    policy.lint.emplace();
    fields.mapping("lint", [&policy](YamlFields& lint) { read_lint(lint, *policy.lint); });
  }
  std::string rehearsal = "Never";
  fields.choice("rehearsal", rehearsal, {"Never", "Schema", "Backup"});
  policy.rehearsal = rehearsal == "Schema"   ? RehearsalPolicy::Schema
                     : rehearsal == "Backup" ? RehearsalPolicy::Backup
                                             : RehearsalPolicy::Never;
  if (operator_mode == OperatorMode::Standalone) {
    refuse_fields(fields, {"approvals"}, "needs a cluster: approvals are MigrationApproval resources");
  }
  fields.integer("approvals", policy.approvals, 1, kMostApprovals);
  if (operator_mode == OperatorMode::Standalone && policy.approval != ApprovalPolicy::Never) {
    fields.refuse("approval", "needs a cluster: approvals are MigrationApproval resources");
  }
}

// These fields were renamed before v1beta1. API servers stored their defaults with every resource, so a default is ignored. Any
// other value was set by a user and must not be ignored silently.
void refuse_former_name(YamlFields& fields, std::string_view former, const std::string& name, std::string_view stored_default) {
  const YamlNode* node = fields.node(former);
  if (node != nullptr && (stored_default.empty() || node->text != stored_default)) {
    fields.refuse(former, "has been renamed to " + name, "move the value there");
  }
}

void read_backup(YamlFields& fields, BackupSpec& backup) {
  std::string when = "Always";
  fields.choice("when", when, {"Always", "Destructive", "Never"});
  backup.when = when == "Always" ? BackupWhen::Always : when == "Never" ? BackupWhen::Never : BackupWhen::Destructive;
  read_text(fields, "path", backup.path);
  fields.integer("compression", backup.compression, 0, 9);
  fields.mapping("retention", [&backup](YamlFields& retention) {
    retention.integer("count", backup.keep, 1, 10'000);
    retention.duration("maxAge", backup.keep_for);
  });
  fields.flag("required", backup.required);
  fields.duration("acceptYoungerThan", backup.accept_for);
  refuse_former_name(fields, "maxAge", "acceptYoungerThan", "");
}

void read_windows(YamlFields& fields, std::vector<MaintenanceWindow>& windows) {
  fields.mappings("windows", [&windows](YamlFields& item) {
    MaintenanceWindow window;
    item.required_text("schedule", window.schedule);
    read_duration(item, "duration", window.duration, milliseconds(0), kWeek);
    read_text(item, "timeZone", window.time_zone);
    if (window.duration < std::chrono::minutes(1)) {
      item.refuse("duration", "a window must be open for at least a minute");
    }
    if (const auto opening = CronSchedule::parse(window.schedule); !window.schedule.empty() && !opening) {
      item.refuse("schedule", opening.error().message, opening.error().hint);
    } else if (opening && !opening->ever_fires()) {
      item.refuse("schedule", "matches no date that exists, so this window never opens");
    }
    windows.push_back(std::move(window));
  });
  if (windows.size() > kMaxWindows) {
    fields.refuse("windows", "has more than " + std::to_string(kMaxWindows) + " entries");
  }
}

void read_execution(YamlFields& fields, ExecutionSpec& execution, OperatorMode operator_mode) {
  if (operator_mode == OperatorMode::Standalone) {
    refuse_fields(fields, {"mode", "podTemplate", "job", "jobTTL", "activeDeadline"}, "needs a cluster");
  }
  std::string mode = "InProcess";
  fields.choice("mode", mode, {"InProcess", "Job"});
  execution.mode = mode == "Job" ? ExecutionMode::Job : ExecutionMode::InProcess;
  read_duration(fields, "migrationLockWait", execution.lock_wait, milliseconds(0));
  read_duration(fields, "tableLockTimeout", execution.lock_timeout, milliseconds(1));
  read_duration(fields, "tableLockBudget", execution.lock_retry_budget, milliseconds(0));
  refuse_former_name(fields, "lockWait", "migrationLockWait", "5s");
  refuse_former_name(fields, "lockTimeout", "tableLockTimeout", "2s");
  refuse_former_name(fields, "lockRetryBudget", "tableLockBudget", "10m");
  read_duration(fields, "statementTimeout", execution.statement_timeout, milliseconds(0));
  read_windows(fields, execution.windows);
  read_duration(fields, "jobTTL", execution.job_ttl, milliseconds(0), kWeek);
  read_duration(fields, "activeDeadline", execution.active_deadline, milliseconds(0), kWeek);
  for (const char* const pod : {"podTemplate", "job"}) {
    if (fields.node(pod) != nullptr && execution.mode != ExecutionMode::Job) {
      fields.refuse(pod, "needs mode: Job");
    }
  }
}

// A declaration must always mean the same revision, which relative targets and ranges do not.
void check_target(YamlFields& fields, const std::string& target) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  const std::size_t minus = target.rfind('-');
  const bool counts_back = minus != std::string::npos && minus + 1 < target.size() &&
                           std::all_of(target.begin() + static_cast<std::ptrdiff_t>(minus) + 1, target.end(), is_digit);
  if (counts_back || target.find_first_of("+:") != std::string::npos || target == "current" || target.ends_with("@current")) {
    fields.refuse("targetRevision", "a declared target may not be relative, a range, or `current`",
                  "use head, heads, base, a revision id, or label@head");
  } else if (target.find_first_of(" \t\r\n,") != std::string::npos) {
    fields.refuse("targetRevision", "must be a single target", "use head, heads, base, a revision id, or label@head");
  } else if (target.size() > kMaxRevisionBytes) {
    fields.refuse("targetRevision", "has more than " + std::to_string(kMaxRevisionBytes) + " bytes");
  }
}

}  // namespace

void read_duration(YamlFields& fields, std::string_view key, milliseconds& value, milliseconds least, std::chrono::hours most) {
  fields.duration(key, value);
  if (value < least || value > most) {
    fields.refuse(key, "must lie between " + std::to_string(least.count()) + "ms and " + std::to_string(most.count()) + "h");
  }
}

bool is_namespace_name(std::string_view name) {
  return name.size() <= 63 && is_label(name);
}

bool is_resource_name(std::string_view name) {
  if (name.empty() || name.size() > 253) {
    return false;
  }
  for (std::size_t start = 0; start <= name.size();) {
    const std::size_t dot = std::min(name.find('.', start), name.size());
    if (!is_label(name.substr(start, dot - start))) {
      return false;
    }
    start = dot + 1;
  }
  return true;
}

void read_metadata(YamlFields& fields, Metadata& metadata) {
  fields.required_text("name", metadata.name);
  if (!metadata.name.empty() && !is_resource_name(metadata.name)) {
    fields.refuse("name", "is not a valid resource name",
                  "use lower-case letters, digits, '-' and '.', at most 253 characters");
  }
  read_text(fields, "namespace", metadata.name_space);
  if (!is_namespace_name(metadata.name_space)) {
    fields.refuse("namespace", "is not a valid namespace name",
                  "use lower-case letters, digits and '-', at most 63 characters");
  }
  std::vector<std::pair<std::string, std::string>> pairs;
  fields.text_map("labels", pairs);
  metadata.labels = {pairs.begin(), pairs.end()};
  pairs.clear();
  fields.text_map("annotations", pairs);
  metadata.annotations = {pairs.begin(), pairs.end()};
}

void read_text(YamlFields& fields, std::string_view key, std::string& value) {
  if (!fields.has(key)) {
    return;
  }
  fields.required_text(key, value);
  if (value.size() > kMaxTextBytes) {
    fields.refuse(key, "has more than " + std::to_string(kMaxTextBytes) + " bytes");
  }
}

void refuse_fields(YamlFields& fields, std::initializer_list<std::string_view> keys, const std::string& why,
                   const std::string& hint) {
  for (const auto key : keys) {
    if (fields.node(key) != nullptr) {
      fields.refuse(key, why, hint);
    }
  }
}

void read_spec(YamlFields& fields, DatabaseMigrationSpec& spec, OperatorMode operator_mode) {
  refuse_fields(fields, {"verify"}, "is not supported yet");
  if (!fields.has("database")) {
    fields.refuse("database", "is required");
  }
  if (!fields.has("source")) {
    fields.refuse("source", "is required");
  }
  fields.mapping("database", [&](YamlFields& database) { read_database(database, spec.database, operator_mode); });
  fields.mapping("source", [&](YamlFields& source) { read_source(source, spec.source, operator_mode); });
  read_text(fields, "targetRevision", spec.target_revision);
  check_target(fields, spec.target_revision);
  fields.mapping("baseline", [&](YamlFields& baseline) { read_baseline(baseline, spec.baseline); });
  fields.mapping("policy", [&](YamlFields& policy) { read_policy(policy, spec.policy, operator_mode); });
  if (fields.has("backup")) {
    fields.mapping("backup", [&](YamlFields& backup) { read_backup(backup, spec.backup); });
  }
  fields.mapping("execution", [&](YamlFields& execution) { read_execution(execution, spec.execution, operator_mode); });
  fields.mapping("scratch", [&](YamlFields& scratch) {
    read_reference(scratch, "urlFrom", spec.scratch_url_from, operator_mode);
    if (!spec.scratch_url_from) {
      scratch.refuse("urlFrom", "is required");
    }
    scratch.mapping("tls", [&](YamlFields& tls) {
      read_reference(tls, "rootCertificateFrom", spec.scratch_root_certificate_from, operator_mode);
    });
  });
  fields.flag("suspend", spec.suspend);
  fields.flag("dryRun", spec.dry_run);
  if (spec.source.image && !spec.baseline.empty()) {
    fields.refuse("baseline", "cannot be used with source.image, which the operator does not read itself");
  }
  if (spec.policy.rehearsal != RehearsalPolicy::Never) {
    if (spec.source.image) {
      fields.refuse("policy", "rehearsal cannot be used with source.image, which the operator does not read itself");
    } else if (operator_mode == OperatorMode::Cluster && !spec.scratch_url_from) {
      fields.refuse("scratch", "is required by policy.rehearsal", "name a server of the same major version in scratch.urlFrom");
    }
  }
  if (spec.database.auth && spec.execution.mode == ExecutionMode::Job) {
    fields.refuse("database", "auth is not supported with execution.mode: Job",
                  "set execution.mode to InProcess: the operator makes the tokens, and a Job's pod has none");
  }
  if (spec.source.image && spec.execution.mode != ExecutionMode::Job) {
    fields.refuse("source", "image needs execution.mode: Job, because only a pod can read an image");
  }
}

}  // namespace athanor::controller
