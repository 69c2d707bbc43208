#include "migrations/revision/alembic_header.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

namespace athanor {
namespace {

constexpr const char* kExample = R"("""Add email to users

Revision ID: 8c1f0a2b7d3e
Revises: 1975ea83b712
Create Date: 2026-11-21 02:10:00.123456

"""
from typing import Sequence, Union

from alembic import op
import sqlalchemy as sa


# revision identifiers, used by Alembic.
revision: str = '8c1f0a2b7d3e'
down_revision: Union[str, Sequence[str], None] = '1975ea83b712'
branch_labels: Union[str, Sequence[str], None] = None
depends_on: Union[str, Sequence[str], None] = None


def upgrade() -> None:
    op.add_column("users", sa.Column("email", sa.Text()))
)";

Revision parsed(const std::string& text, const std::string& path = "v/a.py") {
  auto header = parse_alembic_header(text, true, path);
  if (!header) {
    ADD_FAILURE() << header.error().describe() << "\n" << text;
    return {};
  }
  return std::move(**header);
}

std::string refused(const std::string& text, const std::string& path = "v/a.py") {
  const auto header = parse_alembic_header(text, true, path);
  return header ? "accepted" : header.error().describe() + " | " + header.error().hint;
}

constexpr const char* kLiteralAdvice =
    " | write a string, None, or a tuple, list or set of strings: the header is read without running Python";

TEST(AlembicHeader, ReadsWhatAlembicsTemplateWrites) {
  const auto revision = parsed(kExample);
  EXPECT_EQ(revision.id, "8c1f0a2b7d3e");
  EXPECT_EQ(revision.down, std::vector<std::string>{"1975ea83b712"});
  EXPECT_TRUE(revision.labels.empty());
  EXPECT_TRUE(revision.depends_on.empty());
  EXPECT_EQ(revision.message, "Add email to users");
  EXPECT_EQ(revision.created, "2026-11-21 02:10:00.123456");
  EXPECT_EQ(revision.path, "v/a.py");
  EXPECT_EQ(revision.format, RevisionFormat::AlembicPython);
}

TEST(AlembicHeader, ReadsTuplesListsSetsAndJoinedStrings) {
  const auto revision = parsed(
      "revision = ('ab'\n   \"12\")  # joined\n"
      "down_revision = (\n  r'a',\n  # between\n  u\"b\",\n)\n"
      "branch_labels = {'one'}\n"
      "depends_on = \\\n  ['x', '''y''',]\n");
  EXPECT_EQ(revision.id, "ab12");
  EXPECT_EQ(revision.down, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(revision.labels, std::vector<std::string>{"one"});
  EXPECT_EQ(revision.depends_on, (std::vector<std::string>{"x", "y"}));
}

TEST(AlembicHeader, TakesTheLastAssignmentBeforeTheDefinitions) {
  EXPECT_EQ(parsed("revision = 'a'\nrevision = 'b'\ndown_revision = None\n").id, "b");
}

TEST(AlembicHeader, TakesBareTuplesAndChainedNames) {
  EXPECT_EQ(parsed("revision = 'a'\ndown_revision = 'b', 'c'\n").down, (std::vector<std::string>{"b", "c"}));
  EXPECT_EQ(parsed("revision = 'a'; down_revision = 'b'\n").down, std::vector<std::string>{"b"});
}

TEST(AlembicHeader, PassesOverFunctionsClassesAndStrings) {
  const auto revision = parsed(R"(
text = '''
revision = "in a string"
'''
class A:
    revision = "in a class"
def f():
    down_revision = "in a function"
    """
revision = "in a docstring"
"""
revision = "right"
down_revision = None
)");
  EXPECT_EQ(revision.id, "right");
}

TEST(AlembicHeader, IgnoresABodyItCannotRead) {
  EXPECT_EQ(parsed("revision = 'a'\ndown_revision = None\ndef f():\n  x = 'never closed\n").id, "a");
}

TEST(AlembicHeader, TakesTheIdOfAVeryOldFileFromItsName) {
  EXPECT_EQ(parsed("down_revision = None\n", "v/0a12bc.py").id, "0a12bc");
  EXPECT_EQ(
      refused("down_revision = None\n", "v/0a12_add.py"),
      "v/0a12_add.py:1: no `revision = \"...\"` at the left margin of the file | add the assignment, or move the file out "
      "of the versions folder");
}

TEST(AlembicHeader, RefusesValuesThatPythonWouldHaveToCompute) {
  for (const auto* value : {"make_id()", "'a' + 'b'", "PREFIX", "f'a'", "'a'.upper()", "'%s' % 1", "12", "-1", "[x for x in y]",
                            "('a', *rest)", "'a' if b else 'c'", "tuple(['a'])", "b'a' 'c'"}) {
    const auto text = std::string("\nrevision = 'a'\ndown_revision = ") + value + "\n";
    const auto header = parse_alembic_header(text, true, "v/a.py");
    ASSERT_FALSE(header) << value;
    EXPECT_EQ(header.error().code, ErrorCode::MalformedRevision) << value;
    EXPECT_EQ(header.error().context, "v/a.py:3") << value;
  }
  EXPECT_EQ(refused("revision = make_id()\n"),
            std::string("v/a.py:1: the value of `revision` is not a literal") + kLiteralAdvice);
}

TEST(AlembicHeader, RefusesListsOfAnythingButStrings) {
  EXPECT_EQ(refused("revision = 'a'\ndown_revision = ('a', None)\n"),
            "v/a.py:2: `down_revision` holds None in a list | write strings only");
  EXPECT_EQ(refused("revision = 'a'\ndown_revision = [['b']]\n"),
            "v/a.py:2: `down_revision` holds a list in a list | write strings only");
  EXPECT_EQ(refused("revision = ('a', 'b')\n"), "v/a.py:1: `revision` is not a string | write the id in quotes");
  EXPECT_EQ(refused("revision = None\n"), "v/a.py:1: `revision` is not a string | write the id in quotes");
  EXPECT_EQ(refused("revision = 'a'\ndown_revision = ''\n"),
            "v/a.py:2: `down_revision` holds an empty string | write None if there is none");
}

TEST(AlembicHeader, RefusesAssignmentsThatOnlySometimesHappen) {
  EXPECT_EQ(refused("revision = 'a'\ndown_revision = None\nif True:\n    down_revision = 'b'\n"),
            "v/a.py:4: `down_revision` is assigned inside a block | assign it once, at the left margin");
  EXPECT_EQ(refused("revision, down_revision = 'a', None\n"),
            "v/a.py:1: `revision` is not assigned a literal | write `revision = ` and a literal: the header is read without "
            "running Python");
}

TEST(AlembicHeader, RefusesAFileWithoutParents) {
  EXPECT_EQ(refused("revision = 'a'\n"),
            "v/a.py:1: no `down_revision = ...` at the left margin of the file | name the parent; write `down_revision = None` "
            "for the first revision");
}

TEST(AlembicHeader, RefusesIdsThatAlembicRefuses) {
  EXPECT_EQ(refused("\nrevision = 'a-b'\ndown_revision = None\n"),
            "v/a.py:2: revision id `a-b` may not contain -, an operator of targets | use letters, digits and underscores");
  EXPECT_EQ(parsed("revision = '" + std::string(40, 'a') + "'\ndown_revision = None\n").id.size(), 40U);
}

TEST(AlembicHeader, NamesTheLineOfAStringThatNeverEnds) {
  EXPECT_EQ(refused("\n\nrevision = 'a\ndown_revision = None\n"), "v/a.py:3: the string is not closed | ");
  EXPECT_EQ(refused("x = '''\nrevision = 'a'\n"), "v/a.py:1: the string is not closed | ");
}

TEST(AlembicHeader, SurvivesNestingWithoutEnd) {
  EXPECT_EQ(refused("revision = " + std::string(100'000, '(')), "v/a.py:1: brackets are nested too deeply | ");
}

TEST(AlembicHeader, StopsAtTheFirstDefinitionWhenAllIsKnown) {
  const std::string text = kExample;
  const auto definition = text.find("def upgrade");
  const auto header = parse_alembic_header(std::string_view(text).substr(0, definition + 4), false, "v/a.py");
  ASSERT_TRUE(header);
  ASSERT_TRUE(*header);
  EXPECT_EQ((*header)->id, "8c1f0a2b7d3e");
}

// Headers that Python itself read (make_alembic_headers.py). Every case is also read from every one of its beginnings: a cut
// text may only ask for more, or say what the whole says.
TEST(AlembicHeader, AgreesWithPython) {
  std::ifstream file(ATHANOR_SOURCE_DIR "/tests/golden/alembic-headers.json");
  const auto golden = nlohmann::json::parse(file);
  ASSERT_GE(golden.at("cases").size(), 100U);
  for (const auto& item : golden.at("cases")) {
    const auto text = item.at("text").get<std::string>();
    SCOPED_TRACE(item.at("name").get<std::string>() + "\n" + text);
    const auto whole = parse_alembic_header(text, true, "case.py");
    const auto& answer = item.at("answer");
    ASSERT_EQ(whole.has_value(), !answer.is_null()) << (whole ? "" : whole.error().describe());
    if (whole) {
      EXPECT_EQ((*whole)->id, answer.at("id"));
      EXPECT_EQ((*whole)->down, answer.at("down"));
      EXPECT_EQ((*whole)->labels, answer.at("labels"));
      EXPECT_EQ((*whole)->depends_on, answer.at("depends_on"));
      EXPECT_EQ((*whole)->message, answer.at("message"));
      EXPECT_EQ((*whole)->created, answer.at("created"));
    }
    for (std::size_t length = 0; length < text.size(); ++length) {
      const auto cut = parse_alembic_header(std::string_view(text).substr(0, length), false, "case.py");
      ASSERT_TRUE(cut) << length << ": " << cut.error().describe();
      if (*cut) {
        ASSERT_TRUE(whole) << length;
        ASSERT_EQ((*cut)->id, (*whole)->id) << length;
        ASSERT_EQ((*cut)->down, (*whole)->down) << length;
        ASSERT_EQ((*cut)->depends_on, (*whole)->depends_on) << length;
      }
    }
  }
}

// No answer is checked here, only that there is one: neither a crash nor a loop.
TEST(AlembicHeader, EndsOnAnyBytes) {
  constexpr std::string_view kPieces[] = {"revision", "down_revision",
                                          "=",        " ",
                                          "\n",       "'",
                                          "\"",       "\"\"\"",
                                          "\\",       "(",
                                          ")",        "[",
                                          "]",        "{",
                                          "}",        ",",
                                          ";",        ":",
                                          "#",        "def ",
                                          "class ",   "None",
                                          "\r",       "\t",
                                          "r",        "b'",
                                          "\\x",      "\\N",
                                          "\xC3\xA9", "if ",
                                          "@",        "0"};
  std::uint64_t state = 7;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int piece = 0; piece < 24; ++piece) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += kPieces[(state >> 33U) % std::size(kPieces)];
    }
    const auto whole = parse_alembic_header(text, true, "x.py");
    const auto part = parse_alembic_header(text, false, "x.py");
    ASSERT_TRUE(part) << text;
    ASSERT_TRUE(!*part || whole) << text;
  }
}

}  // namespace
}  // namespace athanor
