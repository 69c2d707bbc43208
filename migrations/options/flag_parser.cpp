#include "migrations/options/flag_parser.hpp"

#include <algorithm>
#include <utility>

namespace athanor {
namespace {

// "-1" and "-2" are relative targets.
bool is_relative_target(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

}  // namespace

FlagParser::FlagParser(std::span<const FlagSpec> flags, TakeOperand take_operand, Describe describe)
    : flags_(flags), take_operand_(std::move(take_operand)), describe_(std::move(describe)) {}

Result<std::vector<GivenFlag>> FlagParser::parse(std::span<const std::string_view> words) {
  words_ = words;
  flags_ended_ = false;
  given_.clear();
  while (!words_.empty()) {
    const std::string_view word = words_.front();
    words_ = words_.subspan(1);
    TRY(take(word));
  }
  return std::move(given_);
}

Result<void> FlagParser::take(std::string_view word) {
  if (flags_ended_ || word.size() < 2 || word[0] != '-' || is_relative_target(word)) {
    return take_operand_(word);
  }
  if (word == "--") {
    flags_ended_ = true;
    return {};
  }
  return word[1] == '-' ? take_long(word) : take_letters(word.substr(1));
}

Result<void> FlagParser::take_long(std::string_view word) {
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const FlagSpec* flag = find([&](const FlagSpec& spec) { return spec.name == name; });
  if (flag == nullptr) {
    return fault(FlagFault::Kind::Unknown, name);
  }
  if (equals != std::string_view::npos) {
    return flag->value.empty() ? fault(FlagFault::Kind::TakesNoValue, name, flag) : keep(*flag, word.substr(equals + 1));
  }
  return flag->value.empty() ? keep(*flag, {}) : take_value(*flag, name);
}

// "-qv", "-m text", "-mtext".
Result<void> FlagParser::take_letters(std::string_view letters) {
  while (!letters.empty()) {
    const char letter = letters.front();
    letters.remove_prefix(1);
    const FlagSpec* flag = find([&](const FlagSpec& spec) { return spec.letter == letter; });
    const std::string typed{'-', letter};
    if (flag == nullptr) {
      return fault(FlagFault::Kind::Unknown, typed);
    }
    if (!flag->value.empty()) {
      return letters.empty() ? take_value(*flag, typed) : keep(*flag, letters);
    }
    TRY(keep(*flag, {}));
  }
  return {};
}

Result<void> FlagParser::take_value(const FlagSpec& flag, std::string_view typed) {
  if (words_.empty()) {
    return fault(FlagFault::Kind::NeedsValue, typed, &flag);
  }
  const std::string_view value = words_.front();
  words_ = words_.subspan(1);
  return keep(flag, value);
}

Result<void> FlagParser::keep(const FlagSpec& flag, std::string_view value) {
  const bool again = std::ranges::any_of(given_, [&](const GivenFlag& given) { return given.flag->name == flag.name; });
  if (again && !flag.repeatable && !flag.value.empty()) {
    return fault(FlagFault::Kind::Twice, flag.name, &flag);
  }
  given_.push_back({&flag, value});
  return {};
}

template <class Predicate>
const FlagSpec* FlagParser::find(const Predicate& matches) const {
  for (const auto flags : {preferred_, flags_}) {
    if (const auto found = std::ranges::find_if(flags, matches); found != flags.end()) {
      return &*found;
    }
  }
  return nullptr;
}

tl::unexpected<Error> FlagParser::fault(FlagFault::Kind kind, std::string_view typed, const FlagSpec* flag) const {
  return fail(describe_({kind, std::string(typed), flag}));
}

}  // namespace athanor
