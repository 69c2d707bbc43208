#include "migrations/session/blocker.hpp"

namespace athanor {

std::string describe_blocker(const Blocker& blocker) {
  if (blocker.pid == 0) {
    return "the prepared transaction \"" + blocker.application + "\" (user " + blocker.user + ", since " + blocker.since + ")";
  }
  std::string text = "pid " + std::to_string(blocker.pid) + " (";
  text += blocker.application.empty() ? "unnamed application" : blocker.application;
  if (!blocker.user.empty()) {
    text += ", user " + blocker.user;
  }
  if (!blocker.client.empty()) {
    text += " from " + blocker.client;
  }
  if (!blocker.since.empty()) {
    text += ", since " + blocker.since;
  }
  return text + ")";
}

}  // namespace athanor
