#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/retention.hpp"
#include "tests/support/memory_store.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const WallTime kNow = WallTime(std::chrono::seconds(1'790'000'000));
const DatabaseIdentity kShop{"7001", "16384", "shop"};

StoredBackup backup(const std::string& id, int hours_old, bool good = true, DatabaseIdentity database = kShop) {
  StoredBackup stored;
  stored.record.id = id;
  stored.record.database = std::move(database);
  stored.record.started = kNow - std::chrono::hours(hours_old);
  stored.record.revisions = {"r1"};
  stored.record.version_table = "alembic_version";
  stored.record.size = 4;
  stored.record.file = backup_file_name(stored.record);
  stored.complete = good;
  if (good) {
    stored.record.verified = stored.record.started;
  }
  return stored;
}

std::vector<std::string> ids(const std::vector<BackupRecord>& records) {
  std::vector<std::string> list;
  for (const BackupRecord& record : records) {
    list.push_back(record.id);
  }
  return list;
}

void put(test::MemoryStore& store, const BackupRecord& record) {
  auto writer = store.create(record.file).value();
  ASSERT_TRUE(writer->write("dump").has_value());
  ASSERT_TRUE(writer->publish(write_manifest(record)).has_value());
}

TEST(Retention, KeepsTheNewestOnesByCount) {
  const std::vector backups{backup("a", 1), backup("b", 2), backup("c", 3), backup("d", 4)};
  EXPECT_THAT(ids(expired_backups(backups, kShop, {2, {}}, kNow)), ElementsAre("d", "c"));
}

TEST(Retention, LetsGoByAgeButNeverTheNewestVerifiedOne) {
  const std::vector backups{backup("a", 50), backup("b", 60)};
  EXPECT_THAT(ids(expired_backups(backups, kShop, {0, std::chrono::hours(24)}, kNow)), ElementsAre("b"));
}

TEST(Retention, DoesNotCountBrokenOnesAndKeepsTheGoodOneBelowThem) {
  const std::vector backups{backup("broken", 1, false), backup("good", 50), backup("older", 60)};
  EXPECT_THAT(ids(expired_backups(backups, kShop, {1, {}}, kNow)), ElementsAre("older"));
}

TEST(Retention, LeavesOtherDatabasesAloneEvenWithTheSameName) {
  const std::vector backups{backup("a", 1), backup("b", 2, true, {"7001", "99999", "shop"}),
                            backup("c", 3, true, {"8002", "16384", "shop"})};
  EXPECT_THAT(expired_backups(backups, kShop, {1, std::chrono::hours(1)}, kNow), IsEmpty());
}

TEST(Retention, WithoutLimitsLetsNothingGo) {
  EXPECT_THAT(expired_backups({backup("a", 1), backup("b", 20'000)}, kShop, {}, kNow), IsEmpty());
}

TEST(BackupList, ListsOnlyWhatHasAManifestOfOurs) {
  test::MemoryStore store;
  put(store, backup("0a1b", 1).record);
  put(store, backup("0a2c", 2).record);
  store.files["foreign.dump"] = "PGDMP";
  store.files["package.json"] = R"({"name": "something else"})";
  const auto list = list_backups(store).value();
  ASSERT_THAT(list.backups, SizeIs(2));
  EXPECT_EQ(list.backups[0].record.id, "0a1b");
  EXPECT_TRUE(list.backups[0].complete);
  EXPECT_THAT(list.warnings, SizeIs(1));
  EXPECT_EQ(find_backup(store, "0a2").value().record.id, "0a2c");
  EXPECT_EQ(find_backup(store, "/somewhere/" + list.backups[1].record.file).value().record.id, "0a2c");
  EXPECT_EQ(find_backup(store, "0a").error().code, ErrorCode::Usage);
  EXPECT_EQ(find_backup(store, "ff").error().code, ErrorCode::BackupNotFound);
}

TEST(BackupList, SeesADumpThatIsMissingOrShorter) {
  test::MemoryStore store;
  const auto record = backup("0a1b", 1).record;
  put(store, record);
  store.files[record.file] = "dum";
  EXPECT_FALSE(list_backups(store)->backups.front().complete);
  store.files.erase(record.file);
  EXPECT_FALSE(list_backups(store)->backups.front().complete);
}

TEST(NewestAcceptable, TakesOnlyTheSameRowsOfTheSameTableAndYoungEnough) {
  std::vector backups{backup("broken", 1, false), backup("a", 2)};
  const auto accepted = [&](const std::string& table, const std::vector<std::string>& rows, int hours) {
    const BackupRecord* found = newest_acceptable(backups, kShop, table, rows, std::chrono::hours(hours), kNow);
    return found == nullptr ? std::string("none") : found->id;
  };
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 3), "a");
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 1), "none");
  EXPECT_EQ(accepted("alembic_version", {"r2"}, 3), "none");
  EXPECT_EQ(accepted("other", {"r1"}, 3), "none");
  backups[1].record.verified.reset();
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 3), "none");
}

}  // namespace
}  // namespace athanor
