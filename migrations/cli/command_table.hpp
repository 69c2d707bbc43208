// The one table of verbs and flags. Parsing, --help, shell completion, the man page and the dispatch all read it, so none of
// them can know a flag that another does not.
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
  int least = 0;              // operands
  int most = 0;               // negative: any number
  Completes completes = Completes::Nothing;
  std::span<const FlagSpec> flags;
  std::string_view details;  // paragraphs, separated by an empty line
  std::span<const Example> examples;
  Result<void> (*run)(CommandContext& context) = nullptr;
};

[[nodiscard]] std::span<const CommandSpec> commands();

// How the list of verbs is shown. Every verb is in one group.
struct CommandGroup {
  std::string_view title;
  std::span<const std::string_view> verbs;
};
[[nodiscard]] std::span<const CommandGroup> command_groups();
[[nodiscard]] std::span<const FlagSpec> global_flags();
// By name; '-' and '_' are the same in a verb. nullptr when there is none.
[[nodiscard]] const CommandSpec* find_command(std::string_view name);

}  // namespace athanor::cli
