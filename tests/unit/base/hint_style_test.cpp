// Hints come from every room and stand in one column: imperative, a lower-case letter first, no full stop at the end.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

namespace athanor {
namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

TEST(Hints, BeginWithALowerCaseLetterAndEndWithoutAFullStop) {
  // Names keep their spelling: Athanor, PostgreSQL, SQL keywords.
  const std::regex begins(R"re(advise\(\s*"(?!Athanor|PostgreSQL)[A-Z][a-z ][^"]*")re");
  const std::regex ends(R"re(advise\([^;]*[^.]\."\)+[;,)])re");
  std::size_t hints = 0;
  for (const std::string room : {"migrations", "operator"}) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(ATHANOR_SOURCE_DIR "/" + room)) {
      if (entry.path().extension() != ".cpp") {
        continue;
      }
      const std::string text = text_of(entry.path());
      for (auto place = text.find("advise("); place != std::string::npos; place = text.find("advise(", place + 1)) {
        const std::string hint = text.substr(place, std::min<std::size_t>(text.find(';', place) + 1 - place, 600));
        ++hints;
        EXPECT_FALSE(std::regex_search(hint, begins, std::regex_constants::match_continuous)) << entry.path() << ": " << hint;
        EXPECT_FALSE(std::regex_search(hint, ends, std::regex_constants::match_continuous)) << entry.path() << ": " << hint;
      }
    }
  }
  EXPECT_GT(hints, 100U);
}

}  // namespace
}  // namespace athanor
