// Whether the admission policy that makes the names in approvals true is in force.
//
// MigrationApproval.spec.approvedBy is only a text. That it names whoever made the approval, ValidatingAdmissionPolicy
// `migrationapprovals.athanor.dev` and its binding see to (crds/approval-policy.yaml), on the API server. Where they are
// missing or say something else, everybody who may create approvals may approve in the name of others, and as several people.
// So they are read before approvals count, and compared with what this version expects; what the operator may not read counts
// as missing. Approvals made before the policy or its binding do not count either.
//
// One answer serves for half a minute, a bad one for some seconds, and none for an approval that came after it was asked for.
//
// Threads: safe from any thread; one asks, others wait for the answer. Ownership: borrows reader and clock.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

inline constexpr const char* kAdmissionPolicyName = "migrationapprovals.athanor.dev";

class AdmissionPolicy {
 public:
  AdmissionPolicy(KubeReader& reader, Clock& clock) : reader_(reader), clock_(clock) {}

  // When the younger of policy and binding was made. PolicyRefused: one of them is missing, is not the expected one, or cannot
  // be read.
  [[nodiscard]] Result<WallTime> in_force_since();
  // An approval came: what was answered before says nothing about it. Call it before anybody can see the approval.
  void approval_came() { ++came_; }

 private:
  KubeReader& reader_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Result<WallTime>> answer_;
  SteadyTime asked_{};
  std::uint64_t answered_ = 0;  // came_ when it was asked
  std::atomic<std::uint64_t> came_{0};
};

// What `policy` and `binding` must be; pure. The time is the younger one's creation.
[[nodiscard]] Result<WallTime> check_admission_policy(const KubeObject& policy, const KubeObject& binding);

}  // namespace athanor::controller
