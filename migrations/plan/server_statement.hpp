// Statements that reach beyond their database: roles, other databases, tablespaces and settings of the server, or programs,
// files and other servers.
//
// The parse tree decides. Text that cannot be parsed and DO blocks are also searched word by word, including their strings,
// which they may execute. The body of a function is not searched: defining it does nothing.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace athanor {

struct StatementReach {
  bool server = false;   // what belongs to the server: roles and memberships, databases, tablespaces, settings, sessions
  bool outside = false;  // what is outside the server: programs, files, other servers (COPY … PROGRAM, dblink, subscriptions)
};
// Of one statement; `{batch}` may stand for a condition.
[[nodiscard]] StatementReach reach_of(std::string_view sql);

// Whether the statement is about the server: reach_of().server.
[[nodiscard]] bool is_about_server(std::string_view sql);

}  // namespace athanor
