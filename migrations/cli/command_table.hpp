// The table of all verbs and flags. Parsing, --help, shell completion, the man page and the dispatch read it, so they always
// agree.
//
// Threads: constant data.
#pragma once

#include <span>
#include <string_view>

#include "migrations/base/result.hpp"
#include "migrations/options/flag_spec.hpp"

namespace athanor::cli {

class CommandContext;

struct Example {
  std::string_view command;
  std::string_view meaning;
};

struct CommandSpec {
  std::string_view name;
  std::string_view summary;   // one line, for the list of verbs
  std::string_view operands;  // as the usage line shows them
  int least = 0;              // number of operands
  int most = 0;               // negative: any number
  Completes completes = Completes::Nothing;
  std::span<const FlagSpec> flags;
  std::string_view details;  // paragraphs, separated by an empty line
  std::span<const Example> examples;
  Result<void> (*run)(CommandContext& context) = nullptr;
};

[[nodiscard]] std::span<const CommandSpec> commands();

// A section of the list of verbs. Every verb is in exactly one.
struct CommandGroup {
  std::string_view title;
  std::span<const std::string_view> verbs;
};
[[nodiscard]] std::span<const CommandGroup> command_groups();
[[nodiscard]] std::span<const FlagSpec> global_flags();
// Finds a verb by name; '-' and '_' are equivalent. Null if there is none.
[[nodiscard]] const CommandSpec* find_command(std::string_view name);

}  // namespace athanor::cli
