// Restricts which Secrets a resource may use.
//
// Whoever may write a resource may name any Secret of its namespace, and a host that its values are sent to. With
// --require-secret-label, only Secrets with a label may be named, and setting a label takes the right to write Secrets.
//
// Threads: pure functions.
#pragma once

#include "operator/kube/object_fields.hpp"

namespace athanor::controller {

inline constexpr const char* kAllowLabel = "athanor.dev/allow";
inline constexpr const char* kScratchLabel = "athanor.dev/scratch-server";

// Whether the Secret carries this label with the value "true".
[[nodiscard]] inline bool has_label(const KubeObject& secret, const char* label) {
  const auto* const metadata = part_of(secret, "metadata");
  const auto* const labels = metadata == nullptr ? nullptr : part_of(*metadata, "labels");
  return labels != nullptr && text_of(*labels, label) == "true";
}
[[nodiscard]] inline bool is_allowed(const KubeObject& secret) {
  return has_label(secret, kAllowLabel);
}
// Whether who made the Secret declares that the server in it is for scratch databases only, so that a rehearsal may run there
// as any role.
[[nodiscard]] inline bool is_for_scratch_server(const KubeObject& secret) {
  return has_label(secret, kScratchLabel);
}

// The error for a Secret without the label, with the caller's error code. It is transient: adding the label triggers no
// reconcile, so the Secret is read again on retry.
[[nodiscard]] inline Error not_allowed(const std::string& named, ErrorCode code) {
  return Error(code, named + " does not have the label " + kAllowLabel + ": \"true\", which this operator requires")
      .with_retry(RetryClass::Transient)
      .advise("label the Secret if resources of its namespace may use it");
}

}  // namespace athanor::controller
