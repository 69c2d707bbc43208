// Reads every header of some folders, in load order and as fast as the file system allows.
//
// The calling thread lists and sorts names while a second one already reads files; then both read, storing results at their
// final positions. With a filled HeaderCache, files are matched with its records in load order, and only changed files are
// read. Small folders use neither the cache nor a second thread.
//
// Threads: one run() at a time. Ownership: the folders must outlive it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/revision/header_cache.hpp"
#include "migrations/revision/revision.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {

class HeaderScan {
 public:
  HeaderScan(bool recursive, const SourceLimits& limits, HeaderCacheSettings cache = {});
  ~HeaderScan();
  HeaderScan(const HeaderScan&) = delete;
  HeaderScan& operator=(const HeaderScan&) = delete;

  // Returns the headers in load order, or the first error in load order. A file reachable through several links or folders
  // counts once, at its first position, as in Alembic.
  [[nodiscard]] Result<std::vector<Revision>> run(const std::vector<VersionFolder>& folders);

  // How many files the last run() opened; all others came from the cache.
  [[nodiscard]] std::size_t files_read() const { return files_read_; }

 private:
  struct File;
  struct Outcome;
  struct Portion;

  // Lists the names of all folders and publishes them in portions.
  [[nodiscard]] Result<void> list_names(const std::vector<VersionFolder>& folders);
  // Adds a portion for both threads to read, and starts the second thread when it is worthwhile.
  void publish(std::unique_ptr<Portion> portion);
  void start_second_thread();
  void give_places();
  void match_records();
  [[nodiscard]] bool take_from_cache(const File& file);
  void no_more_names();
  // Waits for the next portion; null when there are no more. Sets `placed` if positions are assigned.
  [[nodiscard]] Portion* next_portion(bool& placed);
  void read_portions();
  void keep_headers() const;
  // Joins the results of both threads, or returns the first error in load order.
  [[nodiscard]] Result<std::vector<Revision>> collect(std::size_t folders);
  void leave_out(const std::vector<const Outcome*>& outcomes, std::size_t folders);

  bool recursive_;
  const SourceLimits& limits_;
  HeaderCacheSettings cache_settings_;
  const VersionFolder* folders_ = nullptr;  // the first folder passed to run()
  std::optional<HeaderCache> cache_;        // opened before the second thread starts
  bool warm_ = false;                       // the cache has records: read files only after every file has its position
  std::thread second_;
  std::atomic<std::size_t> files_read_{0};
  std::vector<File*> order_;         // load order
  std::vector<Revision> revisions_;  // parallel to order_; both threads write it, at different positions

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Portion>> portions_;  // mutex_ guards this and the next three
  std::size_t taken_ = 0;
  bool complete_ = false;  // no more portions will be added
  bool placed_ = false;    // File::place and revisions_ are final
};

}  // namespace athanor
