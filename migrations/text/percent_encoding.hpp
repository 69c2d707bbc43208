// Text as it may stand in any part of a URL (RFC 3986): everything but letters, digits and "-._~" becomes %XX.
#pragma once

#include <string>
#include <string_view>

namespace athanor {

[[nodiscard]] std::string percent_encoded(std::string_view text);

}  // namespace athanor
