// Passwords in the memory of this process, and those who look into it from outside.
//
// Threads: call before there are threads.
#pragma once

namespace athanor {

// From now on the process leaves no core file, and other processes of its user can neither attach to it nor read its memory,
// environment and descriptors under /proc. Programs it starts are not affected, but for the core file.
void keep_memory_private();

}  // namespace athanor
