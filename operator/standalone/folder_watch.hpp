// Watches many folders through inotify and reports within milliseconds which interests were touched.
//
// An interest is a tag with a set of folders. Folders are watched, never files, so an editor that renames over a file, a new
// file, and the `..data` link that a ConfigMap mount swaps are all seen. Every ancestor below the interest's root is watched
// too, but only for the name of the next path element: this notices a folder that appears later, is replaced by a rename, or is
// reached through a link that is swapped (as git-sync does). Writes count when the file is closed, not while it is
// half-written.
//
// touched() gathers until nothing has happened for the quiet time (at most ten times that), so a checkout of fifty files is
// one change. A queue overflow touches everything.
//
// Threads: one thread. Ownership: owns the inotify descriptor.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/stop.hpp"

namespace athanor::controller {

struct FolderInterest {
  std::vector<std::string> folders;  // absolute
  std::string root;                  // ancestors are watched down from here; empty: only the parent is
  bool recursive = false;
  bool operator==(const FolderInterest&) const = default;
};

class FolderWatch {
 public:
  [[nodiscard]] static Result<FolderWatch> open(milliseconds quiet = milliseconds(50));
  ~FolderWatch();
  FolderWatch(FolderWatch&& other) noexcept;
  FolderWatch& operator=(FolderWatch&&) = delete;

  // Replaces all interests. A missing folder is no error: its nearest ancestor is watched. Io when the kernel's limit of
  // watches is reached; the folders added before that are watched.
  [[nodiscard]] Result<void> watch(std::map<std::string, FolderInterest> interests);
  // Waits until something was touched, `longest` passed or a stop was requested; returns the touched tags.
  [[nodiscard]] std::set<std::string> touched(milliseconds longest, const StopToken& stop);

 private:
  struct WatchedFolder {
    std::set<std::string> tags;                          // every name counts
    std::map<std::string, std::set<std::string>> named;  // only this name counts
  };
  FolderWatch(int descriptor, milliseconds quiet) : descriptor_(descriptor), quiet_(quiet) {}
  Result<void> add_all();
  Result<void> add_folder(const std::string& folder, const std::string& name, const std::string& tag);
  Result<void> add_tree(const std::string& folder, const std::string& tag, int depth);
  bool read_events(std::set<std::string>& tags);
  [[nodiscard]] std::set<std::string> all_tags() const;

  int descriptor_;
  milliseconds quiet_;
  std::map<std::string, FolderInterest> interests_;
  std::map<int, WatchedFolder> watched_;  // by watch descriptor
};

}  // namespace athanor::controller
