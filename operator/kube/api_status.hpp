// What the API server says when it refuses: its Status object as our Error.
//
// The server's own words are the best explanation there is, but they may quote what was sent: the value of an invalid field, or
// a piece of the body around a syntax error. Values are taken out, credentials in URLs too, and about a Secret nothing is
// repeated but the names of fields. What is left is cut to a kilobyte and holds no control characters.
//
// Threads: pure functions.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "migrations/base/result.hpp"

namespace athanor::controller {

struct RefusedRequest {
  std::string what;         // "patch databasemigrations.athanor.dev shop/orders"
  bool secret = false;      // the object is a Secret
  bool whole_type = false;  // a list or watch: 404 means that there is no such type
};

[[nodiscard]] Error status_error(int http_status, std::string_view body, const RefusedRequest& request);
// Of a Status inside a watch.
[[nodiscard]] Error status_error(const nlohmann::json& status, const RefusedRequest& request);

[[nodiscard]] ErrorCode code_of_status(int http_status);
// Server text made fit to publish.
[[nodiscard]] std::string without_values(std::string_view message);

}  // namespace athanor::controller
