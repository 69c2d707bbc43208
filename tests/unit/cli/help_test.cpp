#include "migrations/cli/help.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;

TEST(Help, NamesEveryCommandAndEveryGlobalFlag) {
  const std::string text = general_help();
  for (const CommandSpec& command : commands()) {
    EXPECT_THAT(text, HasSubstr("  " + std::string(command.name) + " "));
  }
  for (const FlagSpec& flag : global_flags()) {
    EXPECT_THAT(text, HasSubstr(std::string(flag.name)));
  }
}

TEST(Help, ShowsEveryCommandInOneGroup) {
  std::multiset<std::string_view> grouped;
  for (const CommandGroup& group : command_groups()) {
    EXPECT_THAT(general_help(), HasSubstr(std::string(group.title) + ":\n"));
    grouped.insert(group.verbs.begin(), group.verbs.end());
  }
  EXPECT_EQ(grouped.size(), commands().size());
  for (const CommandSpec& command : commands()) {
    EXPECT_EQ(grouped.count(command.name), 1U) << command.name;
  }
}

TEST(Help, ShowsFlagsAndExamplesOfEachCommandInLinesThatFit) {
  for (const CommandSpec& command : commands()) {
    const std::string text = command_help(command);
    for (const FlagSpec& flag : command.flags) {
      EXPECT_THAT(text, HasSubstr(std::string(flag.name)));
    }
    for (const Example& example : command.examples) {
      EXPECT_THAT(text, HasSubstr(std::string(example.command)));
    }
    std::size_t start = 0;
    while (start < text.size()) {
      const std::size_t end = text.find('\n', start);
      EXPECT_LE(end - start, 120U) << text.substr(start, end - start);
      start = end + 1;
    }
  }
}

TEST(Manual, DescribesEveryCommandInRoffThatGroffAccepts) {
  const std::string page = manual_page();
  for (const CommandSpec& command : commands()) {
    std::string name;  // a hyphen of a verb is a minus in roff
    for (const char c : command.name) {
      name += c == '-' ? std::string("\\-") : std::string(1, c);
    }
    EXPECT_THAT(page, HasSubstr(".SS \"athanor " + name));
  }
  std::size_t start = 0;
  while (start < page.size()) {  // no line of text may be taken for a request
    const std::size_t end = page.find('\n', start);
    const std::string line = page.substr(start, end - start);
    if (line.starts_with(".")) {
      const std::string request = line.substr(1, line.find(' ') - 1);
      EXPECT_THAT((std::set<std::string>{"TH", "SH", "SS", "TP", "PP", "B", "RS", "RE", "nf", "fi"}),
                  testing::Contains(request));
    }
    EXPECT_FALSE(line.starts_with("'")) << line;
    start = end + 1;
  }
}

TEST(Completion, RefusesUnknownShells) {
  const auto script = completion_script("tcsh");
  ASSERT_FALSE(script);
  EXPECT_EQ(script.error().code, ErrorCode::Usage);
}

// Asks a real bash what it would offer.
std::string bash_offers(const std::vector<std::string>& words) {
  const test::TempFolder folder;
  std::string program = *completion_script("bash") + "\nCOMP_WORDS=(";
  for (const std::string& word : words) {
    program += " '" + word + "'";
  }
  program += ")\nCOMP_CWORD=" + std::to_string(words.size() - 1) + "\n_athanor\nprintf '%s ' \"${COMPREPLY[@]}\"\n";
  const auto result = test::run_process({"bash", folder.write("program.sh", program)});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return " " + result.out;
}

TEST(Completion, OffersVerbsFlagsAndValuesInBash) {
  EXPECT_EQ(bash_offers({"athanor", "upg"}), " upgrade ");
  EXPECT_THAT(bash_offers({"athanor", ""}), HasSubstr(" history "));
  EXPECT_EQ(bash_offers({"athanor", "history", "--rev"}), " --rev-range ");
  EXPECT_EQ(bash_offers({"athanor", "completion", "f"}), " fish ");
  EXPECT_THAT(bash_offers({"athanor", "upgrade", "he"}), HasSubstr(" head heads "));
  EXPECT_THAT(bash_offers({"athanor", "-q", "plan", "down"}), HasSubstr(" downgrade "));
}

TEST(Completion, KnowsEveryCommandInEveryShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const auto script = completion_script(shell);
    ASSERT_TRUE(script);
    for (const CommandSpec& command : commands()) {
      EXPECT_THAT(*script, HasSubstr(std::string(command.name))) << shell;
    }
  }
}

}  // namespace
}  // namespace athanor::cli
