#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/retention.hpp"
#include "migrations/base/sha256.hpp"
#include "tests/support/memory_store.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

const WallTime kNow = WallTime(std::chrono::seconds(1'790'000'000));
const BackupSubject kShop{{"7001", "16384", "shop"}, "db:5432/shop", "", ""};

StoredBackup backup(const std::string& id, int hours_old, bool good = true, DatabaseIdentity database = kShop.database) {
  StoredBackup stored;
  stored.record.id = id;
  stored.record.database = std::move(database);
  stored.record.started = kNow - std::chrono::hours(hours_old);
  stored.record.place = kShop.place;
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

TEST(Retention, LeavesBrokenOnesAloneWhileNoGoodOneIsThere) {
  const std::vector backups{backup("broken", 50, false), backup("too", 60, false)};
  EXPECT_THAT(expired_backups(backups, kShop, {1, std::chrono::hours(24)}, kNow), IsEmpty());
}

TEST(Retention, LeavesOtherDatabasesAloneEvenWithTheSameName) {
  const std::vector backups{backup("a", 1), backup("b", 2, true, {"7001", "99999", "shop"}),
                            backup("c", 3, true, {"8002", "16384", "shop"})};
  EXPECT_THAT(expired_backups(backups, kShop, {1, std::chrono::hours(1)}, kNow), IsEmpty());
}

TEST(Retention, WithoutLimitsLetsNothingGo) {
  EXPECT_THAT(expired_backups({backup("a", 1), backup("b", 20'000)}, kShop, {}, kNow), IsEmpty());
}

// Taken before a migration from one row to another.
StoredBackup before(const std::string& id, int hours_old, const std::string& from, const std::string& to) {
  StoredBackup stored = backup(id, hours_old);
  stored.record.revisions = {from};
  stored.record.target = {to};
  return stored;
}

TEST(Retention, KeepsTheFirstDumpOfAMigrationHoweverOftenItIsTriedAgain) {
  // r2 was applied and r3 fails: `first` alone holds what r2 dropped.
  const std::vector backups{before("again", 1, "r2", "r3"), before("rest", 2, "r2", "r3"), before("first", 3, "r1", "r3")};
  EXPECT_THAT(expired_backups(backups, kShop, {1, std::chrono::hours(2)}, kNow), IsEmpty());
}

TEST(Retention, KeepsTheFirstAndTheLastOfTheSameRowsInOneMigration) {
  const std::vector backups{before("d", 1, "r1", "r3"), before("c", 2, "r1", "r3"), before("b", 3, "r1", "r2"),
                            before("a", 4, "r1", "r2")};
  EXPECT_THAT(ids(expired_backups(backups, kShop, {1, {}}, kNow)), ElementsAre("b", "c"));
  EXPECT_THAT(expired_backups(backups, kShop, {0, std::chrono::hours(1)}, kNow), IsEmpty());
}

TEST(Retention, CountsAllDumpsOfAMigrationAsOne) {
  const std::vector backups{before("f", 1, "r4", "r5"), before("e", 2, "r3", "r4"), before("d", 3, "r2", "r3"),
                            before("c", 4, "r1", "r3"), backup("plain", 5),         before("a", 6, "r0", "r1")};
  EXPECT_THAT(ids(expired_backups(backups, kShop, {3, {}}, kNow)), ElementsAre("a", "plain"));
  EXPECT_THAT(ids(expired_backups(backups, kShop, {2, {}}, kNow)), ElementsAre("a", "plain", "c", "d"));
}

TEST(Retention, TellsMigrationsOfDifferentVersionTablesApart) {
  std::vector backups{before("b", 1, "r1", "r3"), before("a", 2, "r1", "r3")};
  backups[1].record.version_table = "other";
  EXPECT_THAT(ids(expired_backups(backups, kShop, {1, {}}, kNow)), ElementsAre("a"));
}

TEST(Retention, LeavesTheDumpsOfAPhysicalCopyAlone) {
  std::vector backups{backup("a", 1), backup("b", 2), backup("c", 3)};
  const auto seen_by = [&](const BackupSubject& subject) { return ids(expired_backups(backups, subject, {1, {}}, kNow)); };
  BackupSubject copy = kShop;
  copy.place = "copy:5432/shop";
  EXPECT_THAT(seen_by(kShop), ElementsAre("c", "b"));
  EXPECT_THAT(seen_by(copy), IsEmpty());
  for (StoredBackup& stored : backups) {
    stored.record.resource = "shop/orders";
    stored.record.resource_uid = "u-1";
  }
  copy.resource = "evil/orders";
  copy.resource_uid = "u-2";
  EXPECT_THAT(seen_by(copy), IsEmpty());
  copy.place = kShop.place;
  EXPECT_THAT(seen_by(copy), IsEmpty()) << "another resource's";
}

TEST(Retention, KnowsTheDumpsOfAResourceAfterAFailover) {
  std::vector backups{backup("a", 1), backup("b", 2), backup("c", 3)};
  for (StoredBackup& stored : backups) {
    stored.record.resource = "shop/orders";
    stored.record.resource_uid = "u-1";
  }
  backups.front().record.place = "standby:5432/shop";
  BackupSubject subject{kShop.database, "standby:5432/shop", "shop/orders", "u-1"};
  EXPECT_THAT(ids(expired_backups(backups, subject, {1, {}}, kNow)), ElementsAre("c", "b"));
  subject = {kShop.database, kShop.place, "shop/orders", "made-again"};
  EXPECT_THAT(ids(expired_backups(backups, subject, {1, {}}, kNow)), ElementsAre("c"));
}

// A store of backups with the dump "dump"; `damaged` have as many bytes, of which one is another.
struct Shelf {
  test::MemoryStore store;
  std::vector<StoredBackup> backups;

  Shelf(const std::vector<std::string>& names, const std::vector<std::string>& damaged) {
    int hours = 0;
    for (const std::string& name : names) {
      StoredBackup stored = backup(name, ++hours);
      stored.record.sha256 = sha256_hex("dump");
      put(store, stored.record);
      if (std::ranges::find(damaged, name) != damaged.end()) {
        store.files[stored.record.file] = "dumb";
      }
      backups.push_back(std::move(stored));
    }
  }
  Result<ProvenExpiry> prove(int keep, const std::string& known = {}, const StopToken& stop = {}) {
    return proven_expiry(store, backups, kShop, {keep, {}}, kNow, known, stop);
  }
};

TEST(ProvenExpiry, NeverLetsTheLastGoodOneGo) {
  Shelf shelf({"a", "b", "c"}, {"a", "b"});
  EXPECT_THAT(ids(expired_backups(shelf.backups, kShop, {1, {}}, kNow)), ElementsAre("c", "b")) << "by size they are all good";
  const auto proven = shelf.prove(1);
  ASSERT_TRUE(proven);
  EXPECT_THAT(ids(proven->expired), IsEmpty());
  EXPECT_THAT(proven->damaged, SizeIs(2));
  EXPECT_EQ(proven->damaged.front().code, ErrorCode::BackupCorrupt);
}

TEST(ProvenExpiry, LetsGoWhatIsBelowAWholeOne) {
  Shelf shelf({"a", "b", "c"}, {"a"});
  EXPECT_THAT(ids(shelf.prove(1)->expired), ElementsAre("c"));
  Shelf whole({"a", "b", "c"}, {});
  EXPECT_THAT(ids(whole.prove(1)->expired), ElementsAre("c", "b"));
  EXPECT_THAT(whole.prove(1)->damaged, IsEmpty());
}

TEST(ProvenExpiry, LetsNothingGoWhenNoneIsWhole) {
  Shelf shelf({"a", "b", "c"}, {"a", "b", "c"});
  EXPECT_THAT(ids(shelf.prove(1)->expired), IsEmpty());
}

TEST(ProvenExpiry, TakesADumpThatCannotBeOpenedForDamaged) {
  Shelf shelf({"a", "b"}, {});
  shelf.store.files.erase(shelf.backups.front().record.file);
  EXPECT_THAT(ids(shelf.prove(1)->expired), IsEmpty());
}

TEST(ProvenExpiry, BelievesTheOneThatWasVerifiedJustNow) {
  Shelf shelf({"a", "b"}, {"a"});
  EXPECT_THAT(ids(shelf.prove(1, "a")->expired), ElementsAre("b"));
}

TEST(ProvenExpiry, EndsWithoutAnAnswerWhenItIsStopped) {
  Shelf shelf({"a", "b"}, {});
  StopSource stop;
  stop.request();
  EXPECT_EQ(shelf.prove(1, {}, stop.token()).error().code, ErrorCode::Interrupted);
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
  BackupSubject subject = kShop;
  const auto accepted = [&](const std::string& table, const std::vector<std::string>& rows, int hours) {
    const BackupRecord* found = newest_acceptable(backups, {subject, table, rows, {}}, std::chrono::hours(hours), kNow);
    return found == nullptr ? std::string("none") : found->id;
  };
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 3), "a");
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 1), "none");
  EXPECT_EQ(accepted("alembic_version", {"r2"}, 3), "none");
  EXPECT_EQ(accepted("other", {"r1"}, 3), "none");
  subject.place = "copy:5432/shop";
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 3), "none") << "a copy may hold other rows";
  subject.place = kShop.place;
  backups[1].record.verified.reset();
  EXPECT_EQ(accepted("alembic_version", {"r1"}, 3), "none");
}

TEST(OfEarlierAttempt, TakesOnlyTheLastDumpBeforeTheSameMigration) {
  std::vector backups{backup("plain", 1), before("b", 2, "r1", "r3"), before("a", 3, "r1", "r3")};
  const auto found = [&](const std::string& from, std::optional<std::vector<std::string>> to, int hours = 24) {
    const BackupRecord* record =
        of_earlier_attempt(backups, {kShop, "alembic_version", {from}, std::move(to)}, std::chrono::hours(hours), kNow);
    return record == nullptr ? std::string("none") : record->id;
  };
  const std::vector<std::string> r3{"r3"};
  EXPECT_EQ(found("r1", r3), "b");
  EXPECT_EQ(found("r1", r3, 1), "none");
  EXPECT_EQ(found("r2", r3), "none");
  EXPECT_EQ(found("r1", {{"r4"}}), "none");
  EXPECT_EQ(found("r1", std::nullopt), "none");
  backups.insert(backups.begin(), before("back", 0, "r3", "r1"));
  EXPECT_EQ(found("r1", r3), "none") << "it was at r3 meanwhile";
}

}  // namespace
}  // namespace athanor
