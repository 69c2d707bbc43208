#include "migrations/cli/help.hpp"

#include <algorithm>
#include <cstddef>
#include <vector>

#ifndef ATHANOR_VERSION
#error "the build defines ATHANOR_VERSION"
#endif

namespace athanor::cli {
namespace {

constexpr std::size_t kWidth = 100;

// `text` in paragraphs, each line at most kWidth wide and indented.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t first_column) {
  std::string out;
  std::size_t column = first_column;
  bool fresh = true;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    if (!fresh && column + 1 + word.size() > kWidth) {
      out += '\n';
      out.append(indent, ' ');
      column = indent;
      fresh = true;
    }
    if (!fresh) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    fresh = false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string flag_label(const FlagSpec& flag) {
  std::string label = flag.letter == '\0' ? "    " : std::string{'-', flag.letter} + ", ";
  label += flag.name;
  if (!flag.value.empty()) {
    label += ' ';
    label += flag.value;
  }
  return label;
}

std::string flag_lines(std::span<const FlagSpec> flags) {
  constexpr std::size_t kColumn = 32;
  std::string out;
  for (const FlagSpec& flag : flags) {
    std::string line = "  " + flag_label(flag);
    if (line.size() + 2 > kColumn) {
      out += line + "\n";
      line.clear();
    }
    line.resize(kColumn, ' ');
    out += line + wrapped(flag.help, kColumn, kColumn) + "\n";
  }
  return out;
}

}  // namespace

std::string_view version_number() {
  return ATHANOR_VERSION;
}

std::string_view version_line() {
  return "athanor " ATHANOR_VERSION;
}

std::string general_help() {
  std::string out =
      "Athanor keeps PostgreSQL schemas at the revision that Git declares.\n"
      "\n"
      "usage: athanor [global flags] COMMAND [flags] [operands]\n"
      "\n"
      "commands:\n";
  for (const CommandSpec& command : commands()) {
    std::string line = "  " + std::string(command.name);
    line.resize(18, ' ');
    out += line + std::string(command.summary) + "\n";
  }
  out += "\nglobal flags, before or after the command:\n" + flag_lines(global_flags());
  out +=
      "\nThe database is named by DATABASE_URL in the environment, or by database_url in athanor.yaml.\n"
      "`athanor help COMMAND` shows flags and examples of one command.\n";
  return out;
}

std::string command_help(const CommandSpec& command) {
  std::string out = std::string(command.summary) + "\n\nusage: athanor " + std::string(command.name);
  if (!command.flags.empty()) {
    out += " [flags]";
  }
  if (!command.operands.empty()) {
    out += ' ';
    out += command.operands;
  }
  out += "\n";
  out[0] = static_cast<char>(out[0] - 'a' + 'A');
  if (!command.details.empty()) {
    out += "\n" + wrapped(command.details, 0, 0) + "\n";
  }
  if (!command.flags.empty()) {
    out += "\nflags:\n" + flag_lines(command.flags);
  }
  out += "\nglobal flags:\n" + flag_lines(global_flags());
  if (!command.examples.empty()) {
    out += "\nexamples:\n";
    for (const Example& example : command.examples) {
      out += "  " + std::string(example.command) + "\n      " + std::string(example.meaning) + "\n";
    }
  }
  return out;
}

}  // namespace athanor::cli
