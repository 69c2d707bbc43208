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

TEST(Output, ReportsAnErrorWithItsRetryClassAndTheFailedStatement) {
  Captured captured;
  captured.output.set_current({"r1"});
  captured.output.fields()["plan_hash"] = "abc";
  captured.output.fields()["steps"] = Json::array({1, 2, 3});
  captured.output.fields()["failed"] = {{"revision", "r2"}, {"line", 7}, {"statement", "SELECT ?"}};
  const auto error = Error(ErrorCode::LockTimeout, "gave up").at("r2.sql:7").with_sqlstate("55P03");
  EXPECT_EQ(captured.output.report(fail(error)),
            "{\"success\":false,\"message\":\"gave up\",\"current_revision\":[\"r1\"],\"plan_hash\":\"abc\","
            "\"failed\":{\"revision\":\"r2\",\"line\":7,\"statement\":\"SELECT ?\"},"
            "\"error\":{\"code\":\"lock-timeout\",\"message\":\"gave up\",\"context\":\"r2.sql:7\",\"hint\":\"\","
            "\"sqlstate\":\"55P03\",\"retry\":\"transient\"}}\n");
}

TEST(Output, CutsAReportToWhatATerminationMessageHolds) {
  Captured captured;
  captured.output.set_current(std::vector<std::string>(1'000, std::string(200, 'r')));
  captured.output.fields()["failed"] = {{"statement", std::string(100'000, '\x01')}};
  const auto error = Error(ErrorCode::StatementFailed, std::string(9'000, '"')).advise(std::string(9'000, '\xff'));
  const std::string report = captured.output.report(fail(error));
  EXPECT_LE(report.size(), kMaxReportBytes);
  const Json json = Json::parse(report);
  EXPECT_EQ(json["error"]["code"], "statement-failed");
  EXPECT_THAT(json["error"]["message"].get<std::string>(), testing::EndsWith("\"..."));
  EXPECT_FALSE(json["current_revision"].empty());
}

TEST(Output, CutsNoHashOutOfAReport) {
  Captured captured;
  const std::vector<std::string> long_texts(20, std::string(3'000, 't'));
  captured.output.fields()["plan_hash"] = std::string(64, 'a');
  captured.output.fields()["plan"] = {{"first", long_texts}, {"destructive", long_texts}, {"warnings", long_texts}};
  const std::string report = captured.output.report({});
  EXPECT_LE(report.size(), kMaxReportBytes);
  EXPECT_EQ(Json::parse(report)["plan_hash"], std::string(64, 'a'));
  EXPECT_EQ(Json::parse(report)["plan"]["destructive"].size(), 20U);
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
  EXPECT_EQ(join_revisions({}), "<base>");
  EXPECT_EQ(join_revisions({"a"}), "a");
  EXPECT_EQ(join_revisions({"a", "b", "c"}), "a, b, c");
}

}  // namespace
}  // namespace athanor::cli
