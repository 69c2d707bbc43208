// The least that whoever runs the operator asks of every resource: approvals, backups, TLS, passwords in Secrets.
//
// Who may edit a resource may write `approval: Never` into it, so an approval policy that only the resource declares binds
// nobody. The floor comes from the options of the operator, and is raised for a namespace by labels of the Namespace, which its
// users cannot edit. The stricter of floor and spec counts, and the status says where the floor did.
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
  std::string ssl_mode;          // of libpq; empty: none
  bool inline_passwords = true;  // a password may stand in a resource
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

// From the weakest, "disable", at 0; what libpq does not know, and nothing, counts as its default "prefer".
[[nodiscard]] int ssl_mode_rank(std::string_view mode);

[[nodiscard]] PolicyFloor stricter(const PolicyFloor& left, const PolicyFloor& right);
// What the labels of a namespace ask for. A value that nobody can read asks for the most: a typo must not lower anything.
[[nodiscard]] PolicyFloor floor_of_labels(const std::map<std::string, std::string>& labels);

// Raises what the resource declares to the floor, and notes in `resource.policy` what was raised.
void raise(DatabaseMigration& resource, const PolicyFloor& floor);
// Whether nothing is left to raise, and the floor takes the resource.
[[nodiscard]] bool meets(const DatabaseMigration& resource, const PolicyFloor& floor);
// Whether libpq may find a password in it. True more often than it need be: a user name with a colon behind it is enough.
[[nodiscard]] bool may_hold_password(const std::string& url);
// Why the floor does not take the resource at all.
[[nodiscard]] Result<void> check_floor(const DatabaseMigration& resource, const PolicyFloor& floor);

}  // namespace athanor::controller
