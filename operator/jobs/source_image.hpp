// Which images spec.source.image may name.
//
// An image is pulled with the credentials of the node, which may be those of everybody's registry, and policies for the images
// of containers need not look at volumes. So whoever runs the operator names the registries, or the repositories below them,
// that revision files may come from. Nothing of such an image is run: its files are mounted read-only for the operator's own
// program.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// `allowed`: "registry.example.org", "registry.example.org:5000/shop"; whole parts of the path count. Names without a registry
// are Docker Hub's, as everywhere. Configuration: it is none of them, or no reference.
[[nodiscard]] Result<void> check_source_image(const std::string& reference, const std::vector<std::string>& allowed);

}  // namespace athanor::controller
