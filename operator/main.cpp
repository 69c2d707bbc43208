// athanor-operator: everything happens in app.cpp.
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "operator/app.hpp"

int main(int count, char** arguments) {
  try {
    return athanor::controller::run_operator(std::vector<std::string>(arguments + 1, arguments + count));
  } catch (const std::exception& exception) {
    (void)std::fprintf(stderr, "athanor-operator: internal error: %s\n", exception.what());
    return 1;
  }
}
