#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/backup/backup_record.hpp"

namespace athanor {
namespace {

BackupRecord sample() {
  BackupRecord record;
  record.id = "3f1c0a2b7d3e9a55";
  record.database = {"7001", "16384", "my shop/ä"};
  record.place = "db:5432/shop";
  record.version_table = "alembic_version";
  record.revisions = {"r1", "r2"};
  record.target = {"r3"};
  record.resource = "shop/orders";
  record.resource_uid = "0b1c";
  record.sha256 = "00ff";
  record.size = 123'456'789'012;
  record.lsn = "0/57499808";
  record.ledger_id = 42;
  record.server_version = 150020;
  record.client_version = "15.20";
  record.compression = 6;
  record.started = *parse_iso8601("2026-11-21T02:10:00+00:00");
  record.duration = milliseconds(2'685);
  record.verified = record.started + std::chrono::seconds(4);
  record.properties.owner = "shop_owner";
  record.properties.settings = {{"", "search_path=app, public"}};
  record.properties.icu_rules = "&V << w";
  record.properties.tablespace = "fast";
  record.properties.connection_limit = 20;
  record.properties.has_grants = true;
  record.properties.grants = {{"", "CONNECT", false}};
  record.file = backup_file_name(record);
  return record;
}

TEST(Manifest, SaysTheSameWhenItIsReadBack) {
  const BackupRecord record = sample();
  const auto read = read_manifest(write_manifest(record), manifest_name(record.file));
  ASSERT_TRUE(read.has_value()) << read.error().describe();
  EXPECT_EQ(write_manifest(*read), write_manifest(record));
  EXPECT_EQ(read->size, record.size);
  EXPECT_EQ(read->ledger_id, 42);
  EXPECT_EQ(read->verified, record.verified);
  EXPECT_EQ(read->database.name, "my shop/ä");
}

TEST(Manifest, OfAnOlderVersionIsRead) {
  std::string text = write_manifest(sample());
  for (const std::string field :
       {"\"ledger_id\":", "\"resource\":", "\"resource_uid\":", "\"icu_rules\":", "\"tablespace\":", "\"connection_limit\":"}) {
    const auto at = text.find(field);
    ASSERT_NE(at, std::string::npos) << field;
    text.erase(at, text.find('\n', at) - at + 1);
  }
  const auto target = text.find("\"target\":");
  text.erase(target, text.find("],", target) + 2 - target);
  const auto read = read_manifest(text, manifest_name(sample().file));
  ASSERT_TRUE(read.has_value()) << read.error().describe() << text;
  EXPECT_FALSE(read->target);
  EXPECT_FALSE(read->ledger_id);
  EXPECT_EQ(read->resource, "");
  EXPECT_EQ(read->properties.connection_limit, -1);
}

TEST(Manifest, IsRefusedWhenItIsNoneOrOfAnotherFile) {
  const BackupRecord record = sample();
  const std::string text = write_manifest(record);
  for (const std::string& bad : {std::string("{}"), std::string("nonsense"), text.substr(0, text.size() / 2)}) {
    EXPECT_EQ(read_manifest(bad, manifest_name(record.file)).error().code, ErrorCode::BackupCorrupt) << bad;
  }
  EXPECT_EQ(read_manifest(text, "another.json").error().code, ErrorCode::BackupCorrupt);
}

TEST(BackupFileName, HoldsDatabaseTimeRevisionsAndRunInSafeCharacters) {
  BackupRecord record = sample();
  record.resource.clear();
  EXPECT_EQ(backup_file_name(record), "my_shop___-20261121T021000Z-r1+r2-3f1c0a2b7d3e9a55.dump");
  BackupRecord none = record;
  none.revisions.clear();
  none.database.name = "../../etc";
  EXPECT_EQ(backup_file_name(none), "______etc-20261121T021000Z-base-3f1c0a2b7d3e9a55.dump");
}

TEST(BackupFileName, HoldsTheResourceInPlaceOfADatabaseWhoseNameMayBeSecret) {
  EXPECT_EQ(sample().file, "orders-20261121T021000Z-r1+r2-3f1c0a2b7d3e9a55.dump");
}

TEST(SizeText, IsForPeople) {
  EXPECT_EQ(size_text(0), "0 bytes");
  EXPECT_EQ(size_text(1023), "1023 bytes");
  EXPECT_EQ(size_text(1536), "1.5 KiB");
  EXPECT_EQ(size_text(std::uint64_t{5} << 40U), "5.0 TiB");
}

}  // namespace
}  // namespace athanor
