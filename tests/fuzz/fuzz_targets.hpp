// What is read from outside, each reader as one function that takes any bytes: libFuzzer calls them with inputs of its own,
// the test run with those of tests/fuzz/corpus.
//
// A reader may refuse everything; it must not crash, hang, or contradict itself. A broken promise ends the process.
//
// Threads: safe from any thread.
#pragma once

#include <array>
#include <string_view>

namespace athanor::test {

void fuzz_headers(std::string_view input);     // native and Alembic headers, whole and in parts
void fuzz_yaml(std::string_view input);        // configuration files and manifests
void fuzz_targets(std::string_view input);     // what names revisions, on a graph with branches, labels and merges
void fuzz_splitter(std::string_view input);    // SQL text and its statements, their checks and what is shown of them
void fuzz_directives(std::string_view input);  // the body of a revision: sections, steps, comments

struct FuzzTarget {
  std::string_view name;  // of its folder in the corpus
  void (*run)(std::string_view input);
};

constexpr std::array<FuzzTarget, 5> kFuzzTargets{{{"headers", fuzz_headers},
                                                  {"yaml", fuzz_yaml},
                                                  {"targets", fuzz_targets},
                                                  {"splitter", fuzz_splitter},
                                                  {"directives", fuzz_directives}}};

}  // namespace athanor::test
