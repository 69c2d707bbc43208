#include "operator/jobs/source_image.hpp"

#include <algorithm>
#include <string_view>

namespace athanor::controller {
namespace {

constexpr std::string_view kHub = "docker.io";

bool is_registry(std::string_view part) {
  return part.find_first_of(".:") != std::string_view::npos || part == "localhost";
}

// Returns "registry.example.org/shop/app", with the registry and without tag or digest; empty when `reference` is not a valid
// image name.
std::string full_name(std::string_view reference) {
  std::string_view name = reference.substr(0, reference.find('@'));
  const std::size_t slash = name.rfind('/');
  const std::size_t colon = name.rfind(':');
  const bool tagged = colon != std::string_view::npos && slash != std::string_view::npos && colon > slash;
  name = tagged ? name.substr(0, colon) : name;
  const std::string_view first = name.substr(0, name.find('/'));
  const bool has_registry = first.size() < name.size() && is_registry(first);
  if (!has_registry && slash == std::string_view::npos) {  // "postgres:16"
    name = name.substr(0, name.find(':'));
  }
  std::string full = has_registry
                         ? std::string(name)
                         : std::string(kHub) + "/" + (slash == std::string_view::npos ? "library/" : "") + std::string(name);
  if (full.starts_with("index.docker.io/")) {
    full = std::string(kHub) + full.substr(full.find('/'));
  }
  // Registries give "." and ".." in a path no meaning, but a container runtime that resolved them would leave the allowed
  // prefix.
  const std::string path = full.substr(full.find('/')) + "/";
  const bool odd = path.find("//") != std::string::npos || path.find("/./") != std::string::npos ||
                   path.find("/../") != std::string::npos || path.find(':') != std::string::npos;
  return odd ? std::string() : full;
}

bool is_below(const std::string& name, std::string prefix) {
  while (prefix.ends_with('/')) {
    prefix.pop_back();
  }
  return !prefix.empty() && name.starts_with(prefix) && (name.size() == prefix.size() || name[prefix.size()] == '/');
}

}  // namespace

Result<void> check_source_image(const std::string& reference, const std::vector<std::string>& allowed) {
  const std::string name = full_name(reference);
  if (!name.empty() && std::ranges::any_of(allowed, [&](const std::string& prefix) { return is_below(name, prefix); })) {
    return {};
  }
  return fail(Error(ErrorCode::Configuration, name.empty()      ? std::string("is not an image reference")
                                              : allowed.empty() ? std::string("this operator does not allow images as a source")
                                                                : "the image is not in a registry that this operator allows")
                  .at("spec.source.image.reference")
                  .advise("start the operator with --source-image and its registry"));
}

}  // namespace athanor::controller
