// What a resource gets of a Git repository, and how seldom a server is asked.
#include "operator/sources/git_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "operator/reconcile/decide.hpp"
#include "tests/unit/sources/git_sketch.hpp"

namespace athanor::controller {
namespace {

using sketch::WorkTree;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class Git : public sketch::GitTest {
 protected:
  WorkTree tree_{folder_ / "origin"};
};

TEST_F(Git, ABranchIsPinnedToItsCommit) {
  const std::string commit = tree_.commit(sketch::line());
  const auto loaded = load(resource(tree_.url()));
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->revision(), "main@" + commit);
  EXPECT_EQ((*loaded)->graph().size(), 3U);
  const auto plan = (*loaded)->plan(Direction::Upgrade, {}, {"head"});
  ASSERT_TRUE(plan) << plan.error().describe();
  EXPECT_EQ((*plan)->revisions.size(), 3U);
  EXPECT_EQ((*plan)->revisions.front().path, "db/a1.sql");  // as it is called in the repository
}

TEST_F(Git, ABranchThatMovesIsNoticedWhenTheIntervalIsOver) {
  const std::string old_commit = tree_.commit(sketch::line());
  auto before = load(resource(tree_.url()));
  ASSERT_TRUE(before) << before.error().describe();
  const std::string new_commit = tree_.commit(sketch::line_and_branch());
  const auto between = load(resource(tree_.url()));
  ASSERT_TRUE(between);
  EXPECT_EQ((*between)->revision(), "main@" + old_commit);
  EXPECT_EQ(asked("ls-remote"), 1U);
  clock_.advance(options_.requeue_after);
  auto after = load(resource(tree_.url()));
  ASSERT_TRUE(after) << after.error().describe();
  EXPECT_EQ((*after)->revision(), "main@" + new_commit);
  EXPECT_NE((*after)->id(), (*before)->id());
  EXPECT_EQ((*after)->graph().size(), 5U);
}

TEST_F(Git, APollReportsAMovedBranchOncePerInterval) {
  tree_.commit(sketch::line());
  const DatabaseMigration one = resource(tree_.url());
  DatabaseMigration other = resource(tree_.url(), "db");
  other.metadata.name = "other";
  ASSERT_TRUE(load(one));
  ASSERT_TRUE(load(other));
  const auto everybody = [](const ResourceKey&, const GitSource&) { return true; };
  EXPECT_TRUE(repositories().poll(everybody).empty());
  EXPECT_EQ(asked("ls-remote"), 1U);
  const std::string commit = tree_.commit(sketch::line_and_branch());
  clock_.advance(milliseconds(50'000));
  EXPECT_TRUE(repositories().poll(everybody).empty());
  clock_.advance(milliseconds(10'000));
  const auto moved = repositories().poll(everybody);
  ASSERT_EQ(moved.size(), 2U);
  EXPECT_EQ(moved.front().revision, "main@" + commit);
  EXPECT_EQ(asked("ls-remote"), 2U);  // both name the same branch
  EXPECT_TRUE(repositories().poll(everybody).empty());
  ASSERT_TRUE(load(one));
  ASSERT_TRUE(load(other));
  clock_.advance(milliseconds(60'000));
  EXPECT_TRUE(repositories().poll(everybody).empty());  // it was loaded as it is
}

TEST_F(Git, APollForgetsWhatNobodyWants) {
  tree_.commit(sketch::line());
  ASSERT_TRUE(load(resource(tree_.url())));
  const auto asked_before = asked("ls-remote");
  tree_.commit(sketch::line_and_branch());
  clock_.advance(milliseconds(60'000));
  EXPECT_TRUE(repositories().poll([](const ResourceKey&, const GitSource&) { return false; }).empty());
  clock_.advance(milliseconds(60'000));
  EXPECT_TRUE(repositories().poll([](const ResourceKey&, const GitSource&) { return true; }).empty());
  EXPECT_EQ(asked("ls-remote"), asked_before);
}

TEST_F(Git, ANamespaceHasNoMoreOfTheCacheThanItsShare) {
  options_.quota = std::make_shared<CacheQuota>(300'000, std::chrono::hours(1));
  const WorkTree second(folder_ / "second");
  std::string noise;  // that does not compress
  for (int block = 0; block < 5'000; ++block) {
    noise += sha256_hex("block " + std::to_string(block)) + "\n";
  }
  for (const WorkTree* tree : {&std::as_const(tree_), &second}) {
    tree->write("noise", noise + tree->url());
    tree->commit(sketch::line());
  }
  ASSERT_TRUE(load(resource(tree_.url())));
  const Error error = refused(resource(second.url()));
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(error.message, HasSubstr("the sources of namespace shop use more than 300000 bytes"));
  DatabaseMigration elsewhere = resource(second.url());
  elsewhere.metadata.name_space = "other";
  EXPECT_TRUE(load(elsewhere));
  EXPECT_TRUE(load(resource(tree_.url()))) << "what it has it keeps";
}

TEST_F(Git, WithoutItsProgramIsNoMatterOfCredentials) {
  tree_.commit(sketch::line());
  surroundings_.program.clear();
  const Error error = refused(resource(tree_.url()));
  EXPECT_THAT(error.message, HasSubstr("git is not installed"));
  EXPECT_EQ(reason_for(error), Reason::SourceNotFound);
  EXPECT_EQ(error.retry, RetryClass::Terminal);
}

TEST_F(Git, FilesOfAnOldCommitGoWithItsLastSnapshot) {
  tree_.commit(sketch::line());
  auto before = load(resource(tree_.url()));
  ASSERT_TRUE(before);
  tree_.commit(sketch::line_and_branch());
  clock_.advance(options_.requeue_after);
  const auto after = load(resource(tree_.url()));
  ASSERT_TRUE(after);
  EXPECT_EQ(unpacked(), 2U);
  EXPECT_TRUE((*before)->plan(Direction::Upgrade, {}, {"head"}));  // whoever still runs on it can
  before->reset();
  EXPECT_EQ(unpacked(), 1U);
}

TEST_F(Git, AChangedResourceQueriesTheServerImmediately) {
  tree_.commit(sketch::line());
  DatabaseMigration bumped = resource(tree_.url());
  ASSERT_TRUE(load(bumped));
  const std::string commit = tree_.commit(sketch::line_and_branch());
  clock_.advance(milliseconds(5'000));
  bumped.metadata.generation = 2;
  auto loaded = load(bumped);
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->revision(), "main@" + commit);
  clock_.advance(milliseconds(5'000));
  ASSERT_TRUE(load(bumped));
  EXPECT_EQ(asked("ls-remote"), 2U);
  bumped.metadata.annotations["athanor.dev/retry-now"] = "1";
  ASSERT_TRUE(load(bumped));
  EXPECT_EQ(asked("ls-remote"), 3U);
}

TEST_F(Git, ATagIsPeeledAndACommitNeedsNoQuery) {
  const std::string commit = tree_.commit(sketch::line());
  tree_.git({"tag", "-a", "v1", "-m", "one"});
  tree_.git({"branch", "v1"});  // the same name twice
  tree_.commit(sketch::line_and_branch());
  DatabaseMigration tagged = resource(tree_.url());
  tagged.spec.source.git->branch.clear();
  tagged.spec.source.git->tag = "v1";
  auto loaded = load(tagged);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->revision(), "v1@" + commit);
  EXPECT_EQ(asked("ls-remote"), 1U);
  DatabaseMigration pinned = resource(tree_.url());
  pinned.spec.source.git->branch.clear();
  pinned.spec.source.git->commit = commit;
  loaded = load(pinned);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->revision(), commit);
  clock_.advance(std::chrono::hours(24));
  ASSERT_TRUE(load(pinned));
  EXPECT_EQ(asked("ls-remote"), 1U);
  EXPECT_EQ(asked("fetch"), 1U);
}

TEST_F(Git, WhatIsNotThereIsNamed) {
  tree_.commit(sketch::line());
  DatabaseMigration wrong = resource(tree_.url());
  wrong.spec.source.git->branch = "release";
  Error error = refused(wrong);
  EXPECT_THAT(error.describe(), AllOf(HasSubstr("no branch 'release'"), HasSubstr(tree_.url())));
  EXPECT_EQ(error.code, ErrorCode::Io);
  EXPECT_EQ(error.retry, RetryClass::Terminal);
  error = refused(resource(tree_.url(), "versions"));
  EXPECT_THAT(error.message, HasSubstr("no folder 'versions'"));
  EXPECT_EQ(error.retry, RetryClass::Terminal);
  EXPECT_THAT(refused(resource(tree_.url(), "db/a1.sql")).message, HasSubstr("no folder"));
  DatabaseMigration pinned = resource(tree_.url());
  pinned.spec.source.git->branch.clear();
  pinned.spec.source.git->commit = std::string(40, 'a');
  error = refused(pinned);
  EXPECT_EQ(error.retry, RetryClass::Terminal);
  EXPECT_THAT(error.message, HasSubstr("git fetch"));
  error = refused(resource("file://" + folder_ / "nowhere"));
  EXPECT_EQ(error.retry, RetryClass::Transient);
  // And when it is there, it is found without a change of anything.
  clock_.advance(milliseconds(10'000));
  tree_.git({"branch", "release"});
  EXPECT_TRUE(load(wrong));
}

TEST_F(Git, ManyThatWantTheSameAreServedByOneFetch) {
  tree_.commit(sketch::line());
  std::latch all_there(8);
  std::vector<std::thread> threads;
  std::vector<std::shared_ptr<SourceSnapshot>> snapshots(8);
  auto& source = repositories();
  for (std::size_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      DatabaseMigration mine = resource(tree_.url());
      mine.metadata.name = "db-" + std::to_string(i);
      all_there.arrive_and_wait();
      if (auto loaded = source.load(mine)) {
        snapshots[i] = loaded->snapshot;
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  ASSERT_TRUE(snapshots[0]);
  for (const auto& snapshot : snapshots) {
    EXPECT_EQ(snapshot, snapshots[0]);
  }
  EXPECT_EQ(asked("ls-remote"), 1U);
  EXPECT_EQ(asked("fetch"), 1U);
}

TEST_F(Git, TheFilesAreThoseOfTheCommitByteForByte) {
  const std::string text = sketch::line().front().text + "-- $Format:%H$ $Id$\n";
  tree_.write("db/a1.sql", text);
  tree_.write(".gitattributes", "*.sql export-subst ident filter=evil eol=crlf\n");
  tree_.git({"config", "filter.evil.smudge", "sh -c 'touch " + folder_ / "smudged" + "'"});
  tree_.commit();
  const auto loaded = load(resource(tree_.url()));
  ASSERT_TRUE(loaded) << loaded.error().describe();
  const auto revisions = (*loaded)->source().list();
  ASSERT_TRUE(revisions);
  EXPECT_EQ((*loaded)->source().read(revisions->front()).value(), text);
  EXPECT_FALSE(fs::exists(folder_ / "smudged"));
}

TEST_F(Git, OnlyTheFolderIsReadAndSubFoldersOnlyWhenWanted) {
  tree_.write("README.md", "hello");
  tree_.write("other/bad.sql", "no header");
  tree_.commit({sketch::revision("a1", "")});
  tree_.commit({sketch::revision("a2", "a1")}, "db/sub/");
  DatabaseMigration wanted = resource(tree_.url(), "./db/");
  auto loaded = load(wanted);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->graph().size(), 1U);
  wanted.spec.source.recursive = true;
  loaded = load(wanted);
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded)->graph().size(), 2U);
  const Error error = refused(resource(tree_.url(), "other"));
  EXPECT_THAT(error.context, HasSubstr("other/bad.sql"));
  EXPECT_EQ(error.describe().find("files."), std::string::npos);
}

TEST_F(Git, LinksThatLeadOutAreRefusedOthersAreFollowed) {
  tree_.commit({sketch::revision("a1", "")});
  fs::create_symlink("a1.sql", tree_.folder() + "/db/again.sql");
  tree_.commit();
  const auto loaded = load(resource(tree_.url()));
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->graph().size(), 1U);
  for (const char* target : {"/etc/passwd", "../../../../../../../../etc/passwd", "../outside.sql"}) {
    fs::remove(tree_.folder() + "/db/evil.sql");
    fs::create_symlink(target, tree_.folder() + "/db/evil.sql");
    tree_.write("outside.sql", "SELECT 1;");
    tree_.commit();
    clock_.advance(options_.requeue_after);
    const auto evil = load(resource(tree_.url()));
    ASSERT_FALSE(evil) << target;
    EXPECT_THAT(evil.error().context, HasSubstr("db/evil.sql"));
  }
}

// Git checks names when it adds files, not when it fetches a tree that somebody else wrote.
TEST_F(Git, AFileNameThatBeginsAtTheRootIsRefused) {
  tree_.commit({sketch::revision("a1", "")});
  const auto tree = [this](const std::string& mode_and_name, const std::string& object) {
    std::string bytes = mode_and_name + '\0';
    for (std::size_t i = 0; i < object.size(); i += 2) {
      bytes += static_cast<char>(std::stoi(object.substr(i, 2), nullptr, 16));
    }
    const std::string file = folder_.write("tree", bytes);
    return tree_.git({"hash-object", "-t", "tree", "-w", "--literally", file});
  };
  const std::string inner = tree("100644 /evil.sql", tree_.git({"rev-parse", "HEAD:db/a1.sql"}));
  const std::string commit = tree_.git({"commit-tree", tree("40000 db", inner), "-m", "a commit"});
  tree_.git({"update-ref", "refs/heads/main", commit});
  DatabaseMigration wanted = resource(tree_.url());
  wanted.spec.source.recursive = true;
  EXPECT_THAT(refused(wanted).message, HasSubstr("fullPathname"));  // by git, which is told to check what it fetches
}

TEST_F(Git, AFileThatLiesTooDeepIsRefused) {
  std::string folders;
  for (int i = 0; i < 100; ++i) {
    folders += "d/";
  }
  tree_.commit({sketch::revision("a1", "")}, "db/" + folders);
  DatabaseMigration wanted = resource(tree_.url());
  wanted.spec.source.recursive = true;
  const Error error = refused(wanted);
  EXPECT_EQ(error.code, ErrorCode::PathEscape) << error.describe();
  EXPECT_THAT(error.message, HasSubstr("more than 32 folders deep"));
}

TEST_F(Git, SubmodulesAreNotFetched) {
  const WorkTree other(folder_ / "other");
  const std::string inner = other.commit(sketch::line(), "");
  tree_.commit({sketch::revision("a1", "")});
  tree_.write(".gitmodules", "[submodule \"db/sub\"]\n\tpath = db/sub\n\turl = " + other.url() + "\n");
  tree_.git({"add", ".gitmodules"});
  tree_.git({"update-index", "--add", "--cacheinfo", "160000," + inner + ",db/sub"});
  tree_.git({"commit", "--quiet", "-m", "with a submodule"});
  DatabaseMigration wanted = resource(tree_.url());
  wanted.spec.source.recursive = true;
  const auto loaded = load(wanted);
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_EQ((*loaded)->graph().size(), 1U);
}

TEST_F(Git, NoConfigurationIsReadAndNoHookIsRun) {
  tree_.commit(sketch::line());
  // What would run at every change of a reference, if a configuration were read.
  const std::string hook = folder_.write("hooks/reference-transaction", "#!/bin/sh\ntouch '" + folder_ / "hooked" + "'\n");
  fs::permissions(hook, fs::perms::owner_all);
  // Where git's home is.
  folder_.write("cache/.gitconfig", "[core]\n\thooksPath = " + folder_ / "hooks" +
                                        "\n[url \"file:///nowhere\"]\n\tinsteadOf = " + tree_.url() + "\n");
  const auto loaded = load(resource(tree_.url()));
  ASSERT_TRUE(loaded) << loaded.error().describe();
  EXPECT_FALSE(fs::exists(folder_ / "hooked"));
}

TEST_F(Git, ProtocolsThatAreNotAllowedAreRefused) {
  tree_.commit(sketch::line());
  surroundings_.protocols = GitEnvironment().protocols;
  ASSERT_EQ(surroundings_.protocols, "https:ssh");
  for (const std::string& url : {tree_.url(), tree_.folder(), "ext::sh -c touch% " + folder_ / "ran", std::string("fd::0"),
                                 std::string("git://127.0.0.1/x"), std::string("http://127.0.0.1:1/x")}) {
    const Error error = refused(resource(url));
    EXPECT_THAT(error.message, HasSubstr("not allowed")) << url;
    EXPECT_EQ(error.retry, RetryClass::Terminal) << url;
  }
  EXPECT_FALSE(fs::exists(folder_ / "ran"));
}

TEST_F(Git, LimitsAreHeldBeforeAnythingIsUnpacked) {
  tree_.commit(sketch::line());
  options_.limits.max_files = 2;
  EXPECT_THAT(refused(resource(tree_.url())).message, HasSubstr("more than 2 files"));
  options_.limits = {};
  options_.limits.max_file_bytes = 20;
  repositories_.reset();
  const Error error = refused(resource(tree_.url()));
  EXPECT_EQ(error.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(error.context, HasSubstr("db/a1.sql"));
  EXPECT_THAT(error.hint, HasSubstr("--max-file-size"));
  options_.limits = {};
  options_.limits.max_source_bytes = 100;
  repositories_.reset();
  const Error together = refused(resource(tree_.url()));
  EXPECT_EQ(together.code, ErrorCode::FileTooLarge);
  EXPECT_THAT(together.message, HasSubstr("folder db of commit "));
  EXPECT_THAT(together.message, HasSubstr("more than 100 bytes"));
  EXPECT_THAT(together.hint, HasSubstr("--max-source-size"));
  EXPECT_EQ(asked("cat-file"), 3U);  // of the folder's type alone
}

TEST_F(Git, DuringAnOutageTheLastCommitIsUsedExceptAfterAChange) {
  const std::string commit = tree_.commit(sketch::line());
  DatabaseMigration wanted = resource(tree_.url());
  ASSERT_TRUE(load(wanted));
  EXPECT_FALSE(doubt_);
  fs::rename(tree_.folder(), folder_ / "moved");
  clock_.advance(options_.requeue_after);
  const auto during = load(wanted);
  ASSERT_TRUE(during) << during.error().describe();
  EXPECT_EQ((*during)->revision(), "main@" + commit);
  ASSERT_TRUE(doubt_);
  EXPECT_EQ(doubt_->context, tree_.url());
  EXPECT_THAT(doubt_->message, HasSubstr("does not appear to be a git repository"));
  clock_.advance(milliseconds(10'000));
  wanted.metadata.generation = 2;
  EXPECT_EQ(refused(wanted).retry, RetryClass::Transient);
  clock_.advance(milliseconds(10'000));
  EXPECT_EQ(refused(wanted).retry, RetryClass::Transient);  // and until there is an answer
  wanted.metadata.generation = 1;
  EXPECT_TRUE(load(wanted));  // others are not disturbed by that
  clock_.advance(options_.outage);
  EXPECT_FALSE(load(wanted));
  fs::rename(folder_ / "moved", tree_.folder());
  clock_.advance(milliseconds(10'000));
  EXPECT_TRUE(load(wanted));
}

TEST_F(Git, AfterAnOutageTheServerIsQueriedWithinSecondsAndNotAtTheNextInterval) {
  tree_.commit(sketch::line());
  const DatabaseMigration wanted = resource(tree_.url());
  ASSERT_TRUE(load(wanted));
  fs::rename(tree_.folder(), folder_ / "moved");
  clock_.advance(options_.requeue_after);
  ASSERT_TRUE(load(wanted));
  const auto asked_before = asked("ls-remote");
  ASSERT_TRUE(load(wanted));
  EXPECT_TRUE(doubt_);
  EXPECT_EQ(asked("ls-remote"), asked_before);  // nor is the server asked by everybody all the time
  fs::rename(folder_ / "moved", tree_.folder());
  const std::string commit = tree_.commit(sketch::line_and_branch());
  clock_.advance(milliseconds(20'000));
  const auto after = load(wanted);
  ASSERT_TRUE(after) << after.error().describe();
  EXPECT_FALSE(doubt_);
  EXPECT_EQ((*after)->revision(), "main@" + commit);
}

TEST_F(Git, TheSameErrorHasTheSameMessage) {
  const auto words = refused(resource("http://127.0.0.1:1/x")).message;
  EXPECT_THAT(words, HasSubstr("127.0.0.1 port 1: "));
  EXPECT_THAT(words, testing::Not(testing::ContainsRegex(" [0-9]+ ms")));
}

TEST_F(Git, ARepositoryThatVanishesFromTheCacheIsFetchedAgain) {
  tree_.commit(sketch::line());
  ASSERT_TRUE(load(resource(tree_.url())));
  for (const auto& entry : fs::directory_iterator(options_.folder)) {
    fs::remove_all(entry.path() / "repository");
  }
  const std::string commit = tree_.commit(sketch::line_and_branch());
  clock_.advance(options_.requeue_after);
  const auto again = load(resource(tree_.url()));
  ASSERT_TRUE(again) << again.error().describe();
  EXPECT_EQ((*again)->revision(), "main@" + commit);
}

TEST_F(Git, AStopEndsWhatRuns) {
  tree_.commit(sketch::line());
  stop_.request();
  EXPECT_EQ(refused(resource(tree_.url())).code, ErrorCode::Interrupted);
}

}  // namespace
}  // namespace athanor::controller
