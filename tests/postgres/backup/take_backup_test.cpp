// Taking backups of a real database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "migrations/backup/catalogue.hpp"
#include "migrations/backup/client_programs.hpp"
#include "migrations/backup/dump_content.hpp"
#include "migrations/backup/retention.hpp"
#include "migrations/base/sha256.hpp"
#include "tests/postgres/backup/backup_scene.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/hijacked_schema.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(TakeBackup, PublishesAVerifiedDumpOfTheRevisionAndCataloguesIt) {
  BackupScene scene;
  const auto record = scene.ensure();
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  EXPECT_THAT(record->revisions, ElementsAre("r1"));
  EXPECT_TRUE(record->verified.has_value());
  EXPECT_FALSE(record->accepted);
  EXPECT_EQ(record->database.name, scene.database.name());
  EXPECT_EQ(record->database.oid, scene.database.value("SELECT oid FROM pg_database WHERE datname = current_database()"));
  EXPECT_EQ(record->size, scene.store.files.at(record->file).size());
  EXPECT_THAT(scene.store.files.at(record->file).substr(0, 5), "PGDMP");
  EXPECT_THAT(scene.progress.stages, ElementsAre(BackupStage::Dumping, BackupStage::Verifying, BackupStage::Publishing));
  EXPECT_THAT(scene.progress.warnings, IsEmpty());
  EXPECT_THAT(scene.database.rows("SELECT run_id, revisions::text, checksum, size_bytes::text, lsn::text,"
                                  " verified_at IS NOT NULL, deleted_at IS NULL, actor FROM athanor.backup"),
              ElementsAre(ElementsAre(record->id, "{r1}", record->sha256, std::to_string(record->size), record->lsn, "t", "t",
                                      "tester")));
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <>"
                                 " pg_backend_pid() AND application_name LIKE 'athanor%' AND state <> 'idle'"),
            "0");
}

TEST(TakeBackup, AsksForThePasswordOfPgDumpWhenItStarts) {
  BackupScene scene;
  std::string password;
  for (auto& [name, value] : scene.job.connection) {
    if (name == "password") {
      password = std::exchange(value, "expired");
    }
  }
  std::vector<BackupStage> before;
  scene.job.password = [&]() -> Result<std::string> {
    before = scene.progress.stages;
    return password;
  };
  const auto record = scene.ensure();
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  EXPECT_THAT(before, ElementsAre(BackupStage::Dumping));
  scene.database.run("UPDATE alembic_version SET version_num = 'r2'");
  scene.job.password = []() -> Result<std::string> { return fail(ErrorCode::MissingDatabaseUrl, "there is no token"); };
  const auto without = scene.ensure();
  ASSERT_FALSE(without);
  EXPECT_EQ(without.error().code, ErrorCode::MissingDatabaseUrl);
}

TEST(TakeBackup, RunsNothingThatAnotherRolePutIntoASchema) {
  BackupScene scene;
  scene.database.run(kHijack);
  scene.database.run("ALTER DATABASE " + scene.database.name() + " SET search_path = evil, pg_catalog, public");
  const auto record = scene.ensure();
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  EXPECT_THAT(record->revisions, ElementsAre("r1"));
  EXPECT_THAT(scene.progress.warnings, IsEmpty());
  scene.job.settings.accept_max_age = std::chrono::hours(1);
  const auto again = scene.ensure();
  ASSERT_TRUE(again.has_value()) << again.error().describe();
  EXPECT_TRUE(again->accepted);
}

TEST(TakeBackup, WritesIntoNoCatalogueThatAnotherRoleMade) {
  BackupScene scene;
  scene.database.run(
      "DO $$ BEGIN CREATE ROLE eve; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$;"
      "CREATE SCHEMA athanor AUTHORIZATION eve; SET ROLE eve; CREATE TABLE athanor.backup (run_id text); RESET ROLE");
  const auto record = scene.ensure();
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  EXPECT_THAT(scene.progress.warnings, Contains(HasSubstr("belongs to role eve")));
  scene.database.run("DROP OWNED BY eve CASCADE");
}

TEST(TakeBackup, AcceptsAYoungOneOfTheSameRevisionAndNoOther) {
  BackupScene scene;
  const auto first = scene.ensure().value();
  scene.job.settings.accept_max_age = std::chrono::hours(1);
  const auto again = scene.ensure().value();
  EXPECT_TRUE(again.accepted);
  EXPECT_EQ(again.id, first.id);
  scene.database.run("UPDATE alembic_version SET version_num = 'r2'");
  EXPECT_FALSE(scene.ensure()->accepted);
  scene.store.files.at(first.file)[100] = static_cast<char>(scene.store.files.at(first.file)[100] ^ 1);
  scene.database.run("UPDATE alembic_version SET version_num = 'r1'");
  EXPECT_FALSE(scene.ensure()->accepted) << "its checksum is read again";
  EXPECT_THAT(scene.progress.warnings, Contains(HasSubstr("a new backup is taken")));
}

TEST(TakeBackup, AcceptsNoneFromBeforeTheDatabaseMoved) {
  for (const char* const outcome : {"applied", "stamped"}) {
    BackupScene scene;
    scene.job.settings.accept_max_age = std::chrono::hours(1);
    scene.database.run(
        "CREATE SCHEMA athanor; CREATE TABLE athanor.history (id bigint GENERATED ALWAYS AS IDENTITY, outcome text, started_at "
        "timestamptz DEFAULT now()); INSERT INTO athanor.history (outcome) VALUES ('applied')");
    ASSERT_TRUE(scene.ensure());
    EXPECT_TRUE(scene.ensure()->accepted) << "what was applied in the same second, before it, is in the dump";
    scene.database.run("INSERT INTO athanor.history (outcome) VALUES ('failed'), ('repaired')");
    EXPECT_TRUE(scene.ensure()->accepted) << "nothing of it took effect";
    scene.database.run("INSERT INTO athanor.history (outcome, started_at) VALUES ('" + std::string(outcome) +
                       "', now() - interval '1 day')");
    EXPECT_FALSE(scene.ensure()->accepted) << "the rows are the same again, what they stand for is not: " << outcome;
  }
}

TEST(TakeBackup, AsksTheTimeWhereTheManifestNamesNoRowOfTheLedger) {
  BackupScene scene;
  scene.job.settings.accept_max_age = std::chrono::hours(1);
  ASSERT_TRUE(scene.ensure());
  scene.database.run(
      "CREATE TABLE athanor.history (id bigint GENERATED ALWAYS AS IDENTITY, outcome text, started_at timestamptz); INSERT "
      "INTO "
      "athanor.history (outcome, started_at) VALUES ('applied', now() - interval '1 day')");
  EXPECT_TRUE(scene.ensure()->accepted);
  scene.database.run("UPDATE athanor.history SET started_at = now()");
  EXPECT_FALSE(scene.ensure()->accepted);
}

TEST(TakeBackup, AcceptsNoneFromBeforeARevisionStoppedHalfWay) {
  BackupScene scene;
  scene.job.settings.accept_max_age = std::chrono::hours(1);
  ASSERT_TRUE(scene.ensure());
  scene.database.run(
      "CREATE TABLE athanor.step (updated_at timestamptz); INSERT INTO athanor.step VALUES (now() - interval '1 day')");
  EXPECT_TRUE(scene.ensure()->accepted);
  scene.database.run("UPDATE athanor.step SET updated_at = now()");
  EXPECT_FALSE(scene.ensure()->accepted);
}

TEST(TakeBackup, LeavesNothingWhenTheDiskFillsUp) {
  BackupScene scene;
  scene.store.room = 50'000;
  const auto failed = scene.ensure();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::BackupFailed);
  EXPECT_THAT(failed.error().message, HasSubstr("No space left"));
  EXPECT_THAT(scene.store.files, IsEmpty());
  EXPECT_FALSE(scene.database.has_relation("athanor.backup"));
}

TEST(TakeBackup, AsksForFreeSpaceFirst) {
  BackupScene scene;
  scene.store.free = 1'000'000;
  const auto failed = scene.ensure();
  ASSERT_FALSE(failed.has_value());
  EXPECT_THAT(failed.error().message, HasSubstr("(an estimate)"));
  EXPECT_THAT(scene.progress.stages, IsEmpty());
  scene.job.settings.check_space = false;
  EXPECT_TRUE(scene.ensure().has_value());
}

TEST(TakeBackup, RefusesProgramsOlderThanTheServerBeforeAnythingStarts) {
  BackupScene scene;
  const TempFolder folder;
  for (const char* name : {"pg_dump", "pg_restore"}) {
    const std::string path = folder.write(name, "#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.1'\n");
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }
  scene.job.settings.programs = folder.string();
  const auto refused = scene.ensure();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::BackupRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("pg_dump 9.6.1"));
  EXPECT_THAT(refused.error().hint, HasSubstr("postgresql-client-"));
  EXPECT_THAT(scene.store.calls, IsEmpty());
}

TEST(TakeBackup, WaitsForAnotherDumpAndSaysSo) {
  BackupScene scene;
  auto dump = std::make_optional(scene.database.connect());
  dump->run("SET application_name = 'pg_dump'");
  const int pid = dump->backend_pid();
  scene.progress.on_waiting = [&] { dump.reset(); };
  const auto record = scene.ensure();
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  ASSERT_THAT(scene.progress.waited_for, SizeIs(1));
  EXPECT_EQ(scene.progress.waited_for.front().pid, pid);
}

TEST(TakeBackup, GivesUpWhenAnotherDumpDoesNotEnd) {
  BackupScene scene;
  auto dump = scene.database.connect();
  dump.run("SET application_name = 'pg_dump'");
  FakeClock clock;
  const auto sessions = scene.factory(scene.database.url());
  const auto busy = ensure_backup({scene.store, *sessions, clock, scene.progress, {}}, scene.job);
  ASSERT_FALSE(busy.has_value());
  EXPECT_EQ(busy.error().code, ErrorCode::LockHeld);
  EXPECT_THAT(busy.error().message, HasSubstr(std::to_string(dump.backend_pid())));
  EXPECT_GE(clock.elapsed(), scene.job.settings.wait);
}

TEST(TakeBackup, TakesTurnsWithItselfAndBothAreWhole) {
  BackupScene scene;
  RecordingProgress other_progress;
  Result<BackupRecord> other;
  std::thread second([&] {
    const auto sessions = scene.factory(scene.database.url());
    MemoryStore own;
    other = ensure_backup({own, *sessions, scene.clock, other_progress, {}}, scene.job);
  });
  const auto first = scene.ensure();
  second.join();
  ASSERT_TRUE(first.has_value()) << first.error().describe();
  ASSERT_TRUE(other.has_value()) << other.error().describe();
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM athanor.backup"), "2");
}

TEST(TakeBackup, DoesNotWaitForALockedTableForEver) {
  BackupScene scene;
  auto holder = scene.database.connect();
  holder.run("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE");
  scene.job.settings.lock_timeout = milliseconds(200);
  const auto failed = scene.ensure();
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::LockTimeout);
  EXPECT_THAT(scene.store.files, IsEmpty());
}

TEST(TakeBackup, EndsPgDumpAtOnceWhenAStopIsRequested) {
  BackupScene scene;
  auto holder = scene.database.connect();
  holder.run("BEGIN; LOCK TABLE people IN ACCESS EXCLUSIVE MODE");  // pg_dump waits here until it is ended
  scene.progress.on_bytes = [&] {
    if (scene.database.value("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'athanor pg_dump' AND datname ="
                             " current_database() AND wait_event_type = 'Lock'") == "1") {
      scene.stop.request();
    }
  };
  const auto stopped = scene.ensure();
  ASSERT_FALSE(stopped.has_value());
  EXPECT_EQ(stopped.error().code, ErrorCode::Interrupted);
  EXPECT_THAT(scene.store.files, IsEmpty());
  holder.run("ROLLBACK");
  EXPECT_TRUE(
      scene.database.wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'athanor pg_dump'"
                                " AND datname = current_database()"));
}

TEST(TakeBackup, SavesTheMomentOfItsSnapshot) {
  BackupScene scene;
  scene.progress.on_stage = [&](BackupStage stage) {
    if (stage == BackupStage::Dumping) {  // the snapshot is open, pg_dump has not begun
      scene.database.run("UPDATE alembic_version SET version_num = 'r2'; DELETE FROM people");
    }
  };
  const auto record = scene.ensure().value();
  EXPECT_THAT(record.revisions, ElementsAre("r1"));
  const Leftover copy{scene.database.name() + "_copy"};
  ASSERT_TRUE(scene.restore(record.id, copy.name, false).has_value());
  Client restored(url_of(copy.name));
  EXPECT_EQ(restored.value("SELECT count(*) FROM people"), "20000");
  EXPECT_EQ(restored.value("SELECT version_num FROM alembic_version"), "r1");
}

TEST(TakeBackup, IsGoodWithoutACatalogue) {
  BackupScene scene;
  TestRole reader(scene.database);
  scene.database.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO " + reader.name() +
                     "; GRANT SELECT ON ALL SEQUENCES IN "
                     "SCHEMA public TO " +
                     reader.name());
  const auto sessions = scene.factory(reader.url());
  const BackupJob job = BackupScene::job_for(reader.url());
  const auto record = ensure_backup({scene.store, *sessions, scene.clock, scene.progress, {}}, job);
  ASSERT_TRUE(record.has_value()) << record.error().describe();
  EXPECT_THAT(scene.progress.warnings, Contains(HasSubstr("could not be recorded in the catalogue")));
}

TEST(TakeBackup, NamesTheTableItMayNotReadAndNoPassword) {
  BackupScene scene;
  TestRole stranger(scene.database);
  const auto sessions = scene.factory(stranger.url());
  scene.database.run("GRANT SELECT ON alembic_version TO " + stranger.name());
  const auto failed =
      ensure_backup({scene.store, *sessions, scene.clock, scene.progress, {}}, BackupScene::job_for(stranger.url()));
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error().code, ErrorCode::InsufficientPrivilege) << failed.error().describe();
  EXPECT_EQ(failed.error().describe().find(stranger.password()), std::string::npos);
  EXPECT_THAT(scene.store.files, IsEmpty());
}

// The checksum is of what pg_dump wrote; that it wrote all of it is another question.
TEST(VerifyDump, FindsATruncatedOrDamagedDumpWhoseChecksumIsRight) {
  BackupScene scene;
  const auto record = scene.ensure().value();
  const std::string whole = scene.store.files.at(record.file);
  const int major = std::stoi(scene.database.value("SHOW server_version"));
  const auto programs =
      find_programs({"", {client_folder()}, "/usr/lib/postgresql", {"PATH=/usr/bin:/bin"}}, major, {}).value();
  const auto verify = [&](const std::string& bytes) {
    scene.store.files["x"] = bytes;
    return verify_dump(*scene.store.open("x").value(), {sha256_hex(bytes), bytes.size()}, programs, {}, "x", nullptr, {});
  };
  EXPECT_TRUE(verify(whole).has_value());
  std::string flipped = whole;
  flipped[whole.size() - 5'000] = static_cast<char>(flipped[whole.size() - 5'000] ^ 0x10);
  for (const std::string& bad : {whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 3'000), flipped}) {
    const auto found = verify(bad);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().code, ErrorCode::BackupCorrupt) << found.error().describe();
    EXPECT_THAT(found.error().message, HasSubstr("cannot be decoded"));
  }
}

TEST(BackupCatalogue, IsMadeOnceHoweverManyBegin) {
  BackupScene scene;
  std::vector<std::thread> threads;
  std::vector<std::string> errors(8);
  for (std::size_t i = 0; i < errors.size(); ++i) {
    threads.emplace_back([&, i] {
      const auto session = scene.factory(scene.database.url())->open().value();
      BackupRecord record;
      record.id = std::to_string(i);
      const auto made = BackupCatalogue("athanor").record(*session, record);
      errors[i] = made ? "" : made.error().describe();
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_THAT(errors, ::testing::Each(""));
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM athanor.backup"), "8");
}

TEST(PruneBackups, ReadsWhatStaysBeforeItDeletesTheRest) {
  BackupScene scene;
  const auto good = scene.ensure().value();
  const auto rotten = scene.ensure().value();
  for (const auto* const record : {&good, &rotten}) {  // of the same second: say which is older
    std::string& manifest = scene.store.files.at(manifest_name(record->file));
    auto read = read_manifest(manifest, manifest_name(record->file)).value();
    read.started -= std::chrono::hours(record == &good ? 2 : 1);
    manifest = write_manifest(read);
  }
  std::string& bytes = scene.store.files.at(rotten.file);
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  scene.job.settings.retention.keep = 1;
  const auto sessions = scene.factory(scene.database.url());
  const BackupTools tools{scene.store, *sessions, scene.clock, scene.progress, {}};
  EXPECT_THAT(prune_backups(tools, scene.job, false).value(), SizeIs(0));
  EXPECT_TRUE(scene.store.files.contains(good.file));
  EXPECT_THAT(scene.progress.warnings, Contains(HasSubstr("is not counted as a backup to keep")));
}

TEST(PruneBackups, DeletesByCountMarksTheCatalogueAndLeavesForeignFiles) {
  BackupScene scene;
  scene.store.files["foreign.dump"] = "PGDMP";
  const auto oldest = scene.ensure().value();
  for (int i = 0; i < 2; ++i) {  // seconds are the names' resolution; ids tell them apart
    ASSERT_TRUE(scene.ensure().has_value());
  }
  scene.job.settings.retention.keep = 1;
  const auto sessions = scene.factory(scene.database.url());
  const BackupTools tools{scene.store, *sessions, scene.clock, scene.progress, {}};
  EXPECT_THAT(prune_backups(tools, scene.job, true).value(), SizeIs(2));
  EXPECT_THAT(list_backups(scene.store)->backups, SizeIs(3));
  EXPECT_THAT(prune_backups(tools, scene.job, false).value(), SizeIs(2));
  EXPECT_THAT(list_backups(scene.store)->backups, SizeIs(1));
  EXPECT_TRUE(scene.store.files.contains("foreign.dump"));
  EXPECT_EQ(scene.database.value("SELECT count(*) FROM athanor.backup WHERE deleted_at IS NOT NULL"), "2");
  EXPECT_EQ(prune_backups(tools, BackupScene::job_for(scene.database.url()), false).error().code, ErrorCode::Usage);
}

TEST(TakeBackup, EndsADumpThatLeavesTooLittleSpaceForOthers) {
  BackupScene scene;
  // Not compressible, so that the dump is larger than the estimate's first look.
  scene.database.run(
      "CREATE TABLE noise AS SELECT g, (SELECT string_agg(md5(random()::text || h || g), '') FROM generate_series(1, 500) h) t"
      " FROM generate_series(1, 4000) g");
  scene.job.settings.compression = 0;
  scene.progress.on_bytes = [&] { scene.store.free = 1'000'000; };
  scene.job.settings.min_free = 2'000'000;
  const auto refused = scene.ensure();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::BackupFailed);
  EXPECT_NE(refused.error().message.find("the dump is not finished"), std::string::npos) << refused.error().describe();
}

TEST(TakeBackup, EndsADumpBeyondItsQuota) {
  BackupScene scene;
  scene.job.has_room = [](std::uint64_t bytes) { return bytes <= 10'000; };
  const auto refused = scene.ensure();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::BackupRefused);
}

}  // namespace
}  // namespace athanor::test
