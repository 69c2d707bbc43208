#include "operator/kube/api_status.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace athanor::controller {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxMessage = 1'024;

// Returns the position after the closing quote, or the end of the text.
std::size_t skip_quoted(std::string_view text, std::size_t from) {
  for (std::size_t at = from + 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == text[from]) {
      return at + 1;
    }
  }
  return text.size();
}

// Skips the value quoted by a validation error. Go prints it as a string, JSON, a struct, a map or a bare word, so the only
// reliable end is the first ": " outside quotes and brackets.
std::size_t skip_value(std::string_view text, std::size_t from) {
  int depth = 0;
  std::size_t at = from;
  while (at < text.size()) {
    if (text[at] == '"' || text[at] == '`') {
      at = skip_quoted(text, at);
      continue;
    }
    if (depth <= 0 && text.substr(at, 2) == ": ") {
      break;
    }
    depth += (text[at] == '{' || text[at] == '[') ? 1 : 0;
    depth -= (text[at] == '}' || text[at] == ']') ? 1 : 0;
    ++at;
  }
  return at;
}

// "postgres://user:secret@host" becomes "postgres://***@host".
void drop_credentials(std::string& text) {
  for (std::size_t at = text.find("://"); at != std::string::npos; at = text.find("://", at + 3)) {
    const std::size_t begin = at + 3;
    const std::size_t end = std::min(text.find_first_of(" \t\n\"'`<>", begin), text.size());
    const std::size_t sign = text.rfind('@', end);
    if (sign != std::string::npos && sign > begin && sign < end) {
      text.replace(begin, sign - begin, "***");
    }
  }
}

std::string printable(std::string_view text) {
  std::string clean;
  clean.reserve(text.size());
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    clean += byte < 0x20 || byte == 0x7F ? ' ' : character;
  }
  return clean;
}

void cut(std::string& text) {
  if (text.size() <= kMaxMessage) {
    return;
  }
  std::size_t end = kMaxMessage - 3;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    --end;
  }
  text.resize(end);
  text += "...";
}

std::string text_of(const json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// "data[password] (FieldValueInvalid), type (FieldValueRequired)"
std::string field_names(const json& status) {
  std::string names;
  const json causes = status.value("/details/causes"_json_pointer, json::array());
  for (const json& cause : causes) {
    if (!cause.is_object()) {
      continue;
    }
    names += names.empty() ? "" : ", ";
    names += text_of(cause, "field") + " (" + text_of(cause, "reason") + ")";
  }
  return names;
}

// A validation error of a Secret may quote its data in forms that without_values() does not know, so only field names are kept.
std::string explanation_of(const json& status, ErrorCode code, bool secret) {
  if (!status.is_object()) {
    return {};
  }
  if (secret && code == ErrorCode::ApiInvalid) {
    const std::string names = printable(field_names(status));
    return "the API server refuses this Secret" + (names.empty() ? std::string() : ": " + names);
  }
  return without_values(text_of(status, "message"));
}

std::string hint_for(ErrorCode code, const RefusedRequest& request) {
  switch (code) {
    case ErrorCode::ApiUnauthorized:
      return "check the service account, token or client certificate";
    case ErrorCode::ApiForbidden:
      return "grant this verb in a Role or ClusterRole that is bound to this user";
    case ErrorCode::ApiNotFound:
      return request.whole_type ? "install the CustomResourceDefinitions, or check the version of the cluster" : "";
    default:
      return {};
  }
}

Error make_error(int http_status, const json& status, const RefusedRequest& request) {
  const ErrorCode code = code_of_status(http_status);
  std::string message = explanation_of(status, code, request.secret);
  if (message.empty()) {
    message = "the API server returned status " + std::to_string(http_status);
  } else {
    message += " (status " + std::to_string(http_status) + ")";
  }
  return Error(code, std::move(message)).at(request.what).advise(hint_for(code, request));
}

}  // namespace

std::string without_values(std::string_view message) {
  // A JSON syntax error quotes the request body around it; nothing after these words is safe to keep.
  for (const std::string_view quoting : {", error found in #", ", bigger context", "error decoding from json:"}) {
    message = message.substr(0, message.find(quoting));
  }
  constexpr std::array<std::string_view, 5> kQuotes{
      "Invalid value: ", "Unsupported value: ", "Duplicate value: ", "Not found: ", "unrecognized type: "};
  std::string clean;
  std::size_t at = 0;
  while (at < message.size()) {
    std::size_t nearest = std::string_view::npos;
    std::string_view quote;
    for (const std::string_view candidate : kQuotes) {
      if (const std::size_t found = message.find(candidate, at); found < nearest) {
        nearest = found;
        quote = candidate;
      }
    }
    if (quote.empty()) {
      break;
    }
    clean += message.substr(at, nearest + quote.size() - 2 - at);  // without ": "
    at = skip_value(message, nearest + quote.size());
  }
  clean += message.substr(std::min(at, message.size()));
  clean = printable(clean);
  drop_credentials(clean);
  cut(clean);
  return clean;
}

ErrorCode code_of_status(int http_status) {
  switch (http_status) {
    case 401:
      return ErrorCode::ApiUnauthorized;
    case 403:
      return ErrorCode::ApiForbidden;
    case 404:
      return ErrorCode::ApiNotFound;
    case 409:
      return ErrorCode::ApiConflict;
    case 410:
      return ErrorCode::ApiExpired;
    case 429:
      return ErrorCode::ApiThrottled;
    case 408:
      return ErrorCode::ApiUnreachable;
    default:
      // 5xx count as unreachable: the request was fine, and a later one may succeed.
      return http_status >= 400 && http_status < 500 ? ErrorCode::ApiInvalid : ErrorCode::ApiUnreachable;
  }
}

Error status_error(int http_status, std::string_view body, const RefusedRequest& request) {
  const json status = json::parse(body, nullptr, false);
  return make_error(http_status, status, request);
}

Error status_error(const json& status, const RefusedRequest& request) {
  int code = 500;
  if (status.is_object()) {
    const auto found = status.find("code");
    if (found != status.end() && found->is_number_integer()) {
      code = found->get<int>();
    } else if (const std::string reason = text_of(status, "reason"); reason == "Expired" || reason == "Gone") {
      // Some servers leave out `code` inside a watch; a 410 must still be recognised, because it forces a relist.
      code = 410;
    }
  }
  return make_error(code, status, request);
}

}  // namespace athanor::controller
