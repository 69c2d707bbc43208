#include "migrations/cli/help.hpp"

namespace athanor::cli {
namespace {

// Escapes text for roff: backslashes, hyphens, and control characters at the start of a line.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if ((c == '.' || c == '\'') && (out.empty() || out.back() == '\n')) {
      out += "\\&";
      out += c;
    } else {
      out += c;
    }
  }
  return out;
}

void append_flags(std::string& out, std::span<const FlagSpec> flags) {
  for (const FlagSpec& flag : flags) {
    out += ".TP\n\\fB" + roff(flag.name) + "\\fR";
    if (flag.letter != '\0') {
      out += ", \\fB\\-" + std::string(1, flag.letter) + "\\fR";
    }
    if (!flag.value.empty()) {
      out += " \\fI" + roff(flag.value) + "\\fR";
    }
    out += "\n" + roff(flag.help) + "\n";
  }
}

void append_command(std::string& out, const CommandSpec& command) {
  out += ".SS \"athanor " + roff(command.name);
  if (!command.operands.empty()) {
    out += " " + roff(command.operands);
  }
  out += "\"\n" + roff(command.summary) + ".\n";
  if (!command.details.empty()) {
    out += ".PP\n" + roff(command.details) + "\n";
  }
  append_flags(out, command.flags);
  for (const Example& example : command.examples) {
    out += ".PP\n.RS\n.nf\n$ " + roff(example.command) + "\n.fi\n" + roff(example.meaning) + "\n.RE\n";
  }
}

}  // namespace

std::string manual_page() {
  std::string out = ".TH ATHANOR 1 \"\" \"" + std::string(version_line()) +
                    "\" \"User Commands\"\n"
                    ".SH NAME\nathanor \\- keep PostgreSQL schemas at a declared revision\n"
                    ".SH SYNOPSIS\n.B athanor\n[global flags] \\fICOMMAND\\fR [flags] [operands]\n"
                    ".SH DESCRIPTION\n"
                    "Reads revision files from a folder, plans the steps from the rows of the version table to a target, and "
                    "runs them on one database under a lock. Commands, targets and the version table are those of Alembic.\n"
                    ".SH GLOBAL FLAGS\n";
  append_flags(out, global_flags());
  out += ".SH COMMANDS\n";
  for (const CommandSpec& command : commands()) {
    append_command(out, command);
  }
  out +=
      ".SH EXIT STATUS\n"
      "0 success; 1 internal; 2 usage; 3 configuration or files; 4 revision files or their graph; 5 target; "
      "6 not up to date; 7 connection; 8 lock; 9 a statement failed; 10 refused because of the state of the database; "
      "11 interrupted; 12 the Kubernetes API; 13 backups.\n"
      ".SH ENVIRONMENT\n"
      ".TP\n.B DATABASE_URL\nThe database URL; overrides database_url in the configuration.\n"
      ".TP\n.B ATHANOR_DATABASE_HOST, _PORT, _NAME, _USER, _PASSWORD\nThe parts of the database URL, if DATABASE_URL is not "
      "set.\n"
      ".TP\n.B ATHANOR_CONFIG\nThe configuration file, unless \\-c names one.\n"
      ".TP\n.B VISUAL, EDITOR\nUsed by athanor edit.\n"
      ".TP\n.B NO_COLOR\nWhen set, the output is not coloured.\n"
      ".TP\n.B XDG_CACHE_HOME\nFolder for the cache of revision headers, in athanor/ (default: ~/.cache).\n"
      ".SH FILES\n.TP\n.B athanor.yaml\nThe configuration, in the current folder.\n";
  return out;
}

}  // namespace athanor::cli
