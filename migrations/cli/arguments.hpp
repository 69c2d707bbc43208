// The command line, parsed and checked against the table of commands.
//
// Global flags may precede or follow the verb; a verb's own flag wins over a global one with the same letter, as in Alembic's
// `current -c`. "-1" is a target, not a flag. "--" ends the flags.
//
// Threads: plain values; views point into the table and into the program's arguments.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/cli/command_table.hpp"
#include "migrations/options/flag_parser.hpp"

namespace athanor::cli {

class Arguments {
 public:
  // Parses the arguments without the program's name. Error: Usage, with a suggestion for a misspelt verb or flag. A missing
  // verb is accepted, because --help and --version need none.
  [[nodiscard]] static Result<Arguments> parse(std::span<const std::string_view> words);

  // Null without a verb.
  [[nodiscard]] const CommandSpec* command() const { return command_; }
  [[nodiscard]] const std::vector<std::string>& operands() const { return operands_; }
  [[nodiscard]] bool has(std::string_view flag) const;
  // The last value given.
  [[nodiscard]] std::optional<std::string> value(std::string_view flag) const;
  // All values, in order.
  [[nodiscard]] std::vector<std::string> values(std::string_view flag) const;
  // Like values(), but with each split at commas.
  [[nodiscard]] std::vector<std::string> list(std::string_view flag) const;

 private:
  [[nodiscard]] Result<void> take_command(std::string_view word);
  [[nodiscard]] Error describe(const FlagFault& fault) const;
  [[nodiscard]] Error describe_unknown(const std::string& typed) const;
  [[nodiscard]] Result<void> check_operands() const;

  const CommandSpec* command_ = nullptr;
  std::vector<std::string> operands_;
  std::vector<GivenFlag> given_;
};

}  // namespace athanor::cli
