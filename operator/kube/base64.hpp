// Base64 as RFC 4648 defines it, for certificates in a kubeconfig and values in a Secret.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace athanor::controller {

// Returns `bytes` encoded on one line, with padding.
[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Decodes `text`. Skips line ends, spaces and tabs between the characters; returns nullopt on any other invalid input.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace athanor::controller
