// Percent-encodes text for use in any part of a URL (RFC 3986): everything except letters, digits and "-._~" becomes %XX.
//
// Threads: pure function.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

// Returns `text` encoded.
[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace athanor
