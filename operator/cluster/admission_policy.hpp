// Checks that the admission policy that guarantees the names in approvals is in force.
//
// MigrationApproval.spec.approvedBy is only text. The ValidatingAdmissionPolicy `migrationapprovals.athanor.dev` and its
// binding (crds/approval-policy.yaml) make the API server reject an approval unless that text is the name of the user who
// creates it. If they are missing or changed, everyone who may create approvals can approve in the name of others, and as
// several people. So they are read before approvals count, and compared with what this version expects; an object that the
// operator may not read counts as missing. Approvals created before the policy or its binding do not count either.
//
// A positive answer is reused for 30 seconds, a negative one for 5. Neither is reused after a new approval has arrived.
//
// Threads: safe from any thread; one thread asks and the others wait for the answer. Ownership: borrows reader and clock.
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

  // Returns when the younger of policy and binding was created. Error: PolicyRefused when one of them is missing, is not the
  // expected one, or cannot be read.
  [[nodiscard]] Result<WallTime> in_force_since();
  // Reports a new approval: earlier answers do not cover it. Call it before any thread can see the approval.
  void approval_came() { ++approvals_; }

 private:
  KubeReader& reader_;
  Clock& clock_;
  std::mutex mutex_;
  std::optional<Result<WallTime>> answer_;
  SteadyTime requested_at_{};
  std::uint64_t answered_ = 0;  // the value of approvals_ when answer_ was requested
  std::atomic<std::uint64_t> approvals_{0};
};

// Checks the two objects; a pure function. Returns the younger one's creation time.
[[nodiscard]] Result<WallTime> check_admission_policy(const KubeObject& policy, const KubeObject& binding);

}  // namespace athanor::controller
