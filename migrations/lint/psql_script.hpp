// Blanks out the parts of a plain SQL file that belong to psql: backslash commands, and the rows after COPY … FROM stdin. The
// remaining SQL keeps its positions.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <vector>

namespace athanor {

// A command that may change what the file does, or run SQL that is not in the file.
struct PsqlCommand {
  std::string word;  // "\\gexec"
  int line = 1;
};

// Blanks out both in `text`. Returns the commands that may matter to lint; \set, \restrict, \connect and similar ones do not. A
// command that sends the preceding statement, like \g, leaves a semicolon. Linear time.
[[nodiscard]] std::vector<PsqlCommand> take_out_psql(std::string& text);

}  // namespace athanor
