#include "migrations/text/strict_yaml.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>

#include "migrations/text/yaml_fields.hpp"

namespace athanor {
namespace {

std::string refused(const std::string& text, YamlLimits limits = {}) {
  const auto parsed = parse_yaml(text, "f.yaml", limits);
  return parsed ? "accepted" : parsed.error().describe();
}

// Kilobytes this process has had resident at most.
long peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

// Refused quickly and cheaply: the promise about hostile input.
void expect_cheap_refusal(const std::string& text, const std::string& message) {
  const long before = peak_memory();
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(refused(text), message);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
  EXPECT_LT(peak_memory() - before, 64 * 1024);
}

TEST(StrictYaml, KeepsSpellingKindAndPlace) {
  const auto documents = parse_yaml("a: 1e5\nb:\n  - x\n  - 'y'\nc: ~\n", "f.yaml");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 1U);
  const auto& root = documents->front();
  ASSERT_EQ(root.kind, YamlNode::Kind::Mapping);
  EXPECT_EQ(root.find("a")->text, "1e5");
  EXPECT_EQ(root.find("b")->items[1].text, "y");
  EXPECT_TRUE(root.find("b")->items[1].quoted);
  EXPECT_EQ(root.find("b")->items[1].line, 4U);
  EXPECT_EQ(root.find("b")->items[1].column, 5U);
  EXPECT_EQ(root.find("c")->kind, YamlNode::Kind::Null);
  EXPECT_EQ(root.find("d"), nullptr);
}

TEST(StrictYaml, ReadsDocumentsWithLinesOfTheStream) {
  const auto documents = parse_yaml("a: 1\n---\nb: 2\n---\n---\n- c\n", "f.yaml");
  ASSERT_TRUE(documents);
  ASSERT_EQ(documents->size(), 4U);
  EXPECT_EQ((*documents)[1].find("b")->line, 3U);
  EXPECT_EQ((*documents)[2].kind, YamlNode::Kind::Null);
  EXPECT_EQ((*documents)[3].items[0].line, 6U);
  EXPECT_TRUE(parse_yaml("", "f.yaml")->empty());
  EXPECT_TRUE(parse_yaml("# only a comment\n", "f.yaml")->empty());
}

TEST(StrictYaml, RefusesAnchorsAliasesAndTags) {
  EXPECT_EQ(refused("a: &x 1\nb: *x\n"), "f.yaml:1:4: anchors are not allowed");
  EXPECT_EQ(refused("a: &x [1]\n"), "f.yaml:1:4: anchors are not allowed");
  EXPECT_EQ(refused("a: !!str 1\n"), "f.yaml:1:4: tags are not allowed");
  EXPECT_EQ(refused("a: !!python/object:x {}\n"), "f.yaml:1:4: tags are not allowed");
}

TEST(StrictYaml, RefusesKeysGivenTwiceWithBothLines) {
  EXPECT_EQ(refused("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: key `a` is given twice, first on line 1");
  EXPECT_EQ(refused("x: {a: 1, 'a': 2}\n"), "f.yaml:1:11: key `a` is given twice, first on line 1");
}

TEST(StrictYaml, RefusesKeysThatAreNotText) {
  EXPECT_EQ(refused("? [a]\n: 1\n"), "f.yaml:1:3: a key must be text");
  EXPECT_EQ(refused("~: 1\n"), "f.yaml:1:1: a key must not be empty");
}

TEST(StrictYaml, NamesThePlaceOfASyntaxError) {
  for (const auto* text : {"a:\n\t- b\n", "a: [1\n", "a: 'x\n", "a: b: c\n", "a: }\n", "- a\nb: 1\n"}) {
    const auto parsed = parse_yaml(text, "f.yaml");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, ErrorCode::Configuration);
    EXPECT_TRUE(parsed.error().describe().starts_with("f.yaml:")) << parsed.error().describe();
    EXPECT_NE(parsed.error().describe().find(": invalid YAML: "), std::string::npos) << parsed.error().describe();
  }
  EXPECT_EQ(refused("a: 1\nb: 'x\n"), "f.yaml:2:4: invalid YAML: unterminated quote");
  EXPECT_EQ(refused("a: \"x\\\"\n"), "f.yaml:1:4: invalid YAML: unterminated quote");
  EXPECT_EQ(refused("a: 'it''s'\nb: \"x\\\"y\"\n"), "accepted");
  EXPECT_EQ(refused("- a\nb: 1\n"), "f.yaml:2:1: invalid YAML: unexpected content after the document");
  EXPECT_EQ(refused("%TAG ! x\n--- a\n"), "f.yaml:1:1: directives are not allowed");
  EXPECT_TRUE(refused("a:\n\t- b\n").starts_with("f.yaml:2:")) << refused("a:\n\t- b\n");
}

TEST(StrictYaml, RefusesBytesThatAreNotText) {
  EXPECT_EQ(refused("a: 1\nb: \xFF\n"), "f.yaml:2: byte 0xFF at offset 8 is not UTF-8");
  EXPECT_EQ(refused(std::string("a: \0\n", 5)), "f.yaml:1: NUL byte at offset 3: this is not a text file");
  EXPECT_EQ(refused(std::string(11, ' '), YamlLimits{.max_bytes = 10}),
            "f.yaml: the file has 11 bytes, more than the limit of 10");
}

TEST(StrictYaml, AcceptsNestingUpToTheLimit) {
  EXPECT_EQ(refused(std::string(64, '[') + std::string(64, ']')), "accepted");
  EXPECT_EQ(refused(std::string(65, '[') + std::string(65, ']')), "f.yaml:1:65: nested more than 64 deep");
}

TEST(StrictYaml, RefusesHostileNestingAtOnce) {
  expect_cheap_refusal(std::string(10'000, '['), "f.yaml:1:1001: nested more than 64 deep");
  expect_cheap_refusal(std::string(1'000'000, '['), "f.yaml:1:1001: nested more than 64 deep");
  std::string sequences;
  std::string mappings;
  std::string flow;
  for (int index = 0; index < 10'000; ++index) {
    sequences += "- ";
    flow += "{a: ";
  }
  expect_cheap_refusal(sequences + "x\n", "f.yaml:1:129: nested more than 64 deep");
  expect_cheap_refusal(flow, "f.yaml:1:4001: nested more than 64 deep");
  for (std::size_t index = 0; index < 1'000; ++index) {
    mappings += std::string(index, ' ') + "a:\n";
  }
  expect_cheap_refusal(mappings, "f.yaml:65:65: nested more than 64 deep");
  std::string explicit_keys;
  std::string empty_keys;
  for (int index = 0; index < 10'000; ++index) {
    explicit_keys += "? ";
    empty_keys += ": ";
  }
  expect_cheap_refusal(explicit_keys + "x\n", "f.yaml:1:3: a key must be text");
  const auto start = std::chrono::steady_clock::now();
  EXPECT_NE(refused(empty_keys + "x\n"), "accepted");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
}

TEST(StrictYaml, RefusesABombOfAliasesAtOnce) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
  for (int level = 1; level < 10; ++level) {
    const auto below = "*a" + std::to_string(level - 1);
    bomb += "a" + std::to_string(level) + ": &a" + std::to_string(level) + " [";
    for (int index = 0; index < 9; ++index) {
      bomb += below + (index == 8 ? "]\n" : ", ");
    }
  }
  expect_cheap_refusal(bomb, "f.yaml:1:5: anchors are not allowed");
}

TEST(StrictYaml, EndsOnAnyText) {
  constexpr std::string_view kPieces[] = {"a",     ":",     " ",  "\n", "- ", "[",        "]",  "{",  "}", ",",
                                          "'",     "\"",    "|",  ">",  "#",  "&x",       "*x", "!",  "%", "?",
                                          "---\n", "...\n", "\t", "  ", "\\", "\xC3\xA9", "~",  "<<", "@"};
  std::uint64_t state = 11;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (int piece = 0; piece < 20; ++piece) {
      state = state * 6364136223846793005U + 1442695040888963407U;
      text += kPieces[(state >> 33U) % std::size(kPieces)];
    }
    (void)parse_yaml(text, "f.yaml");  // neither a crash nor an exception
  }
}

// Reads one field of a document and gives the fault.
template <class Read>
std::string fault(const std::string& text, Read read) {
  const auto documents = parse_yaml(text, "f.yaml");
  if (!documents) {
    return documents.error().describe();
  }
  YamlFields fields(documents->front(), "f.yaml");
  read(fields);
  const auto finished = fields.finish();
  return finished ? "accepted" : finished.error().describe() + " | " + finished.error().hint;
}

TEST(YamlFields, RefusesWrongTypesWithFileLineAndField) {
  std::string text;
  bool flag = false;
  int number = 0;
  std::vector<std::string> list;
  std::chrono::milliseconds duration{};
  EXPECT_EQ(fault("a:\n  b: 12\n", [&](YamlFields& f) { f.mapping("a", [&](YamlFields& a) { a.text("b", text); }); }),
            "f.yaml:2: field `a.b`: expected text, found a number | put the value in quotes");
  EXPECT_EQ(fault("a: yes\n", [&](YamlFields& f) { f.text("a", text); }),
            "f.yaml:1: field `a`: expected text, found a boolean | put the value in quotes");
  EXPECT_EQ(fault("a: [x]\n", [&](YamlFields& f) { f.text("a", text); }),
            "f.yaml:1: field `a`: expected text, found a list | ");
  EXPECT_EQ(fault("a: yes\n", [&](YamlFields& f) { f.flag("a", flag); }),
            "f.yaml:1: field `a`: expected true or false, found `yes` | write true or false");
  EXPECT_EQ(fault("a: 'true'\n", [&](YamlFields& f) { f.flag("a", flag); }),
            "f.yaml:1: field `a`: expected true or false, found text | ");
  EXPECT_EQ(fault("a: 4x\n", [&](YamlFields& f) { f.integer("a", number); }),
            "f.yaml:1: field `a`: expected a whole number, found text | ");
  EXPECT_EQ(fault("a: 4.0\n", [&](YamlFields& f) { f.integer("a", number); }),
            "f.yaml:1: field `a`: expected a whole number, found a number | ");
  EXPECT_EQ(fault("a: 99999999999999999999\n", [&](YamlFields& f) { f.integer("a", number, 1, 9); }),
            "f.yaml:1: field `a`: must lie between 1 and 9 | ");
  EXPECT_EQ(fault("a: 30\n", [&](YamlFields& f) { f.duration("a", duration); }),
            "f.yaml:1: field `a`: the duration has no unit | add the unit: 30ms, 30s or 30m");
  EXPECT_EQ(fault("a:\n- x\n- 1\n", [&](YamlFields& f) { f.text_list("a", list); }),
            "f.yaml:3: field `a[1]`: expected text, found a number | put the value in quotes");
  EXPECT_EQ(fault("a: x\n", [&](YamlFields& f) { f.mapping("a", [](YamlFields&) {}); }),
            "f.yaml:1: field `a`: expected a mapping, found text | ");
  EXPECT_EQ(fault("b: x\n", [&](YamlFields& f) { f.required_text("a", text); }), "f.yaml:1: field `a`: is required | ");
  EXPECT_EQ(fault("a: blow\n",
                  [&](YamlFields& f) {
                    f.choice("a", text, {"fast", "slow"});
                  }),
            "f.yaml:1: field `a`: is not one of fast, slow | did you mean `slow`?");
}

TEST(YamlFields, RefusesUnknownFieldsWithASuggestion) {
  std::string text;
  EXPECT_EQ(fault("timezoen: x\n", [&](YamlFields& f) { f.text("timezone", text); }),
            "f.yaml:1: field `timezoen`: unknown field | did you mean `timezone`?");
  EXPECT_EQ(fault("a:\n  zzz: x\n", [&](YamlFields& f) { f.mapping("a", [&](YamlFields& a) { a.text("name", text); }); }),
            "f.yaml:2: field `a.zzz`: unknown field | known names: name");
}

TEST(YamlFields, LeavesAbsentAndNullFieldsAlone) {
  std::string text = "kept";
  int number = 7;
  EXPECT_EQ(fault("a: null\nb:\n",
                  [&](YamlFields& f) {
                    f.text("a", text);
                    f.integer("b", number);
                    f.text("c", text);
                  }),
            "accepted");
  EXPECT_EQ(text, "kept");
  EXPECT_EQ(number, 7);
}

TEST(YamlFields, NeverRepeatsAValue) {
  int number = 0;
  const auto message = fault("a: postgresql://u:secret@h/d\n", [&](YamlFields& f) { f.integer("a", number); });
  EXPECT_EQ(message.find("secret"), std::string::npos) << message;
}

TEST(YamlFields, KnowsNumbersByTheirSpelling) {
  const auto spelled = [](const std::string& text) {
    YamlNode node;
    node.kind = YamlNode::Kind::Scalar;
    node.text = text;
    return spelling(node);
  };
  for (const auto* text : {"1", "-1", "+12", "0x1F", "0o17", "012"}) {
    EXPECT_EQ(spelled(text), YamlSpelling::Integer) << text;
  }
  for (const auto* text : {"1.5", ".5", "1e5", "1975e83", "-1.5E-3", ".inf", ".nan"}) {
    EXPECT_EQ(spelled(text), YamlSpelling::Real) << text;
  }
  for (const auto* text : {"1975ea83b712", "a", "-", ".", "e5", "1e", "0x", "2026-11-21", "1_000", "1.2.3", ""}) {
    EXPECT_EQ(spelled(text), YamlSpelling::Text) << text;
  }
}

}  // namespace
}  // namespace athanor
