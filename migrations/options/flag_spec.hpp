// A flag as a row of a program's table. Parsing, --help, completions and the manual all read that table.
//
// Threads: constant data.
#pragma once

#include <cstdint>
#include <string_view>

namespace athanor {

// What a shell can offer for a value.
enum class Completes : std::uint8_t { Nothing, Revision, File, Folder, Verb, Shell, Operation };

struct FlagSpec {
  std::string_view name;   // "--rev-range"
  char letter = '\0';      // 'r' for -r
  std::string_view value;  // what the value is called in the help; empty: a switch
  std::string_view help;
  bool repeatable = false;
  Completes completes = Completes::Nothing;
};

}  // namespace athanor
