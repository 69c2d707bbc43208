// Watches many folders with inotify and reports within milliseconds which interests changed.
//
// An interest is a tag with a set of folders. Only folders are watched, never files: this detects an editor that renames over a
// file, a new file, and the `..data` link that a ConfigMap mount replaces. Every ancestor below the interest's root is watched
// too, but only for the name of the next path element: this detects a folder that appears later, is replaced by a rename, or is
// reached through a replaced link (as git-sync does). A write counts when the file is closed, not before.
//
// touched() collects events until nothing has happened for the quiet time (at most ten times that long), so a checkout of fifty
// files counts as one change. A queue overflow reports all tags.
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
  std::string root;                  // ancestors below this one are watched; empty: only the parent
  bool recursive = false;
  bool operator==(const FolderInterest&) const = default;
};

class FolderWatch {
 public:
  // `quiet`: see above. Error: Io when the kernel's limit of inotify instances is reached.
  [[nodiscard]] static Result<FolderWatch> open(milliseconds quiet = milliseconds(50));
  ~FolderWatch();
  FolderWatch(FolderWatch&& other) noexcept;
  FolderWatch& operator=(FolderWatch&&) = delete;

  // Replaces all interests. For a missing folder the nearest existing ancestor is watched. Error: Io when the kernel's limit of
  // watches is reached; the folders added before that are watched.
  [[nodiscard]] Result<void> watch(std::map<std::string, FolderInterest> interests);
  // Blocks until something changed, `longest` passed or a stop was requested; returns the changed tags.
  [[nodiscard]] std::set<std::string> touched(milliseconds longest, const StopToken& stop);

 private:
  struct WatchedFolder {
    std::set<std::string> tags;                          // interested in every name
    std::map<std::string, std::set<std::string>> named;  // interested in this name only
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
