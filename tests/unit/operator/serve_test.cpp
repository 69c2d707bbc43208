#include <gtest/gtest.h>

#include <algorithm>

#include "operator/log/log.hpp"
#include "operator/options.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/metrics.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/process.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller {
namespace {

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ListedStore final : public MigrationStore {
 public:
  std::optional<DatabaseMigration> find(const ResourceKey&) const override { return std::nullopt; }
  std::optional<ObjectVersion> version(const ResourceKey&) const override { return std::nullopt; }
  void for_each(const Visit& visit) const override {
    for (const auto& resource : resources) {
      visit(resource.key(), digest_of(resource.status));
    }
  }
  std::string claimed_by(const ResourceKey&) const override { return {}; }
  Result<void> write_status(const ResourceKey&, const DatabaseMigrationStatus&) override { return {}; }
  std::vector<DatabaseMigration> resources;
};

BackupStatus backup() {
  BackupStatus backup;
  backup.started_at = "2026-11-21T02:10:00+00:00";
  backup.size_bytes = 4711;
  return backup;
}

class MetricsTest : public testing::Test {
 protected:
  MetricsTest() {
    metrics.attach(queue, store);
    metrics.manifests(2, 1);
  }
  test::FakeClock clock;
  ListedStore store;
  Metrics metrics{8};
  WorkQueue queue{clock, 8, &metrics.queue()};
  const ResourceKey key{"shop", "orders"};
};

TEST_F(MetricsTest, CountReconcilesByResult) {
  ReconcileResult result;
  result.kind = ReconcileResult::Kind::Done;
  metrics.controller().reconciled(result, false, 0.1);
  result.kind = ReconcileResult::Kind::Failed;
  metrics.controller().reconciled(result, true, 0.1);
  const std::string text = metrics.text();
  EXPECT_TRUE(holds(text, R"(controller_runtime_reconcile_total{controller="databasemigration",result="success"} 1)")) << text;
  EXPECT_TRUE(holds(text, R"(controller_runtime_reconcile_total{controller="databasemigration",result="error"} 1)"));
  EXPECT_TRUE(holds(text, R"(controller_runtime_reconcile_errors_total{controller="databasemigration"} 1)"));
  EXPECT_TRUE(holds(text, R"(controller_runtime_max_concurrent_reconciles{controller="databasemigration"} 8)"));
}

TEST_F(MetricsTest, ShowTheQueue) {
  queue.add(key);
  queue.add({"shop", "users"});
  (void)queue.try_get();
  clock.advance(std::chrono::seconds(2));
  const std::string text = metrics.text();
  EXPECT_TRUE(holds(text, R"(workqueue_depth{name="databasemigration"} 1)")) << text;
  EXPECT_TRUE(holds(text, R"(workqueue_adds_total{name="databasemigration"} 2)"));
  EXPECT_TRUE(holds(text, R"(workqueue_unfinished_work_seconds{name="databasemigration"} 2)"));
}

TEST_F(MetricsTest, CountBackupsThatWereTakenAndThoseThatFailed) {
  metrics.runs().backup_taken(1.5);
  std::string text = metrics.text();
  EXPECT_TRUE(holds(text, "athanor_backup_duration_seconds_count 1\n")) << text;
  EXPECT_TRUE(holds(text, "athanor_backup_duration_seconds_sum 1.5\n"));
  EXPECT_TRUE(holds(text, "athanor_backups_failed_total 0\n"));
  metrics.runs().backup_failed();
  metrics.runs().backup_failed();
  text = metrics.text();
  EXPECT_TRUE(holds(text, "athanor_backups_failed_total 2\n")) << text;
  EXPECT_TRUE(holds(text, "athanor_backup_duration_seconds_count 1\n"));
}

TEST_F(MetricsTest, SayOfAResourceWhatItsStatusSays) {
  auto& status = store.resources.emplace_back(sketch::resource("a3")).status;
  EXPECT_FALSE(holds(metrics.text(), "orders")) << "it has not been observed yet";
  status.observed_generation = 1;
  status.current_revision = "a1";
  status.target_revision = "say \"a3\"";
  status.pending_count = 3;
  set_condition(status.conditions, {ConditionType::Ready, ConditionStatus::True, Reason::UpToDate, {}, {}, 1}, "now");
  set_condition(status.conditions, {ConditionType::Stalled, ConditionStatus::False, Reason::UpToDate, {}, {}, 1}, "now");
  status.last_backup = backup();
  const std::string text = metrics.text();
  const std::string who = R"({name="orders",namespace="shop")";
  EXPECT_TRUE(holds(text, "\nathanor_revision_info" + who + R"(,current="a1",target="say \"a3\""} 1)")) << text;
  EXPECT_TRUE(holds(text, "\nathanor_pending_revisions" + who + "} 3\n"));
  EXPECT_TRUE(holds(text, "\nathanor_ready" + who + "} 1\n"));
  EXPECT_TRUE(holds(text, "\nathanor_stalled" + who + "} 0\n"));
  EXPECT_FALSE(holds(text, "athanor_schema_drifted")) << "the policy is off";
  EXPECT_TRUE(holds(text, "\nathanor_backup_timestamp_seconds" + who + "} 1795227000\n"));
  EXPECT_TRUE(holds(text, "\nathanor_backup_size_bytes" + who + "} 4711\n"));
  store.resources.clear();
  EXPECT_FALSE(holds(metrics.text(), "orders"));
}

TEST_F(MetricsTest, SayWhatAResourceWaitsFor) {
  auto& status = store.resources.emplace_back(sketch::resource("a3")).status;
  status.observed_generation = 1;
  set_condition(status.conditions, {ConditionType::Ready, ConditionStatus::False, Reason::LockHeld, {}, {}, 1}, "now");
  EXPECT_FALSE(holds(metrics.text(), "athanor_waiting"));
  set_condition(status.conditions, {ConditionType::Reconciling, ConditionStatus::True, Reason::Retrying, {}, {}, 1}, "now");
  EXPECT_TRUE(holds(metrics.text(), R"(athanor_waiting{name="orders",namespace="shop",reason="LockHeld"} 1)"));
}

TEST_F(MetricsTest, SayWhetherTheSchemaDriftedWhereThatIsKnown) {
  auto& status = store.resources.emplace_back(sketch::resource("a3")).status;
  status.observed_generation = 1;
  const std::string series = "\nathanor_schema_drifted{name=\"orders\",namespace=\"shop\"} ";
  const auto drifted = [&](ConditionStatus value) {
    set_condition(status.conditions, {ConditionType::Drifted, value, Reason::SchemaChanged, {}, {}, 1}, "now");
    return metrics.text();
  };
  EXPECT_TRUE(holds(drifted(ConditionStatus::True), series + "1\n"));
  EXPECT_TRUE(holds(drifted(ConditionStatus::False), series + "0\n"));
  EXPECT_FALSE(holds(drifted(ConditionStatus::Unknown), "athanor_schema_drifted{"));
}

TEST_F(MetricsTest, LeaveTheSeriesOfResourcesToTheLeader) {
  store.resources.emplace_back(sketch::resource()).status.observed_generation = 1;
  metrics.leading(false);
  EXPECT_FALSE(holds(metrics.text(), "orders"));
  metrics.leading(true);
  EXPECT_TRUE(holds(metrics.text(), "orders"));
}

TEST_F(MetricsTest, PassPromtool) {
  auto& status = store.resources.emplace_back(sketch::resource()).status;
  status.observed_generation = 1;
  status.last_backup = backup();
  status.target_revision = std::string(199, 'a') + "é";  // where a label is cut
  status.current_revision = "b\xC3";
  metrics.runs().revision_applied(Direction::Upgrade, 0.2);
  metrics.runs().lock_waited(1);
  metrics.runs().run_failed(Reason::LockTimeout);
  metrics.runs().statement_retried();
  test::ProcessOptions options;
  options.standard_input = metrics.text();
  const auto result = test::run_process({"promtool", "check", "metrics"}, options);
  EXPECT_EQ(result.exit_code, 0) << result.out << result.err;
  EXPECT_EQ(result.out + result.err, "");
}

TEST(ListenAddress, WantsAHostAndAPort) {
  for (const char* good : {"127.0.0.1:8080", "0.0.0.0:1", "localhost:65535"}) {
    EXPECT_TRUE(check_listen_address(good).has_value()) << good;
  }
  for (const char* bad : {"8080", ":8080", "a:0", "a:65536", "a:b", "a/b:80", "[::1]:80", ""}) {
    EXPECT_FALSE(check_listen_address(bad).has_value()) << bad;
  }
}

TEST(Options, ReadBothSpellings) {
  const auto options = parse_options({"--manifests", "m", "--workers=3", "--resync", "30s", "--resyncs-per-second=5", "--once",
                                      "--source-root=a", "--source-root", "b", "--log-level", "debug", "--max-files=7",
                                      "--max-file-size", "2MiB"});
  ASSERT_TRUE(options.has_value()) << options.error().message;
  EXPECT_EQ(options->manifests, "m");
  EXPECT_EQ(options->workers, 3U);
  EXPECT_EQ(options->resync, std::chrono::seconds(30));
  EXPECT_EQ(options->resyncs_per_second, 5U);
  EXPECT_EQ(options->limits.max_files, 7U);
  EXPECT_EQ(options->limits.max_file_bytes, 2U << 20U);
  EXPECT_TRUE(options->once);
  EXPECT_EQ(options->source_roots, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options->log_level, LogLevel::Debug);
}

TEST(Options, SayWhatIsWrong) {
  const auto complaint = [](const std::vector<std::string>& arguments) {
    const auto options = parse_options(arguments);
    return options ? std::string("fine") : options.error().message;
  };
  EXPECT_EQ(complaint({}), "--manifests DIR or --kube is required");
  EXPECT_EQ(complaint({"--manifest", "m"}), "unknown option '--manifest'; did you mean --manifests?");
  EXPECT_EQ(complaint({"--manifests"}), "--manifests needs a value");
  EXPECT_EQ(complaint({"--manifests", "m", "--workers", "0"}), "--workers takes a number from 1 to 256");
  EXPECT_EQ(complaint({"--manifests", "m", "--resync", "5"}), "--resync takes a duration from 1s to 24h");
  EXPECT_EQ(complaint({"--manifests", "m", "--max-files", "0"}), "--max-files takes a positive number");
  EXPECT_EQ(complaint({"--manifests", "m", "--max-file-size", "2MB"}),
            "--max-file-size takes bytes, or a number and KiB, MiB or GiB");
  EXPECT_EQ(complaint({"--manifests", "m", "--log-level", "loud"}), "unknown log level 'loud'");
  EXPECT_EQ(complaint({"--kube", "--cloud-endpoint", "aws-sts=http://sts"}),
            "--cloud-endpoint: aws-sts takes https://HOST or https://HOST:PORT");
  EXPECT_EQ(complaint({"--kube", "--cloud-endpoint", "elsewhere=https://a"}),
            "--cloud-endpoint: takes NAME=URL, NAME being aws-sts, gcp-sts, gcp-iam or azure-login");
  EXPECT_EQ(complaint({"--kube", "--database-auth", "--cloud-endpoint=gcp-sts=https://sts.example.org:8443"}), "fine");
  EXPECT_NE(complaint({"--manifests", "m", "--database-auth"}), "fine");
  EXPECT_EQ(complaint({"--help"}), "fine");
}

TEST(LogLines, AreJsonWhateverTheFieldsHold) {
  testing::internal::CaptureStderr();
  const Log log = Log(LogLevel::Info).with({{"resource", "shop/orders"}});
  log.info("a \"message\"", {{"text", "line\nbreak \\ \x01 {} %v"}, {"count", 3}, {"share", 0.5}, {"yes", true}});
  log.debug("not shown");
  const std::string line = testing::internal::GetCapturedStderr();
  EXPECT_TRUE(holds(line, R"("level":"info","message":"a \"message\"","resource":"shop/orders",)")) << line;
  EXPECT_TRUE(holds(line, R"("text":"line\nbreak \\ \u0001 {} %v","count":3,"share":0.500000,"yes":true})")) << line;
  EXPECT_EQ(std::ranges::count(line, '\n'), 1);
}

}  // namespace
}  // namespace athanor::controller
