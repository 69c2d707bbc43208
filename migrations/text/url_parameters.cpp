#include "migrations/text/url_parameters.hpp"

#include <algorithm>
#include <array>

#include "migrations/text/letter_case.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor {
namespace {

constexpr std::string_view kSearchPath =
    "set execution.search_path in athanor.yaml (spec.database.schema of a resource), or options=-csearch_path%3DNAME in the "
    "URL";
constexpr std::string_view kOneConnection = "remove it: Athanor uses one connection and no pool";
constexpr std::string_view kNoCache = "remove it: Athanor does not cache your prepared statements";
constexpr std::string_view kPooler =
    "remove it, and use the server itself or a session pooler: a transaction pooler cannot hold the migration lock";
constexpr std::string_view kVersionTable = "set version_table in athanor.yaml";
constexpr std::string_view kMigrate = "remove it: it belongs to golang-migrate";
constexpr std::string_view kTimeouts = "set execution.statement_timeout or execution.lock_timeout in athanor.yaml";
constexpr std::string_view kConnectTimeout = "write connect_timeout=SECONDS";
constexpr std::string_view kUtf8 = "remove it: Athanor always uses UTF-8";
constexpr std::string_view kSettings = "write options=-cNAME%3DVALUE";
constexpr std::string_view kSslMode = "write sslmode=require, or sslmode=verify-full with sslrootcert";
constexpr std::string_view kDriver = "remove it: it belongs to the driver of the application";

struct Foreign {
  std::string_view name;  // in lower case; a trailing '*' matches any rest
  std::string_view advice;
};

// The first match counts. Parameters of SQLAlchemy and asyncpg, psycopg, JDBC, Npgsql, Prisma, node-postgres, Rails, Django,
// pgx, golang-migrate and goose.
constexpr std::array kForeign{
    Foreign{"schema", kSearchPath},
    Foreign{"search_path", kSearchPath},
    Foreign{"searchpath", kSearchPath},
    Foreign{"search path", kSearchPath},
    Foreign{"currentschema", kSearchPath},
    Foreign{"schema_search_path", kSearchPath},
    Foreign{"pgbouncer", kPooler},
    Foreign{"connection_limit", kOneConnection},
    Foreign{"pool*", kOneConnection},
    Foreign{"max_overflow", kOneConnection},
    Foreign{"min_size", kOneConnection},
    Foreign{"max_size", kOneConnection},
    Foreign{"minpoolsize", kOneConnection},
    Foreign{"maxpoolsize", kOneConnection},
    Foreign{"max_connections", kOneConnection},
    Foreign{"conn_max_age", kOneConnection},
    Foreign{"conn_health_checks", kOneConnection},
    Foreign{"checkout_timeout", kOneConnection},
    Foreign{"reaping_frequency", kOneConnection},
    Foreign{"max_inactive_connection_lifetime", kOneConnection},
    Foreign{"prepared_statement*", kNoCache},
    Foreign{"statement_cache*", kNoCache},
    Foreign{"preparethreshold", kNoCache},
    Foreign{"prepare_threshold", kNoCache},
    Foreign{"preparedstatement*", kNoCache},
    Foreign{"default_query_exec_mode", kNoCache},
    Foreign{"description_cache_capacity", kNoCache},
    Foreign{"binary_parameters", kNoCache},
    Foreign{"x-migrations-table", kVersionTable},
    Foreign{"x-*", kMigrate},
    Foreign{"server_settings", kSettings},
    Foreign{"timezone", "remove it: a migration session runs in UTC; a revision can SET TimeZone for itself"},
    Foreign{"charset", kUtf8},
    Foreign{"encoding", kUtf8},
    Foreign{"characterencoding", kUtf8},
    Foreign{"use_unicode", kUtf8},
    Foreign{"statement_timeout", kTimeouts},
    Foreign{"lock_timeout", kTimeouts},
    Foreign{"command_timeout", kTimeouts},
    Foreign{"query_timeout", kTimeouts},
    Foreign{"connecttimeout", kConnectTimeout},
    Foreign{"logintimeout", kConnectTimeout},
    Foreign{"sockettimeout", kConnectTimeout},
    Foreign{"socket_timeout", kConnectTimeout},
    Foreign{"timeout", kConnectTimeout},
    Foreign{"ssl_*", kSslMode},
    Foreign{"sslaccept", kSslMode},
    Foreign{"sslfactory", kSslMode},
    Foreign{"sslidentity", "write sslcert=FILE and sslkey=FILE"},
    Foreign{"applicationname", "write application_name=NAME"},
    Foreign{"socket", "write host=FOLDER, the folder of the socket"},
    Foreign{"unix_sock", "write host=FOLDER, the folder of the socket"},
    Foreign{"unix_socket", "write host=FOLDER, the folder of the socket"},
    Foreign{"database", "write dbname=NAME, or put the name after the host: /NAME"},
    Foreign{"username", "write user=NAME, or put the name before the host: NAME@"},
    Foreign{"adapter", kDriver},
    Foreign{"driver", kDriver},
    Foreign{"async_fallback", kDriver},
    Foreign{"advisory_locks", kDriver},
    Foreign{"variables", kSettings},
    Foreign{"targetservertype", "write target_session_attrs=read-write"},
    Foreign{"loadbalancehosts", "write load_balance_hosts=random, if libpq supports it"},
    Foreign{"rewritebatchedinserts", kDriver},
    Foreign{"stringtype", kDriver},
};

bool is_known(std::string_view name, std::span<const std::string> known) {
  return std::ranges::find(known, name) != known.end();
}

bool may_be_shown(std::string_view name) {
  constexpr std::size_t kLongest = 64;
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  });
}

bool holds_password(std::string_view name) {
  return name == "password" || name == "sslpassword" || name == "user";
}

}  // namespace

std::optional<std::string_view> ssl_mode_of(std::string_view ssl) {
  constexpr std::array<std::string_view, 6> kModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};
  const std::string value = lowered(ssl);
  if (const auto mode = std::ranges::find(kModes, value); mode != kModes.end()) {
    return *mode;
  }
  for (const std::string_view yes : {"true", "1", "on", "yes"}) {
    if (value == yes) {
      return "require";
    }
  }
  for (const std::string_view no : {"false", "0", "off", "no"}) {
    if (value == no) {
      return "disable";
    }
  }
  return std::nullopt;
}

std::string ssl_mode_in(const ConnectionParameters& parameters) {
  std::string mode;
  for (const auto& [name, value] : parameters) {
    if (name == "sslmode") {
      mode = value;
    } else if (name == "ssl") {
      mode = ssl_mode_of(value).value_or("");
    }
  }
  return mode;
}

std::optional<std::string_view> advice_for_parameter(std::string_view name) {
  const std::string letters = lowered(name);
  const auto fits = [&](const Foreign& one) {
    return one.name.ends_with('*') ? letters.starts_with(one.name.substr(0, one.name.size() - 1)) : letters == one.name;
  };
  const auto found = std::ranges::find_if(kForeign, fits);
  return found == kForeign.end() ? std::nullopt : std::optional(found->advice);
}

ReadableUrl readable_url(const std::string& url, std::span<const std::string> known) {
  ReadableUrl readable{url, {}, {}, false, false};
  const std::size_t question = query_of(url);
  if (question == std::string::npos) {
    return readable;
  }
  readable.text = url.substr(0, question);
  char separator = '?';
  bool behind_password = false;
  for (std::size_t begin = question + 1; begin <= url.size();) {
    const std::size_t end = std::min(url.find('&', begin), url.size());
    const std::string raw = url.substr(begin, end - begin);
    begin = end + 1;
    const ConnectionParameters parsed = connection_parameters("postgresql:///?" + raw);
    const std::string name = parsed.empty() ? std::string() : parsed.front().first;
    const bool assigned = raw.find('=') != std::string::npos;
    std::string kept = raw;
    if (assigned && name == "ssl") {
      const auto mode = ssl_mode_of(parsed.front().second);
      readable.has_bad_ssl = readable.has_bad_ssl || !mode;
      kept = mode ? "sslmode=" + std::string(*mode) : "";
    } else if (!is_known(name, known) && (assigned || advice_for_parameter(name))) {
      kept.clear();
      // After a password that was not encoded, what looks like a name may be the rest of the password.
      readable.may_contain_password = readable.may_contain_password || raw.find('@') != std::string::npos ||
                                      (behind_password && !advice_for_parameter(name)) || !may_be_shown(name);
      if (std::ranges::find(readable.unknown, name) == readable.unknown.end()) {
        readable.unknown.push_back(name);
      }
    }
    if (!assigned && is_known(name, known)) {
      readable.valueless.push_back(name);
    }
    behind_password = behind_password || holds_password(name);
    if (!kept.empty()) {
      readable.text += separator + kept;
      separator = '&';
    }
  }
  return readable;
}

Error unknown_parameters(const ReadableUrl& url, std::span<const std::string> known) {
  if (url.unknown.empty()) {
    return Error(ErrorCode::Configuration, "invalid value of `ssl` in the database URL")
        .advise("write sslmode=disable, prefer, require, verify-ca or verify-full");
  }
  if (url.may_contain_password) {
    return Error(ErrorCode::Configuration, "the database URL has a parameter that PostgreSQL does not know")
        .advise(
            "percent-encode special characters in values (& is %26, = is %3D, @ is %40, ? is %3F), and remove parameters of an "
            "application's driver");
  }
  const std::vector<std::string_view> names(known.begin(), known.end());
  std::string list;
  std::string hint;
  for (const std::string& name : url.unknown) {
    list += (list.empty() ? "`" : ", `") + name + "`";
    const auto advice = advice_for_parameter(name);
    const std::string_view near = advice ? std::string_view() : closest_name(name, names);
    hint += hint.empty() ? "" : "; ";
    hint += name + ": ";
    if (advice) {
      hint += *advice;
    } else if (!near.empty()) {
      hint += "did you mean `" + std::string(near) + "`?";
    } else {
      hint += "remove it, or use the name that libpq uses (\"Parameter Key Words\" in the PostgreSQL manual)";
    }
  }
  return Error(ErrorCode::Configuration, std::string("the database URL has ") +
                                             (url.unknown.size() == 1 ? "a parameter" : "parameters") +
                                             " that PostgreSQL does not know: " + list)
      .advise(std::move(hint));
}

}  // namespace athanor
