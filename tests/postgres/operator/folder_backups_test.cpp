// Backups that resources declare, of a real database into a real folder.
#include "operator/backup/folder_backups.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "migrations/backup/folder_store.hpp"
#include "migrations/backup/retention.hpp"
#include "operator/process_environment.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Rows = std::vector<std::string>;

class FolderBackupsTest : public testing::Test {
 protected:
  FolderBackupsTest() {
    database.run(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1');"
        "CREATE TABLE people AS SELECT md5(g::text) FROM generate_series(1, 2000) g");
    resource.metadata.name_space = "shop";
    resource.metadata.name = "orders";
    resource.metadata.uid = "u-1";
    resource.spec.backup.when = BackupWhen::Always;
    target.url = database.url();
  }
  Result<SavedDatabase> ensure(const Rows& rows, const Rows& destination) {
    return backups.ensure({resource, target, rows, destination}, notice, {});
  }
  SavedDatabase saved(const Rows& rows, const Rows& destination) {
    auto done = ensure(rows, destination);
    EXPECT_TRUE(done.has_value()) << done.error().describe();
    clock.advance(std::chrono::minutes(1));
    return done.value_or(SavedDatabase());
  }
  std::vector<StoredBackup> stored() {
    return list_backups(*FolderStore::open_folder(folder / "orders").value()).value().backups;
  }
  void move_to(const std::string& row) { database.run("UPDATE alembic_version SET version_num = '" + row + "'"); }

  test::TestDatabase database{"folder_backups"};
  test::TempFolder folder;
  test::FakeClock clock;
  DatabaseMigration resource;
  DatabaseTarget target;
  BackupService::Notice notice;
  FolderBackups backups{[this](const DatabaseMigration& whose, const std::string& path) -> Result<std::string> {
                          return folder / (path.empty() ? whose.metadata.name : path);
                        },
                        connect_to_database, program_environment(), clock, Log()};
};

TEST_F(FolderBackupsTest, SavesOnceForAllAttemptsAtTheSame) {
  const SavedDatabase first = saved({"r1"}, {"r3"});
  EXPECT_FALSE(first.accepted);
  const SavedDatabase again = saved({"r1"}, {"r3"});
  EXPECT_TRUE(again.accepted);
  EXPECT_EQ(again.backup, first.backup);
  EXPECT_FALSE(saved({"r1"}, {"r4"}).accepted) << "another migration";
  EXPECT_TRUE(saved({"r1"}, {"r4"}).accepted);
  clock.advance(std::chrono::hours(24));
  EXPECT_FALSE(saved({"r1"}, {"r4"}).accepted) << "of yesterday";
}

TEST_F(FolderBackupsTest, KeepsWhatTheFirstAttemptSavedWhileTheTargetIsNotReached) {
  resource.spec.backup.keep = 1;
  const std::string first = saved({"r1"}, {"r3"}).backup.location;
  move_to("r2");
  for (int attempt = 0; attempt < 3; ++attempt) {
    (void)saved({"r2"}, {"r3"});
  }
  EXPECT_TRUE(std::filesystem::exists(first));
  EXPECT_THAT(stored(), SizeIs(2));
  move_to("r3");
  (void)saved({"r3"}, {"r4"});
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_THAT(stored(), SizeIs(1));
}

TEST_F(FolderBackupsTest, SavesAgainWhenTheRevisionChangedMeanwhile) {
  (void)saved({"r1"}, {"r3"});
  database.run(
      "CREATE TABLE athanor.history (outcome text, started_at timestamptz);"
      "INSERT INTO athanor.history VALUES ('failed', now() + interval '1 minute')");
  EXPECT_TRUE(saved({"r1"}, {"r3"}).accepted);
  database.run("INSERT INTO athanor.history VALUES ('applied', now() + interval '1 minute')");
  EXPECT_FALSE(saved({"r1"}, {"r3"}).accepted) << "applied, and taken back";
}

TEST_F(FolderBackupsTest, SavesAgainWhenTheDatabaseWasStampedMeanwhile) {
  (void)saved({"r1"}, {"r3"});
  database.run(
      "CREATE TABLE athanor.history (outcome text, started_at timestamptz);"
      "INSERT INTO athanor.history VALUES ('stamped', now() + interval '1 minute')");
  EXPECT_FALSE(saved({"r1"}, {"r3"}).accepted) << "stamped, and stamped back";
}

TEST_F(FolderBackupsTest, HoldsTheDeclaredAgeInsteadOfADay) {
  resource.spec.backup.accept_for = std::chrono::minutes(10);
  (void)saved({"r1"}, {"r3"});
  EXPECT_TRUE(saved({"r1"}, {"r4"}).accepted) << "of the same rows and young enough";
  clock.advance(std::chrono::minutes(10));
  EXPECT_FALSE(saved({"r1"}, {"r4"}).accepted);
}

TEST_F(FolderBackupsTest, RecordsTheOwnerAndPurposeOfADump) {
  resource.spec.backup.compression = 0;
  (void)saved({"r1"}, {"r3"});
  ASSERT_THAT(stored(), SizeIs(1));
  const BackupRecord record = stored().front().record;
  EXPECT_EQ(record.resource, "shop/orders");
  EXPECT_EQ(record.resource_uid, "u-1");
  EXPECT_EQ(record.target, Rows{"r3"});
  EXPECT_EQ(record.compression, 0);
}

TEST_F(FolderBackupsTest, DeletesByTheDeclaredAge) {
  resource.spec.backup.keep_for = std::chrono::hours(48);
  const std::string first = saved({"r1"}, {"r2"}).backup.location;
  move_to("r2");
  clock.advance(std::chrono::hours(24));
  (void)saved({"r2"}, {"r3"});
  EXPECT_TRUE(std::filesystem::exists(first));
  move_to("r3");
  clock.advance(std::chrono::hours(24));
  (void)saved({"r3"}, {"r4"});
  EXPECT_FALSE(std::filesystem::exists(first));
  EXPECT_THAT(stored(), SizeIs(2));
}

TEST_F(FolderBackupsTest, CallsAPlanStaleWhenTheRevisionChangedMeanwhile) {
  move_to("r2");
  const auto moved = ensure({"r1"}, {"r3"});
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().code, ErrorCode::StalePlan);
}

TEST_F(FolderBackupsTest, TakesNoMoreThanIsLeftOfTheQuotaOfItsNamespace) {
  const auto limited = [this](std::uint64_t bytes) {
    FolderBackups one([this](const DatabaseMigration& whose,
                             const std::string&) -> Result<std::string> { return folder / ("shop/" + whose.metadata.name); },
                      connect_to_database, program_environment(), clock, Log(),
                      {bytes, [this](const std::string& name_space) -> Result<std::string> { return folder / name_space; }});
    clock.advance(std::chrono::hours(25));  // the dump of before does not do
    return one.ensure({resource, target, {"r1"}, {"r2"}}, notice, {});
  };
  const auto first = limited(std::uint64_t{1} << 30U);
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_THAT(first->backup.location, HasSubstr("/orders-")) << "by the resource: the name of the database may be a secret";
  const auto bytes = static_cast<std::uint64_t>(first->backup.size_bytes);
  for (const std::uint64_t quota : {bytes / 2, bytes + bytes / 2}) {
    const auto refused = limited(quota);
    ASSERT_FALSE(refused) << quota;
    EXPECT_THAT(refused.error().describe(), HasSubstr("exceeds the space that is left for it"));
  }
  EXPECT_TRUE(std::filesystem::exists(first->backup.location));
  EXPECT_TRUE(limited(4 * bytes));
}

TEST_F(FolderBackupsTest, SharesWhatIsLeftAmongDumpsThatAreTakenAtATime) {
  test::TestDatabase other{"folder_backups_other"};
  other.run("CREATE TABLE people AS SELECT md5(g::text) FROM generate_series(1, 2000) g");
  const auto size = static_cast<std::uint64_t>(saved({"r1"}, {"r2"}).backup.size_bytes);
  std::filesystem::remove_all(folder / "orders");
  FolderBackups limited([this](const DatabaseMigration& whose,
                               const std::string&) -> Result<std::string> { return folder / ("shop/" + whose.metadata.name); },
                        connect_to_database, program_environment(), clock, Log(),
                        {size + size / 2, [this](const std::string& all) -> Result<std::string> { return folder / all; }});
  DatabaseMigration second = resource;
  second.metadata.name = "billing";
  second.metadata.uid = "u-2";
  DatabaseTarget second_target;
  second_target.url = other.url();
  std::optional<Result<SavedDatabase>> meanwhile;
  notice = [&](const std::string&) {
    if (!meanwhile) {  // the first one has measured, and begins to grow
      meanwhile = limited.ensure({second, second_target, {}, {"r2"}}, {}, {});
    }
  };
  const auto first = limited.ensure({resource, target, {"r1"}, {"r2"}}, notice, {});
  ASSERT_TRUE(meanwhile);
  EXPECT_TRUE(*meanwhile) << meanwhile->error().describe();
  ASSERT_FALSE(first) << "together they have more than the quota";
  EXPECT_THAT(first.error().describe(), HasSubstr("exceeds the space that is left for it"));
  EXPECT_FALSE(limited.ensure({resource, target, {"r1"}, {"r2"}}, {}, {})) << "the second dump stays";
}

TEST(NamespaceBytes, CountsWhatIsThereAndWhatIsWritten) {
  NamespaceBytes all(100);
  std::uint64_t there = 40;
  const auto measure = [&there] { return there; };
  {
    NamespaceBytes::Growing first(all, "shop", measure);
    there = 90;  // of the first one, seen half-written
    NamespaceBytes::Growing second(all, "shop", measure);
    NamespaceBytes::Growing elsewhere(all, "other", [] { return std::uint64_t{0}; });
    EXPECT_TRUE(first.grow_to(30));
    EXPECT_TRUE(first.grow_to(50));
    EXPECT_TRUE(elsewhere.grow_to(100));
    EXPECT_TRUE(second.grow_to(10));
    EXPECT_FALSE(second.grow_to(11));
  }
  there = 0;
  EXPECT_TRUE(NamespaceBytes::Growing(all, "shop", measure).grow_to(100)) << "measured anew";
}

TEST_F(FolderBackupsTest, SaysWhatItWaitsFor) {
  std::vector<std::string> reported;
  auto dump = std::make_optional(database.connect());
  dump->run("SET application_name = 'pg_dump'");
  const std::string pid = std::to_string(dump->backend_pid());
  notice = [&](const std::string& message) {
    reported.push_back(message);
    dump.reset();
  };
  (void)saved({"r1"}, {"r3"});
  EXPECT_THAT(reported, Contains(HasSubstr("waiting for another dump of this database to finish: pid " + pid)));
}

TEST_F(FolderBackupsTest, LeavesTheDumpsOfAnotherResourceAlone) {
  resource.spec.backup.path = "both";
  resource.spec.backup.keep = 1;
  const std::string others = saved({"r1"}, {"r3"}).backup.location;
  resource.metadata.name_space = "evil";
  resource.metadata.uid = "u-2";
  (void)saved({"r1"}, {"r4"});
  (void)saved({"r1"}, {"r5"});
  EXPECT_TRUE(std::filesystem::exists(others));
}

}  // namespace
}  // namespace athanor::controller
