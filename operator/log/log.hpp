// Structured logs: one JSON object per line on standard error, through spdlog.
//
// A message is a constant; variable parts go into fields, so that logs can be counted and searched. Fields contain only text
// that may be published: Error values are sanitised where they are created, and URLs and passwords are never logged.
//
//   log.info("migration applied", {{"resource", key.text()}, {"revisions", 3}});
//
// Threads: safe from any thread. Ownership: copies of a Log share one sink and are cheap.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "migrations/base/result.hpp"

namespace spdlog {
class logger;
}

namespace athanor::controller {

enum class LogLevel : std::uint8_t { Debug, Info, Warn, Error };
// Parses "debug", "info", "warn" or "error". Error: Usage.
[[nodiscard]] Result<LogLevel> parse_log_level(std::string_view text);

// A key and a value of type string, integer, double or bool.
class LogField {
 public:
  using Value = std::variant<std::string, std::int64_t, double, bool>;
  LogField(std::string_view key, std::string value) : key_(key), value_(std::move(value)) {}
  LogField(std::string_view key, std::string_view value) : key_(key), value_(std::string(value)) {}
  LogField(std::string_view key, const char* value) : key_(key), value_(std::string(value)) {}
  LogField(std::string_view key, std::int64_t value) : key_(key), value_(value) {}
  LogField(std::string_view key, int value) : key_(key), value_(std::int64_t{value}) {}
  LogField(std::string_view key, std::size_t value) : key_(key), value_(static_cast<std::int64_t>(value)) {}
  LogField(std::string_view key, double value) : key_(key), value_(value) {}
  LogField(std::string_view key, bool value) : key_(key), value_(value) {}
  [[nodiscard]] const std::string& key() const { return key_; }
  [[nodiscard]] const Value& value() const { return value_; }

 private:
  std::string key_;
  Value value_;
};
using LogFields = std::vector<LogField>;

class Log {
 public:
  // Writes to standard error.
  explicit Log(LogLevel level);
  // Writes nothing.
  Log() = default;
  // Returns a log that adds these fields to every line.
  [[nodiscard]] Log with(LogFields fields) const;

  void debug(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::Debug, message, fields); }
  void info(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::Info, message, fields); }
  void warn(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::Warn, message, fields); }
  void error(std::string_view message, const LogFields& fields = {}) const { write(LogLevel::Error, message, fields); }
  [[nodiscard]] bool enabled(LogLevel level) const;

 private:
  void write(LogLevel level, std::string_view message, const LogFields& fields) const;
  std::shared_ptr<spdlog::logger> logger_;
  LogFields always_;
};

// Returns the fields that describe an error: code, error, hint, sqlstate.
[[nodiscard]] LogFields error_fields(const Error& error);

}  // namespace athanor::controller
