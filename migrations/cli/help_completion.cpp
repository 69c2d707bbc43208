#include <algorithm>
#include <array>

#include "migrations/cli/help.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor::cli {
namespace {

constexpr std::string_view kRevisions = "athanor history -q 2>/dev/null | sed -n 's/^.* -> \\([^ ,]*\\).*$/\\1/p'";

std::string flag_words(std::span<const FlagSpec> flags) {
  std::string words;
  for (const FlagSpec& flag : flags) {
    words += words.empty() ? "" : " ";
    words += flag.name;
    if (flag.letter != '\0') {
      words += std::string{' ', '-', flag.letter};
    }
  }
  return words;
}

std::string verb_words() {
  std::string words;
  for (const CommandSpec& command : commands()) {
    words += words.empty() ? "" : " ";
    words += command.name;
  }
  return words;
}

// The words to complete values of a kind with: a shell command substitution, or literal words.
std::string words_for(Completes kind) {
  switch (kind) {
    case Completes::Revision:
      return "head heads base current $(" + std::string(kRevisions) + ")";
    case Completes::Verb:
      return verb_words();
    case Completes::Shell:
      return "bash zsh fish";
    case Completes::Operation:
      return "upgrade downgrade to stamp head heads base $(" + std::string(kRevisions) + ")";
    case Completes::File:
    case Completes::Folder:
    case Completes::Nothing:
      break;
  }
  return {};
}

std::string bash_reply(Completes kind, std::string_view fallback) {
  if (kind == Completes::File) {
    return "COMPREPLY=($(compgen -f -- \"$word\"))";
  }
  if (kind == Completes::Folder) {
    return "COMPREPLY=($(compgen -d -- \"$word\"))";
  }
  const std::string words = words_for(kind);
  return "COMPREPLY=($(compgen -W \"" + (words.empty() ? std::string(fallback) : words) + "\" -- \"$word\"))";
}

// Case branches for flags whose values can be completed.
std::string bash_value_cases(std::span<const FlagSpec> flags, std::string_view verb) {
  std::string out;
  for (const FlagSpec& flag : flags) {
    if (flag.completes == Completes::Nothing) {
      continue;
    }
    const std::string prefix(verb);
    out += "    " + prefix + ":" + std::string(flag.name);
    if (flag.letter != '\0') {
      out += "|" + prefix + ":-" + std::string(1, flag.letter);
    }
    out += ") " + bash_reply(flag.completes, "") + "; return ;;\n";
  }
  return out;
}

std::string bash_script() {
  std::string out =
      "# bash completion for athanor\n"
      "_athanor() {\n"
      "  local word=\"${COMP_WORDS[COMP_CWORD]}\" before=\"${COMP_WORDS[COMP_CWORD-1]}\" verb=\"\" known i\n"
      "  COMPREPLY=()\n"
      "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
      "    for known in " +
      verb_words() +
      "; do\n"
      "      if [ \"${COMP_WORDS[i]}\" = \"$known\" ]; then verb=\"$known\"; break 2; fi\n"
      "    done\n"
      "  done\n"
      "  case \"$verb:$before\" in\n";
  for (const CommandSpec& command : commands()) {
    out += bash_value_cases(command.flags, command.name);
  }
  out += bash_value_cases(global_flags(), "*");
  out += "  esac\n  case \"$verb\" in\n";
  for (const CommandSpec& command : commands()) {
    const std::string flags = flag_words(command.flags);
    out += "    " + std::string(command.name) + ")\n";
    out += "      if [[ \"$word\" == -* ]]; then COMPREPLY=($(compgen -W \"" + flags + (flags.empty() ? "" : " ") +
           flag_words(global_flags()) + "\" -- \"$word\"))\n";
    out += "      else " + bash_reply(command.completes, "") + "; fi ;;\n";
  }
  out += "    *) COMPREPLY=($(compgen -W \"" + verb_words() + " " + flag_words(global_flags()) + "\" -- \"$word\")) ;;\n";
  out += "  esac\n}\ncomplete -F _athanor athanor\n";
  return out;
}

// Escapes text for single quotes, and for zsh's _arguments and _describe.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else if (c == '[' || c == ']' || c == ':') {
      out += '\\';
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

std::string zsh_action(Completes kind) {
  switch (kind) {
    case Completes::File:
      return "_files";
    case Completes::Folder:
      return "_files -/";
    case Completes::Nothing:
      return " ";
    case Completes::Revision:
      return "_athanor_revisions";
    case Completes::Operation:
      return "(upgrade downgrade to stamp head heads base)";
    case Completes::Verb:
    case Completes::Shell:
      break;
  }
  return "(" + words_for(kind) + ")";
}

std::string zsh_flag(const FlagSpec& flag, std::string_view name) {
  std::string out = " \\\n        '";
  out += flag.repeatable ? "*" : "";
  out += name;
  out += "[" + zsh_text(flag.help) + "]";
  if (!flag.value.empty()) {
    out += ":" + zsh_text(flag.value) + ":" + zsh_action(flag.completes);
  }
  return out + "'";
}

std::string zsh_flags(std::span<const FlagSpec> flags) {
  std::string out;
  for (const FlagSpec& flag : flags) {
    out += zsh_flag(flag, flag.name);
    if (flag.letter != '\0') {
      out += zsh_flag(flag, std::string{'-', flag.letter});
    }
  }
  return out;
}

std::string zsh_script() {
  std::string out =
      "#compdef athanor\n"
      "_athanor_revisions() {\n"
      "  local -a revisions\n"
      "  revisions=(head heads base current ${(f)\"$(" +
      std::string(kRevisions) +
      ")\"})\n"
      "  compadd -a revisions\n"
      "}\n"
      "_athanor_verbs() {\n"
      "  local -a verbs\n"
      "  verbs=(\n";
  for (const CommandSpec& command : commands()) {
    out += "    '" + std::string(command.name) + ":" + zsh_text(command.summary) + "'\n";
  }
  out +=
      "  )\n"
      "  _describe command verbs\n"
      "}\n"
      "_athanor() {\n"
      "  local state line\n"
      "  _arguments -C" +
      zsh_flags(global_flags()) +
      " '1:command:_athanor_verbs' '*::operand:->rest'\n"
      "  [[ $state == rest ]] || return\n"
      "  case $line[1] in\n";
  for (const CommandSpec& command : commands()) {
    out += "    " + std::string(command.name) + ")\n      _arguments" + zsh_flags(command.flags) + zsh_flags(global_flags());
    if (!command.operands.empty()) {
      out += " \\\n        '*:" + zsh_text(command.operands) + ":" + zsh_action(command.completes) + "'";
    }
    out += " ;;\n";
  }
  out += "  esac\n}\n";
  // Works both when sourced and when autoloaded from $fpath.
  out += "if [ \"$funcstack[1]\" = _athanor ]; then _athanor \"$@\"; else compdef _athanor athanor; fi\n";
  return out;
}

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return out + "'";
}

std::string fish_flag(const FlagSpec& flag, const std::string& condition) {
  std::string out = "complete -c athanor" + condition + " -l " + std::string(flag.name.substr(2));
  if (flag.letter != '\0') {
    out += std::string(" -s ") + flag.letter;
  }
  if (!flag.value.empty()) {
    out += flag.completes == Completes::File || flag.completes == Completes::Folder ? " -r -F" : " -x";
    if (flag.completes == Completes::Revision) {
      out += " -a '(__athanor_revisions)'";
    }
  }
  return out + " -d " + fish_quoted(flag.help) + "\n";
}

std::string fish_script() {
  std::string out =
      "# fish completion for athanor\n"
      "function __athanor_revisions\n"
      "  printf '%s\\n' head heads base current\n"
      "  " +
      std::string(kRevisions) +
      "\n"
      "end\n"
      "complete -c athanor -f\n";
  for (const CommandSpec& command : commands()) {
    const std::string name(command.name);
    const std::string condition = " -n '__fish_seen_subcommand_from " + name + "'";
    out += "complete -c athanor -n __fish_use_subcommand -a " + name + " -d " + fish_quoted(command.summary) + "\n";
    for (const FlagSpec& flag : command.flags) {
      out += fish_flag(flag, condition);
    }
    if (command.completes == Completes::Revision || command.completes == Completes::Operation) {
      out += "complete -c athanor" + condition + " -a '(__athanor_revisions)'\n";
    }
    if (command.completes == Completes::Operation) {
      out += "complete -c athanor" + condition + " -a 'upgrade downgrade to stamp'\n";
    }
    if (command.completes == Completes::Verb || command.completes == Completes::Shell) {
      out += "complete -c athanor" + condition + " -a '" + words_for(command.completes) + "'\n";
    }
    if (command.completes == Completes::Folder) {
      out += "complete -c athanor" + condition + " -F\n";
    }
  }
  for (const FlagSpec& flag : global_flags()) {
    out += fish_flag(flag, "");
  }
  return out;
}

}  // namespace

Result<std::string> completion_script(std::string_view shell) {
  if (shell == "bash") {
    return bash_script();
  }
  if (shell == "zsh") {
    return zsh_script();
  }
  if (shell == "fish") {
    return fish_script();
  }
  constexpr std::array<std::string_view, 3> kShells{"bash", "zsh", "fish"};
  return fail(
      Error(ErrorCode::Usage, "there is no completion for '" + std::string(shell) + "'").advise(suggest(shell, kShells)));
}

}  // namespace athanor::cli
