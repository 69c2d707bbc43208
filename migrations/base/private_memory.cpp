#include "migrations/base/private_memory.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

namespace athanor {

void keep_memory_private() {
  constexpr rlimit kNone{0, 0};
  ::setrlimit(RLIMIT_CORE, &kNone);
#ifndef __SANITIZE_ADDRESS__  // LeakSanitizer attaches to its own process
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
}

}  // namespace athanor
