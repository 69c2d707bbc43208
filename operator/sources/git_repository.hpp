// One repository as the operator keeps it: shallow, bare, and the snapshots made from it.
//
// Threads: safe from any thread; git works for one caller at a time. Ownership: owns its folder on disk, borrows the rest.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "operator/sources/git_source.hpp"
#include "operator/sources/single_flight.hpp"

namespace athanor::controller {

class GitRepositories::Repository {
 public:
  Repository(const GitCommand& git, Clock& clock, const GitOptions& options, std::string url, GitCredentials credentials,
             std::string folder);
  ~Repository();
  Repository(const Repository&) = delete;
  Repository& operator=(const Repository&) = delete;

  // `retry_now`: what a tag or branch points to must not have been asked long ago.
  [[nodiscard]] Result<LoadedSource> load(const GitSource& source, bool recursive, bool retry_now);
  // What a tag or branch points to, not asked longer than its interval ago, as SourceStatus::revision has it. Nothing when the
  // server cannot be reached.
  [[nodiscard]] std::optional<std::string> ask_again(const GitSource& source);
  [[nodiscard]] bool unused_since(SteadyTime time) const { return used_.load() < time; }

 private:
  struct Tip {
    std::string commit;
    SteadyTime looked_at;
    std::optional<Error> doubt;  // why it could not be asked for, where this is what was known before
  };
  struct Reference {
    explicit Reference(Clock& clock) : work(clock) {}
    SingleFlight<Tip> work;
    std::mutex mutex;
    std::optional<Tip> good;       // the last answer
    std::optional<Error> failure;  // since then, to reach the server
    SteadyTime failed_at;
    std::atomic<bool> stale = false;  // its commit is no longer in the repository
    SteadyTime used;
  };
  struct Kept {
    explicit Kept(Clock& clock) : work(clock) {}
    SingleFlight<std::shared_ptr<SourceSnapshot>> work;
    SteadyTime used;
  };
  using Lock = std::lock_guard<std::mutex>;

  template <class T>
  std::shared_ptr<T> entry(std::map<std::string, std::shared_ptr<T>>& entries, const std::string& key);
  Result<Tip> find_tip(const GitSource& source, Reference& reference, bool retry_now);
  std::optional<Tip> remembered(Reference& reference, milliseconds found_out) const;
  Result<std::string> look(const GitSource& source);
  Result<std::string> ask(const GitSource& source, const GitAccess& access) const;
  Result<std::string> fetch(const std::string& wanted, const GitSource& source, const GitAccess& access);
  Result<void> make(std::size_t digits);
  void begin_anew();
  [[nodiscard]] bool made() const;
  [[nodiscard]] bool holds(const std::string& commit) const { return present_.contains(commit) && made(); }
  [[nodiscard]] std::uint64_t bytes() const;
  Result<std::shared_ptr<SourceSnapshot>> unpack(const GitSource& source, bool recursive, const std::string& commit,
                                                 const std::string& id);
  [[nodiscard]] std::string bare() const { return folder_ + "/repository"; }

  const GitCommand& git_;
  Clock& clock_;
  const GitOptions& options_;
  std::string url_;
  GitCredentials credentials_;
  std::string folder_;
  std::atomic<SteadyTime> used_;

  std::mutex turn_;                // of git in the repository
  std::set<std::string> present_;  // commits, since it was made
  std::size_t digits_ = 0;         // of its object names; 0: it is not made yet
  std::size_t fetches_ = 0;

  std::mutex entries_mutex_;
  std::map<std::string, std::shared_ptr<Reference>> references_;
  std::map<std::string, std::shared_ptr<Kept>> snapshots_;
};

}  // namespace athanor::controller
