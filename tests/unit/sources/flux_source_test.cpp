// Artifacts of Flux sources: verified, unpacked once, waited for.
#include "operator/sources/flux_source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "migrations/base/sha256.hpp"
#include "tests/support/fake_clock.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/operator/sketch.hpp"
#include "tests/unit/sources/archive_sketch.hpp"

namespace athanor::controller {
namespace {

using ::testing::HasSubstr;

class FakeFetcher final : public ArtifactFetcher {
 public:
  Result<void> fetch(const std::string& url, milliseconds, const BytesHandler& take, const StopToken&) override {
    ++fetches;
    const auto found = files.find(url);
    if (found == files.end()) {
      return fail(Error(ErrorCode::Io, "the artifact cannot be fetched: it returned status 404"));
    }
    for (std::size_t begin = 0; begin < found->second.size(); begin += 1'000) {
      TRY(take(std::string_view(found->second).substr(begin, 1'000)));
    }
    return {};
  }
  std::map<std::string, std::string> files;
  int fetches = 0;
};

class Flux : public ::testing::Test {
 protected:
  Flux() {
    resource_ = sketch::resource();
    resource_.spec.source = {};
    resource_.spec.source.flux = FluxSource{"GitRepository", "app", "db"};
  }
  static std::string archive(const std::vector<MemorySource::File>& files = sketch::line()) {
    std::vector<sketch::ArchiveEntry> entries;
    for (const auto& file : files) {
      entries.push_back({"db/" + file.name, file.text});
    }
    return sketch::archive_of(entries);
  }
  // The source has this artifact, and its server hands out `served`.
  void publish(const std::string& bytes, const std::string& served, const std::string& revision = "main@sha1:1a2b") {
    const std::string digest = sha256_hex(bytes);
    const std::string url = "http://source-controller/" + digest + ".tar.gz";
    put({{"observedGeneration", 1},
         {"conditions", {{{"type", "Ready"}, {"status", "True"}}}},
         {"artifact", {{"url", url}, {"digest", "sha256:" + digest}, {"revision", revision}, {"size", bytes.size()}}}});
    fetcher_.files[url] = served;
  }
  void publish(const std::string& bytes) { publish(bytes, bytes); }
  void put(const KubeObject& status) {
    reader_.object = {{"metadata", {{"name", "app"}, {"namespace", "shop"}, {"generation", 1}}}, {"status", status}};
  }
  Result<std::shared_ptr<SourceSnapshot>> load() {
    TRY_ASSIGN(auto loaded, artifacts_.load(resource_));
    return std::move(loaded.snapshot);
  }
  Error refused() {
    const auto loaded = load();
    EXPECT_FALSE(loaded);
    return loaded ? Error() : loaded.error();
  }

  // The object as it was put; anything else is not there.
  class OneObject final : public KubeReader {
   public:
    Result<KubeObject> get(const ResourceType& type, const std::string& name_space, const std::string& name) override {
      if (error) {
        return fail(*error);
      }
      if (object.is_null() || type != flux_types().front() || name_space != "shop" || name != "app") {
        return fail(ErrorCode::ApiNotFound, "not found");
      }
      return object;
    }
    Result<std::string> list(const ResourceType&, const ListOptions&, const ObjectHandler&) override { return "1"; }
    KubeObject object;
    std::optional<Error> error;
  };

  test::TempFolder folder_;
  OneObject reader_;
  FakeFetcher fetcher_;
  test::FakeClock clock_;
  DatabaseMigration resource_;
  StopSource stop_;
  FluxArtifacts artifacts_{reader_, fetcher_, clock_, options(), stop_.token()};

 private:
  FluxOptions options() {
    FluxOptions made;
    made.folder = folder_ / "cache";
    made.max_artifact_bytes = 1'000'000;
    return made;
  }
};

TEST_F(Flux, AnArtifactHasTheNamesThatADeclarationMayAskFor) {
  const std::string bytes = archive();
  publish(bytes, bytes, "main@sha1:1a2b");
  const auto first = load();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ((*first)->names(), (std::vector<std::string>{"sha256:" + sha256_hex(bytes), "sha1:1a2b", "1a2b"}));
  publish(bytes, bytes, "main@sha1:3c4d");  // a commit that changed no file
  const auto second = load();
  ASSERT_TRUE(second);
  EXPECT_EQ((*second)->revision(), "main@sha1:3c4d");
  EXPECT_EQ((*second)->names().back(), "3c4d");
}

TEST_F(Flux, TheArtifactIsFetchedOnceAndShared) {
  publish(archive());
  const auto first = load();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ((*first)->revision(), "main@sha1:1a2b");
  EXPECT_EQ((*first)->graph().size(), 3U);
  const auto second = load();
  ASSERT_TRUE(second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(fetcher_.fetches, 1);
}

TEST_F(Flux, ANewArtifactIsANewSnapshotAndTheOldFilesGo) {
  publish(archive());
  auto first = load();
  ASSERT_TRUE(first);
  const std::string old = (*first)->id();
  publish(archive(sketch::line_and_branch()));
  const auto second = load();
  ASSERT_TRUE(second) << second.error().describe();
  EXPECT_NE((*second)->id(), old);
  EXPECT_EQ((*second)->graph().size(), 5U);
  const auto folders = [this] {
    return std::distance(std::filesystem::directory_iterator(folder_ / "cache"), std::filesystem::directory_iterator());
  };
  EXPECT_EQ(folders(), 2);
  first->reset();
  EXPECT_EQ(folders(), 1);
}

TEST_F(Flux, FilesAreShownAsTheyAreCalledInTheArtifact) {
  auto files = sketch::line();
  files.push_back({"bad.sql", "no header"});
  publish(archive(files));
  const Error error = refused();
  EXPECT_THAT(error.context, HasSubstr("GitRepository shop/app: db/bad.sql"));
  EXPECT_EQ(error.describe().find(folder_.string()), std::string::npos);
}

TEST_F(Flux, ContentThatIsNotWhatTheDigestSaysIsNotUsed) {
  const std::string bytes = archive();
  std::string other = bytes;
  other.back() = static_cast<char>(other.back() ^ 1);
  publish(bytes, other);
  const Error error = refused();
  EXPECT_THAT(error.message, HasSubstr("SHA-256"));
  EXPECT_EQ(error.retry, RetryClass::Transient);
}

TEST_F(Flux, ATruncatedArtifactIsNotUsed) {
  const std::string bytes = archive();
  publish(bytes, bytes.substr(0, bytes.size() - 10));
  EXPECT_THAT(refused().message, HasSubstr("should have " + std::to_string(bytes.size())));
}

TEST_F(Flux, AnArtifactThatIsTooLargeIsRefusedWhileItComes) {
  const std::string bytes(2'000'000, 'x');
  publish(bytes, bytes);
  reader_.object["status"]["artifact"].erase("size");
  EXPECT_EQ(refused().code, ErrorCode::FileTooLarge);
  reader_.object["status"]["artifact"]["size"] = bytes.size();
  fetcher_.fetches = 0;
  EXPECT_EQ(refused().code, ErrorCode::FileTooLarge);
}

TEST_F(Flux, ATraversalInTheArtifactIsRefused) {
  publish(sketch::archive_of({{"db/a1.sql", "x"}, {"../../evil.sql", "x"}}));
  EXPECT_EQ(refused().code, ErrorCode::PathEscape);
}

TEST_F(Flux, ASourceThatIsNotReadyIsWaitedForInItsOwnWords) {
  put({{"observedGeneration", 1},
       {"conditions", {{{"type", "Ready"}, {"status", "False"}, {"message", "failed to checkout: no such host"}}}}});
  const Error error = refused();
  EXPECT_THAT(error.describe(), HasSubstr("GitRepository shop/app: is not ready: failed to checkout: no such host"));
  EXPECT_EQ(error.retry, RetryClass::Transient);
}

TEST_F(Flux, ASourceWithoutAnArtifactOrNotReconciledIsWaitedFor) {
  put({{"observedGeneration", 1}});
  EXPECT_THAT(refused().message, HasSubstr("no artifact yet"));
  publish(archive());
  reader_.object["metadata"]["generation"] = 2;
  EXPECT_THAT(refused().message, HasSubstr("Flux has not reconciled it yet"));
}

TEST_F(Flux, WhatIsMissingOrForbiddenIsNamed) {
  EXPECT_THAT(refused().describe(), HasSubstr("GitRepository shop/app: does not exist"));
  reader_.error = Error(ErrorCode::ApiForbidden, "no");
  EXPECT_THAT(refused().hint, HasSubstr("flux.enabled"));
}

TEST_F(Flux, ADigestOfAnotherKindIsRefused) {
  publish(archive());
  reader_.object["status"]["artifact"]["digest"] = "sha512:00";
  const Error error = refused();
  EXPECT_THAT(error.message, HasSubstr("no SHA-256"));
  EXPECT_EQ(error.retry, RetryClass::Terminal);
}

TEST_F(Flux, AServerThatLostTheArtifactIsTriedAgain) {
  publish(archive());
  fetcher_.files.clear();
  EXPECT_EQ(refused().retry, RetryClass::Transient);
  publish(archive());
  EXPECT_TRUE(load());
}

}  // namespace
}  // namespace athanor::controller
