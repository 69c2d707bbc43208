#include "migrations/text/line_ends.hpp"

namespace athanor {

std::string with_line_feeds(std::string text) {
  if (text.find('\r') == std::string::npos) {
    return text;
  }
  std::size_t kept = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') {
      continue;
    }
    text[kept++] = text[at];
  }
  text.resize(kept);
  return text;
}

}  // namespace athanor
