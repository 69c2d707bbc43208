// The command line of athanor-operator.
//
// Threads: plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/revision/source.hpp"
#include "operator/log/log.hpp"

namespace athanor::controller {

struct Options {
  std::string manifests;
  std::string state;   // empty: <manifests>/.athanor
  std::string listen;  // empty: 127.0.0.1:8080, or off with --once
  std::vector<std::string> source_roots;
  std::vector<std::string> secret_roots;
  std::size_t workers = 8;
  std::size_t per_server = 8;
  milliseconds resync{300'000};
  SourceLimits limits;
  bool once = false;
  bool json = false;
  std::optional<LogLevel> log_level;  // empty: info, or warn with --once
  bool help = false;
  bool version = false;
};

// Errors are Usage errors that name the option.
[[nodiscard]] Result<Options> parse_options(const std::vector<std::string>& arguments);
[[nodiscard]] std::string help_text();

}  // namespace athanor::controller
