// Parses the words of a command line with a table of flags: "--name value", "--name=value", "-n value", "-nvalue", and
// switches, whose letters may be combined. "-1" is an operand, because Alembic has relative targets. "--" ends the flags.
//
// The program decides what to do with operands and how to word errors: the parser calls it for each.
//
// Threads: one. Ownership: borrows the table and the words; the result points into both.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/options/flag_spec.hpp"

namespace athanor {

struct GivenFlag {
  const FlagSpec* flag;
  std::string_view value;  // empty for a switch
};

struct FlagFault {
  enum class Kind : std::uint8_t { Unknown, NeedsValue, TakesNoValue, Twice };
  Kind kind;
  std::string typed;       // the flag as typed, without a value
  const FlagSpec* flag{};  // null for an unknown flag
};

class FlagParser {
 public:
  using TakeOperand = std::function<Result<void>(std::string_view word)>;
  using Describe = std::function<Error(const FlagFault& fault)>;

  FlagParser(std::span<const FlagSpec> flags, TakeOperand take_operand, Describe describe);

  // Adds flags that take precedence over the others, such as those of a subcommand.
  void prefer(std::span<const FlagSpec> flags) { preferred_ = flags; }
  // Stops at the first fault, or at the first error for an operand.
  [[nodiscard]] Result<std::vector<GivenFlag>> parse(std::span<const std::string_view> words);

 private:
  [[nodiscard]] Result<void> take(std::string_view word);
  [[nodiscard]] Result<void> take_long(std::string_view word);
  [[nodiscard]] Result<void> take_letters(std::string_view letters);
  [[nodiscard]] Result<void> take_value(const FlagSpec& flag, std::string_view typed);
  [[nodiscard]] Result<void> keep(const FlagSpec& flag, std::string_view value);
  template <class Predicate>
  [[nodiscard]] const FlagSpec* find(const Predicate& matches) const;
  [[nodiscard]] tl::unexpected<Error> fault(FlagFault::Kind kind, std::string_view typed, const FlagSpec* flag = nullptr) const;

  std::span<const FlagSpec> flags_;
  std::span<const FlagSpec> preferred_;
  TakeOperand take_operand_;
  Describe describe_;
  std::span<const std::string_view> words_;  // the remaining words of parse()
  bool flags_ended_ = false;
  std::vector<GivenFlag> given_;
};

}  // namespace athanor
