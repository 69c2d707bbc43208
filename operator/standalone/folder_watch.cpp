#include "operator/standalone/folder_watch.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::uint32_t kEvents = IN_CREATE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_DELETE_SELF |
                                  IN_MOVE_SELF | IN_ATTRIB | IN_ONLYDIR;
constexpr int kMaxDepth = 16;
constexpr int kLongestGathering = 10;  // times the quiet time

// Whether `path` is `root` or below it, compared as text.
bool lies_below(const std::string& path, const std::string& root) {
  return !root.empty() && path.starts_with(root) && (path.size() == root.size() || path[root.size()] == '/');
}

}  // namespace

Result<FolderWatch> FolderWatch::open(milliseconds quiet) {
  const int descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (descriptor < 0) {
    return fail(Error(ErrorCode::Io, std::string("folders cannot be watched: ") + std::strerror(errno))
                    .advise("raise fs.inotify.max_user_instances"));
  }
  return FolderWatch(descriptor, quiet);
}

FolderWatch::~FolderWatch() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

FolderWatch::FolderWatch(FolderWatch&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)),
      quiet_(other.quiet_),
      interests_(std::move(other.interests_)),
      watched_(std::move(other.watched_)) {}

Result<void> FolderWatch::watch(std::map<std::string, FolderInterest> interests) {
  if (interests == interests_) {
    return {};
  }
  interests_ = std::move(interests);
  return add_all();
}

// Adding a folder again returns its existing watch descriptor, so folders that are still wanted are watched without a gap. The
// others are removed afterwards.
Result<void> FolderWatch::add_all() {
  const std::map<int, WatchedFolder> before = std::exchange(watched_, {});
  Result<void> result;
  for (const auto& [tag, interest] : interests_) {
    for (const auto& folder : interest.folders) {
      std::filesystem::path path = folder;
      Result<void> added = interest.recursive ? add_tree(folder, tag, 0) : add_folder(folder, "", tag);
      while (added && path.has_relative_path()) {
        const std::string name = path.filename();
        path = path.parent_path();
        added = add_folder(path, name, tag);
        const bool above_is_wanted = lies_below(path, interest.root) && path != interest.root;
        std::error_code ignored;
        if (!above_is_wanted && std::filesystem::is_directory(path, ignored)) {
          break;
        }
      }
      if (!added) {
        result = std::move(added);
      }
    }
  }
  for (const auto& [descriptor, place] : before) {
    if (!watched_.contains(descriptor)) {
      ::inotify_rm_watch(descriptor_, descriptor);
    }
  }
  return result;
}

Result<void> FolderWatch::add_folder(const std::string& folder, const std::string& name, const std::string& tag) {
  const int descriptor = ::inotify_add_watch(descriptor_, folder.c_str(), kEvents);
  if (descriptor < 0) {
    if (errno == ENOSPC || errno == ENOMEM) {
      return fail(Error(ErrorCode::Io, "the kernel's limit of watched folders has been reached")
                      .at(folder)
                      .advise("raise fs.inotify.max_user_watches"));
    }
    return {};  // missing, not a folder, or not readable: its ancestor is watched
  }
  WatchedFolder& place = watched_[descriptor];
  if (name.empty()) {
    place.tags.insert(tag);
  } else {
    place.named[name].insert(tag);
  }
  return {};
}

Result<void> FolderWatch::add_tree(const std::string& folder, const std::string& tag, int depth) {
  TRY(add_folder(folder, "", tag));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (depth < kMaxDepth && entry.is_directory(error) && !entry.path().filename().string().starts_with('.')) {
      TRY(add_tree(entry.path(), tag, depth + 1));
    }
  }
  return {};
}

std::set<std::string> FolderWatch::all_tags() const {
  std::set<std::string> tags;
  for (const auto& [tag, interest] : interests_) {
    tags.insert(tag);
  }
  return tags;
}

// Returns whether there were any events.
bool FolderWatch::read_events(std::set<std::string>& tags) {
  alignas(inotify_event) std::array<char, 16'384> buffer;
  bool any = false;
  for (;;) {
    const ssize_t length = ::read(descriptor_, buffer.data(), buffer.size());
    if (length <= 0) {
      return any;
    }
    any = true;
    for (std::size_t offset = 0; offset < static_cast<std::size_t>(length);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + offset, sizeof event);
      const std::string name = event.len > 0 ? buffer.data() + offset + sizeof event : "";
      offset += sizeof event + event.len;
      // The kernel dropped events: anything may have changed.
      if ((event.mask & IN_Q_OVERFLOW) != 0) {
        tags = all_tags();
        continue;
      }
      const auto place = watched_.find(event.wd);
      if (place == watched_.end()) {
        continue;
      }
      tags.insert(place->second.tags.begin(), place->second.tags.end());
      if (const auto named = place->second.named.find(name); named != place->second.named.end()) {
        tags.insert(named->second.begin(), named->second.end());
      }
    }
  }
}

std::set<std::string> FolderWatch::touched(milliseconds longest, const StopToken& stop) {
  std::set<std::string> tags;
  const auto wait = [&](milliseconds duration) {
    std::array<pollfd, 2> descriptors{pollfd{descriptor_, POLLIN, 0}, pollfd{stop.descriptor(), POLLIN, 0}};
    return ::poll(descriptors.data(), descriptors.size(), static_cast<int>(duration.count())) > 0 && !stop.requested();
  };
  const auto until = std::chrono::steady_clock::now() + longest;
  while (tags.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
    if (left <= milliseconds(0) || !wait(std::min(left, milliseconds(3'600'000)))) {
      if (stop.requested() || left <= milliseconds(0)) {
        return tags;
      }
      continue;
    }
    read_events(tags);
  }
  const auto gathered_by = std::chrono::steady_clock::now() + quiet_ * kLongestGathering;
  while (std::chrono::steady_clock::now() < gathered_by && wait(quiet_)) {
    read_events(tags);
  }
  // Folders may have been created, deleted or replaced under the same name, so set up all watches again.
  if (const auto added = add_all(); !added) {
    return all_tags();
  }
  return tags;
}

}  // namespace athanor::controller
