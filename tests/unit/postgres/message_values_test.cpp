#include "migrations/postgres/message_values.hpp"

#include <gtest/gtest.h>

namespace athanor::postgres {
namespace {

TEST(MessageValues, AreMaskedWhereverTheServerQuotesThem) {
  struct Case {
    const char* sqlstate;
    const char* message;
    const char* masked;
  };
  for (const auto& [sqlstate, message, masked] : {
           Case{"22003", "value \"4111111111111111\" is out of range for type integer",
                "value \"***\" is out of range for type integer"},
           Case{"22P02", "invalid input syntax for type integer: \"4111-1111\"", "invalid input syntax for type integer"},
           Case{"22P02", "invalid input value for enum mood: \"sekret\"", "invalid input value for enum mood"},
           Case{"22P02", "invalid input syntax for type integer: \"a\" column \"sekret\"",
                "invalid input syntax for type integer"},
           Case{"22008", "date/time field value out of range: \"2020-13-01\"", "date/time field value out of range"},
           Case{"22023", "invalid value for parameter \"role\": \"sekret\"", "invalid value for parameter \"role\""},
           Case{"22021", "invalid byte sequence for encoding \"UTF8\": 0xff 0x4f",
                "invalid byte sequence for encoding \"UTF8\": *** ***"},
           Case{"42601", "syntax error at or near \"sekret\"", "syntax error at or near \"***\""},
           Case{"42601", "syntax error at or near \"4111\"", "syntax error at or near \"***\""},
           Case{"42601", "unterminated quoted string at or near \"'sekret \"x\" and more\"",
                "unterminated quoted string at or near \"***\""},
           Case{"42601", "syntax error at or near \"'it''s'\"", "syntax error at or near \"***\""},
           Case{"23514", "the sum 4711 is too large for 'sekret'", "the sum *** is too large for '***'"},
           Case{"22003",
                "Wert \xc2\xbb"
                "4111\xc2\xab ist au\xc3\x9f"
                "erhalb",
                "Wert \xc2\xbb***\xc2\xab ist au\xc3\x9f"
                "erhalb"},
           Case{"22003", "value \"4111", "value \"***\""},
       }) {
    EXPECT_EQ(mask_values(message, sqlstate), masked);
  }
}

TEST(MessageValues, LoseThePasswordBeforeAnythingElseIsMasked) {
  EXPECT_EQ(mask_values(without_password("internal S3cret/2026/x end", "S3cret/2026/x"), "XX000"), "internal *** end");
  EXPECT_EQ(without_password("xhunter2hunter2y", "hunter2"), "x******y");
  EXPECT_EQ(without_password("abc", "abc"), "abc");
  EXPECT_EQ(without_password("text", ""), "text");
}

TEST(MessageValues, LeaveNamesReadable) {
  for (const auto& [sqlstate, message] : {
           std::pair("42P07", "relation \"users\" already exists"),
           std::pair("42703", "column \"mail\" of relation \"users\" does not exist"),
           std::pair("42704", "type \"itn\" does not exist"),
           std::pair("23505", "duplicate key value violates unique constraint \"users_pkey2\""),
           std::pair("23502", "null value in column \"mail\" of relation \"t1\" violates not-null constraint"),
           std::pair("22001", "value too long for type character varying(10)"),
           std::pair("22003", "numeric field overflow in numeric(10,2)"),
           std::pair("42601", "syntax error at or near \"INSERT\""),
           std::pair("42601", "syntax error at or near \"TABLE\""),
           std::pair("42601", "syntax error at or near \")\""),
           std::pair("42P02", "there is no parameter $1"),
           std::pair("53300", "remaining connection slots: 3 of 100"),
           std::pair("42501", "must be owner of table t"),
           std::pair("42883", "there's no such function"),
           std::pair("", "Perhaps you meant to reference the column \"users.mail\"."),
       }) {
    EXPECT_EQ(mask_values(message, sqlstate), message);
  }
}

TEST(MessageValues, AreMaskedWhereANameIsLookedUpThatTheStatementHasNotAsOne) {
  const auto masked = [](const std::string& message, const std::string& state, std::string_view sql) {
    return mask_values(message, state, {{}, sql});
  };
  EXPECT_EQ(masked("relation \"4111\" does not exist", "42P01", "SELECT '4111'::regclass"), "relation \"***\" does not exist");
  EXPECT_EQ(masked("role \"sekret\" does not exist", "42704", "SELECT 'sekret'::regrole"), "role \"***\" does not exist");
  EXPECT_EQ(masked("relation \"sekret\" does not exist", "42P01", "SELECT a::regclass FROM t"),
            "relation \"***\" does not exist");
  EXPECT_EQ(masked("schema \"sekret\" does not exist", "3F000", "SELECT $$sekret.t$$::regclass"),
            "schema \"***\" does not exist");
  EXPECT_EQ(masked("relation \"users\" does not exist", "42P01", "SELECT FROM Users"), "relation \"users\" does not exist");
  EXPECT_EQ(masked("relation \"app.Users\" does not exist", "42P01", "ALTER TABLE app.\"Users\" ADD x int"),
            "relation \"app.Users\" does not exist");
  EXPECT_EQ(masked("relation \"app.sekret\" does not exist", "42P01", "SELECT FROM app.users WHERE 'app.sekret'::regclass > 0"),
            "relation \"***\" does not exist");
}

TEST(MessageValues, AreMaskedInKeysAndAtTheEndOfALimit) {
  EXPECT_EQ(mask_values("JSON object does not contain key \"sekret\"", "2203A"), "JSON object does not contain key \"***\"");
  EXPECT_EQ(mask_values("requested character too large for encoding: 1234567", "54000"),
            "requested character too large for encoding: ***");
  EXPECT_EQ(mask_values("tables can have at most 1600 columns", "54011"), "tables can have at most 1600 columns");
}

TEST(MessageValues, LeaveWhatTheReportItselfNames) {
  EXPECT_EQ(mask_values("Relation \xc2\xbbusers\xc2\xab existiert", "42P01", {{"users"}, {}}),
            "Relation \xc2\xbbusers\xc2\xab existiert");
}

TEST(MessageValues, ShowControlCharactersAsText) {
  EXPECT_EQ(one_safe_line("a\x1b[2Jb\rc\x7f\xc2\x9b"
                          "d\xe2\x80\xae"
                          "e\x9b\nnext line"),
            "a\\x1b[2Jb\\x0dc\\x7f\\x9bd\\u202ee\xef\xbf\xbd");
  EXPECT_EQ(one_safe_line(std::string(10'000, 'x')).size(), 500U);
  EXPECT_EQ(one_safe_line("gr\xc3\xbc\xc3\x9f"
                          "e \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f"
            "e \xf0\x9f\x98\x80");
}

}  // namespace
}  // namespace athanor::postgres
