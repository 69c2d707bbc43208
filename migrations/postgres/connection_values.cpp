#include "migrations/postgres/connection_values.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <span>
#include <string>
#include <system_error>

#include "migrations/text/sql_lexer.hpp"

namespace athanor::postgres {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::array<std::string_view, 6> kSslModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
constexpr std::array<std::string_view, 6> kSessions{"any", "read-write", "read-only", "primary", "standby", "prefer-standby"};
constexpr std::array<std::string_view, 3> kWanted{"disable", "prefer", "require"};
constexpr std::array<std::string_view, 3> kCertificate{"disable", "allow", "require"};
constexpr std::array<std::string_view, 2> kBalance{"disable", "random"};
constexpr std::array<std::string_view, 2> kNegotiation{"postgres", "direct"};
constexpr std::array<std::string_view, 2> kSwitch{"0", "1"};
constexpr std::array<std::string_view, 4> kProtocols{"TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"};

struct Choice {
  std::string_view keyword;
  Words allowed;
};
constexpr std::array kChoices{
    Choice{"sslmode", kSslModes},
    Choice{"target_session_attrs", kSessions},
    Choice{"channel_binding", kWanted},
    Choice{"gssencmode", kWanted},
    Choice{"sslcertmode", kCertificate},
    Choice{"load_balance_hosts", kBalance},
    Choice{"sslnegotiation", kNegotiation},
    Choice{"sslsni", kSwitch},
    Choice{"sslcompression", kSwitch},
    Choice{"ssl_min_protocol_version", kProtocols},
    Choice{"ssl_max_protocol_version", kProtocols},
};

struct Number {
  std::string_view keyword;
  std::string_view unit;
};
constexpr std::array kNumbers{
    Number{"connect_timeout", "of seconds"},   Number{"keepalives", "0 or 1"},
    Number{"keepalives_idle", "of seconds"},   Number{"keepalives_interval", "of seconds"},
    Number{"keepalives_count", "of attempts"}, Number{"tcp_user_timeout", "of milliseconds"},
};

bool equal_words(std::string_view one, std::string_view other) {
  return std::ranges::equal(one, other, {}, lower_ascii, lower_ascii);
}

bool is_among(std::string_view word, Words words) {
  return std::ranges::any_of(words, [&](std::string_view each) { return equal_words(word, each); });
}

bool is_utf8(std::string_view value) {
  constexpr std::array<std::string_view, 3> kNames{"utf8", "utf-8", "unicode"};
  return is_among(value, kNames);
}

bool is_whole_number(std::string_view value) {
  const std::size_t begin = std::min(value.find_first_not_of(" \t\r\n"), value.size());
  const std::string_view digits = value.substr(begin, value.find_last_not_of(" \t\r\n") + 1 - begin);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return error == std::errc{} && end == digits.data() + digits.size() && number >= 0;
}

Error refusal(std::string_view keyword, const std::string& advice) {
  return Error(ErrorCode::Configuration, "the database URL has an invalid value for `" + std::string(keyword) + "`")
      .advise(advice);
}

std::string listed(Words words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " or " : ", ") + std::string(words[i]);
  }
  return text;
}

// Splits as the server does: at blanks, where a backslash escapes the next character.
std::vector<std::string> split_options(std::string_view options) {
  constexpr std::string_view kBlanks = " \t\n\v\f\r";
  std::vector<std::string> words;
  bool open = false;
  for (std::size_t at = 0; at < options.size(); ++at) {
    if (kBlanks.find(options[at]) != std::string_view::npos) {
      open = false;
      continue;
    }
    if (!std::exchange(open, true)) {
      words.emplace_back();
    }
    at += options[at] == '\\' && at + 1 < options.size() ? 1U : 0U;
    words.back() += options[at];
  }
  return words;
}

// Shows a word only if it looks like an option or the name of a setting; no other part of the options may be shown.
std::string shown(std::string_view word) {
  const bool is_plain = !word.empty() && word.size() <= 40 && std::ranges::all_of(word, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
  return is_plain ? " `" + std::string(word) + "`" : std::string();
}

Error malformed_options(std::string_view origin, std::string_view word, std::string_view what) {
  return Error(ErrorCode::Configuration, std::string(origin) + " has a word" + shown(word) + std::string(what))
      .advise(
          "write -c NAME=VALUE or --NAME=VALUE, in a URL options=-cNAME%3DVALUE; escape a space in a value with a backslash");
}

// Refuses settings that change how the server reads our text.
Result<void> check_setting(std::string_view setting, std::string_view origin) {
  const std::size_t equals = setting.find('=');
  std::string name(setting.substr(0, equals));
  if (equals == std::string_view::npos || name.empty()) {
    return fail(malformed_options(origin, name, " without a value"));
  }
  // The server accepts "-" for "_" in --name, and ignores case.
  std::ranges::transform(name, name.begin(), [](char c) { return c == '-' ? '_' : lower_ascii(c); });
  const std::string_view value = setting.substr(equals + 1);
  constexpr std::array<std::string_view, 4> kOn{"on", "true", "yes", "1"};
  if ((name == "client_encoding" && !is_utf8(value)) || (name == "standard_conforming_strings" && !is_among(value, kOn))) {
    return fail(
        Error(ErrorCode::Configuration, std::string(origin) + " sets " + name + ", which a migration session sets to " +
                                            (name == "client_encoding" ? "UTF8" : "on"))
            .advise("remove it: revisions are UTF-8 with standard-conforming strings, and the server must read them that way"));
  }
  return {};
}

}  // namespace

Result<void> check_values(const std::vector<std::pair<std::string, std::string>>& keywords) {
  for (const auto& [keyword, value] : keywords) {
    const auto* const choice = std::ranges::find(kChoices, keyword, &Choice::keyword);
    if (choice != kChoices.end() && !is_among(value, choice->allowed)) {
      return fail(refusal(keyword, "write " + listed(choice->allowed)));
    }
    const auto* const number = std::ranges::find(kNumbers, keyword, &Number::keyword);
    if (number != kNumbers.end() && !is_whole_number(value)) {
      return fail(refusal(keyword, "write a whole number " + std::string(number->unit)));
    }
    constexpr std::array<std::string_view, 4> kOff{"off", "false", "no", "0"};
    if (keyword == "replication" && !is_among(value, kOff)) {
      return fail(refusal(keyword, "remove it: migrations cannot run over a replication connection"));
    }
    if (keyword == "client_encoding" && !is_utf8(value)) {
      return fail(refusal(keyword, "remove it: Athanor always uses UTF-8"));
    }
  }
  return {};
}

// A path below this one disables libpq's default file; the operator uses it.
constexpr std::string_view kNowhere = "/nonexistent/";

Result<void> check_tls_files(const std::vector<std::pair<std::string, std::string>>& keywords) {
  const auto value_of = [&](std::string_view name) {
    const auto found = std::ranges::find(keywords, name, &std::pair<std::string, std::string>::first);
    return found == keywords.end() ? std::string() : found->second;
  };
  const std::string mode = value_of("sslmode");
  const bool must_be_tls = mode == "require" || mode.starts_with("verify-");
  for (const char* const name : {"sslrootcert", "sslcert", "sslkey", "sslcrl"}) {
    const std::string path = value_of(name);
    // "system" means the system's certificates, and a key with a colon belongs to an OpenSSL engine: neither is a file.
    const bool is_file = !path.empty() && !path.starts_with(kNowhere) &&
                         !(std::string_view(name) == "sslrootcert" && path == "system") &&
                         // A key of an OpenSSL engine.
                         !(std::string_view(name) == "sslkey" && path.find(':') != std::string::npos);
    if (must_be_tls && is_file && ::access(path.c_str(), R_OK) != 0) {
      return fail(Error(ErrorCode::Configuration,
                        "the file that `" + std::string(name) +
                            "` of the database URL names cannot be read: " + std::generic_category().message(errno))
                      .advise("name an existing file that this user can read"));
    }
  }
  return {};
}

Result<void> check_options(std::string_view options, std::string_view origin) {
  const std::vector<std::string> words = split_options(options);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (word == "-c" && i + 1 < words.size()) {
      TRY(check_setting(words[++i], origin));
    } else if (word.starts_with("-c") && word.size() > 2) {
      TRY(check_setting(word.substr(2), origin));
    } else if (word.starts_with("--") && word.size() > 2) {
      TRY(check_setting(word.substr(2), origin));
    } else {
      return fail(malformed_options(origin, word, " that is not a setting"));
    }
  }
  return {};
}

}  // namespace athanor::postgres
