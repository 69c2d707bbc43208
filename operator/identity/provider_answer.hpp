// Reads what the providers answer: AWS in XML, the others in JSON.
//
// An answer is untrusted: a missing or oversized field is an error, never a guess. Of a refusal only the error code is kept,
// because its text may quote the request.
//
// Threads: pure functions. Secrets: an answer holds credentials.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"

namespace athanor::controller {

// The text of the first element of this name that has no attributes and no children; nullopt without one.
[[nodiscard]] std::optional<std::string> xml_text(std::string_view xml, std::string_view element);

// The error code of a refusal, fit for a message: "AccessDenied", "invalid_grant", "PERMISSION_DENIED",
// "invalid_client AADSTS700213"; empty when the answer has none.
[[nodiscard]] std::string refusal_code(std::string_view body);

struct AccessToken {
  std::string value;
  WallTime expires_at;
};
// An OAuth answer: access_token and expires_in, in seconds; a longer validity than an hour counts as an hour. Error: Io.
[[nodiscard]] Result<AccessToken> oauth_token(std::string_view body, WallTime now);
// accessToken and expireTime of Google's generateAccessToken. Error: Io.
[[nodiscard]] Result<AccessToken> google_token(std::string_view body, WallTime now);

}  // namespace athanor::controller
