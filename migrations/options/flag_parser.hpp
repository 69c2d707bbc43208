// Words of a command line, told apart by a table of flags: "--name value", "--name=value", "-n value", "-nvalue", and switches,
// whose letters may be bundled. "-1" is an operand, as Alembic's relative targets are. "--" ends the flags.
//
// What the program calls its flags, and how it words a fault, is its own: it gets each operand and each fault.
//
// Threads: one. Ownership: borrows the table and the words; what was given points into both.
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
  std::string typed;       // the flag, without a value
  const FlagSpec* flag{};  // null: unknown
};

class FlagParser {
 public:
  using TakeOperand = std::function<Result<void>(std::string_view word)>;
  using Describe = std::function<Error(const FlagFault& fault)>;

  FlagParser(std::span<const FlagSpec> flags, TakeOperand take_operand, Describe describe);

  // Flags that are known from here on as well, and win over the others: those of a verb.
  void prefer(std::span<const FlagSpec> flags) { preferred_ = flags; }
  // Ends at the first fault, or at the first error of an operand.
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
  std::span<const std::string_view> words_;  // of parse(), that are left
  bool flags_ended_ = false;
  std::vector<GivenFlag> given_;
};

}  // namespace athanor
