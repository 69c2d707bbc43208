// Base64 as RFC 4648 defines it, for certificates in a kubeconfig and values in a Secret.
//
// Threads: pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace athanor::controller {

[[nodiscard]] std::string base64_encode(std::string_view bytes);
// Line ends and blanks between the characters are skipped; anything else that does not belong there gives nothing.
[[nodiscard]] std::optional<std::string> base64_decode(std::string_view text);

}  // namespace athanor::controller
