// Every header of some folders, in load order, as fast as the file system lets go of them.
//
// The calling thread lists names and sorts them while a second one already reads files; then both read, straight into their
// places. Small folders never see the second thread. Threads: one run() at a time. Ownership: folders must outlive it.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/revision/revision.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {

class HeaderScan {
 public:
  HeaderScan(bool recursive, const SourceLimits& limits);
  ~HeaderScan();
  HeaderScan(const HeaderScan&) = delete;
  HeaderScan& operator=(const HeaderScan&) = delete;

  // Headers in load order, or the first error in load order. A file that several links or folders lead to counts once, where
  // it is met first, as in Alembic.
  [[nodiscard]] Result<std::vector<Revision>> run(const std::vector<VersionFolder>& folders);

 private:
  struct File;
  struct Outcome;
  struct Portion;

  [[nodiscard]] Result<void> list_names(const std::vector<VersionFolder>& folders);
  void publish(std::unique_ptr<Portion> portion);
  void start_second_thread();
  void give_places();
  void no_more_names();
  [[nodiscard]] Portion* next_portion(bool& placed);
  void read_portions();
  [[nodiscard]] Result<std::vector<Revision>> collect(std::size_t folders);
  void leave_out(const std::vector<const Outcome*>& outcomes, std::size_t folders);

  bool recursive_;
  const SourceLimits& limits_;
  std::thread second_;
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
