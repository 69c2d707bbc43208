#include "migrations/cli/arguments.hpp"

#include <algorithm>

#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

// "-1", "-2": relative targets.
bool is_relative_target(std::string_view word) {
  return word.size() > 1 && word[0] == '-' && word[1] >= '0' && word[1] <= '9';
}

std::string help_command(const CommandSpec* command) {
  return command == nullptr ? std::string("athanor --help") : "athanor " + std::string(command->name) + " --help";
}

tl::unexpected<Error> usage(const CommandSpec* command, std::string message, std::string hint = {}) {
  if (hint.empty()) {
    hint = "see `" + help_command(command) + "`";
  }
  return fail(Error(ErrorCode::Usage, std::move(message)).advise(std::move(hint)));
}

}  // namespace

class Arguments::Parser {
 public:
  explicit Parser(std::span<const std::string_view> words) : words_(words) {}

  Result<Arguments> run() {
    while (next_ < words_.size()) {
      TRY(take(words_[next_++]));
    }
    TRY(check_operands());
    return std::move(result_);
  }

 private:
  Result<void> take(std::string_view word) {
    if (flags_ended_ || word.size() < 2 || word[0] != '-' || is_relative_target(word)) {
      return take_operand(word);
    }
    if (word == "--") {
      flags_ended_ = true;
      return {};
    }
    return word[1] == '-' ? take_long(word) : take_letters(word.substr(1));
  }

  Result<void> take_operand(std::string_view word) {
    if (result_.command_ != nullptr) {
      result_.operands_.emplace_back(word);
      return {};
    }
    result_.command_ = find_command(word);
    if (result_.command_ != nullptr) {
      return {};
    }
    std::vector<std::string_view> names;
    for (const CommandSpec& command : commands()) {
      names.push_back(command.name);
    }
    return usage(nullptr, "there is no command '" + std::string(word) + "'", suggest(word, names));
  }

  // The verb's own flags first.
  template <class Predicate>
  [[nodiscard]] const FlagSpec* find_flag(const Predicate& matches) const {
    if (result_.command_ != nullptr) {
      const auto own = std::ranges::find_if(result_.command_->flags, matches);
      if (own != result_.command_->flags.end()) {
        return &*own;
      }
    }
    const auto global = std::ranges::find_if(global_flags(), matches);
    return global == global_flags().end() ? nullptr : &*global;
  }

  Result<void> take_long(std::string_view word) {
    const std::size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const FlagSpec* flag = find_flag([&](const FlagSpec& spec) { return spec.name == name; });
    if (flag == nullptr) {
      return unknown(name);
    }
    if (equals != std::string_view::npos) {
      if (flag->value.empty()) {
        return usage(result_.command_, std::string(name) + " takes no value");
      }
      return keep(*flag, word.substr(equals + 1));
    }
    return flag->value.empty() ? keep(*flag, {}) : take_value(*flag, name);
  }

  // "-qv", "-m text", "-mtext".
  Result<void> take_letters(std::string_view letters) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const FlagSpec* flag = find_flag([&](const FlagSpec& spec) { return spec.letter == letter; });
      const std::string typed{'-', letter};
      if (flag == nullptr) {
        return unknown(typed);
      }
      if (flag->value.empty()) {
        TRY(keep(*flag, {}));
        continue;
      }
      return letters.empty() ? take_value(*flag, typed) : keep(*flag, letters);
    }
    return {};
  }

  Result<void> take_value(const FlagSpec& flag, std::string_view typed) {
    if (next_ == words_.size()) {
      return usage(result_.command_, std::string(typed) + " needs a value: " + std::string(flag.value));
    }
    return keep(flag, words_[next_++]);
  }

  Result<void> keep(const FlagSpec& flag, std::string_view value) {
    if (!flag.repeatable && !flag.value.empty() && result_.has(flag.name)) {
      return usage(result_.command_, std::string(flag.name) + " is given twice");
    }
    result_.given_.push_back({&flag, value});
    return {};
  }

  tl::unexpected<Error> unknown(std::string_view typed) {
    std::string where =
        result_.command_ == nullptr ? std::string() : " for 'athanor " + std::string(result_.command_->name) + "'";
    std::vector<std::string_view> names;
    for (const FlagSpec& flag : global_flags()) {
      names.push_back(flag.name);
    }
    if (result_.command_ != nullptr) {
      for (const FlagSpec& flag : result_.command_->flags) {
        names.push_back(flag.name);
      }
    }
    const std::string_view near = closest_name(typed, names);
    std::string hint;
    if (!near.empty()) {
      hint = "did you mean `" + std::string(near) + "`?";
    } else if (result_.command_ == nullptr) {
      hint = "flags of a command follow its name; see `athanor --help`";
    }
    return usage(result_.command_, "there is no flag " + std::string(typed) + where, hint);
  }

  Result<void> check_operands() {
    const CommandSpec* command = result_.command_;
    if (command == nullptr || result_.has("--help") || result_.has("--version")) {
      return {};
    }
    const auto count = static_cast<int>(result_.operands_.size());
    const std::string name(command->name);
    if (count < command->least) {
      return usage(command, "'athanor " + name + "' needs " + std::string(command->operands));
    }
    if (command->most >= 0 && count > command->most) {
      return usage(command,
                   "'athanor " + name + "' does not take '" + result_.operands_[static_cast<std::size_t>(command->most)] + "'");
    }
    return {};
  }

  std::span<const std::string_view> words_;
  std::size_t next_ = 0;
  bool flags_ended_ = false;
  Arguments result_;
};

Result<Arguments> Arguments::parse(std::span<const std::string_view> words) {
  return Parser(words).run();
}

bool Arguments::has(std::string_view flag) const {
  return std::ranges::any_of(given_, [&](const Given& given) { return given.flag->name == flag; });
}

std::optional<std::string> Arguments::value(std::string_view flag) const {
  const auto found =
      std::ranges::find_if(given_.rbegin(), given_.rend(), [&](const Given& given) { return given.flag->name == flag; });
  return found == given_.rend() ? std::nullopt : std::optional<std::string>(found->value);
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const Given& given : given_) {
    if (given.flag->name == flag) {
      all.emplace_back(given.value);
    }
  }
  return all;
}

std::vector<std::string> Arguments::list(std::string_view flag) const {
  std::vector<std::string> all;
  for (const std::string& value : values(flag)) {
    std::string_view rest = value;
    while (!rest.empty()) {
      const std::size_t comma = rest.find(',');
      std::string_view one = rest.substr(0, comma);
      while (!one.empty() && one.front() == ' ') {
        one.remove_prefix(1);
      }
      while (!one.empty() && one.back() == ' ') {
        one.remove_suffix(1);
      }
      if (!one.empty()) {
        all.emplace_back(one);
      }
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  return all;
}

}  // namespace athanor::cli
