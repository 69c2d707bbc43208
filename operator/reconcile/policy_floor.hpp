// The minimum policies that the operator's settings require of every resource: approvals, backups, TLS, passwords in Secrets.
//
// Anyone who may edit a resource may set `approval: Never` in it, so a policy declared only in the resource can be bypassed.
// The floor comes from the operator's options, and labels of a Namespace, which its users cannot edit, may raise it. The
// stricter of floor and spec applies, and the status shows where the floor did.
//
// Threads: plain values, pure functions.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

struct PolicyFloor {
  ApprovalPolicy approval = ApprovalPolicy::Never;
  int approvals = 1;
  BackupWhen backup = BackupWhen::Never;
  std::string ssl_mode{};        // a libpq sslmode; empty: no minimum
  bool inline_passwords = true;  // whether a resource may contain a password
  // The sslmode of connections that specify none. Not a minimum: a resource may choose a lower one. Empty: libpq's default.
  std::string default_ssl_mode;
  bool operator==(const PolicyFloor&) const = default;
};

inline constexpr std::string_view kMinimumApprovalLabel = "athanor.dev/minimum-approval";
inline constexpr std::string_view kMinimumApprovalsLabel = "athanor.dev/minimum-approvals";
inline constexpr std::string_view kMinimumBackupLabel = "athanor.dev/minimum-backup";
inline constexpr std::string_view kMinimumSslModeLabel = "athanor.dev/minimum-ssl-mode";
inline constexpr std::string_view kInlinePasswordsLabel = "athanor.dev/inline-passwords";

[[nodiscard]] std::string_view policy_name(ApprovalPolicy policy);
[[nodiscard]] std::string_view policy_name(BackupWhen when);
[[nodiscard]] Result<ApprovalPolicy> parse_approval_policy(std::string_view text);
// 1 to kMostApprovals.
[[nodiscard]] Result<int> parse_approvals(std::string_view text);
[[nodiscard]] Result<BackupWhen> parse_backup_when(std::string_view text);
[[nodiscard]] Result<std::string> parse_ssl_mode(std::string_view text);
// "allow" or "refuse".
[[nodiscard]] Result<bool> parse_inline_passwords(std::string_view text);

// Returns the rank of an sslmode, from 0 for the weakest, "disable". An unknown or empty mode ranks as libpq's default,
// "prefer".
[[nodiscard]] int ssl_mode_rank(std::string_view mode);

// Returns the stricter value of each policy.
[[nodiscard]] PolicyFloor stricter(const PolicyFloor& left, const PolicyFloor& right);
// Returns the floor in the labels of a namespace. An unreadable value means the strictest: a typo must not weaken a policy.
[[nodiscard]] PolicyFloor floor_of_labels(const std::map<std::string, std::string>& labels);

// Raises the resource's policies to the floor, and notes changes in `resource.policy`.
void raise(DatabaseMigration& resource, const PolicyFloor& floor);
// Whether the resource already meets the floor and is allowed by it.
[[nodiscard]] bool meets(const DatabaseMigration& resource, const PolicyFloor& floor);
// Whether libpq may find a password in the URL. Errs on the side of true: a user name followed by a colon is enough.
[[nodiscard]] bool may_hold_password(const std::string& url);
// Returns an error when the floor does not allow the resource at all.
[[nodiscard]] Result<void> check_floor(const DatabaseMigration& resource, const PolicyFloor& floor);

}  // namespace athanor::controller
