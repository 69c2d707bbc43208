#include "operator/cluster/job_state.hpp"

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
  EXPECT_EQ(ended_at(failed()), kNow);
  EXPECT_EQ(ended_at(job()), std::nullopt);
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
  const JobState state = job_state(
      failed(), {terminated(R"({"success": false, "error": {"code": "lock-timeout", "message": "gave up", "context": "r2.sql:7",
                      "hint": "wait", "sqlstate": "55P03", "retry": "transient"}})")},
      kNow);
  EXPECT_EQ(state.kind, Kind::Failed);
  EXPECT_EQ(state.name, "orders-1");
  ASSERT_TRUE(state.error);
  EXPECT_EQ(state.error->code, ErrorCode::LockTimeout);
  EXPECT_EQ(state.error->retry, RetryClass::Transient);
  EXPECT_EQ(state.error->describe(), "r2.sql:7: gave up (SQLSTATE 55P03)");
  EXPECT_EQ(state.error->hint, "wait");
}

TEST(JobState, SaysHowThePodEndedWhenTheRunSaidNothing) {
  const JobState killed = job_state(failed(), {terminated("half a {", 137, "OOMKilled")}, kNow);
  EXPECT_FALSE(killed.error);
  EXPECT_EQ(killed.message, "BackoffLimitExceeded: Job has reached the specified backoff limit; exit code 137 (OOMKilled)");
  const JobState missing = job_state(failed(), {terminated("exec: \"athanor\": not found", 128, "StartError")}, kNow);
  EXPECT_THAT(missing.message, HasSubstr("exit code 128 (StartError): exec: \"athanor\": not found"));
  const JobState gone = job_state(
      job(R"([{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "message": "too long"}])"), {}, kNow);
  EXPECT_EQ(gone.message, "DeadlineExceeded: too long");
}

TEST(JobState, ListensToTheLastOfSeveralPods) {
  const auto report = [](const char* code) { return R"({"error": {"code": ")" + std::string(code) + R"(", "message": "m"}})"; };
  KubeObject first = terminated(report("interrupted"));
  first["metadata"]["creationTimestamp"] = "2026-09-21T14:00:00Z";
  EXPECT_EQ(job_state(failed(), {terminated(report("stale-plan")), first}, kNow).error->code, ErrorCode::StalePlan);
}

TEST(JobState, TrustsNoTerminationMessage) {
  for (const char* const message : {"", "[]", "{}", R"({"error": null})", R"({"error": {"code": "unheard-of"}})",
                                    R"({"error": {"code": 7}})", R"({"error": "x"})", "\xff"}) {
    EXPECT_FALSE(reported_error(message)) << message;
  }
  const auto tamed = reported_error(R"({"error": {"code": "internal", "message": "a\u001b[2Jb", "context": 3, "hint": ")" +
                                    std::string(4'000, 'h') + R"("}})");
  ASSERT_TRUE(tamed);
  EXPECT_EQ(tamed->message, "a [2Jb");
  EXPECT_EQ(tamed->context, "");
  EXPECT_LT(tamed->hint.size(), 600U);
}

}  // namespace
}  // namespace athanor::controller
