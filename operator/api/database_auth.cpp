#include "operator/api/database_auth.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace athanor::controller {
namespace {

constexpr std::size_t kMostBytes = 512;

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alphanumeric(char c) {
  return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

bool consists_of(std::string_view text, std::string_view more) {
  return !text.empty() && text.size() <= kMostBytes &&
         std::ranges::all_of(text, [more](char c) { return is_alphanumeric(c) || more.find(c) != std::string_view::npos; });
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(end + 1);
  }
}

// A name between two slashes. Google's projects may have a domain: "example.com:project".
bool is_segment(std::string_view text) {
  return consists_of(text, "-_.:") && is_alphanumeric(text.front());
}

// Each even segment must be a literal, each odd one a name.
template <std::size_t N>
bool matches(std::string_view text, const std::array<std::string_view, N>& literals) {
  const auto parts = split(text, '/');
  if (text.size() > kMostBytes || parts.size() != 2 * N) {
    return false;
  }
  for (std::size_t i = 0; i < N; ++i) {
    if (parts[2 * i] != literals[i] || !is_segment(parts[2 * i + 1])) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::string_view provider_name(CloudProvider provider) {
  switch (provider) {
    case CloudProvider::Aws:
      return "AWS";
    case CloudProvider::Gcp:
      return "Google Cloud";
    case CloudProvider::Azure:
      break;
  }
  return "Azure";
}

bool is_aws_region(std::string_view text) {
  const auto parts = split(text, '-');
  return parts.size() >= 3 && parts.size() <= 4 && text.size() <= 32 && parts.back().size() <= 2 && !parts.back().empty() &&
         std::ranges::all_of(parts.back(), is_digit) && std::all_of(parts.begin(), parts.end() - 1, [](std::string_view part) {
           return !part.empty() && std::ranges::all_of(part, is_lower);
         });
}

bool is_aws_role(std::string_view text) {
  const auto parts = split(text, ':');
  constexpr std::string_view kRole = "role/";
  return parts.size() == 6 && text.size() <= kMostBytes && parts[0] == "arn" &&
         (parts[1] == "aws" || (parts[1].starts_with("aws-") && consists_of(parts[1], "-"))) && parts[2] == "iam" &&
         parts[3].empty() && parts[4].size() == 12 && std::ranges::all_of(parts[4], is_digit) && parts[5].starts_with(kRole) &&
         consists_of(parts[5].substr(kRole.size()), "+=,.@_/-");
}

bool is_workload_provider(std::string_view text) {
  return matches<4>(text, {"projects", "locations", "workloadIdentityPools", "providers"});
}

bool is_gke_cluster(std::string_view text) {
  return matches<3>(text, {"projects", "locations", "clusters"});
}

bool is_google_account(std::string_view text) {
  const auto parts = split(text, '@');
  return parts.size() == 2 && text.size() <= kMostBytes && is_segment(parts[0]) && is_segment(parts[1]) &&
         parts[1].find('.') != std::string_view::npos && text.find(':') == std::string_view::npos;
}

bool is_azure_tenant(std::string_view text) {
  return consists_of(text, "-.") && is_alphanumeric(text.front()) && text.size() <= 253;
}

bool is_azure_client(std::string_view text) {
  const auto parts = split(text, '-');
  constexpr std::array<std::size_t, 5> kLengths{8, 4, 4, 4, 12};
  const auto is_hex = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); };
  if (parts.size() != kLengths.size()) {
    return false;
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].size() != kLengths[i] || !std::ranges::all_of(parts[i], is_hex)) {
      return false;
    }
  }
  return true;
}

}  // namespace athanor::controller
