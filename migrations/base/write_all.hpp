// Writes to a descriptor until everything is written.
//
// Threads and ownership: one writer per descriptor; the caller keeps it.
#pragma once

#include <string_view>

namespace athanor {

// Continues after partial writes and signals. Returns false, with errno set, if the descriptor accepts no more.
[[nodiscard]] bool write_all(int descriptor, std::string_view bytes);

}  // namespace athanor
