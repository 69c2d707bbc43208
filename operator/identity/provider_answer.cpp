#include "operator/identity/provider_answer.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <utility>

#include "migrations/base/timestamp.hpp"

namespace athanor::controller {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxCodeBytes = 64;
constexpr std::size_t kMaxTokenBytes = std::size_t{32} << 10U;
constexpr std::chrono::hours kLongestValidity{1};

bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= kMaxCodeBytes && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

// A token is one word of printable ASCII.
bool is_token(std::string_view text) {
  return !text.empty() && text.size() <= kMaxTokenBytes &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

std::string text_at(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// Some of Microsoft's older endpoints write numbers as text.
std::int64_t number_at(const json& object, const char* name) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_number_integer()) {
    return found->get<std::int64_t>();
  }
  const std::string text = text_at(object, name);
  const bool is_number =
      !text.empty() && text.size() <= 9 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? std::stoll(text) : 0;
}

std::string json_code(const json& answer) {
  const auto error = answer.find("error");
  if (error == answer.end()) {
    return {};
  }
  std::string code = error->is_object() ? text_at(*error, "status") : text_at(answer, "error");
  if (!is_code(code)) {
    return {};
  }
  const auto numbers = answer.find("error_codes");
  if (numbers != answer.end() && numbers->is_array() && !numbers->empty() && numbers->front().is_number_unsigned()) {
    code += " AADSTS" + std::to_string(numbers->front().get<std::uint64_t>());
  }
  return code;
}

Error unreadable() {
  return Error(ErrorCode::Io, "the answer holds no token");
}

std::optional<std::string> without_entities(std::string_view text) {
  struct Entity {
    std::string_view name;
    char character;
  };
  constexpr std::array<Entity, 5> kEntities{{{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}}};
  std::string plain;
  while (!text.empty()) {
    if (text.front() == '<') {
      return std::nullopt;
    }
    if (text.front() != '&') {
      plain += text.front();
      text.remove_prefix(1);
      continue;
    }
    const auto found = std::ranges::find_if(kEntities, [text](const Entity& entity) { return text.starts_with(entity.name); });
    if (found == kEntities.end()) {
      return std::nullopt;
    }
    plain += found->character;
    text.remove_prefix(found->name.size());
  }
  return plain;
}

}  // namespace

std::optional<std::string> xml_text(std::string_view xml, std::string_view element) {
  const std::string begin = "<" + std::string(element) + ">";
  const std::string end = "</" + std::string(element) + ">";
  const std::size_t at = xml.find(begin);
  if (at == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view rest = xml.substr(at + begin.size());
  const std::size_t length = rest.find(end);
  return length == std::string_view::npos ? std::nullopt : without_entities(rest.substr(0, length));
}

std::string refusal_code(std::string_view body) {
  const json answer = json::parse(body, nullptr, false);
  if (answer.is_object()) {
    return json_code(answer);
  }
  const auto code = xml_text(body, "Code");
  return code && is_code(*code) ? *code : std::string();
}

Result<AccessToken> oauth_token(std::string_view body, WallTime now) {
  const json answer = json::parse(body, nullptr, false);
  if (!answer.is_object()) {
    return fail(unreadable());
  }
  std::string value = text_at(answer, "access_token");
  const std::chrono::seconds lasts(number_at(answer, "expires_in"));
  if (!is_token(value) || lasts.count() <= 0) {
    return fail(unreadable());
  }
  return AccessToken{std::move(value), now + std::min<std::chrono::seconds>(lasts, kLongestValidity)};
}

Result<AccessToken> google_token(std::string_view body, WallTime now) {
  const json answer = json::parse(body, nullptr, false);
  if (!answer.is_object()) {
    return fail(unreadable());
  }
  std::string value = text_at(answer, "accessToken");
  const auto expires = parse_rfc3339(text_at(answer, "expireTime"));
  if (!is_token(value) || !expires || *expires <= now) {
    return fail(unreadable());
  }
  return AccessToken{std::move(value), std::min<WallTime>(*expires, now + kLongestValidity)};
}

}  // namespace athanor::controller
