// Converts the API server's Status object into an Error that is safe to log and to publish.
//
// The message of a Status is the best explanation of a refusal, but it may quote the request: the value of an invalid field, or
// the body around a syntax error. Such values, and credentials in URLs, are removed.
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
  bool secret = false;      // the object is a Secret: its error contains field names only
  bool whole_type = false;  // a list, watch or create: 404 means that the type does not exist
};

// Returns the error for a response with a status other than 2xx. `body` need not be a Status, nor JSON.
[[nodiscard]] Error status_error(int http_status, std::string_view body, const RefusedRequest& request);
// Returns the error for a Status that arrived as an ERROR event of a watch.
[[nodiscard]] Error status_error(const nlohmann::json& status, const RefusedRequest& request);

// Returns the error code for an HTTP status of 400 or more. 5xx and 408 count as ApiUnreachable.
[[nodiscard]] ErrorCode code_of_status(int http_status);
// Returns the server's message without quoted values, credentials and control characters, cut to 1 KiB.
[[nodiscard]] std::string without_values(std::string_view message);

}  // namespace athanor::controller
