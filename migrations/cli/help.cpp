#include "migrations/cli/help.hpp"

#include "migrations/options/flag_help.hpp"

#ifndef ATHANOR_VERSION
#error "the build defines ATHANOR_VERSION"
#endif

namespace athanor::cli {
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
      "\n";
  for (const CommandGroup& group : command_groups()) {
    out += std::string(group.title) + ":\n";
    for (const std::string_view verb : group.verbs) {
      std::string line = "  " + std::string(verb);
      line.resize(18, ' ');
      out += line + std::string(find_command(verb)->summary) + "\n";
    }
    out += "\n";
  }
  out += "global flags, before or after the command:\n" + flag_lines(global_flags());
  out +=
      "\nSet the database with DATABASE_URL in the environment, or with database_url in athanor.yaml.\n"
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
