// What a command receives: its arguments, its output, and the outside world as functions, so that tests can replace any part of
// it and only app.cpp knows the real one.
//
// Threads: one thread. Ownership: borrows everything.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/cli/arguments.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/config/configuration.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/session/session.hpp"

namespace athanor::cli {

struct ProcessEnvironment {
  // An environment variable; empty if it is not set.
  std::function<std::optional<std::string>(const char* name)> variable;
  // Starts connecting in the background and returns immediately.
  std::function<Result<std::unique_ptr<SessionFactory>>(const std::string& url, const ExecutionSettings& settings)> connect;
  std::function<std::unique_ptr<RevisionSource>(const Configuration& configuration)> open_source;
  // For programs that connect on their own (pg_dump): the libpq keywords and values of a URL, including the password, and the
  // environment as "NAME=value".
  std::function<Result<std::vector<std::pair<std::string, std::string>>>(const std::string& url)> connection_keywords;
  std::function<std::vector<std::string>()> environment;
  // Replaces this process with another of our programs, found beside this one or on PATH. Returns only if that fails. May be
  // null.
  std::function<Error(const std::vector<std::string>& command)> become{};
  // Prompts on the terminal and waits for a line; empty at the end of the input. Null without a terminal.
  std::function<std::optional<std::string>(const std::string& question)> ask{};
  // The folder for caches; empty: no caches.
  std::string cache_folder{};
  Clock* clock = nullptr;
  StopToken stop;
  std::string actor;  // "alice@laptop"
  bool out_is_terminal = false;
  bool err_is_terminal = false;
  int columns = 80;  // width of the terminal on standard error
};

class CommandContext {
 public:
  CommandContext(const Arguments& arguments, Output& output, const ProcessEnvironment& outside)
      : arguments_(arguments), output_(output), outside_(outside) {}

  [[nodiscard]] const Arguments& arguments() const { return arguments_; }
  [[nodiscard]] Output& output() { return output_; }
  [[nodiscard]] const ProcessEnvironment& outside() const { return outside_; }
  [[nodiscard]] bool json() const { return output_.json(); }
  [[nodiscard]] bool verbose() const { return output_.style().verbose; }

 private:
  const Arguments& arguments_;
  Output& output_;
  const ProcessEnvironment& outside_;
};

}  // namespace athanor::cli
