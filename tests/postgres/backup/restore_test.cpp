// Restoring into a real server.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/execute/migration_lock.hpp"
#include "tests/postgres/backup/backup_scene.hpp"
#include "tests/support/process.hpp"

namespace athanor::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::string schema_dump(const std::string& url) {
  const auto result = run_process({"pg_dump", "--schema-only", "--exclude-schema=athanor", "--dbname=" + url});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  std::string text;
  for (std::size_t start = 0; start < result.out.size();) {  // \restrict lines hold a random key
    const auto end = std::min(result.out.find('\n', start), result.out.size());
    if (!result.out.substr(start, end - start).starts_with("\\")) {
      text += result.out.substr(start, end - start) + "\n";
    }
    start = end + 1;
  }
  return text;
}

const std::string kRowHash = "SELECT md5(string_agg(p::text, ',' ORDER BY id)) FROM people p";

std::string databases_like(const std::string& pattern) {
  return Client(server_url()).value("SELECT count(*) FROM pg_database WHERE datname LIKE '" + pattern + "'");
}

TEST(Restore, RestoresTheCatalogTheRowsAndTheDatabaseProperties) {
  BackupScene scene;
  scene.database.run("ALTER DATABASE " + scene.database.name() + " SET work_mem = '7MB'; COMMENT ON DATABASE " +
                     scene.database.name() + " IS 'the shop'; REVOKE CONNECT ON DATABASE " + scene.database.name() +
                     " FROM PUBLIC");
  const auto record = scene.ensure().value();
  const Leftover copy{scene.database.name() + "_copy"};
  const auto report = scene.restore(record.id, copy.name, false);
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  EXPECT_THAT(scene.progress.warnings, IsEmpty());
  EXPECT_EQ(report->previous, "");
  EXPECT_EQ(schema_dump(url_of(copy.name)), schema_dump(scene.database.url()));
  Client restored(url_of(copy.name));
  EXPECT_EQ(restored.value(kRowHash), scene.database.value(kRowHash));
  EXPECT_EQ(restored.value("SHOW work_mem"), "7MB");
  const std::string about =
      "SELECT pg_encoding_to_char(encoding) || datcollate || datctype || pg_get_userbyid(datdba) || shobj_description(oid,"
      " 'pg_database') || (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a) FROM pg_database WHERE"
      " datname = current_database()";
  EXPECT_EQ(restored.value(about), scene.database.value(about));
}

TEST(Restore, SaysWhatWouldStandInItsWayAfterwards) {
  BackupScene scene;
  scene.database.run("ALTER DATABASE " + scene.database.name() + " SET default_transaction_read_only = on; ALTER DATABASE " +
                     scene.database.name() + " SET app.least = '1'; ALTER DATABASE " + scene.database.name() +
                     " CONNECTION LIMIT 3");
  Client writer(scene.database.url());
  writer.run("SET default_transaction_read_only = off");
  writer.run("CREATE TABLE asks (id int, CHECK (id >= current_setting('app.least')::int)); INSERT INTO asks VALUES (1)");
  const auto record = scene.ensure().value();
  scene.progress.warnings.clear();  // the catalogue cannot be written either
  const Leftover copy{scene.database.name() + "_copy"};
  const auto report = scene.restore(record.id, copy.name, false);
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  EXPECT_THAT(scene.progress.warnings, IsEmpty());
  Client restored(url_of(copy.name));
  EXPECT_EQ(restored.value("SHOW default_transaction_read_only"), "on");
  EXPECT_EQ(restored.value("SELECT count(*) FROM asks"), "1");
  EXPECT_EQ(restored.value("SELECT datconnlimit FROM pg_database WHERE datname = current_database()"), "3");
}

TEST(Restore, WarnsOfATablespaceThatIsNotThere) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  std::string& manifest = scene.store.files.at(manifest_name(record.file));
  const std::string none = R"("tablespace": "")";
  ASSERT_NE(manifest.find(none), std::string::npos) << manifest;
  manifest.replace(manifest.find(none), none.size(), R"("tablespace": "fast_disk")");
  const Leftover copy{scene.database.name() + "_copy"};
  ASSERT_TRUE(scene.restore(record.id, copy.name, false).has_value());
  EXPECT_THAT(scene.progress.warnings, ElementsAre(HasSubstr("'fast_disk'")));
}

TEST(Restore, RefusesADumpThatIsTruncatedOrHasAFlippedBitBeforeItMakesAnything) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  const std::string whole = scene.store.files.at(record.file);
  std::string flipped = whole;
  flipped[whole.size() / 2] = static_cast<char>(flipped[whole.size() / 2] ^ 0x10);
  for (const std::string& bad :
       {whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2), flipped, std::string()}) {
    scene.store.files[record.file] = bad;
    const auto refused = scene.restore(record.id, scene.database.name() + "_copy", false);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code, ErrorCode::BackupCorrupt) << refused.error().describe();
  }
  EXPECT_EQ(databases_like(scene.database.name() + "\\_%"), "0");
}

TEST(Restore, WillNotTouchADatabaseThatIsThere) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  const auto refused = scene.restore(record.id, scene.database.name(), false);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::PolicyRefused);
  EXPECT_THAT(refused.error().hint, HasSubstr("--confirm " + scene.database.name()));
}

TEST(Restore, ReplacesADatabaseInUseAndKeepsTheOldOne) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  scene.database.run("DELETE FROM people; UPDATE alembic_version SET version_num = 'r9'");
  const auto report = scene.restore(record.id, scene.database.name(), true);  // our own client is connected all the while
  ASSERT_TRUE(report.has_value()) << report.error().describe();
  const Leftover old{report->previous};
  EXPECT_THAT(report->previous, StartsWith(scene.database.name() + "_before_"));
  Client restored(scene.database.url());
  EXPECT_EQ(restored.value("SELECT count(*) FROM people"), "20000");
  EXPECT_EQ(restored.value("SELECT version_num FROM alembic_version"), "r1");
  Client kept(url_of(report->previous));
  EXPECT_EQ(kept.value("SELECT count(*) FROM people"), "0");
  EXPECT_EQ(kept.value("SELECT version_num FROM alembic_version"), "r9");
  EXPECT_EQ(databases_like(scene.database.name() + "\\_restoring%"), "0");
}

TEST(Restore, IsRefusedWhileAMigrationHoldsTheLock) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  auto migration = scene.database.connect();
  migration.run("SELECT pg_advisory_lock(" + std::to_string(MigrationLock::kClass) + ", " +
                std::to_string(MigrationLock::kObject) + ")");
  const auto refused = scene.restore(record.id, scene.database.name(), true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::LockHeld);
  EXPECT_EQ(databases_like(scene.database.name() + "\\_%"), "0");
}

TEST(Restore, IsGivenUpWhenItsLockWasLostMeanwhile) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  scene.progress.on_stage = [&](BackupStage stage) {
    if (stage != BackupStage::Analyzing) {
      return;
    }
    const std::string held = "FROM pg_locks WHERE locktype = 'advisory' AND objid = " + std::to_string(MigrationLock::kObject) +
                             " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    EXPECT_EQ(scene.database.value("SELECT count(pg_terminate_backend(pid)) " + held), "1");
    EXPECT_TRUE(scene.database.wait_until("SELECT count(*) = 0 " + held));
    scene.database.run("UPDATE alembic_version SET version_num = 'r2'");  // as a migration that found the lock free
  };
  const auto lost = scene.restore(record.id, scene.database.name(), true);
  ASSERT_FALSE(lost.has_value());
  EXPECT_EQ(lost.error().code, ErrorCode::ConnectionLost) << lost.error().describe();
  EXPECT_THAT(lost.error().message, HasSubstr("lock of the old database was lost"));
  EXPECT_EQ(databases_like(scene.database.name() + "\\_%"), "0");
  EXPECT_EQ(Client(scene.database.url()).value("SELECT version_num FROM alembic_version"), "r2");
}

TEST(Restore, LeavesTheOldDatabaseAsItWasWhenItIsStopped) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  scene.progress.on_stage = [&](BackupStage stage) {
    if (stage == BackupStage::Analyzing) {
      scene.stop.request();
    }
  };
  const auto stopped = scene.restore(record.id, scene.database.name(), true);
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted) << stopped.error().describe();
  EXPECT_EQ(databases_like(scene.database.name() + "\\_%"), "0");
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM people"), "20000");
}

}  // namespace
}  // namespace athanor::test
