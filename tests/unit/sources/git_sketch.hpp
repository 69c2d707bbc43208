// A fixture with real Git repositories and a git program that records its subcommands.
//
// Threads: one thread; the clock may be read from any. Ownership: owns the folders and repositories.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "migrations/base/program_path.hpp"
#include "operator/kube/base64.hpp"
#include "operator/sources/git_source.hpp"
#include "tests/support/fake_kube.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"
#include "tests/unit/operator/sketch.hpp"

namespace athanor::controller::sketch {

// The system clock plus an offset that a test advances.
class MovedClock final : public Clock {
 public:
  [[nodiscard]] SteadyTime steady_now() const override { return system_.steady_now() + moved_.load(); }
  [[nodiscard]] WallTime wall_now() const override { return system_.wall_now() + moved_.load(); }
  bool wait(milliseconds duration, const StopToken& stop) override { return system_.wait(duration, stop); }
  void advance(milliseconds duration) { moved_ = moved_.load() + duration; }

 private:
  SystemClock system_;
  std::atomic<milliseconds> moved_{milliseconds(0)};
};

// A repository with a work tree and the branch main.
class WorkTree {
 public:
  explicit WorkTree(std::string folder) : folder_(std::move(folder)) {
    std::filesystem::create_directories(folder_);
    git({"init", "--quiet", "--initial-branch=main"});
  }
  std::string git(std::vector<std::string> arguments) const {
    std::vector<std::string> command{"git",
                                     "-c",
                                     "user.name=t",
                                     "-c",
                                     "user.email=t@example.org",
                                     "-c",
                                     "commit.gpgSign=false",
                                     "-c",
                                     "core.autocrlf=false"};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const auto result = test::run_process(command, {.environment = {{"GIT_CONFIG_GLOBAL", "/dev/null"}}, .directory = folder_});
    if (result.exit_code != 0) {
      throw std::runtime_error(arguments.front() + ": " + result.err);
    }
    return result.out.substr(0, result.out.find_last_not_of('\n') + 1);
  }
  void write(const std::string& name, const std::string& text) const { test::write_file(folder_ + "/" + name, text); }
  // Writes the files and commits the whole work tree; returns the commit's id.
  std::string commit(const std::vector<MemorySource::File>& files = {}, const std::string& folder = "db/") const {
    for (const auto& file : files) {
      write(folder + file.name, file.text);
    }
    git({"add", "--all"});
    git({"commit", "--quiet", "--allow-empty", "-m", "a commit"});
    return git({"rev-parse", "HEAD"});
  }
  [[nodiscard]] std::string url() const { return "file://" + folder_; }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  std::string folder_;
};

class GitTest : public ::testing::Test {
 protected:
  GitTest() {
    const std::string git = find_program("git", "/usr/local/bin:/usr/bin:/bin");
    surroundings_.program =
        folder_.write("counting-git", "#!/bin/sh\necho \"$1\" >> '" + folder_ / "asked" + "'\nexec " + git + " \"$@\"\n");
    std::filesystem::permissions(surroundings_.program, std::filesystem::perms::owner_all);
    surroundings_.folder = folder_ / "cache";
    surroundings_.protocols = "file:http";
    surroundings_.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    options_.folder = folder_ / "cache";
    std::filesystem::create_directories(options_.folder);
  }
  GitRepositories& repositories() {
    if (!repositories_) {
      repositories_ = std::make_unique<GitRepositories>(kube_, clock_, options_, surroundings_, stop_.token());
    }
    return *repositories_;
  }
  static DatabaseMigration resource(const std::string& url, const std::string& path = "db") {
    DatabaseMigration made = sketch::resource();
    made.spec.source = {};
    made.spec.source.git.emplace();
    made.spec.source.git->url = url;
    made.spec.source.git->branch = "main";
    made.spec.source.git->path = path;
    return made;
  }
  Result<std::shared_ptr<SourceSnapshot>> load(const DatabaseMigration& resource) {
    TRY_ASSIGN(auto loaded, repositories().load(resource));
    doubt_ = std::move(loaded.doubt);
    return std::move(loaded.snapshot);
  }
  Error refused(const DatabaseMigration& resource) {
    const auto loaded = load(resource);
    EXPECT_FALSE(loaded);
    return loaded ? Error() : loaded.error();
  }
  void put_secret(const std::string& name, const std::map<std::string, std::string>& values) {
    KubeObject data = KubeObject::object();
    for (const auto& [key, value] : values) {
      data[key] = base64_encode(value);
    }
    kube_.put(kube::kSecrets, {{"metadata", {{"name", name}, {"namespace", "shop"}}}, {"data", data}});
  }
  // How often git was called with this subcommand.
  [[nodiscard]] std::size_t asked(const std::string& subcommand) const {
    if (!std::filesystem::exists(folder_ / "asked")) {
      return 0;
    }
    const std::string lines = "\n" + test::read_file(folder_ / "asked");
    std::size_t count = 0;
    for (auto at = lines.find("\n" + subcommand + "\n"); at != std::string::npos;
         at = lines.find("\n" + subcommand + "\n", at + 1)) {
      ++count;
    }
    return count;
  }
  // How many folders of extracted files exist.
  [[nodiscard]] std::size_t unpacked() const {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::directory_iterator(options_.folder)) {
      count += entry.path().filename().string().starts_with("files.") ? 1U : 0U;
    }
    return count;
  }

  test::TempFolder folder_;
  test::FakeKube kube_;
  MovedClock clock_;
  StopSource stop_;
  GitOptions options_;
  GitEnvironment surroundings_;
  std::unique_ptr<GitRepositories> repositories_;
  std::optional<Error> doubt_;  // of the last load()
};

}  // namespace athanor::controller::sketch
