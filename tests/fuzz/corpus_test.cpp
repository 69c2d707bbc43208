// The inputs that fuzzing begins with, and those on which it found something, through the same functions.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/fuzz/fuzz_targets.hpp"

namespace athanor::test {
namespace {

std::vector<std::string> inputs(std::string_view target) {
  std::vector<std::string> texts;
  for (const auto& file :
       std::filesystem::directory_iterator(std::string(ATHANOR_SOURCE_DIR) + "/tests/fuzz/corpus/" + std::string(target))) {
    std::ifstream stream(file.path(), std::ios::binary);
    texts.emplace_back(std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>());
  }
  return texts;
}

TEST(FuzzCorpus, EveryReaderSurvivesItsInputsWholeAndCut) {
  for (const auto& target : kFuzzTargets) {
    const auto texts = inputs(target.name);
    EXPECT_GE(texts.size(), 5U) << target.name;
    for (const auto& text : texts) {
      for (std::size_t size = 0; size <= text.size(); size += 1 + text.size() / 50) {
        target.run(std::string_view(text).substr(0, size));
      }
      target.run(text);
    }
  }
}

}  // namespace
}  // namespace athanor::test
