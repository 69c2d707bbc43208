#include "migrations/revision/native_header.hpp"

#include <gtest/gtest.h>

namespace athanor {
namespace {

constexpr const char* kExample = R"(-- Add email to users
--
-- Revision: 8c1f0a2b7d3e
-- Revises: 1975ea83b712
-- Created: 2026-11-21T02:10:00+00:00
-- Labels:
-- Depends-On:

-- athanor:upgrade
ALTER TABLE users ADD COLUMN email text;
)";

Revision parsed(const std::string& text) {
  auto header = parse_native_header(text, true, "v/a.sql");
  if (!header) {
    ADD_FAILURE() << header.error().describe();
    return {};
  }
  return std::move(**header);
}

// "context: message | hint"
std::string refused(const std::string& text) {
  const auto header = parse_native_header(text, true, "v/a.sql");
  return header ? "accepted" : header.error().describe() + " | " + header.error().hint;
}

TEST(NativeHeader, ReadsEveryField) {
  const auto revision = parsed(R"(-- Join the two lines
-- Further description: not a field.
--
-- Revision: 8c1f0a2b7d3e
-- Revises: 1975ea83b712, 2086fb94c823
-- Created: 2026-11-21T02:10:00+00:00
-- Labels: billing,  reports
-- Depends-On: 3197ac05d934

SELECT 1;)");
  EXPECT_EQ(revision.message, "Join the two lines");
  EXPECT_EQ(revision.id, "8c1f0a2b7d3e");
  EXPECT_EQ(revision.down, (std::vector<std::string>{"1975ea83b712", "2086fb94c823"}));
  EXPECT_EQ(revision.created, "2026-11-21T02:10:00+00:00");
  EXPECT_EQ(revision.labels, (std::vector<std::string>{"billing", "reports"}));
  EXPECT_EQ(revision.depends_on, (std::vector<std::string>{"3197ac05d934"}));
  EXPECT_EQ(revision.path, "v/a.sql");
  EXPECT_EQ(revision.format, RevisionFormat::NativeSql);
}

TEST(NativeHeader, LeavesEmptyFieldsEmpty) {
  const auto revision = parsed(kExample);
  EXPECT_TRUE(revision.labels.empty());
  EXPECT_TRUE(revision.depends_on.empty());
}

TEST(NativeHeader, TakesNoParentNoneAndBaseForTheBase) {
  for (const auto* value : {"", " ", " none", " None", " base", " <base>"}) {
    EXPECT_TRUE(parsed(std::string("-- a\n-- Revision: ab12\n-- Revises:") + value + "\n").down.empty()) << value;
  }
  EXPECT_TRUE(parsed("-- Revision: ab12").down.empty());
}

TEST(NativeHeader, AcceptsByteOrderMarkAndCarriageReturns) {
  const auto revision = parsed("\xEF\xBB\xBF-- Add x\r\n--\r\n-- Revision: ab12\r\n-- Revises: cd34\r\n\r\nSELECT 1;\r\n");
  EXPECT_EQ(revision.message, "Add x");
  EXPECT_EQ(revision.id, "ab12");
  EXPECT_EQ(revision.down, std::vector<std::string>{"cd34"});
}

TEST(NativeHeader, EndsAtADirectiveWithoutAnEmptyLine) {
  EXPECT_EQ(parsed("-- Revision: ab12\n-- athanor:upgrade\n-- Revision: not a field here\n").id, "ab12");
}

TEST(NativeHeader, IgnoresANoteAnywhere) {
  const auto revision = parsed(
      "-- athanor:note copied from goose\n-- Add email\n-- athanor:note Revises: nothing yet\n-- Revision: ab\n"
      "-- athanor:note\n-- Revises: cd\n-- athanor:upgrade\n");
  EXPECT_EQ(revision.message, "Add email");
  EXPECT_EQ(revision.id, "ab");
  EXPECT_EQ(revision.down, std::vector<std::string>{"cd"});
  EXPECT_EQ(parsed("-- x\n-- Revision: ab\n-- athanor:notes\n-- Revises: cd\n").down.size(), 0U);  // a directive, if unknown
}

TEST(NativeHeader, EndsAtTheFirstEmptyLine) {
  EXPECT_EQ(parsed("\n\n-- Revision: ab12\n\n-- Revision: cd34\n").id, "ab12");
}

TEST(NativeHeader, NamesTheLineOfAnUnknownField) {
  EXPECT_EQ(refused("-- Add x\n--\n-- Revision: ab12\n-- Revise: cd34\n"),
            "v/a.sql:4: unknown header field `Revise` | did you mean `Revises`?");
  EXPECT_EQ(refused("-- Add x\n-- Revision: ab12\n-- Down-Revision: cd34\n"),
            "v/a.sql:3: unknown header field `Down-Revision` | did you mean `Revises`?");
  EXPECT_EQ(refused("-- Add x\n-- Revision: ab12\n-- Ticket: 7\n"),
            "v/a.sql:3: unknown header field `Ticket` | known names: Revision, Revises, Created, Labels, Depends-On");
}

TEST(NativeHeader, NoticesAMisspeltFieldAmongTheDescription) {
  EXPECT_EQ(refused("-- Add x\n--\n-- Revison: ab12\n-- Revises: cd34\n"),
            "v/a.sql:3: unknown header field `Revison` | did you mean `Revision`?");
  EXPECT_EQ(refused("-- Add x\n--\n-- Revision ID: ab12\n"),
            "v/a.sql:3: unknown header field `Revision ID` | did you mean `Revision`?");
}

TEST(NativeHeader, RefusesAFieldGivenTwice) {
  EXPECT_EQ(refused("-- Revision: ab12\n-- Revises: a\n-- Revises: b\n"),
            "v/a.sql:3: header field `Revises` is given twice | the first one is on line 2; keep one of them");
}

TEST(NativeHeader, RefusesAFileWithoutRevision) {
  const std::string advice =
      " | begin the file with a comment block that contains `-- Revision: <id>` and `-- Revises: <parent>`";
  EXPECT_EQ(refused("CREATE TABLE t ();\n"), "v/a.sql:1: no `-- Revision:` in the header of the file" + advice);
  EXPECT_EQ(refused(""), "v/a.sql:1: no `-- Revision:` in the header of the file" + advice);
  EXPECT_EQ(refused("-- a\n-- Revision:\n"), "v/a.sql:2: no `-- Revision:` in the header of the file" + advice);
}

TEST(NativeHeader, RefusesTextAfterTheFields) {
  EXPECT_EQ(refused("-- Revision: ab12\n-- and then some\n"),
            "v/a.sql:2: the header line is not a field `Name: value` | move the text above the fields, or end the header with "
            "an empty line before it");
}

TEST(NativeHeader, RefusesIdsThatTargetsCannotName) {
  EXPECT_EQ(
      refused("-- Revision: a-b@c\n"),
      "v/a.sql:1: revision id `a-b@c` may not contain -, @, an operator of targets | use letters, digits and underscores");
  EXPECT_EQ(
      refused("-- Revision: ab cd\n"),
      "v/a.sql:1: revision id `ab cd` may not contain white space, commas or quotes | use letters, digits and underscores");
  for (const std::string word : {"base", "current", "head", "heads", "none"}) {
    EXPECT_EQ(refused("-- Revision: " + word + "\n"),
              "v/a.sql:1: revision id `" + word + "` is a reserved word of targets | choose another name");
  }
  EXPECT_EQ(refused("-- Revision: " + std::string(256, 'a') + "\n"),
            "v/a.sql:1: revision id `" + std::string(64, 'a') + "...` has 256 characters, more than 255 | shorten the id");
  EXPECT_EQ(parsed("-- Revision: " + std::string(255, 'a') + "\n").id.size(), 255U);
  EXPECT_EQ(refused("-- Revision: ab\n-- Revises: c:d\n"),
            "v/a.sql:2: revision id `c:d` may not contain :, an operator of targets | use letters, digits and underscores");
  const auto header = parse_native_header("-- Revision: a+b\n", true, "x");
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().code, ErrorCode::InvalidRevisionId);
}

TEST(NativeHeader, RefusesSloppyLists) {
  EXPECT_EQ(refused("-- Revision: ab\n-- Revises: a,,b\n"),
            "v/a.sql:2: empty entry in a comma separated list | remove the extra comma");
  EXPECT_EQ(refused("-- Revision: ab\n-- Revises: a, b,\n"),
            "v/a.sql:2: empty entry in a comma separated list | remove the extra comma");
  EXPECT_EQ(refused("-- Revision: ab\n-- Revises: a, a\n"), "v/a.sql:2: `a` occurs twice in the list | ");
}

TEST(NativeHeader, RefusesWhatIsNoDate) {
  EXPECT_EQ(refused("-- Revision: ab\n-- Created: yesterday\n"),
            "v/a.sql:2: `Created` is not a date and time | write it as 2026-11-21T02:10:00+00:00");
  EXPECT_EQ(parsed("-- Revision: ab\n-- Created: 2026-11-21 02:10:00.123456\n").created, "2026-11-21 02:10:00.123456");
  EXPECT_EQ(parsed("-- Revision: ab\n-- Created: 2026-11-21\n").created, "2026-11-21");
}

TEST(NativeHeader, AsksForMoreUntilTheHeaderEnds) {
  const std::string text = kExample;
  const auto end = text.find("\n\n") + 2;
  for (std::size_t length = 0; length <= text.size(); ++length) {
    const auto header = parse_native_header(std::string_view(text).substr(0, length), false, "v/a.sql");
    ASSERT_TRUE(header) << length << ": " << header.error().describe();
    EXPECT_EQ(header->has_value(), length >= end) << length;
    if (*header) {
      EXPECT_EQ((*header)->id, "8c1f0a2b7d3e");
    }
  }
}

TEST(NativeHeader, GivesUpOnAnEndlessComment) {
  std::string text = "-- a\n";
  while (text.size() < kMaxNativeHeaderBytes) {
    text += "-- more\n";
  }
  const auto header = parse_native_header(text, false, "v/a.sql");
  ASSERT_FALSE(header);
  EXPECT_EQ(header.error().describe(), "v/a.sql:1: the header comment is longer than 64 KiB");
}

}  // namespace
}  // namespace athanor
