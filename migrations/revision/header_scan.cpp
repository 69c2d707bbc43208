#include "migrations/revision/header_scan.hpp"

#include <sched.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "migrations/revision/revision_file.hpp"

namespace athanor {
namespace {

constexpr std::size_t kPortionSize = 64;        // small, so that neither thread waits for a core that something else keeps busy
constexpr std::size_t kPortionsForAThread = 8;  // below about 500 files a thread costs more than it saves

// The first bytes of a name as a number that sorts alike: decides most comparisons without touching the name.
std::uint64_t sort_key(std::string_view name) {
  std::uint64_t key = 0;
  for (std::size_t index = 0; index < sizeof key; ++index) {
    key = key << 8U | (index < name.size() ? static_cast<unsigned char>(name[index]) : 0U);
  }
  return key;
}

}  // namespace

struct HeaderScan::File {
  const VersionFolder* folder = nullptr;
  VersionFolder::Entry entry;
  std::string real_path;  // of a link
  Result<std::optional<Revision>> header;
};

struct HeaderScan::Portion {
  std::vector<File> files;
};

HeaderScan::HeaderScan(bool recursive, const SourceLimits& limits) : recursive_(recursive), limits_(limits) {}

HeaderScan::~HeaderScan() {
  no_more_names();
  if (second_.joinable()) {
    second_.join();
  }
}

Result<std::vector<Revision>> HeaderScan::run(const std::vector<VersionFolder>& folders) {
  const auto listed = list_names(folders);
  no_more_names();
  if (listed) {
    read_portions();
  }
  if (second_.joinable()) {
    second_.join();
  }
  TRY(listed);
  return in_order(folders);
}

Result<void> HeaderScan::list_names(const std::vector<VersionFolder>& folders) {
  std::unique_ptr<Portion> portion;
  std::size_t count = 0;
  for (const auto& folder : folders) {
    TRY(folder.scan(recursive_, limits_.max_files - count, [&](VersionFolder::Entry entry) {
      ++count;
      if (!portion) {
        portion = std::make_unique<Portion>();
        portion->files.reserve(kPortionSize);
      }
      portion->files.push_back({&folder, std::move(entry), {}, {}});
      if (portion->files.size() == kPortionSize) {
        publish(std::move(portion));
      }
    }));
  }
  if (portion) {
    publish(std::move(portion));
  }
  return {};
}

void HeaderScan::publish(std::unique_ptr<Portion> portion) {
  std::size_t count = 0;
  {
    const std::lock_guard lock(mutex_);
    portions_.push_back(std::move(portion));
    count = portions_.size();
  }
  changed_.notify_one();
  if (count == kPortionsForAThread) {
    start_second_thread();
  }
}

void HeaderScan::start_second_thread() {
  try {
    second_ = std::thread([this] {
      ::unshare(CLONE_FILES);  // a descriptor table of its own: the threads no longer wait for each other's open()
      read_portions();
    });
  } catch (const std::system_error&) {  // no thread to be had: the first one does it all
  }
}

void HeaderScan::no_more_names() {
  {
    const std::lock_guard lock(mutex_);
    complete_ = true;
  }
  changed_.notify_all();
}

HeaderScan::Portion* HeaderScan::next_portion() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return complete_ || taken_ < portions_.size(); });
  return taken_ < portions_.size() ? portions_[taken_++].get() : nullptr;
}

void HeaderScan::read_portions() {
  HeaderReader reader(limits_);
  while (Portion* portion = next_portion()) {
    for (auto& file : portion->files) {
      file.header = reader.read(*file.folder, file.entry, &file.real_path);
    }
  }
}

Result<std::vector<Revision>> HeaderScan::in_order(const std::vector<VersionFolder>& folders) const {
  struct Row {
    const VersionFolder* folder;
    std::uint64_t key;
    File* file;
  };
  std::vector<Row> rows;
  rows.reserve(portions_.size() * kPortionSize);
  bool repeats_possible = folders.size() > 1;
  for (const auto& portion : portions_) {
    for (auto& file : portion->files) {
      rows.push_back({file.folder, recursive_ ? 0 : sort_key(file.entry.name), &file});
      repeats_possible = repeats_possible || !file.real_path.empty();
    }
  }
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    if (a.folder != b.folder) {
      return a.folder < b.folder;  // they stand in one vector, in configured order
    }
    return a.key != b.key ? a.key < b.key : VersionFolder::load_order(a.file->entry.name, b.file->entry.name);
  });
  std::vector<Revision> revisions;
  revisions.reserve(rows.size());
  std::unordered_set<std::string> met;
  for (const auto& row : rows) {
    File& file = *row.file;
    if (!file.header) {
      return fail(std::move(file.header).error());
    }
    if (!*file.header) {
      continue;
    }
    if (repeats_possible) {
      auto real = file.real_path.empty() ? row.folder->real_path() + "/" + file.entry.name : std::move(file.real_path);
      if (!met.insert(std::move(real)).second) {
        continue;
      }
    }
    revisions.push_back(std::move(**file.header));
  }
  return revisions;
}

}  // namespace athanor
