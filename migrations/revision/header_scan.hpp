// Every header of some folders, in load order, as fast as the file system lets go of them.
//
// The calling thread lists names and sorts them while a second one already reads files; then both read, straight into their
// places. With a filled HeaderCache the files are met in load order, as its records are, and only the changed ones are read.
// Small folders see neither cache nor second thread. Threads: one run() at a time. Ownership: folders must outlive it.
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

  // Headers in load order, or the first error in load order. A file that several links or folders lead to counts once, where
  // it is met first, as in Alembic.
  [[nodiscard]] Result<std::vector<Revision>> run(const std::vector<VersionFolder>& folders);

  // How many files the last run() opened. All others came from the cache.
  [[nodiscard]] std::size_t files_read() const { return files_read_; }

 private:
  struct File;
  struct Outcome;
  struct Portion;

  [[nodiscard]] Result<void> list_names(const std::vector<VersionFolder>& folders);
  void publish(std::unique_ptr<Portion> portion);
  void start_second_thread();
  void give_places();
  void match_records();
  [[nodiscard]] bool take_from_cache(const File& file);
  void no_more_names();
  [[nodiscard]] Portion* next_portion(bool& placed);
  void read_portions();
  void keep_headers() const;
  [[nodiscard]] Result<std::vector<Revision>> collect(std::size_t folders);
  void leave_out(const std::vector<const Outcome*>& outcomes, std::size_t folders);

  bool recursive_;
  const SourceLimits& limits_;
  HeaderCacheSettings cache_settings_;
  const VersionFolder* folders_ = nullptr;  // the first of run()'s
  std::optional<HeaderCache> cache_;        // opened before there is a second thread
  bool warm_ = false;                       // it has records: reading waits until every file has its place
  std::thread second_;
  std::atomic<std::size_t> files_read_{0};
  std::vector<File*> order_;         // load order
  std::vector<Revision> revisions_;  // at the places of order_; written by both threads, each its own places

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<Portion>> portions_;  // guarded by mutex_, as are the next three
  std::size_t taken_ = 0;
  bool complete_ = false;  // no more portions will come
  bool placed_ = false;    // File::place and revisions_ stand
};

}  // namespace athanor
