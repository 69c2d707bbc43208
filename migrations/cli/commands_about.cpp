// The verbs completion, help, man and version.
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/help.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

// Prints a text as the whole result; with --json it is the field `text`.
Result<void> say(CommandContext& context, const std::string& text) {
  if (context.json()) {
    context.output().fields()["text"] = text;
  }
  context.output().text(text);
  return {};
}

}  // namespace

Result<void> run_completion(CommandContext& context) {
  TRY_ASSIGN(const std::string script, completion_script(context.arguments().operands().front()));
  return say(context, script);
}

Result<void> run_man(CommandContext& context) {
  return say(context, manual_page());
}

Result<void> run_help(CommandContext& context) {
  const auto& operands = context.arguments().operands();
  if (operands.empty()) {
    return say(context, general_help());
  }
  const CommandSpec* command = find_command(operands.front());
  if (command == nullptr) {
    std::vector<std::string_view> names;
    for (const CommandSpec& known : commands()) {
      names.push_back(known.name);
    }
    return fail(Error(ErrorCode::Usage, "unknown command '" + operands.front() + "'").advise(suggest(operands.front(), names)));
  }
  return say(context, command_help(*command));
}

Result<void> run_version(CommandContext& context) {
  context.output().set_message(std::string(version_line()));
  if (context.json()) {
    context.output().fields()["version"] = version_number();
  }
  context.output().line(version_line());
  return {};
}

}  // namespace athanor::cli
