// Protects the passwords in this process's memory from core dumps and from other processes of the same user.
//
// Threads: call before the first thread starts.
#pragma once

namespace athanor {

// From now on the process leaves no core file, and other processes of its user cannot attach to it or read its memory,
// environment and descriptors under /proc. Programs it starts inherit only the core file limit.
void keep_memory_private();

}  // namespace athanor
