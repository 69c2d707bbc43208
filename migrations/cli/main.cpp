#include "migrations/cli/app.hpp"

int main(int argc, char** argv) {
  return athanor::cli::run(argc, argv);
}
