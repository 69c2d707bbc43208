#include "migrations/cli/post_write_hook.hpp"

#include "migrations/base/process.hpp"
#include "migrations/text/shell_words.hpp"

namespace athanor::cli {
namespace {

constexpr std::string_view kFileToken = "REVISION_SCRIPT_FILENAME";

Error named(Error error, const PostWriteHook& hook) {
  return std::move(error).at("post_write_hooks, hook '" + hook.name + "'");
}

}  // namespace

Result<std::vector<std::string>> hook_command(const PostWriteHook& hook, const std::string& file) {
  auto options = split_words(hook.options);
  if (!options) {
    return fail(named(std::move(options).error(), hook));
  }
  std::vector<std::string> words;
  if (hook.type == "module") {  // a Python module
    words = {"python3", "-m"};
  }
  words.push_back(hook.entrypoint);
  if (hook.options.find(kFileToken) == std::string::npos) {
    words.push_back(file);
  }
  for (std::string& option : *options) {
    for (std::size_t at = option.find(kFileToken); at != std::string::npos; at = option.find(kFileToken, at + file.size())) {
      option.replace(at, kFileToken.size(), file);
    }
    words.push_back(std::move(option));
  }
  return words;
}

Result<void> run_hooks(const std::vector<PostWriteHook>& hooks, const std::string& file) {
  for (const PostWriteHook& hook : hooks) {
    TRY_ASSIGN(std::vector<std::string> words, hook_command(hook, file));
    ProcessCommand command = foreground_command(std::move(words));
    command.folder = hook.cwd;
    command.out_to_err = true;
    auto end = run_process(command, {}, {});
    if (!end) {
      return fail(named(std::move(end).error(), hook));
    }
    if (end->exit_code != 0) {
      return fail(named(
          Error(ErrorCode::Io, "exit code " + std::to_string(end->exit_code)).advise("the revision file was written: " + file),
          hook));
    }
  }
  return {};
}

}  // namespace athanor::cli
