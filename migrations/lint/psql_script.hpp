// What of a plain SQL file is psql's own: its backslash commands, and the rows behind COPY … FROM stdin. Both are blanked out,
// so that SQL is left, each statement where it stood.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace athanor {

// A command that may change what the file does, or run SQL that is not in it.
struct PsqlCommand {
  std::string word;  // "\\gexec"
  int line = 1;
};

// Blanks both out in `text`. Returns the commands that are not known to mean nothing to a linter; \set, \restrict, \connect and
// their kin are. A command that sends the statement before it, as \g does, leaves a semicolon. Linear in the text.
[[nodiscard]] std::vector<PsqlCommand> take_out_psql(std::string& text);

}  // namespace athanor
