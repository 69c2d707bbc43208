#include "operator/identity/cloud_endpoints.hpp"

#include <algorithm>
#include <array>

namespace athanor::controller {
namespace {

constexpr std::string_view kScheme = "https://";

struct Name {
  std::string_view name;
  std::string CloudEndpoints::*url;
};
constexpr std::array kNames{
    Name{"aws-sts", &CloudEndpoints::aws_sts},
    Name{"gcp-sts", &CloudEndpoints::gcp_sts},
    Name{"gcp-iam", &CloudEndpoints::gcp_iam},
    Name{"azure-login", &CloudEndpoints::azure_login},
};

bool is_server(std::string_view url) {
  return url.starts_with(kScheme) && url.size() > kScheme.size() && std::ranges::all_of(url.substr(kScheme.size()), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
                  c == ':' || c == '[' || c == ']';
         });
}

}  // namespace

Result<void> CloudEndpoints::set(std::string_view text) {
  const std::size_t equals = std::min(text.find('='), text.size());
  const auto found = std::ranges::find(kNames, text.substr(0, equals), &Name::name);
  if (found == kNames.end()) {
    return fail(ErrorCode::Usage, "takes NAME=URL, NAME being aws-sts, gcp-sts, gcp-iam or azure-login");
  }
  const std::string_view url = text.substr(std::min(equals + 1, text.size()));
  if (!is_server(url)) {
    return fail(ErrorCode::Usage, std::string(found->name) + " takes https://HOST or https://HOST:PORT");
  }
  this->*(found->url) = url;
  return {};
}

std::string CloudEndpoints::aws_sts_of(const std::string& region) const {
  if (!aws_sts.empty()) {
    return aws_sts;
  }
  return "https://sts." + region + (region.starts_with("cn-") ? ".amazonaws.com.cn" : ".amazonaws.com");
}

}  // namespace athanor::controller
