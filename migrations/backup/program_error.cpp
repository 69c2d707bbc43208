#include "migrations/backup/program_error.hpp"

#include <algorithm>
#include <array>

namespace athanor {
namespace {

constexpr std::size_t kMost = 500;
constexpr std::array<std::string_view, 4> kMarks{": error: ", ": fatal: ", ": FATAL:  ", ": ERROR:  "};

std::string printable_line(std::string_view line) {
  std::string text;
  for (const char c : line.substr(0, kMost)) {
    text += static_cast<unsigned char>(c) < 0x20U ? ' ' : c;
  }
  while (!text.empty() && text.size() == kMost && (static_cast<unsigned char>(text.back()) & 0xC0U) == 0x80U) {
    text.pop_back();  // do not split a UTF-8 sequence
  }
  return text;
}

std::string without_secrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) {
      continue;
    }
    for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

}  // namespace

std::string program_message(std::string_view err, const std::vector<std::string>& secrets) {
  while (!err.empty()) {
    const auto end = std::min(err.find('\n'), err.size());
    std::string_view line = err.substr(0, end);
    err.remove_prefix(std::min(end + 1, err.size()));
    for (const std::string_view mark : kMarks) {
      const auto at = line.find(mark);
      if (at == std::string_view::npos) {
        continue;
      }
      line.remove_prefix(at + mark.size());
      // `invalid input syntax for type integer: "4111-1111"`: drop the value.
      line = line.substr(0, line.find(": \""));
      return printable_line(without_secrets(std::string(line), secrets));
    }
  }
  return {};
}

Error program_error(std::string_view program, int exit_code, std::string_view err, const std::vector<std::string>& secrets,
                    ErrorCode otherwise) {
  const std::string program_text = program_message(err, secrets);
  const auto says = [&](std::string_view text) { return program_text.find(text) != std::string::npos; };
  std::string message = std::string(program) + " failed";
  if (exit_code > 128) {
    message += " (ended by signal " + std::to_string(exit_code - 128) + ")";
  } else if (program_text.empty()) {
    message += " with exit code " + std::to_string(exit_code);
  }
  if (!program_text.empty()) {
    message += ": " + program_text;
  }
  // pg_dump implements --lock-wait-timeout as a statement_timeout around LOCK TABLE, and sets no other.
  if (says("lock timeout") || says("statement timeout")) {
    return Error(ErrorCode::LockTimeout, std::move(message))
        .advise("another session has locked a table; try again later, or raise backup.lock_timeout");
  }
  if (says("server version mismatch") || says("unsupported version")) {
    return Error(ErrorCode::BackupRefused, std::move(message)).advise("install newer PostgreSQL client programs");
  }
  if (says("permission denied") || says("must be owner") || says("must be member of role")) {
    return Error(ErrorCode::InsufficientPrivilege, std::move(message))
        .advise("the user must be able to read every table: GRANT pg_read_all_data, or set execution.role");
  }
  return {otherwise, std::move(message)};
}

Error program_error(std::string_view program, const ProcessCommand& command, const ProcessEnd& end,
                    const std::vector<std::string>& secrets, ErrorCode otherwise) {
  if (!end.timed_out) {
    return program_error(program, end.exit_code, end.err, secrets, otherwise);
  }
  const auto hours = [](milliseconds time) { return std::to_string(time / std::chrono::hours(1)) + " hours"; };
  const std::string why = command.idle_timeout.count() > 0
                              ? "neither read nor wrote anything for " + hours(command.idle_timeout)
                              : "did not end within " + hours(command.timeout);
  return {otherwise, std::string(program) + " " + why + " and was ended"};
}

}  // namespace athanor
