#include "migrations/config/setting_override.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <variant>
#include <vector>

#include "migrations/lint/rule.hpp"
#include "migrations/text/duration.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor {
namespace {

using Duration = milliseconds ExecutionSettings::*;
using Text = std::string ExecutionSettings::*;
using Switch = bool ExecutionSettings::*;
using TopText = std::string Configuration::*;
using TopSwitch = bool Configuration::*;

struct Setting {
  std::string_view key;
  std::variant<Duration, Text, Switch, TopText, TopSwitch> field;
};

constexpr std::array kSettings{
    Setting{"lock_wait", &ExecutionSettings::lock_wait},
    Setting{"lock_timeout", &ExecutionSettings::lock_timeout},
    Setting{"lock_retry_budget", &ExecutionSettings::lock_retry_budget},
    Setting{"statement_timeout", &ExecutionSettings::statement_timeout},
    Setting{"connect_timeout", &ExecutionSettings::connect_timeout},
    Setting{"stop_grace", &ExecutionSettings::stop_grace},
    Setting{"max_replica_lag", &ExecutionSettings::max_replica_lag},
    Setting{"role", &ExecutionSettings::role},
    Setting{"search_path", &ExecutionSettings::search_path},
    Setting{"application_name", &ExecutionSettings::application_name},
    Setting{"allow_session_pooler", &ExecutionSettings::allow_session_pooler},
    Setting{"version_table", &Configuration::version_table},
    Setting{"version_table_schema", &Configuration::version_table_schema},
    Setting{"recursive_version_locations", &Configuration::recursive_version_locations},
    Setting{"transaction_per_migration", &Configuration::transaction_per_migration},
    Setting{"keep_catalog", &Configuration::ledger_keeps_catalog},
    Setting{"header_cache", &Configuration::header_cache},
};

Result<bool> parse_switch(std::string_view value) {
  if (value == "true") {
    return true;
  }
  if (value == "false") {
    return false;
  }
  return fail(ErrorCode::Usage, "'" + std::string(value) + "' is neither true nor false");
}

struct Assign {
  Configuration& configuration;
  std::string_view value;

  Result<void> operator()(Duration field) const {
    TRY_ASSIGN(configuration.execution.*field, parse_duration(value));
    return {};
  }
  Result<void> operator()(Text field) const {
    configuration.execution.*field = value;
    return {};
  }
  Result<void> operator()(Switch field) const {
    TRY_ASSIGN(configuration.execution.*field, parse_switch(value));
    return {};
  }
  Result<void> operator()(TopText field) const {
    configuration.*field = value;
    return {};
  }
  Result<void> operator()(TopSwitch field) const {
    TRY_ASSIGN(configuration.*field, parse_switch(value));
    return {};
  }
};

// The same check as for the file: PostgreSQL would silently truncate a longer name.
Result<void> check_identifier(std::string_view key, std::string_view value) {
  constexpr std::size_t kLongest = 63;
  const bool is_name = key == "role" || key == "application_name" || key.starts_with("version_table");
  if (is_name && value.size() > kLongest) {
    return fail(ErrorCode::Usage, "the name is longer than PostgreSQL's limit of " + std::to_string(kLongest) + " bytes");
  }
  if ((key == "version_table" || key == "application_name") && value.empty()) {
    return fail(ErrorCode::Usage, "the name is empty");
  }
  return {};
}

constexpr std::string_view kLintPrefix = "lint.";

// One entry of `lint:`: a rule and its level, or small_table_rows.
Result<void> override_lint(LintSettings& settings, std::string_view key, std::string_view value) {
  const auto refuse = [&](std::string message, std::string hint = {}) {
    return fail(Error(ErrorCode::Usage, std::move(message)).at("-x lint." + std::string(key)).advise(std::move(hint)));
  };
  if (key == "small_table_rows") {
    std::int64_t rows = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rows);
    if (error != std::errc() || end != value.data() + value.size() || rows < 0) {
      return refuse("'" + std::string(value) + "' is not a number of rows");
    }
    settings.small_table_rows = rows;
    return {};
  }
  if (find_rule(key) == nullptr) {
    return refuse("unknown rule '" + std::string(key) + "'", suggest_rule(key));
  }
  const auto level = severity_named(value);
  if (!level) {
    return refuse("'" + std::string(value) + "' is not one of error, warning, info, off");
  }
  settings.levels[std::string(key)] = *level;
  return {};
}

bool names_the_database(std::string_view key) {
  return key == "url" || key == "database_url" || key == "password" || key == "sqlalchemy.url";
}

}  // namespace

Result<void> override_setting(Configuration& configuration, std::string_view assignment) {
  const std::size_t equals = assignment.find('=');
  const std::string_view key = assignment.substr(0, equals);
  if (names_the_database(key)) {
    return fail(Error(ErrorCode::Usage, "-x cannot set the database: other users can see the arguments of a process")
                    .advise("set DATABASE_URL in the environment"));
  }
  if (equals == std::string_view::npos) {
    return fail(Error(ErrorCode::Usage, "-x needs KEY=VALUE").advise("for example -x lock_timeout=5s"));
  }
  if (key.starts_with(kLintPrefix)) {
    return override_lint(configuration.lint, key.substr(kLintPrefix.size()), assignment.substr(equals + 1));
  }
  const auto found = std::ranges::find(kSettings, key, &Setting::key);
  if (found == kSettings.end()) {
    std::vector<std::string_view> keys;
    std::string known;
    for (const Setting& setting : kSettings) {
      keys.push_back(setting.key);
      known += known.empty() ? "" : ", ";
      known += setting.key;
    }
    const std::string_view near = closest_name(key, keys);
    return fail(Error(ErrorCode::Usage, "unknown -x setting '" + std::string(key) + "'")
                    .advise(near.empty() ? "known settings: " + known
                                         : "did you mean `" + std::string(near) + "`? Known settings: " + known));
  }
  const std::string_view value = assignment.substr(equals + 1);
  return check_identifier(key, value)
      .and_then([&] {
        return std::visit(Assign{configuration, value}, found->field);
      })
      .map_error([&](Error error) {
        error.code = ErrorCode::Usage;
        return std::move(error).at("-x " + std::string(key));
      });
}

}  // namespace athanor
