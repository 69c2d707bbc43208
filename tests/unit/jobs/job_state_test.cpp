#include "operator/jobs/job_state.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;
using Kind = JobState::Kind;

const WallTime kNow = WallTime(std::chrono::seconds(1'790'000'000));  // 2026-09-21T14:13:20Z

KubeObject job(const std::string& conditions = "[]", const std::string& created = "2026-09-21T14:13:10Z") {
  return KubeObject::parse(R"({"metadata": {"name": "orders-1", "creationTimestamp": ")" + created +
                           R"("}, "status": {"conditions": )" + conditions + "}}");
}

KubeObject failed() {
  return job(R"([{"type": "FailureTarget", "status": "True"},
                 {"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
                  "message": "Job has reached the specified backoff limit", "lastTransitionTime": "2026-09-21T14:13:20Z"}])");
}

KubeObject pod(const std::string& state, const std::string& created = "2026-09-21T14:13:10Z") {
  return KubeObject::parse(R"({"metadata": {"name": "orders-1-a", "creationTimestamp": ")" + created +
                           R"("}, "status": {"containerStatuses": [{"name": "proxy", "state": {"running": {}}},
                                                                   {"name": "athanor", "state": )" +
                           state + "}]}}");
}

KubeObject terminated(const std::string& message, int code = 9, const std::string& reason = "Error") {
  const KubeObject end = {{"exitCode", code}, {"reason", reason}, {"message", message}};
  return pod(R"({"terminated": )" + end.dump() + "}");
}

TEST(JobState, IsRunningUntilTheControllerSaysOtherwise) {
  for (const char* const conditions :
       {"[]", R"([{"type": "SuccessCriteriaMet", "status": "True"}])", R"([{"type": "FailureTarget", "status": "True"}])",
        R"([{"type": "Complete", "status": "False"}])", R"([{"type": "Suspended", "status": "True"}])"}) {
    EXPECT_EQ(job_state(job(conditions), {terminated("", 0, "Completed")}, kNow).kind, Kind::Running) << conditions;
    EXPECT_FALSE(has_ended(job(conditions)));
  }
  EXPECT_EQ(job_state(job(R"([{"type": "Complete", "status": "True"}])"), {}, kNow).kind, Kind::Succeeded);
  EXPECT_EQ(job_state(KubeObject::parse(R"({"metadata": {"name": "orders-1"}})"), {}, kNow).kind, Kind::Running);
}

TEST(JobState, KnowsWhenItEnded) {
  EXPECT_EQ(job_state(failed(), {}, kNow).ended, kNow);
  EXPECT_EQ(job_state(job(), {}, kNow).ended, std::nullopt);
}

TEST(JobState, KnowsWhatItWasMadeFor) {
  KubeObject made = job();
  made["metadata"]["uid"] = "j-1";
  made["metadata"]["labels"] = {{"athanor.dev/attempt", "at"}};
  made["metadata"]["annotations"] = {{"athanor.dev/plan", "hash"},
                                     {"athanor.dev/revisions", "3"},
                                     {"athanor.dev/from", R"(["a1",7])"},
                                     {"athanor.dev/declaration", "de"},
                                     {"athanor.dev/generation", "4"}};
  const JobState state = job_state(made, {}, kNow);
  EXPECT_EQ(state.uid, "j-1");
  EXPECT_EQ(state.attempt, "at");
  EXPECT_EQ(state.declaration, "de");
  EXPECT_EQ(state.plan_hash, "hash");
  EXPECT_EQ(state.revisions, 3);
  EXPECT_EQ(state.generation, 4);
  EXPECT_EQ(state.from, std::vector<std::string>{"a1"});
  EXPECT_EQ(state.created, kNow - std::chrono::seconds(10));
  made["metadata"]["annotations"] = {{"athanor.dev/revisions", "-3"}, {"athanor.dev/from", "{"}, {"athanor.dev/generation", 4}};
  EXPECT_EQ(job_state(made, {}, kNow).revisions, 0);
  EXPECT_EQ(job_state(made, {}, kNow).generation, 0);
  EXPECT_TRUE(job_state(made, {}, kNow).from.empty());
}

TEST(JobState, SaysWhatThePodWaitsFor) {
  EXPECT_EQ(
      job_state(job(), {pod(R"({"waiting": {"reason": "ImagePullBackOff", "message": "Back-off pulling image \"x\""}})")}, kNow)
          .message,
      "ImagePullBackOff: Back-off pulling image \"x\"");
  EXPECT_EQ(job_state(job(), {pod(R"({"waiting": {"reason": "ContainerCreating"}})")}, kNow).message, "");
  const KubeObject unscheduled = KubeObject::parse(R"({"metadata": {}, "status": {"conditions": [
      {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available"}]}})");
  EXPECT_EQ(job_state(job(), {unscheduled}, kNow).message, "Unschedulable: 0/3 nodes are available");
  EXPECT_EQ(job_state(job(), {}, kNow).message, "");
  EXPECT_THAT(job_state(job("[]", "2026-09-21T14:12:00Z"), {}, kNow).message, HasSubstr("no pod"));
  KubeObject deleting = job();
  deleting["metadata"]["deletionTimestamp"] = "2026-09-21T14:13:20Z";
  EXPECT_THAT(job_state(deleting, {}, kNow).message, HasSubstr("deleted"));
}

TEST(JobState, TakesTheErrorFromTheTerminationMessage) {
  const JobState state =
      job_state(failed(), {terminated(R"({"success": false, "run_id": "r-1", "current_revision": ["b1", "a1"],
                      "failed": {"revision": "r2", "line": 7, "statement": "SELECT $1"},
                      "error": {"code": "lock-timeout", "message": "gave up", "context": "r2.sql:7",
                      "hint": "wait", "sqlstate": "55P03", "retry": "transient"}})")},
                kNow);
  EXPECT_EQ(state.kind, Kind::Failed);
  EXPECT_EQ(state.name, "orders-1");
  ASSERT_TRUE(state.report && state.report->error);
  EXPECT_EQ(state.report->error->code, ErrorCode::LockTimeout);
  EXPECT_EQ(state.report->error->retry, RetryClass::Transient);
  EXPECT_EQ(state.report->error->describe(), "r2.sql:7: gave up (SQLSTATE 55P03)");
  EXPECT_EQ(state.report->error->hint, "wait");
  EXPECT_EQ(state.report->run_id, "r-1");
  EXPECT_EQ(state.report->current_heads, (std::vector<std::string>{"a1", "b1"}));
  EXPECT_EQ(state.report->failed_revision, "r2");
  EXPECT_EQ(state.report->failed_line, 7);
  EXPECT_EQ(state.report->failed_statement, "SELECT $1");
}

TEST(JobState, SaysHowThePodEndedWhenTheRunSaidNothing) {
  const JobState killed = job_state(failed(), {terminated("half a {", 137, "OOMKilled")}, kNow);
  EXPECT_FALSE(killed.report);
  EXPECT_EQ(killed.message, "BackoffLimitExceeded: Job has reached the specified backoff limit; exit code 137 (OOMKilled)");
  const JobState missing = job_state(failed(), {terminated("exec: \"athanor\": not found", 128, "StartError")}, kNow);
  EXPECT_THAT(missing.message, HasSubstr("exit code 128 (StartError): exec: \"athanor\": not found"));
  const JobState gone = job_state(
      job(R"([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}])"), {}, kNow);
  EXPECT_EQ(gone.message, "DeadlineExceeded: too long");
}

TEST(JobState, ReadsTheLastOfSeveralPods) {
  const auto report = [](const char* code) {
    return R"({"success": false, "error": {"code": ")" + std::string(code) + R"(", "message": "m"}})";
  };
  KubeObject first = terminated(report("interrupted"));
  first["metadata"]["creationTimestamp"] = "2026-09-21T14:00:00Z";
  EXPECT_EQ(job_state(failed(), {terminated(report("stale-plan")), first}, kNow).report->error->code, ErrorCode::StalePlan);
}

TEST(JobState, ReadsThePlanOfAJobThatPlanned) {
  const std::string hash(64, 'a');
  const auto plan_in = [](const std::string& plan, const std::string& its_hash) {
    return read_report(R"({"success": true, "plan_hash": ")" + its_hash + R"(", "plan": )" + plan + "}")->plan;
  };
  const auto report = read_report(R"({"success": true, "plan_hash": ")" + hash + R"(", "plan": {"revisions": 3,
      "first": [{"revision": "a1", "message": "One"}, {"revision": "a2"}], "destructive": ["a1, line 1: DROP TABLE t", 7],
      "warnings": ["w"]}})");
  ASSERT_TRUE(report && report->plan);
  EXPECT_EQ(report->plan->hash, hash);
  ASSERT_EQ(report->plan->revisions.size(), 3U);
  EXPECT_EQ(report->plan->revisions[0].walk.revision, "a1");
  EXPECT_EQ(report->plan->revisions[0].message, "One");
  EXPECT_EQ(report->destructive, std::vector<std::string>{"a1, line 1: DROP TABLE t"});
  EXPECT_EQ(report->plan->warnings, std::vector<std::string>{"w"});
  EXPECT_FALSE(plan_in("7", hash));
  EXPECT_FALSE(plan_in(R"({"revisions": 1})", "a"));
  EXPECT_FALSE(plan_in(R"({"revisions": -1})", hash));
  EXPECT_FALSE(plan_in(R"({"revisions": 1000000000})", hash));
  EXPECT_EQ(plan_in(R"({"revisions": 1, "first": [7]})", hash)->revisions.size(), 1U);
  EXPECT_EQ(report->plan->operation, Direction::Upgrade);
  const auto down = plan_in(R"({"direction": "downgrade", "revisions": 2, "first": [{"revision": "a2"}]})", hash);
  EXPECT_EQ(down->operation, Direction::Downgrade);
  EXPECT_EQ(down->revisions.front().walk.direction, Direction::Downgrade) << "as the summary in the status says";
}

TEST(JobState, TrustsNoTerminationMessage) {
  for (const char* const message : {"", "[]", "{}", "\xff", R"({"success": "yes"})", R"({"success": true)", "killed"}) {
    EXPECT_FALSE(read_report(message)) << message;
  }
  for (const char* const error : {"null", R"({"code": "unheard-of"})", R"({"code": 7})", R"("x")", "[]"}) {
    const auto report = read_report(R"({"success": false, "run_id": 7, "current_revision": {"a": 1}, "failed": [], "error": )" +
                                    std::string(error) + "}");
    ASSERT_TRUE(report) << error;
    EXPECT_FALSE(report->error) << error;
    EXPECT_EQ(report->run_id, "");
    EXPECT_FALSE(report->current_heads);
  }
  const auto reported = read_report(R"({"success": false, "error": {"code": "internal", "message": "a\u001b[2Jb", "context": 3,
                                    "hint": ")" +
                                    std::string(4'000, 'h') + R"("}})");
  ASSERT_TRUE(reported && reported->error);
  EXPECT_EQ(reported->error->message, "a [2Jb");
  EXPECT_EQ(reported->error->context, "");
  EXPECT_LT(reported->error->hint.size(), 600U);
}

}  // namespace
}  // namespace athanor::controller
