#include "migrations/cli/output.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;

struct Captured {
  std::string out;
  std::string err;
  Output output{[this](std::string_view text) { out += text; }, [this](std::string_view text) { err += text; }};
};

TEST(Output, PutsResultsOnOutAndRemarksOnErr) {
  Captured captured;
  captured.output.line("result");
  captured.output.note("remark");
  captured.output.warn("careful");
  EXPECT_EQ(captured.output.finish({}), 0);
  EXPECT_EQ(captured.out, "result\n");
  EXPECT_EQ(captured.err, "remark\nathanor: warning: careful\n");
}

TEST(Output, KeepsErrorsButNoRemarksWhenQuiet) {
  Captured captured;
  captured.output.set_style({.quiet = true});
  captured.output.line("result");
  captured.output.note("remark");
  captured.output.warn("careful");
  const int code = captured.output.finish(fail(Error(ErrorCode::MultipleHeads, "two heads").advise("merge them")));
  EXPECT_EQ(code, 5);
  EXPECT_EQ(captured.out, "result\n");
  EXPECT_EQ(captured.err, "athanor: error: two heads\nhint: merge them\n");
}

TEST(Output, PrintsOneObjectAndNothingElseWithJson) {
  Captured captured;
  captured.output.set_style({.json = true});
  captured.output.line("result");
  captured.output.note("remark");
  captured.output.warn("careful");
  captured.output.set_message("done");
  captured.output.set_current({"a", "b"});
  captured.output.fields()["steps"] = Json::array();
  EXPECT_EQ(captured.output.finish({}), 0);
  EXPECT_EQ(captured.out,
            "{\"success\":true,\"message\":\"done\",\"current_revision\":[\"a\",\"b\"],\"steps\":[],"
            "\"warnings\":[\"careful\"],\"error\":null}\n");
  EXPECT_EQ(captured.err, "");
}

TEST(Output, DescribesErrorsInJsonInFull) {
  Captured captured;
  captured.output.set_style({.json = true});
  const int code = captured.output.finish(
      fail(Error(ErrorCode::StatementFailed, "relation exists").at("a.sql:7").advise("drop it").with_sqlstate("42P07")));
  EXPECT_EQ(code, 9);
  const Json json = Json::parse(captured.out);
  EXPECT_FALSE(json["success"].get<bool>());
  EXPECT_EQ(json["message"], "a.sql:7: relation exists (SQLSTATE 42P07)");
  EXPECT_EQ(json["current_revision"], Json::array());
  EXPECT_EQ(json["error"], Json::parse(R"({"code":"statement-failed","message":"relation exists","context":"a.sql:7",
                                          "hint":"drop it","sqlstate":"42P07"})"));
  EXPECT_EQ(captured.err, "");
}

TEST(Output, StaysJsonWhenTextIsNotUtf8) {
  Captured captured;
  captured.output.set_style({.json = true});
  captured.output.set_message("bad \xff byte");
  EXPECT_EQ(captured.output.finish({}), 0);
  EXPECT_TRUE(Json::accept(captured.out)) << captured.out;
}

TEST(Output, LetsNoFileMoveTheCursor) {
  Captured captured;
  captured.output.line("evil \x1b[2J message\r");
  EXPECT_EQ(captured.output.finish({}), 0);
  EXPECT_EQ(captured.out, "evil \\x1b[2J message\\x0d\n");
}

TEST(Output, ColoursOnlyWhenAsked) {
  Captured plain;
  EXPECT_EQ(plain.output.finish(fail(ErrorCode::Usage, "no")), 2);
  EXPECT_THAT(plain.err, testing::Not(HasSubstr("\x1b")));
  Captured bright;
  bright.output.set_style({.error_color = true});
  EXPECT_EQ(bright.output.finish(fail(ErrorCode::Usage, "no")), 2);
  EXPECT_THAT(bright.err, HasSubstr("\x1b[31;1m"));
}

TEST(Output, JoinsRows) {
  EXPECT_EQ(join_rows({}), "<base>");
  EXPECT_EQ(join_rows({"a"}), "a");
  EXPECT_EQ(join_rows({"a", "b", "c"}), "a, b, c");
}

}  // namespace
}  // namespace athanor::cli
