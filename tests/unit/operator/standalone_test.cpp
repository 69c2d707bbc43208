#include "operator/standalone/standalone.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "operator/sources/local_sources.hpp"
#include "operator/standalone/local_credentials.hpp"
#include "operator/standalone/summary.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

namespace fs = std::filesystem;
using std::chrono::seconds;
using Tags = std::set<std::string>;

std::string manifest(const std::string& name, const std::string& more = "", const std::string& url = "postgresql://db/orders") {
  return "apiVersion: athanor.dev/v1alpha1\nkind: DatabaseMigration\nmetadata: {name: " + name +
         "}\nspec:\n  database: {url: '" + url + "'}\n  source: {path: rev}\n" + more;
}

class FolderWatchTest : public testing::Test {
 protected:
  Tags touched() { return watch.touched(seconds(5), {}); }
  bool quiet() { return watch.touched(milliseconds(30), {}).empty(); }

  test::TempFolder folder;
  FolderWatch watch = FolderWatch::open(milliseconds(10)).value();
};

TEST_F(FolderWatchTest, SeesFilesCreatedChangedRenamedAndDeleted) {
  ASSERT_TRUE(watch.watch({{"m", {{folder.string()}, "", false}}}).has_value());
  EXPECT_TRUE(quiet());
  folder.write("a.yaml", "1");
  EXPECT_EQ(touched(), Tags{"m"});
  folder.write("a.yaml", "2");
  EXPECT_EQ(touched(), Tags{"m"});
  folder.write(".a.yaml.swp", "3");
  (void)touched();
  fs::rename(folder / ".a.yaml.swp", folder / "a.yaml");
  EXPECT_EQ(touched(), Tags{"m"});
  fs::remove(folder / "a.yaml");
  EXPECT_EQ(touched(), Tags{"m"});
  EXPECT_TRUE(quiet());
}

TEST_F(FolderWatchTest, SeesTheLinkSwapOfAConfigMapMount) {
  folder.write("..1/a.sql", "1");
  folder.write("..2/a.sql", "2");
  fs::create_symlink("..1", folder / "..data");
  fs::create_symlink("..data/a.sql", folder / "a.sql");
  ASSERT_TRUE(watch.watch({{"m", {{folder.string()}, "", false}}}).has_value());
  fs::create_symlink("..2", folder / "..data_tmp");
  fs::rename(folder / "..data_tmp", folder / "..data");
  EXPECT_EQ(touched(), Tags{"m"});
}

TEST_F(FolderWatchTest, SeesAFolderThatAppearsLaterAndWhatIsPutIntoIt) {
  ASSERT_TRUE(watch.watch({{"r", {{folder / "one/two"}, folder.string(), false}}}).has_value());
  fs::create_directory(folder / "other");
  EXPECT_TRUE(quiet());
  fs::create_directory(folder / "one");
  EXPECT_EQ(touched(), Tags{"r"});
  fs::create_directory(folder / "one/two");
  EXPECT_EQ(touched(), Tags{"r"});
  folder.write("one/two/a.sql", "1");
  EXPECT_EQ(touched(), Tags{"r"});
}

TEST_F(FolderWatchTest, SeesALinkOnTheWaySwapped) {
  folder.write("v1/rev/a.sql", "1");
  folder.write("v2/rev/a.sql", "2");
  fs::create_symlink("v1", folder / "current");
  ASSERT_TRUE(watch.watch({{"r", {{folder / "current/rev"}, folder.string(), false}}}).has_value());
  fs::create_symlink("v2", folder / "next");
  fs::rename(folder / "next", folder / "current");
  EXPECT_EQ(touched(), Tags{"r"});
  folder.write("v2/rev/b.sql", "3");
  EXPECT_EQ(touched(), Tags{"r"});
}

TEST_F(FolderWatchTest, WakesOnlyTheResourcesConcerned) {
  fs::create_directory(folder / "a");
  fs::create_directory(folder / "b");
  ASSERT_TRUE(watch
                  .watch({{"a", {{folder / "a"}, folder.string(), false}},
                          {"b", {{folder / "b"}, folder.string(), false}},
                          {"both", {{folder / "a", folder / "b"}, "", false}}})
                  .has_value());
  folder.write("a/x.sql", "1");
  EXPECT_EQ(touched(), (Tags{"a", "both"}));
}

TEST_F(FolderWatchTest, ReturnsAtOnceWhenStopped) {
  StopSource stop;
  stop.request();
  EXPECT_TRUE(watch.touched(seconds(60), stop.token()).empty());
}

class FolderStoreTest : public testing::Test {
 protected:
  FolderStoreTest() { fs::create_directory(folder / "m"); }
  FolderChange rescan() { return store.accept(manifests.scan().value()); }
  std::string state(const std::string& name) { return test::read_file(folder.path() / "state" / name); }
  std::string claim(const ResourceKey& key, const std::string& identity) {
    return store.claim(store.find(key).value(), {"db:5432/orders", identity});
  }
  bool has_state(const std::string& name) { return fs::exists(folder.path() / "state" / name); }

  test::TempFolder folder;
  SystemClock clock;
  StateFolder state_folder = StateFolder::open(folder / "state").value();
  FolderStore store{state_folder, clock, [](const DatabaseMigration& resource) {
                      return FolderStore::Identity{"db:5432", resource.spec.database.url};
                    }};
  ManifestFolder manifests{folder / "m", clock};
  const ResourceKey orders{"default", "orders"};
};

TEST_F(FolderStoreTest, CountsGenerationsOnlyWhenTheSpecChanges) {
  folder.write("m/a.yaml", manifest("orders"));
  EXPECT_EQ(rescan().changed.size(), 1U);
  EXPECT_EQ(store.find(orders)->metadata.generation, 1);
  EXPECT_TRUE(rescan().changed.empty());
  folder.write("m/a.yaml", "# a comment\n" + manifest("orders"));
  EXPECT_TRUE(rescan().changed.empty());
  folder.write("m/a.yaml", manifest("orders", "  targetRevision: base\n"));
  EXPECT_EQ(rescan().changed.size(), 1U);
  EXPECT_EQ(store.find(orders)->metadata.generation, 2);
}

TEST_F(FolderStoreTest, KeepsCountAcrossARestart) {
  folder.write("m/a.yaml", manifest("orders"));
  (void)rescan();
  folder.write("m/a.yaml", manifest("orders", "  suspend: true\n"));
  (void)rescan();
  DatabaseMigrationStatus status;
  status.observed_generation = 2;
  ASSERT_TRUE(store.write_status(orders, status).has_value());
  FolderStore again(state_folder, clock, [](const DatabaseMigration&) { return FolderStore::Identity{}; });
  ManifestFolder fresh(folder / "m", clock);
  (void)again.accept(fresh.scan().value());
  EXPECT_EQ(again.find(orders)->metadata.generation, 2);
  EXPECT_EQ(again.find(orders)->status.observed_generation, 2);
}

TEST_F(FolderStoreTest, RemovesTheStatusOfADeletedManifest) {
  folder.write("m/a.yaml", manifest("orders"));
  (void)rescan();
  ASSERT_TRUE(store.write_status(orders, {}).has_value());
  EXPECT_TRUE(has_state("default.orders.status.yaml"));
  fs::remove(folder / "m/a.yaml");
  EXPECT_EQ(rescan().removed, std::vector<ResourceKey>{orders});
  EXPECT_FALSE(has_state("default.orders.status.yaml"));
  EXPECT_FALSE(store.find(orders).has_value());
}

TEST_F(FolderStoreTest, RemovesStatusesOfManifestsDeletedWhileItWasStopped) {
  folder.write("state/default.gone.status.yaml", "x");
  folder.write("state/problem.gone.yaml", "x");
  folder.write("state/notes.txt", "x");
  (void)rescan();
  EXPECT_FALSE(has_state("default.gone.status.yaml"));
  EXPECT_FALSE(has_state("problem.gone.yaml"));
  EXPECT_TRUE(has_state("notes.txt"));
}

TEST_F(FolderStoreTest, ClaimsNoTargetForAManifestThatCouldNeverBeRead) {
  folder.write("m/a.yaml", manifest("orders", "  polcy: {}\n"));
  (void)rescan();
  const std::string reported = state("default.orders.status.yaml");
  EXPECT_NE(reported.find("InvalidManifest"), std::string::npos);
  EXPECT_EQ(reported.find("head"), std::string::npos) << reported;
}

TEST_F(FolderStoreTest, StallsABrokenManifestAndGoesOnWithTheOthers) {
  folder.write("m/a.yaml", manifest("orders"));
  folder.write("m/b.yaml", manifest("users", "", "postgresql://db/users"));
  (void)rescan();
  folder.write("m/a.yaml", manifest("orders", "  polcy: {}\n"));
  FolderChange change = rescan();
  ASSERT_EQ(change.problems.size(), 1U);
  EXPECT_EQ(change.problem_count, 1U);
  EXPECT_FALSE(store.find(orders).has_value());
  EXPECT_TRUE(store.find({"default", "users"}).has_value());
  EXPECT_NE(state("default.orders.status.yaml").find("reason: InvalidManifest"), std::string::npos);
  EXPECT_NE(state("problem.a.yaml").find("a.yaml:7: field `spec.polcy`"), std::string::npos);
  change = rescan();
  EXPECT_TRUE(change.problems.empty());
  EXPECT_EQ(change.problem_count, 1U);
  folder.write("m/a.yaml", manifest("orders"));
  EXPECT_EQ(rescan().changed, std::vector<ResourceKey>{orders});
  EXPECT_FALSE(has_state("problem.a.yaml"));
}

TEST_F(FolderStoreTest, RefusesASecondDeclarationOfAResource) {
  folder.write("m/a.yaml", manifest("orders"));
  folder.write("m/b.yaml", manifest("orders", "  suspend: true\n"));
  const FolderChange change = rescan();
  ASSERT_EQ(change.problems.size(), 1U);
  EXPECT_EQ(change.problems.front().error.describe(),
            "b.yaml:1: metadata.name: default/orders is already declared in a.yaml:1");
  EXPECT_FALSE(store.find(orders)->spec.suspend);
}

TEST_F(FolderStoreTest, GivesADatabaseToTheFirstOfTwoResourcesAndThenToTheOther) {
  folder.write("m/a.yaml", manifest("orders"));
  folder.write("m/b.yaml", manifest("rival"));
  (void)rescan();
  EXPECT_EQ(store.claimed_by(orders), "");
  EXPECT_EQ(store.claimed_by({"default", "rival"}), "default/orders");
  fs::remove(folder / "m/a.yaml");
  EXPECT_EQ(rescan().changed, (std::vector<ResourceKey>{{"default", "rival"}}));
  EXPECT_EQ(store.claimed_by({"default", "rival"}), "");
}

TEST_F(FolderStoreTest, GivesADatabaseToTheFirstOfTwoThatTheServerCallsTheSame) {
  const ResourceKey rival{"default", "rival"};
  folder.write("m/a.yaml", manifest("orders"));
  folder.write("m/b.yaml", manifest("rival", "", "postgresql://db.example.org/orders"));
  (void)rescan();
  EXPECT_EQ(store.claimed_by(rival), "");
  EXPECT_EQ(claim(rival, "1"), "");  // it was observed first
  EXPECT_EQ(claim(orders, "1"), "");
  EXPECT_EQ(claim(rival, "1"), "default/orders");
  DatabaseMigrationStatus refused;
  refused.observed_generation = 1;
  Condition ready;
  ready.type = ConditionType::Ready;
  ready.reason = Reason::DatabaseClaimed;
  ready.message = "the database is already managed by default/orders";
  refused.conditions = {ready};
  ASSERT_TRUE(store.write_status(rival, refused).has_value());
  EXPECT_EQ(claim(rival, "2"), "default/orders");  // the server was restarted: the other one is observed first
  EXPECT_EQ(claim(orders, "2"), "");
  EXPECT_EQ(claim(rival, "2"), "default/orders");
  fs::remove(folder / "m/a.yaml");
  EXPECT_EQ(rescan().changed, std::vector<ResourceKey>{rival});
  EXPECT_EQ(claim(rival, "2"), "");
}

TEST_F(FolderStoreTest, WritesStatusFilesForTheOwnerAlone) {
  folder.write("m/a.yaml", manifest("orders", "", "postgresql://me:hunter2@db/orders"));
  (void)rescan();
  ASSERT_TRUE(store.write_status(orders, {}).has_value());
  struct stat facts {};
  ASSERT_EQ(::stat((folder / "state/default.orders.status.yaml").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 0777U, 0600U);
  EXPECT_EQ(state("default.orders.status.yaml").find("hunter2"), std::string::npos);
}

TEST_F(FolderStoreTest, SurvivesAStateFolderThatCannotBeWritten) {
  folder.write("m/a.yaml", manifest("orders", "  polcy: {}\n"));
  fs::remove_all(folder / "state");
  EXPECT_FALSE(rescan().state_errors.empty());
}

TEST(StateFolder, TakesNamesThatAreLongerThanAFileNameMayBe) {
  test::TempFolder folder;
  const auto state = StateFolder::open(folder / "state").value();
  StoredResource stored;
  stored.key = {std::string(63, 'n'), std::string(253, 'm')};
  ASSERT_TRUE(state.write(stored).has_value());
  EXPECT_TRUE(state.read(stored.key).has_value());
}

class LocalPaths : public testing::Test {
 protected:
  LocalPaths() {
    folder.write("manifests/rev/a.sql", "-- A\n--\n-- Revision: a1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
    folder.write("shared/rev/b.sql", "-- B\n--\n-- Revision: b1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
    folder.write("manifests/secret", "hunter2\n");
    resource.folder = folder / "manifests";
  }
  AllowedRoots roots(std::vector<std::string> more = {}) {
    more.insert(more.begin(), folder / "manifests");
    return AllowedRoots::create(more).value();
  }
  test::TempFolder folder;
  SystemClock clock;
  DatabaseMigration resource;
};

TEST_F(LocalPaths, LoadsASourceBelowTheManifests) {
  LocalSources sources(roots(), clock);
  resource.spec.source.path = "rev";
  const auto snapshot = sources.load(resource);
  ASSERT_TRUE(snapshot.has_value()) << snapshot.error().describe();
  EXPECT_EQ((*snapshot)->graph().size(), 1U);
}

TEST_F(LocalPaths, GivesEachNamespaceAFolderThatNothingLeadsOutOf) {
  const AllowedRoots allowed = roots();
  const std::string root = allowed.roots().front();
  fs::create_directories(folder / "manifests/shop/in");
  fs::create_symlink(folder / "manifests/rev", folder / "manifests/shop/out");
  EXPECT_EQ(allowed.resolve_below("shop", "orders", "spec.backup.path").value(), root + "/shop/orders");
  EXPECT_EQ(allowed.resolve_below("shop", "in/deeper", "spec.backup.path").value(), root + "/shop/in/deeper");
  EXPECT_EQ(allowed.resolve_below("evil", "shop/orders", "spec.backup.path").value(), root + "/evil/shop/orders");
  for (const auto& path :
       {std::string("../shop/orders"), std::string("a/../../shop"), root + "/shop/orders", root, std::string("/etc")}) {
    const auto refused = allowed.resolve_below("evil", path, "spec.backup.path");
    ASSERT_FALSE(refused.has_value()) << path;
    EXPECT_EQ(refused.error().code, ErrorCode::PathEscape);
    EXPECT_NE(refused.error().message.find("spec.backup.path '" + path + "' leaves evil/"), std::string::npos);
  }
  EXPECT_FALSE(allowed.resolve_below("shop", "out", "spec.backup.path").has_value());
  EXPECT_FALSE(allowed.resolve_below("..", "manifests-2", "spec.backup.path").has_value());
}

TEST_F(LocalPaths, DividesRootsByNamespacesOnACluster) {
  folder.write("root/shop/rev/a.sql", "-- A\n--\n-- Revision: a1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
  folder.write("root/other/rev/b.sql", "-- B\n--\n-- Revision: b1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 1;\n");
  folder.write("root/shop/password", "ours\n");
  folder.write("root/other/password", "theirs\n");
  folder.write("second/shop/token", "second\n");
  fs::create_directory_symlink(folder / "root/other", folder / "root/shop/link");
  fs::create_directory_symlink(folder / "root/other", folder / "root/linked");
  const AllowedRoots divided = AllowedRoots::create_divided({folder / "root", folder / "second"}).value();
  LocalSources sources(divided, clock);
  LocalCredentials credentials(divided, [](const std::string&) { return std::optional<std::string>(); });
  resource.metadata.name_space = "shop";
  resource.folder = folder / "root";
  for (const auto& path : {std::string("rev"), folder / "root/shop/rev"}) {
    resource.spec.source.path = path;
    EXPECT_TRUE(sources.load(resource)) << path;
  }
  for (const auto& path : {folder / "root/other/rev", folder / "root", std::string("../other/rev"), std::string("link/rev"),
                           std::string("other/rev"), std::string("/etc")}) {
    resource.spec.source.path = path;
    const auto refused = sources.load(resource);
    ASSERT_FALSE(refused) << path;
    EXPECT_TRUE(refused.error().code == ErrorCode::PathEscape || path == "other/rev") << refused.error().describe();
  }
  const auto read = [&](const std::string& path) {
    return credentials.read(resource, {SecretReference::Kind::File, path, ""});
  };
  EXPECT_EQ(read(folder / "root/shop/password").value(), "ours");
  EXPECT_EQ(read(folder / "second/shop/token").value(), "second");
  EXPECT_EQ(read(folder / "root/other/password").error().code, ErrorCode::PathEscape);
  EXPECT_EQ(read(folder / "root/shop/../other/password").error().code, ErrorCode::PathEscape);
  EXPECT_EQ(read(folder / "root/shop/link/password").error().code, ErrorCode::PathEscape);
  resource.metadata.name_space = "linked";
  EXPECT_EQ(read(folder / "root/other/password").error().code, ErrorCode::PathEscape);
  EXPECT_EQ(read(folder / "root/linked/password").error().code, ErrorCode::PathEscape);
}

TEST_F(LocalPaths, RefusesToLeaveTheRootsByDotsLinksOrAbsolutePaths) {
  fs::create_symlink(folder / "shared", folder / "manifests/link");
  fs::create_directory(folder / "manifests-2");
  LocalSources sources(roots(), clock);
  for (const auto& path : {std::string("../shared/rev"), std::string("link/rev"), folder / "shared/rev", std::string("/etc"),
                           std::string("../manifests-2"), std::string("../missing")}) {
    resource.spec.source.path = path;
    const auto snapshot = sources.load(resource);
    ASSERT_FALSE(snapshot.has_value()) << path;
    EXPECT_EQ(snapshot.error().code, ErrorCode::PathEscape) << path;
    EXPECT_NE(snapshot.error().hint.find("--source-root"), std::string::npos);
  }
  LocalSources wider(roots({folder / "shared"}), clock);
  resource.spec.source.path = "../shared/rev";
  EXPECT_TRUE(wider.load(resource).has_value());
}

TEST_F(LocalPaths, RefusesMoreOrLargerFilesThanItsLimitsAndSaysWhoSetsThem) {
  resource.spec.source.path = "rev";
  const auto refused = [&](SourceLimits limits) {
    LocalSources sources(roots(), clock, limits);
    const auto snapshot = sources.load(resource);
    return !snapshot && snapshot.error().code == ErrorCode::FileTooLarge &&
           snapshot.error().hint.find("--max-file") != std::string::npos;
  };
  SourceLimits few;
  few.max_files = 1;
  EXPECT_FALSE(refused(few));
  folder.write("manifests/rev/b.sql", "-- B\n--\n-- Revision: b1\n-- Revises: a1\n\n-- athanor:upgrade\nSELECT 1;\n");
  EXPECT_TRUE(refused(few));

  SourceLimits total;
  total.max_source_bytes = 50;
  LocalSources limited(roots(), clock, total);
  const auto too_much = limited.load(resource);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, ErrorCode::FileTooLarge);
  EXPECT_NE(too_much.error().message.find("manifests/rev contains more than 50 bytes"), std::string::npos)
      << too_much.error().message;

  // The size counts where a body is read whole: when a plan is made.
  SourceLimits small;
  small.max_file_bytes = 100'000;
  LocalSources sources(roots(), clock, small);
  folder.write("manifests/rev/b.sql", "-- B\n--\n-- Revision: b1\n-- Revises: a1\n\n-- athanor:upgrade\nSELECT '" +
                                          std::string(200'000, 'x') + "';\n");
  const auto snapshot = sources.load(resource);
  const auto plan = snapshot ? (*snapshot)->plan(Direction::Upgrade, {}, {"head"}) : fail(snapshot.error());
  ASSERT_FALSE(plan.has_value());
  EXPECT_EQ(plan.error().code, ErrorCode::FileTooLarge);
  EXPECT_NE(plan.error().hint.find("--max-file-size"), std::string::npos);
}

TEST_F(LocalPaths, ReadsSecretsWithoutTheirNewline) {
  LocalCredentials credentials(
      roots(), [](const std::string& name) { return name == "SET" ? std::optional<std::string>("value") : std::nullopt; });
  using Kind = SecretReference::Kind;
  EXPECT_EQ(credentials.read(resource, {Kind::File, "secret", ""}).value(), "hunter2");
  EXPECT_EQ(credentials.read(resource, {Kind::Environment, "SET", ""}).value(), "value");
  EXPECT_EQ(credentials.read(resource, {Kind::Environment, "UNSET", ""}).error().message,
            "the environment variable UNSET is not set");
  EXPECT_EQ(credentials.read(resource, {Kind::File, "missing", ""}).error().code, ErrorCode::MissingDatabaseUrl);
  EXPECT_EQ(credentials.read(resource, {Kind::File, "/etc/passwd", ""}).error().code, ErrorCode::PathEscape);
}

class FolderSnapshotsTest : public LocalPaths {
 protected:
  // A clock far ahead of the files: nothing is too fresh to be trusted.
  class LateClock final : public Clock {
   public:
    SteadyTime steady_now() const override { return {}; }
    WallTime wall_now() const override { return std::chrono::system_clock::now() + std::chrono::hours(1); }
    bool wait(milliseconds, const StopToken&) override { return true; }
  };
  std::string rev() { return folder / "manifests/rev"; }
  LateClock late;
};

TEST_F(FolderSnapshotsTest, SharesASnapshotUntilAFileChanges) {
  FolderSnapshots snapshots(late);
  const auto first = snapshots.load(rev(), false).value();
  EXPECT_EQ(snapshots.load(rev(), false).value(), first);
  folder.write("manifests/rev/b.sql", "-- B\n--\n-- Revision: b1\n-- Revises: a1\n\n-- athanor:upgrade\nSELECT 1;\n");
  const auto second = snapshots.load(rev(), false).value();
  EXPECT_NE(second, first);
  EXPECT_NE(second->id(), first->id());
  EXPECT_EQ(second->graph().size(), 2U);
}

TEST_F(FolderSnapshotsTest, NoticesARewriteOfTheSameLength) {
  FolderSnapshots snapshots(late);
  const auto first = snapshots.load(rev(), false).value();
  const auto modified = fs::last_write_time(rev() + "/a.sql");
  std::string text = test::read_file(rev() + "/a.sql");
  std::ranges::replace(text, '1', '2');
  folder.write("manifests/rev/a.sql", text);
  fs::last_write_time(rev() + "/a.sql", modified);
  EXPECT_NE(snapshots.load(rev(), false).value(), first);
}

TEST_F(FolderSnapshotsTest, DoesNotTrustASnapshotOfFilesThatHaveJustChanged) {
  FolderSnapshots snapshots(clock);
  folder.write("manifests/rev/a.sql", test::read_file(rev() + "/a.sql"));
  EXPECT_NE(snapshots.load(rev(), false).value(), snapshots.load(rev(), false).value());
}

TEST_F(FolderSnapshotsTest, MakesAPlanOnceAndRefusesOneOfAChangedFolder) {
  FolderSnapshots snapshots(late);
  const auto snapshot = snapshots.load(rev(), false).value();
  const auto plan = snapshot->plan(Direction::Upgrade, {}, {"head"});
  ASSERT_TRUE(plan.has_value()) << plan.error().describe();
  EXPECT_EQ(snapshot->plan(Direction::Upgrade, {}, {"head"}).value(), *plan);
  folder.write("manifests/rev/a.sql", "-- A\n--\n-- Revision: a1\n-- Revises:\n\n-- athanor:upgrade\nSELECT 'changed';\n");
  const auto stale = snapshot->plan(Direction::Upgrade, {}, {"heads"});
  ASSERT_FALSE(stale.has_value());
  EXPECT_EQ(stale.error().code, ErrorCode::StalePlan);
}

TEST(Summary, IsReadyOnlyWhenEverythingIs) {
  DatabaseMigration ready;
  ready.metadata.name = "orders";
  ready.status.current_revisions = {"a3"};
  ready.status.target_revision = "head";
  ready.status.pending_count = 0;
  set_condition(ready.status.conditions, {ConditionType::Ready, ConditionStatus::True, Reason::UpToDate, "fine", "", 1}, "now");
  Summary summary{{ready}, 0};
  EXPECT_TRUE(summary.all_ready());
  EXPECT_EQ(summary_table(summary),
            "RESOURCE        READY  REASON    CURRENT  TARGET  PENDING\n"
            "default/orders  True   UpToDate  a3       head    0\n");
  summary.problems = 1;
  EXPECT_FALSE(summary.all_ready());
  DatabaseMigration unknown;
  unknown.metadata.name = "users";
  EXPECT_FALSE((Summary{{ready, unknown}, 0}.all_ready()));
}

}  // namespace
}  // namespace athanor::controller
