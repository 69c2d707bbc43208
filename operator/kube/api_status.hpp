// Converts the API server's Status object into an Error that is safe to log and to publish.
//
// A Status message explains a refusal best, but it may quote the request: the value of an invalid field, or the body around a
// syntax error. Those values and credentials in URLs are removed.
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
  bool secret = false;      // the object is a Secret: its error names fields and nothing else
  bool whole_type = false;  // a list, watch or create: 404 means that the type does not exist
};

// The error for a response with a status other than 2xx. `body` need not be a Status, nor JSON.
[[nodiscard]] Error status_error(int http_status, std::string_view body, const RefusedRequest& request);
// The error for a Status that arrived as an ERROR event of a watch.
[[nodiscard]] Error status_error(const nlohmann::json& status, const RefusedRequest& request);

[[nodiscard]] ErrorCode code_of_status(int http_status);
// The server's message with quoted values, credentials and control characters removed, cut to 1 KiB.
[[nodiscard]] std::string without_values(std::string_view message);

}  // namespace athanor::controller
