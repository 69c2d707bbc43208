#include <gmock/gmock.h>
#include <sys/stat.h>

#include <thread>

#include "migrations/schema/server_programs.hpp"
#include "tests/postgres/scratch/scratch_scene.hpp"

namespace athanor::schema {
namespace {

using test::Client;
using test::ScratchScene;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

TEST(ScratchServer, MakesEmptyDatabasesAndDropsThem) {
  ScratchScene scene;
  scene.use_running_server();
  const auto server = scene.server();
  std::string name;
  {
    const auto database = server->create();
    ASSERT_TRUE(database) << database.error().describe();
    name = (*database)->name();
    EXPECT_THAT(ScratchScene::scratch_databases(test::server_url()), Contains(name));
    const auto session = (*database)->open();
    ASSERT_TRUE(session);
    EXPECT_TRUE((*session)->execute_autocommit("CREATE TABLE t (id int)"));
    // A copy has what the original has; nobody may be connected meanwhile.
  }
  EXPECT_THAT(ScratchScene::scratch_databases(test::server_url()), Not(Contains(name)));
}

TEST(ScratchServer, CopiesADatabase) {
  ScratchScene scene;
  scene.use_running_server();
  const auto server = scene.server();
  const auto original = server->create();
  ASSERT_TRUE(original);
  Client((*original)->url()).run("CREATE TABLE t (id int); INSERT INTO t VALUES (7)");
  const auto copy = server->create(original->get());
  ASSERT_TRUE(copy) << copy.error().describe();
  EXPECT_EQ(Client((*copy)->url()).value("SELECT id FROM t"), "7");
}

TEST(ScratchServer, DropsItsDatabaseAfterAStop) {
  ScratchScene scene;
  scene.use_running_server();
  const auto server = scene.server();
  std::string name;
  {
    const auto database = server->create();
    ASSERT_TRUE(database);
    name = (*database)->name();
    scene.stop.request();
    scene.stop.request();
  }
  EXPECT_THAT(ScratchScene::scratch_databases(test::server_url()), Not(Contains(name)));
}

TEST(ScratchServer, DropsWhatKilledCommandsLeftAnHourAgo) {
  Client client(test::server_url());
  client.run("CREATE DATABASE athanor_scratch_1600000000_0123456789ab");
  const std::string fresh = "athanor_scratch_" + client.value("SELECT extract(epoch FROM now())::bigint") + "_0123456789ab";
  client.run("CREATE DATABASE " + fresh);
  client.run("CREATE DATABASE athanor_scratch_mine");
  ScratchScene scene;
  scene.use_running_server();
  const auto server = scene.server();
  ASSERT_TRUE(server->create());
  const auto left = ScratchScene::scratch_databases(test::server_url());
  EXPECT_THAT(left, Not(Contains("athanor_scratch_1600000000_0123456789ab")));
  EXPECT_THAT(left, Contains(fresh));
  EXPECT_THAT(left, Contains("athanor_scratch_mine"));
  client.run("DROP DATABASE " + fresh);
  client.run("DROP DATABASE athanor_scratch_mine");
}

TEST(ScratchServer, RefusesAnotherMajorVersion) {
  ScratchScene scene;
  scene.use_running_server();
  scene.settings.embedded.major = 11;
  const auto database = scene.server()->create();
  ASSERT_FALSE(database);
  EXPECT_EQ(database.error().code, ErrorCode::ScratchUnavailable);
  EXPECT_THAT(database.error().message, HasSubstr("the target is PostgreSQL 11"));
}

TEST(ScratchServer, SaysWhichRoleIsMissingOnAServerOfSomebodyElse) {
  ScratchScene scene;
  scene.use_running_server();
  const auto server = scene.server();
  const auto provided = server->provide_roles({"postgres", "pg_read_all_data", "nobody_knows"});
  ASSERT_FALSE(provided);
  EXPECT_THAT(provided.error().message, HasSubstr("nobody_knows"));
  EXPECT_EQ(provided.error().hint, "create it there: CREATE ROLE nobody_knows NOLOGIN");
}

TEST(ScratchServer, SaysThatTheRoleMayNotCreateDatabases) {
  test::TestDatabase database;
  const test::TestRole role(database);
  ScratchScene scene;
  scene.settings.url = role.url();
  const auto made = scene.server()->create();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, ErrorCode::ScratchUnavailable);
  EXPECT_THAT(made.error().hint, HasSubstr("CREATEDB"));
}

TEST(EmbeddedServer, StaysWarmBetweenCommandsAndEndsByItself) {
  ScratchScene scene;
  std::string folder;
  {
    const auto first = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
    ASSERT_TRUE(first) << first.error().describe();
    folder = (*first)->folder();
    EXPECT_EQ(Client((*first)->url()).value("SHOW fsync"), "off");
    EXPECT_EQ(Client((*first)->url()).value("SHOW listen_addresses"), "");
    struct stat status {};
    ASSERT_EQ(::stat(folder.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0700U);
    EXPECT_NE(status.st_uid, 0U);
    const auto second = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
    ASSERT_TRUE(second);
    EXPECT_EQ((*second)->folder(), folder);
    std::this_thread::sleep_for(std::chrono::seconds(6));  // longer than it stays warm: it is in use
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  for (int waited = 0; waited < 100 && std::filesystem::exists(folder); ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(EmbeddedServer, EndsWhenTheCacheFolderIsRemoved) {
  ScratchScene scene;
  scene.settings.embedded.keep_warm = std::chrono::minutes(5);
  std::string folder;
  {
    const auto server = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
    ASSERT_TRUE(server) << server.error().describe();
    folder = (*server)->folder();
  }
  std::filesystem::remove_all(scene.folder / "cache");
  for (int waited = 0; waited < 100 && std::filesystem::exists(folder); ++waited) {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(EmbeddedServer, EndsWithTheCommandWithoutACacheFolder) {
  ScratchScene scene;
  scene.settings.embedded.cache_folder.clear();
  std::string folder;
  {
    const auto server = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
    ASSERT_TRUE(server) << server.error().describe();
    folder = (*server)->folder();
    EXPECT_TRUE(std::filesystem::exists(folder));
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(EmbeddedServer, StartsAnotherOneWhenTheWarmOneIsGone) {
  ScratchScene scene;
  std::string folder;
  {
    const auto server = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
    ASSERT_TRUE(server) << server.error().describe();
    folder = (*server)->folder();
    Client client((*server)->url());
    (void)client.attempt("SELECT pg_terminate_backend(pid) FROM pg_stat_activity");
    std::filesystem::remove_all(folder);
  }
  const auto server = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
  ASSERT_TRUE(server) << server.error().describe();
  EXPECT_NE((*server)->folder(), folder);
  EXPECT_EQ(Client((*server)->url()).value("SELECT 1"), "1");
}

TEST(EmbeddedServer, DoesNotTrustAFolderOfAnotherUser) {
  ScratchScene scene;
  scene.settings.embedded.major = 0;
  std::filesystem::create_directories(scene.folder / "planted");
  test::write_file(scene.folder / "cache/scratch-newest.folder", scene.folder / "planted\n");
  const auto server = EmbeddedServer::start(scene.settings.embedded, scene.clock, scene.stop.token());
  ASSERT_TRUE(server) << server.error().describe();
  EXPECT_NE((*server)->folder(), scene.folder / "planted");
}

TEST(EmbeddedServer, ProvidesRolesWithoutRightsAndForgetsThem) {
  ScratchScene scene;
  const auto server = scene.server();
  ASSERT_TRUE(server->provide_roles({"app", "pg_monitor"}));
  const auto database = server->create();
  ASSERT_TRUE(database);
  Client client((*database)->url());
  EXPECT_EQ(client.value("SELECT rolcanlogin FROM pg_roles WHERE rolname = 'app'"), "f");
  ASSERT_TRUE(server->forget_roles({"app", "postgres"}));
  EXPECT_EQ(client.value("SELECT count(*) FROM pg_roles WHERE rolname IN ('app', 'postgres')"), "1");
}

TEST(ServerPrograms, NamesWhatWasFoundAndTheWaysOut) {
  ScratchScene scene;
  const auto missing = find_server_programs(scene.settings.embedded.search, 11, StopToken());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::ScratchUnavailable);
  EXPECT_THAT(missing.error().message, HasSubstr("needs PostgreSQL 11, as on the target, and this machine has version"));
  EXPECT_THAT(missing.error().hint, HasSubstr("postgresql-11"));
  EXPECT_THAT(missing.error().hint, HasSubstr("scratch_url"));
  ServerSearch nowhere;
  nowhere.folder = scene.folder.string();
  EXPECT_THAT(find_server_programs(nowhere, 0, StopToken()).error().message, HasSubstr("this machine has none in"));
}

}  // namespace
}  // namespace athanor::schema
