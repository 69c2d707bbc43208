// Restricts which images spec.source.image may name.
//
// The kubelet pulls an image with the node's credentials, which may give access to images of other tenants, and admission
// policies for container images need not check volumes. So the operator's settings list the registries, or repositories in
// them, that revision files may come from. Nothing from such an image is executed: its files are mounted read-only for the
// operator's own program.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Checks `reference` against `allowed`: "registry.example.org" or "registry.example.org:5000/shop"; whole path segments must
// match. A name without a registry means Docker Hub. Error: Configuration when it matches none or is not a valid reference.
[[nodiscard]] Result<void> check_source_image(const std::string& reference, const std::vector<std::string>& allowed);

}  // namespace athanor::controller
