#include "operator/log/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <cmath>

namespace athanor::controller {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      break;
  }
  return spdlog::level::err;
}

void append_json_string(std::string& json, std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  json += '"';
  for (const char character : text) {
    const auto byte = static_cast<unsigned char>(character);
    if (character == '"' || character == '\\') {
      json += '\\';
      json += character;
    } else if (character == '\n') {
      json += "\\n";
    } else if (byte < 0x20 || byte == 0x7F) {
      json += "\\u00";
      json += kDigits[byte >> 4U];
      json += kDigits[byte & 0x0FU];
    } else {
      json += character;
    }
  }
  json += '"';
}

void append_field(std::string& json, const LogField& field) {
  json += ',';
  append_json_string(json, field.key());
  json += ':';
  const LogField::Value& value = field.value();
  if (const auto* text = std::get_if<std::string>(&value)) {
    append_json_string(json, *text);
  } else if (const auto* whole = std::get_if<std::int64_t>(&value)) {
    json += std::to_string(*whole);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    json += *flag ? "true" : "false";
  } else if (const double number = std::get<double>(value); std::isfinite(number)) {
    json += std::to_string(number);
  } else {
    json += "null";
  }
}

}  // namespace

Result<LogLevel> parse_log_level(std::string_view text) {
  for (const auto& [name, level] : {std::pair{"debug", LogLevel::Debug}, std::pair{"info", LogLevel::Info},
                                    std::pair{"warn", LogLevel::Warn}, std::pair{"error", LogLevel::Error}}) {
    if (text == name) {
      return level;
    }
  }
  return fail(
      Error(ErrorCode::Usage, "unknown log level '" + std::string(text) + "'").advise("use debug, info, warn or error"));
}

Log::Log(LogLevel level) {
  logger_ = std::make_shared<spdlog::logger>("athanor-operator", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger_->set_pattern(R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})", spdlog::pattern_time_type::utc);
  logger_->set_level(spdlog_level(level));
  logger_->flush_on(spdlog::level::debug);
}

Log Log::with(LogFields fields) const {
  Log log(*this);
  log.always_.insert(log.always_.end(), std::make_move_iterator(fields.begin()), std::make_move_iterator(fields.end()));
  return log;
}

bool Log::enabled(LogLevel level) const {
  return logger_ != nullptr && logger_->should_log(spdlog_level(level));
}

void Log::write(LogLevel level, std::string_view message, const LogFields& fields) const {
  if (!enabled(level)) {
    return;
  }
  std::string json = "\"message\":";
  append_json_string(json, message);
  for (const auto& field : always_) {
    append_field(json, field);
  }
  for (const auto& field : fields) {
    append_field(json, field);
  }
  logger_->log(spdlog_level(level), spdlog::string_view_t(json));
}

LogFields error_fields(const Error& error) {
  LogFields fields{{"code", error_name(error.code)}, {"error", error.describe()}};
  if (!error.hint.empty()) {
    fields.emplace_back("hint", error.hint);
  }
  if (!error.sqlstate.empty()) {
    fields.emplace_back("sqlstate", error.sqlstate);
  }
  return fields;
}

}  // namespace athanor::controller
