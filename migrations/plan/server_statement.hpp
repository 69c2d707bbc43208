// Statements about what is the server's and not the database's: roles and their memberships, settings of roles and databases.
//
// Threads: pure functions.
#pragma once

#include <string_view>

namespace athanor {

// Of one statement. A DO block is searched word by word, as text that it may execute is.
[[nodiscard]] bool is_about_server(std::string_view sql);

}  // namespace athanor
