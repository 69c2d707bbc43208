#include "operator/reconcile/policy_floor.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "migrations/text/database_url.hpp"
#include "migrations/text/url_parameters.hpp"

namespace athanor::controller {
namespace {

constexpr std::array<std::string_view, 6> kSslModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr int kDefaultSslMode = 2;  // "prefer"

Error invalid_value(std::string_view text, std::string_view words) {
  return Error(ErrorCode::Configuration, "'" + std::string(text) + "' is not " + std::string(words));
}

}  // namespace

// libpq reads a password from the URL's user part or from a parameter, and percent-decodes the names of parameters too.
bool may_hold_password(const std::string& url) {
  const std::size_t scheme = url.find("://");
  const std::size_t begin = scheme == std::string::npos ? 0 : scheme + 3;
  const std::size_t at = url.rfind('@');
  const bool in_front = at != std::string::npos && at > begin && url.substr(begin, at - begin).find(':') != std::string::npos;
  const auto is_password = [](const auto& parameter) { return parameter.first.find("password") != std::string::npos; };
  return in_front || url.find("password") != std::string::npos || std::ranges::any_of(connection_parameters(url), is_password);
}

std::string_view policy_name(ApprovalPolicy policy) {
  return policy == ApprovalPolicy::Always ? "Always" : policy == ApprovalPolicy::Destructive ? "Destructive" : "Never";
}

std::string_view policy_name(BackupWhen when) {
  return when == BackupWhen::Always ? "Always" : when == BackupWhen::Destructive ? "Destructive" : "Never";
}

Result<ApprovalPolicy> parse_approval_policy(std::string_view text) {
  for (const auto policy : {ApprovalPolicy::Never, ApprovalPolicy::Destructive, ApprovalPolicy::Always}) {
    if (text == policy_name(policy)) {
      return policy;
    }
  }
  return fail(invalid_value(text, "one of Never, Destructive, Always"));
}

Result<int> parse_approvals(std::string_view text) {
  int number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || number < 1 || number > kMostApprovals) {
    return fail(invalid_value(text, "a number from 1 to " + std::to_string(kMostApprovals)));
  }
  return number;
}

Result<BackupWhen> parse_backup_when(std::string_view text) {
  for (const auto when : {BackupWhen::Never, BackupWhen::Destructive, BackupWhen::Always}) {
    if (text == policy_name(when)) {
      return when;
    }
  }
  return fail(invalid_value(text, "one of Never, Destructive, Always"));
}

Result<std::string> parse_ssl_mode(std::string_view text) {
  if (std::ranges::find(kSslModes, text) == kSslModes.end()) {
    return fail(invalid_value(text, "one of disable, allow, prefer, require, verify-ca, verify-full"));
  }
  return std::string(text);
}

Result<bool> parse_inline_passwords(std::string_view text) {
  if (text != "allow" && text != "refuse") {
    return fail(invalid_value(text, "one of allow, refuse"));
  }
  return text == "allow";
}

int ssl_mode_rank(std::string_view mode) {
  const auto found = std::ranges::find(kSslModes, mode);
  return found == kSslModes.end() ? kDefaultSslMode : static_cast<int>(found - kSslModes.begin());
}

PolicyFloor stricter(const PolicyFloor& left, const PolicyFloor& right) {
  PolicyFloor floor;
  floor.approval = std::max(left.approval, right.approval);
  floor.approvals = std::max(left.approvals, right.approvals);
  floor.backup = std::max(left.backup, right.backup);
  floor.ssl_mode = left.ssl_mode;
  if (!right.ssl_mode.empty() && (left.ssl_mode.empty() || ssl_mode_rank(right.ssl_mode) > ssl_mode_rank(left.ssl_mode))) {
    floor.ssl_mode = right.ssl_mode;
  }
  floor.inline_passwords = left.inline_passwords && right.inline_passwords;
  floor.default_ssl_mode = left.default_ssl_mode.empty() ? right.default_ssl_mode : left.default_ssl_mode;
  return floor;
}

PolicyFloor floor_of_labels(const std::map<std::string, std::string>& labels) {
  PolicyFloor floor;
  const auto value_of = [&](std::string_view name) -> const std::string* {
    const auto found = labels.find(std::string(name));
    return found == labels.end() ? nullptr : &found->second;
  };
  // A value that cannot be read counts as the strictest one: a typing error must not remove the floor.
  if (const auto* const text = value_of(kMinimumApprovalLabel)) {
    floor.approval = parse_approval_policy(*text).value_or(ApprovalPolicy::Always);
  }
  if (const auto* const text = value_of(kMinimumApprovalsLabel)) {
    floor.approvals = parse_approvals(*text).value_or(kMostApprovals);
  }
  if (const auto* const text = value_of(kMinimumBackupLabel)) {
    floor.backup = parse_backup_when(*text).value_or(BackupWhen::Always);
  }
  if (const auto* const text = value_of(kMinimumSslModeLabel)) {
    floor.ssl_mode = parse_ssl_mode(*text).value_or(std::string(kSslModes.back()));
  }
  if (const auto* const text = value_of(kInlinePasswordsLabel)) {
    floor.inline_passwords = parse_inline_passwords(*text).value_or(false);
  }
  return floor;
}

void raise(DatabaseMigration& resource, const PolicyFloor& floor) {
  PolicyStatus raised;
  auto& approval = resource.spec.policy.approval;
  if (approval < floor.approval) {
    raised.raised.push_back("approval from " + std::string(policy_name(approval)) + " to " +
                            std::string(policy_name(floor.approval)));
    approval = floor.approval;
  }
  auto& approvals = resource.spec.policy.approvals;
  if (approvals < floor.approvals) {
    raised.raised.push_back("approvals from " + std::to_string(approvals) + " to " + std::to_string(floor.approvals));
    approvals = floor.approvals;
  }
  auto& backup = resource.spec.backup;
  if (backup.when < floor.backup || (floor.backup != BackupWhen::Never && !backup.required)) {
    raised.raised.push_back("backup from " + std::string(policy_name(backup.when)) +
                            (backup.required ? "" : ", not required,") + " to " +
                            std::string(policy_name(std::max(backup.when, floor.backup))) + ", required");
    backup.when = std::max(backup.when, floor.backup);
    backup.required = true;
  }
  auto& database = resource.spec.database;
  database.minimum_ssl_mode = floor.ssl_mode;
  database.default_ssl_mode = floor.default_ssl_mode;
  const bool by_parts = database.url.empty() && !database.url_from;
  const std::string& ssl_mode = database.ssl_mode.empty() ? floor.default_ssl_mode : database.ssl_mode;
  if (by_parts && !floor.ssl_mode.empty() && ssl_mode_rank(ssl_mode) < ssl_mode_rank(floor.ssl_mode)) {
    raised.raised.push_back("sslMode from " + (ssl_mode.empty() ? "prefer" : ssl_mode) + " to " + floor.ssl_mode);
    database.ssl_mode = floor.ssl_mode;
  }
  if (!raised.raised.empty()) {
    resource.policy = std::move(raised);
  }
}

bool meets(const DatabaseMigration& resource, const PolicyFloor& floor) {
  const DatabaseMigrationSpec& spec = resource.spec;
  const bool backed_up = spec.backup.when >= floor.backup && (spec.backup.required || floor.backup == BackupWhen::Never);
  const std::string& least = spec.database.minimum_ssl_mode;
  const bool encrypted = floor.ssl_mode.empty() || (!least.empty() && ssl_mode_rank(least) >= ssl_mode_rank(floor.ssl_mode));
  return spec.policy.approval >= floor.approval && spec.policy.approvals >= floor.approvals && backed_up && encrypted &&
         check_floor(resource, floor).has_value();
}

Result<void> check_floor(const DatabaseMigration& resource, const PolicyFloor& floor) {
  if (floor.inline_passwords) {
    return {};
  }
  const DatabaseSpec& database = resource.spec.database;
  if (!database.password.empty() || may_hold_password(database.url)) {
    const std::string field = database.password.empty() ? "url" : "password";
    return fail(
        Error(ErrorCode::Configuration, "this operator refuses passwords in a resource")
            .at("spec.database." + field)
            .advise("everyone who may read the resource can read it; put it in a Secret and name that in " + field + "From"));
  }
  return {};
}

}  // namespace athanor::controller
