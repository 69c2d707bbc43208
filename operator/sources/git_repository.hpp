// The operator's copy of one repository (bare, shallow) and the snapshots made from it.
//
// Threads: safe from any thread; only one git runs per repository at a time. Ownership: owns its folder on disk, borrows the
// rest.
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

  struct Request {
    const GitSource& source;
    bool recursive;
    std::string name_space;  // of the resource
  };
  // Returns a snapshot of the source's commit. `retry_now`: ask the server again what a tag or branch points to, unless it was
  // asked in the last two seconds; and report a failure instead of using the last known commit.
  [[nodiscard]] Result<LoadedSource> load(const Request& request, bool retry_now);
  // Returns what a tag or branch points to, in the form of SourceStatus::revision. Asks the server unless it did so within
  // about one interval. nullopt when the server cannot be reached.
  [[nodiscard]] std::optional<std::string> ask_again(const GitSource& source, const std::string& name_space);
  // Whether it was not used since `time`.
  [[nodiscard]] bool unused_since(SteadyTime time) const { return used_.load() < time; }

 private:
  struct Tip {
    std::string commit;
    SteadyTime checked_at;
    std::optional<Error> doubt;  // set when the server cannot be reached: `commit` is the last known one
  };
  struct Reference {
    explicit Reference(Clock& clock) : work(clock) {}
    SingleFlight<Tip> work;
    std::mutex mutex;
    std::optional<Tip> good;       // the server's last answer
    std::optional<Error> failure;  // set when the server could not be reached since
    SteadyTime failed_at;
    std::atomic<bool> stale = false;  // its commit is no longer in our copy
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
  Result<Tip> find_tip(const GitSource& source, const std::string& name_space, Reference& reference, bool retry_now);
  std::optional<Tip> remembered(Reference& reference, milliseconds max_age) const;
  Result<std::string> resolve_and_fetch(const GitSource& source, const std::string& name_space);
  Result<std::string> query_commit(const GitSource& source, const GitAccess& access) const;
  Result<std::string> fetch(const std::string& wanted, const GitSource& source, const std::string& name_space,
                            const GitAccess& access);
  // An error of one namespace's quota is not shared with others.
  [[nodiscard]] std::string sharing_key(const std::string& name_space) const {
    return options_.quota->limited() ? name_space : std::string();
  }
  // The repository has so many bytes now, and no more than it may.
  Result<void> check_size(const std::string& name_space);
  Result<void> make(std::size_t digits);
  void begin_anew();
  [[nodiscard]] bool made() const;
  [[nodiscard]] bool holds(const std::string& commit) const { return present_.contains(commit) && made(); }
  [[nodiscard]] std::uint64_t bytes() const;
  Result<std::shared_ptr<SourceSnapshot>> unpack(const Request& request, const std::string& commit, const std::string& id);
  [[nodiscard]] std::string bare() const { return folder_ + "/repository"; }

  const GitCommand& git_;
  Clock& clock_;
  const GitOptions& options_;
  std::string url_;
  GitCredentials credentials_;
  std::string folder_;
  std::atomic<SteadyTime> used_;

  std::mutex turn_;                // held while git works in our copy
  std::set<std::string> present_;  // commits fetched since our copy was created
  std::size_t digits_ = 0;         // length of object names; 0: our copy does not exist yet
  std::size_t fetches_ = 0;
  CacheQuota::Item held_;                   // the repository's share of the cache
  std::atomic<std::uint64_t> fetched_ = 0;  // its bytes after the last fetch

  std::mutex entries_mutex_;
  std::map<std::string, std::shared_ptr<Reference>> references_;
  std::map<std::string, std::shared_ptr<Kept>> snapshots_;
};

}  // namespace athanor::controller
