#include "migrations/cli/arguments.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace athanor::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Result<Arguments> parse(std::vector<std::string_view> words) {
  return Arguments::parse(words);
}

Error refusal(std::vector<std::string_view> words) {
  auto arguments = Arguments::parse(words);
  EXPECT_FALSE(arguments.has_value());
  return arguments ? Error() : arguments.error();
}

TEST(Arguments, TakeGlobalFlagsBeforeAndAfterTheVerb) {
  const auto arguments = parse({"--json", "-c", "a.yaml", "upgrade", "-q", "head", "--migrations=db"});
  ASSERT_TRUE(arguments) << arguments.error().message;
  EXPECT_EQ(arguments->command()->name, "upgrade");
  EXPECT_THAT(arguments->operands(), ElementsAre("head"));
  EXPECT_TRUE(arguments->has("--json"));
  EXPECT_TRUE(arguments->has("--quiet"));
  EXPECT_EQ(arguments->value("--config"), "a.yaml");
  EXPECT_EQ(arguments->value("--migrations"), "db");
  EXPECT_FALSE(arguments->has("--verbose"));
}

TEST(Arguments, AnswerVerbsOfOtherToolsWithTheRightOne) {
  const std::vector<std::pair<const char*, const char*>> words{
      {"migrate", "`athanor upgrade head`"},
      {"up", "`athanor upgrade head`"},
      {"latest", "`athanor upgrade head`"},
      {"apply", "`athanor upgrade head`"},
      {"deploy", "`athanor upgrade head`"},
      {"down", "`athanor downgrade -1`"},
      {"rollback", "`athanor downgrade -1`"},
      {"undo", "`athanor downgrade -1`"},
      {"init-db", "`athanor ensure_version`"},
      {"init_db", "`athanor ensure_version`"},
      {"new", "`athanor revision -m"},
      {"create", "`athanor revision -m"},
      {"generate", "`athanor revision -m"},
      {"makemigrations", "`athanor revision --autogenerate -m"},
      {"migrate:latest", "`athanor upgrade head`"},
      {"db:rollback", "`athanor downgrade -1`"},
      {"MIGRATE", "`athanor upgrade head`"},
      {"info", "`athanor status`"},
      {"baseline", "`athanor stamp head`"},
      {"upgrad", "`upgrade`"},
  };
  for (const auto& [word, hint] : words) {
    const Error error = refusal({word});
    EXPECT_EQ(error.code, ErrorCode::Usage) << word;
    EXPECT_THAT(error.hint, HasSubstr(hint)) << word;
  }
}

TEST(Arguments, AnswerFlagsOfOtherToolsWithTheRightOne) {
  EXPECT_THAT(refusal({"upgrade", "head", "--dry-run"}).hint, HasSubstr("`athanor plan upgrade TARGET --show-sql`"));
  EXPECT_THAT(refusal({"downgrade", "-1", "--dryrun"}).hint, HasSubstr("`athanor plan downgrade TARGET --show-sql`"));
  EXPECT_THAT(refusal({"upgrade", "--database-url", "x"}).hint, HasSubstr("DATABASE_URL"));
  EXPECT_THAT(refusal({"upgrade", "--steps", "2"}).hint, HasSubstr("athanor upgrade +2"));
  EXPECT_THAT(refusal({"upgrade", "--dir", "x"}).hint, HasSubstr("--migrations"));
  EXPECT_TRUE(parse({"prune", "--dry-run"})) << "which has the flag";
}

TEST(Arguments, NameTheUsualTargetWhenThereIsNone) {
  EXPECT_THAT(refusal({"upgrade"}).hint, HasSubstr("`athanor upgrade head`"));
  EXPECT_THAT(refusal({"downgrade"}).hint, HasSubstr("`athanor downgrade -1`"));
}

TEST(Arguments, AreTextAsFilesAre) {
  for (const char* const bad : {"caf\xe9", "a\nb", "a\rb", "a\x1b[2Jb", "a\x7f",
                                "a\xc2\x85"
                                "b",
                                "a\xe2\x80\xa8"
                                "b",
                                "\xed\xa0\x80"}) {
    for (const std::vector<std::string_view>& words : {std::vector<std::string_view>{"revision", "-m", bad},
                                                       {"revision", "-m", "x", "--rev-id", bad},
                                                       {"revision", "-m", "x", "--branch-label", bad},
                                                       {"init", bad},
                                                       {"heads", "-x", bad},
                                                       {"heads", "--migrations", bad},
                                                       {"heads", "-n", bad},
                                                       {bad}}) {
      const Error error = refusal(words);
      EXPECT_EQ(error.code, ErrorCode::Usage) << words.front();
      EXPECT_THAT(error.message, testing::AnyOf(HasSubstr("is not UTF-8"), HasSubstr("control character")));
    }
  }
  EXPECT_TRUE(parse({"revision", "-m", "caf\xc3\xa9 table\tadded"}));
}

TEST(Arguments, LetTheVerbsOwnLetterWin) {
  const auto after = parse({"current", "-c"});
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->has("--check-heads"));
  const auto before = parse({"-c", "file.yaml", "current"});
  ASSERT_TRUE(before);
  EXPECT_FALSE(before->has("--check-heads"));
  EXPECT_EQ(before->value("--config"), "file.yaml");
}

TEST(Arguments, TakeRelativeTargetsAsOperands) {
  EXPECT_THAT(parse({"downgrade", "-1"})->operands(), ElementsAre("-1"));
  EXPECT_THAT(parse({"upgrade", "+2", "--sql"})->operands(), ElementsAre("+2"));
  EXPECT_THAT(parse({"downgrade", "--", "-x"})->operands(), ElementsAre("-x"));
  EXPECT_THAT(parse({"upgrade", ""})->operands(), ElementsAre(""));
}

TEST(Arguments, ReadBundledLettersAndJoinedValues) {
  const auto bundled = parse({"heads", "-qv"});
  ASSERT_TRUE(bundled);
  EXPECT_TRUE(bundled->has("--quiet"));
  EXPECT_TRUE(bundled->has("--verbose"));
  EXPECT_EQ(parse({"revision", "-mAdd email"})->value("--message"), "Add email");
  EXPECT_EQ(parse({"revision", "-m", "-1 apples"})->value("--message"), "-1 apples");
}

TEST(Arguments, CollectRepeatedFlagsAndSplitLists) {
  const auto arguments = parse({"revision", "-m", "t", "--depends-on", "a, b", "--depends-on=c"});
  ASSERT_TRUE(arguments);
  EXPECT_THAT(arguments->values("--depends-on"), ElementsAre("a, b", "c"));
  EXPECT_THAT(arguments->list("--depends-on"), ElementsAre("a", "b", "c"));
}

TEST(Arguments, TreatHyphenAndUnderscoreOfAVerbAlike) {
  EXPECT_EQ(parse({"ensure-version"})->command()->name, "ensure_version");
  EXPECT_EQ(parse({"ensure_version"})->command()->name, "ensure_version");
}

TEST(Arguments, SuggestTheNearestVerb) {
  const Error error = refusal({"upgarde", "head"});
  EXPECT_EQ(error.code, ErrorCode::Usage);
  EXPECT_THAT(error.message, HasSubstr("upgarde"));
  EXPECT_THAT(error.hint, HasSubstr("`upgrade`"));
}

TEST(Arguments, SuggestTheNearestFlagOfTheVerb) {
  const Error error = refusal({"history", "--rev-rnage", "a:b"});
  EXPECT_EQ(error.code, ErrorCode::Usage);
  EXPECT_THAT(error.hint, HasSubstr("--rev-range"));
}

TEST(Arguments, RefuseWhatIsMissingTooMuchOrTwice) {
  EXPECT_THAT(refusal({"upgrade"}).message, HasSubstr("needs TARGET"));
  EXPECT_THAT(refusal({"upgrade", "a", "b"}).message, HasSubstr("'b'"));
  EXPECT_THAT(refusal({"revision", "-m"}).message, HasSubstr("needs a value"));
  EXPECT_THAT(refusal({"revision", "-m", "a", "--message", "b"}).message, HasSubstr("twice"));
  EXPECT_THAT(refusal({"upgrade", "head", "--sql=yes"}).message, HasSubstr("takes no value"));
  EXPECT_EQ(refusal({"--sql", "upgrade", "head"}).code, ErrorCode::Usage);
}

TEST(Arguments, NeedNoOperandsForHelp) {
  EXPECT_TRUE(parse({"upgrade", "--help"}).has_value());
  EXPECT_TRUE(parse({"--version"}).has_value());
  EXPECT_EQ(parse({})->command(), nullptr);
}

TEST(CommandTable, HasNoFlagTwiceAndNoLetterThatShadowsAnother) {
  for (const CommandSpec& command : commands()) {
    EXPECT_EQ(find_command(command.name), &command);
    EXPECT_NE(command.run, nullptr) << command.name;
    EXPECT_FALSE(command.examples.empty()) << command.name;
    for (const FlagSpec& flag : command.flags) {
      EXPECT_TRUE(flag.name.starts_with("--")) << flag.name;
      EXPECT_EQ(std::ranges::count(command.flags, flag.name, &FlagSpec::name), 1) << flag.name;
      EXPECT_EQ(std::ranges::count(global_flags(), flag.name, &FlagSpec::name), 0) << flag.name;
      if (flag.letter != '\0') {
        EXPECT_EQ(std::ranges::count(command.flags, flag.letter, &FlagSpec::letter), 1) << flag.letter;
      }
    }
  }
}

TEST(CommandTable, GivesEveryExampleArgumentsThatParse) {
  for (const CommandSpec& command : commands()) {
    for (const Example& example : command.examples) {
      std::string_view text = example.command;
      if (!text.starts_with("athanor ")) {
        continue;
      }
      text.remove_prefix(8);
      text = text.substr(0, std::min(text.find(" > "), text.find(" | ")));
      std::vector<std::string_view> words;
      while (!text.empty()) {
        const char end = text.front() == '"' ? '"' : ' ';
        text.remove_prefix(end == '"' ? 1 : 0);
        const std::size_t stop = std::min(text.find(end), text.size());
        words.push_back(text.substr(0, stop));
        text.remove_prefix(std::min(stop + 1, text.size()));
        text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
      }
      const auto arguments = Arguments::parse(words);
      EXPECT_TRUE(arguments) << example.command << ": " << arguments.error().message;
    }
  }
}

}  // namespace
}  // namespace athanor::cli
