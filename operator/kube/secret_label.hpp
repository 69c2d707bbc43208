// Which Secrets may be used for a resource.
//
// Whoever may write a resource names Secrets of its namespace, and a host that their values are sent to. Where the operator
// asks for it, only Secrets that carry a label may be named, which takes the right to write Secrets.
//
// Threads: pure functions.
#pragma once

#include "operator/kube/object_fields.hpp"

namespace athanor::controller {

inline constexpr const char* kAllowLabel = "athanor.dev/allow";

[[nodiscard]] inline bool is_allowed(const KubeObject& secret) {
  const auto* const metadata = part_of(secret, "metadata");
  const auto* const labels = metadata == nullptr ? nullptr : part_of(*metadata, "labels");
  return labels != nullptr && text_of(*labels, kAllowLabel) == "true";
}

// `code`: of the caller's errors. Whoever puts the label there is not waited for by anyone: it is looked at again.
[[nodiscard]] inline Error not_allowed(const std::string& named, ErrorCode code) {
  return Error(code, named + " does not carry the label " + kAllowLabel + ": \"true\", which this operator asks for")
      .with_retry(RetryClass::Transient)
      .advise("label it, if resources of the namespace may use it");
}

}  // namespace athanor::controller
