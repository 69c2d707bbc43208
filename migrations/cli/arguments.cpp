#include "migrations/cli/arguments.hpp"

#include <algorithm>

#include "migrations/cli/foreign_words.hpp"
#include "migrations/text/suggestion.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor::cli {
namespace {

std::string help_command(const CommandSpec* command) {
  return command == nullptr ? std::string("athanor --help") : "athanor " + std::string(command->name) + " --help";
}

Error usage(const CommandSpec* command, std::string message, std::string hint = {}) {
  if (hint.empty()) {
    hint = "see `" + help_command(command) + "`";
  }
  return Error(ErrorCode::Usage, std::move(message)).advise(std::move(hint));
}

// Arguments become part of files, messages and the ledger, so they must be text: UTF-8 without control characters. Line ends
// are left to the check of messages, which has a better error.
Result<void> check_words(std::span<const std::string_view> words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    const std::string which = "argument " + std::to_string(i + 1);
    if (find_non_text(word, true)) {
      return fail(usage(nullptr, which + " is not UTF-8", "set the terminal or the calling program to UTF-8"));
    }
    if (holds_control_character(word)) {
      return fail(usage(nullptr, which + " contains a control character", "remove it; a message is one line of text"));
    }
  }
  return {};
}

}  // namespace

Result<Arguments> Arguments::parse(std::span<const std::string_view> words) {
  TRY(check_words(words));
  Arguments arguments;
  FlagParser parser(
      global_flags(),
      [&](std::string_view word) -> Result<void> {
        if (arguments.command_ != nullptr) {
          arguments.operands_.emplace_back(word);
          return {};
        }
        TRY(arguments.take_command(word));
        parser.prefer(arguments.command_->flags);
        return {};
      },
      [&](const FlagFault& fault) { return arguments.describe(fault); });
  TRY_ASSIGN(arguments.given_, parser.parse(words));
  TRY(arguments.check_operands());
  return arguments;
}

Result<void> Arguments::take_command(std::string_view word) {
  command_ = find_command(word);
  if (command_ != nullptr) {
    return {};
  }
  std::vector<std::string_view> names;
  for (const CommandSpec& command : commands()) {
    names.push_back(command.name);
  }
  return fail(
      usage(nullptr, "unknown command '" + std::string(word) + "'", hint_for_verb(word).value_or(suggest(word, names))));
}

Error Arguments::describe(const FlagFault& fault) const {
  switch (fault.kind) {
    case FlagFault::Kind::Unknown:
      return describe_unknown(fault.typed);
    case FlagFault::Kind::NeedsValue:
      return usage(command_, fault.typed + " needs a value: " + std::string(fault.flag->value));
    case FlagFault::Kind::TakesNoValue:
      return usage(command_, fault.typed + " takes no value");
    case FlagFault::Kind::Twice:
      break;
  }
  return usage(command_, fault.typed + " is given twice");
}

Error Arguments::describe_unknown(const std::string& typed) const {
  const std::string where = command_ == nullptr ? std::string() : " for 'athanor " + std::string(command_->name) + "'";
  std::vector<std::string_view> names;
  for (const FlagSpec& flag : global_flags()) {
    names.push_back(flag.name);
  }
  if (command_ != nullptr) {
    for (const FlagSpec& flag : command_->flags) {
      names.push_back(flag.name);
    }
  }
  const std::string_view near = closest_name(typed, names);
  std::string hint;
  if (auto foreign = hint_for_flag(typed, command_ == nullptr ? std::string_view() : command_->name)) {
    hint = std::move(*foreign);
  } else if (!near.empty()) {
    hint = "did you mean `" + std::string(near) + "`?";
  } else if (command_ == nullptr) {
    hint = "flags of a command follow its name; see `athanor --help`";
  }
  return usage(command_, "unknown flag " + typed + where, hint);
}

Result<void> Arguments::check_operands() const {
  if (command_ == nullptr || has("--help") || has("--version")) {
    return {};
  }
  const auto count = static_cast<int>(operands_.size());
  const std::string name(command_->name);
  if (count < command_->least) {
    const std::string example = name == "upgrade"     ? "to apply everything that is pending: `athanor upgrade head`"
                                : name == "downgrade" ? "to undo the last revision: `athanor downgrade -1`"
                                                      : "";
    return fail(usage(command_, "'athanor " + name + "' needs " + std::string(command_->operands), example));
  }
  if (command_->most >= 0 && count > command_->most) {
    const std::string& extra = operands_[static_cast<std::size_t>(command_->most)];
    return fail(usage(command_, "'athanor " + name + "' does not take '" + extra + "'"));
  }
  return {};
}

bool Arguments::has(std::string_view flag) const {
  return std::ranges::any_of(given_, [&](const GivenFlag& given) { return given.flag->name == flag; });
}

std::optional<std::string> Arguments::value(std::string_view flag) const {
  const auto found =
      std::ranges::find_if(given_.rbegin(), given_.rend(), [&](const GivenFlag& given) { return given.flag->name == flag; });
  return found == given_.rend() ? std::nullopt : std::optional<std::string>(found->value);
}

std::vector<std::string> Arguments::values(std::string_view flag) const {
  std::vector<std::string> all;
  for (const GivenFlag& given : given_) {
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
