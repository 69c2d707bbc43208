// The parsers of untrusted input, each as one function that takes arbitrary bytes. libFuzzer calls them with generated inputs,
// the test run with those in tests/fuzz/corpus.
//
// A parser may reject any input, but must not crash, hang, or violate an invariant that its function checks. A violation aborts
// the process.
//
// Threads: any thread.
#pragma once

#include <array>
#include <string_view>

namespace athanor::test {

void fuzz_headers(std::string_view input);     // headers of native and Alembic revisions, complete and truncated
void fuzz_yaml(std::string_view input);        // configuration files and manifests
void fuzz_targets(std::string_view input);     // revision identifiers, on a graph with branches, labels and merges
void fuzz_splitter(std::string_view input);    // splitting SQL into statements, checking and displaying them
void fuzz_directives(std::string_view input);  // the body of a revision: sections, steps, comments

struct FuzzTarget {
  std::string_view name;  // also the name of its folder in the corpus
  void (*run)(std::string_view input);
};

constexpr std::array<FuzzTarget, 5> kFuzzTargets{{{"headers", fuzz_headers},
                                                  {"yaml", fuzz_yaml},
                                                  {"targets", fuzz_targets},
                                                  {"splitter", fuzz_splitter},
                                                  {"directives", fuzz_directives}}};

}  // namespace athanor::test
