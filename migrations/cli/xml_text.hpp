// Text for XML documents.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

namespace athanor::cli {

// Escapes what XML gives a meaning to, and shows control characters as spaces, because XML 1.0 cannot represent most of them.
[[nodiscard]] std::string escaped_xml(std::string_view text);

}  // namespace athanor::cli
