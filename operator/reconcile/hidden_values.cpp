#include "operator/reconcile/hidden_values.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/text/database_url.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kShortest = 2;  // a single character reveals nothing and occurs everywhere

// Words that occur in any URL.
constexpr std::array<std::string_view, 41> kPublic{"athanor",
                                                   "postgresql",
                                                   "postgres",
                                                   "localhost",
                                                   "5432",
                                                   "host",
                                                   "hostaddr",
                                                   "port",
                                                   "dbname",
                                                   "user",
                                                   "password",
                                                   "options",
                                                   "application_name",
                                                   "connect_timeout",
                                                   "sslmode",
                                                   "sslrootcert",
                                                   "sslcert",
                                                   "sslkey",
                                                   "target_session_attrs",
                                                   "disable",
                                                   "allow",
                                                   "prefer",
                                                   "require",
                                                   "verify-ca",
                                                   "verify-full",
                                                   "verify",
                                                   "ca",
                                                   "full",
                                                   "ssl",
                                                   "true",
                                                   "false",
                                                   "on",
                                                   "off",
                                                   "any",
                                                   "primary",
                                                   "read-write",
                                                   "read",
                                                   "write",
                                                   "keepalives",
                                                   "channel_binding",
                                                   "127.0.0.1"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || (c & 0x80) != 0;
}

// Whether the word continues at the edge of a match: "app" in `application`, app-config and app.example.org.
bool goes_on(const std::string& text, std::size_t at, std::ptrdiff_t step) {
  if (at >= text.size()) {
    return false;
  }
  const std::size_t next = at + static_cast<std::size_t>(step);  // may wrap below 0, which is then out of range
  return is_word(text[at]) || ((text[at] == '-' || text[at] == '.') && next < text.size() && is_word(text[next]));
}

// Whether a match is a separate word: "app" in `user "app"`, but not in `application`.
bool is_whole_word(const std::string& text, std::size_t at, std::string_view value) {
  const bool joined_before = at > 0 && is_word(value.front()) && goes_on(text, at - 1, -1);
  const bool joined_behind = is_word(value.back()) && goes_on(text, at + value.size(), 1);
  return !joined_before && !joined_behind;
}

int hex_digit(char c) {
  return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

// Percent-decodes a part of a URL as libpq does.
std::string decoded(const std::string& part) {
  std::string text;
  for (std::size_t at = 0; at < part.size(); ++at) {
    const bool escaped =
        part[at] == '%' && at + 2 < part.size() && hex_digit(part[at + 1]) >= 0 && hex_digit(part[at + 2]) >= 0;
    text += escaped ? static_cast<char>(hex_digit(part[at + 1]) * 16 + hex_digit(part[at + 2])) : part[at];
    at += escaped ? 2 : 0;
  }
  return text;
}

std::string trimmed(std::string value) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!value.empty() && is_space(value.back())) {
    value.pop_back();
  }
  value.erase(value.begin(), std::ranges::find_if_not(value, is_space));
  return value;
}

}  // namespace

HiddenValues::HiddenValues(const DatabaseMigration& resource) {
  const DatabaseSpec& database = resource.spec.database;
  declared_ = {resource.metadata.name, resource.metadata.name_space, database.host, database.name, database.user, database.role,
               database.schema,        database.version_table};
  if (database.host_from || !database.host.empty()) {
    declared_.push_back(std::to_string(database.port));
  }
  for (const auto* const from : {&database.url_from, &database.host_from, &database.port_from, &database.name_from,
                                 &database.user_from, &database.password_from, &resource.spec.scratch_url_from}) {
    if (*from) {
      declared_.push_back((*from)->value);
      declared_.push_back((*from)->key);
    }
  }
}

void HiddenValues::keep(std::string value, bool anywhere) {
  value = trimmed(std::move(value));
  if (value.size() < kShortest || std::ranges::find(kPublic, value) != kPublic.end() ||
      std::ranges::find(declared_, value) != declared_.end()) {
    return;
  }
  if (const auto known = std::ranges::find(values_, value, &Value::text); known != values_.end()) {
    known->anywhere = known->anywhere || anywhere;
    return;
  }
  const auto place = std::ranges::find_if(values_, [&](const Value& other) { return other.text.size() < value.size(); });
  values_.insert(place, {std::move(value), anywhere});
}

void HiddenValues::add(const std::string& value) {
  keep(value);
  for (std::size_t begin = 0; begin < value.size();) {  // messages may show one line of a text
    const std::size_t end = std::min(value.find('\n', begin), value.size());
    keep(value.substr(begin, end - begin));
    begin = end + 1;
  }
}

void HiddenValues::add_password(const std::string& value) {
  constexpr std::size_t kLeast = 4;  // shorter ones occur in words
  add(value);
  keep(value, trimmed(value).size() >= kLeast);
}

void HiddenValues::add_url(const std::string& url) {
  add(url);
  for (const auto& [name, value] : connection_parameters(url)) {
    keep(name);  // if the text is not a URL, the names are part of the secret
    keep(value);
    if (name == "password") {
      add_password(value);
    }
  }
  if (const std::size_t scheme = url.find("://"); scheme != std::string::npos) {
    const std::string authority = url.substr(scheme + 3, url.find_first_of("/?#", scheme + 3) - scheme - 3);
    const std::size_t colon = authority.find(':');
    if (const std::size_t at = authority.rfind('@'); at != std::string::npos && colon < at) {
      add_password(decoded(authority.substr(colon + 1, at - colon - 1)));
    }
  }
  // Also split it by punctuation, in case it cannot be parsed.
  constexpr std::string_view kBetween = ":/@?&=#,; \t\r\n'\"[]";
  for (std::size_t begin = 0; begin < url.size();) {
    const std::size_t end = std::min(url.find_first_of(kBetween, begin), url.size());
    const std::string part = url.substr(begin, end - begin);
    keep(part);
    keep(decoded(part));
    begin = end + 1;
  }
}

std::string HiddenValues::hide(std::string text) const {
  for (const auto& [value, anywhere] : values_) {
    for (std::size_t at = text.find(value); at != std::string::npos; at = text.find(value, at)) {
      if (anywhere || is_whole_word(text, at, value)) {
        text.replace(at, value.size(), kShown);
        at += kShown.size();
      } else {
        ++at;
      }
    }
  }
  return text;
}

Error HiddenValues::hide(Error error) const {
  error.message = hide(std::move(error.message));
  error.context = hide(std::move(error.context));
  error.hint = hide(std::move(error.hint));
  return error;
}

Blocker HiddenValues::hide(Blocker blocker) const {
  for (std::string* const text : {&blocker.application, &blocker.user, &blocker.client, &blocker.query}) {
    *text = hide(std::move(*text));
  }
  return blocker;
}

}  // namespace athanor::controller
