// athanor-operator: everything happens in app.cpp.
#include <malloc.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "operator/app.hpp"

namespace {

// Memory that is needed for a moment (a page of a list, a scrape) goes back to the system afterwards: without these, each of
// the threads keeps an arena of its own, and the limit above which blocks are given back grows with every large block.
void keep_memory_small() {
  constexpr int kArenas = 2;
  constexpr int kGivenBackFrom = 256 << 10;
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kGivenBackFrom);
  ::mallopt(M_TRIM_THRESHOLD, kGivenBackFrom);
}

}  // namespace

int main(int count, char** arguments) {
  keep_memory_small();
  try {
    return athanor::controller::run_operator(std::vector<std::string>(arguments + 1, arguments + count));
  } catch (const std::exception& exception) {
    std::fprintf(stderr, "athanor-operator: internal error: %s\n", exception.what());
    return 1;
  }
}
