// The servers of the providers that exchange a Kubernetes token.
//
// Only the operator's command line changes them: a resource that could would have the token sent to a server of its author's
// choice.
//
// Threads: plain value.
#pragma once

#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct CloudEndpoints {
  std::string aws_sts;  // empty: that of the region
  std::string gcp_sts = "https://sts.googleapis.com";
  std::string gcp_iam = "https://iamcredentials.googleapis.com";
  std::string azure_login = "https://login.microsoftonline.com";

  // Applies "NAME=URL", NAME being aws-sts, gcp-sts, gcp-iam or azure-login. Error: Usage unless the URL is https:// with a
  // host and nothing after it but a port.
  [[nodiscard]] Result<void> set(std::string_view text);
  [[nodiscard]] std::string aws_sts_of(const std::string& region) const;
  bool operator==(const CloudEndpoints&) const = default;
};

}  // namespace athanor::controller
