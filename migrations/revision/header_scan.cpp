#include "migrations/revision/header_scan.hpp"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <system_error>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "migrations/revision/revision_file.hpp"

namespace athanor {
namespace {

constexpr std::size_t kPortionSize = 64;  // small, so that no thread waits long for the other's last portion
// Below about 2,000 files, the second thread would take processor time that the server needs to answer our connection.
constexpr std::size_t kPortionsForAThread = 32;
// Writing the cache costs about as much as reading this many files.
constexpr std::size_t kMissesWorthWriting = 32;

// The first bytes of a name as a number with the same order: decides most comparisons without reading the name.
std::uint64_t sort_key(std::string_view name) {
  std::uint64_t key = 0;
  for (std::size_t index = 0; index < sizeof key; ++index) {
    key = key << 8U | (index < name.size() ? static_cast<unsigned char>(name[index]) : 0U);
  }
  return key;
}

}  // namespace

struct HeaderScan::File {
  const VersionFolder* folder;
  VersionFolder::Entry entry;
  std::size_t place = 0;  // position in load order, once all names are known
  const HeaderCache::Record* record = nullptr;
  FileStamp stamp{};  // state of a file that was read, if there is a cache
};

// A result without a final position: read before positions were assigned, a link, not a revision, or an error.
struct HeaderScan::Outcome {
  const File* file;
  Result<std::optional<Revision>> header;
  std::string real_path;  // for a link
};

struct HeaderScan::Portion {
  std::vector<File> files;
  std::vector<Outcome> outcomes;
};

HeaderScan::HeaderScan(bool recursive, const SourceLimits& limits, HeaderCacheSettings cache)
    : recursive_(recursive), limits_(limits), cache_settings_(std::move(cache)) {}

HeaderScan::~HeaderScan() {
  no_more_names();
  if (second_.joinable()) {
    second_.join();
  }
}

Result<std::vector<Revision>> HeaderScan::run(const std::vector<VersionFolder>& folders) {
  folders_ = folders.data();
  const auto listed = list_names(folders);
  if (listed) {
    // Only a complete list of names can be sorted.
    give_places();
    if (warm_) {
      match_records();
      if (portions_.size() >= kPortionsForAThread) {
        start_second_thread();
      }
    }
  }
  no_more_names();
  if (listed) {
    read_portions();
  }
  if (second_.joinable()) {
    second_.join();
  }
  TRY(listed);
  return collect(folders.size());
}

Result<void> HeaderScan::list_names(const std::vector<VersionFolder>& folders) {
  std::unique_ptr<Portion> portion;
  std::size_t count = 0;
  for (const auto& folder : folders) {
    TRY(folder.scan(recursive_, limits_.max_files - count, [&](VersionFolder::Entry entry) {
      if (++count == HeaderCache::kLeastFiles) {  // long before the second thread starts
        cache_ = HeaderCache::open(cache_settings_, folders, recursive_, limits_);
        warm_ = cache_ && !cache_->records().empty();
      }
      if (!portion) {
        portion = std::make_unique<Portion>();
        portion->files.reserve(kPortionSize);
      }
      portion->files.push_back({.folder = &folder, .entry = std::move(entry)});
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
  // With a filled cache, reading waits until every file has its position: run() starts the thread then.
  if (count == kPortionsForAThread && !warm_) {
    start_second_thread();
  }
}

void HeaderScan::start_second_thread() {
  try {
    second_ = std::thread([this] {
      ::unshare(CLONE_FILES);  // its own descriptor table, so that the threads do not wait for each other in open()
      read_portions();
    });
  } catch (const std::system_error&) {  // no thread available: the first one reads everything
  }
}

void HeaderScan::no_more_names() {
  {
    const std::lock_guard lock(mutex_);
    complete_ = true;
  }
  changed_.notify_all();
}

// Sorts the names and assigns every file its position. Only this thread accesses the list of portions meanwhile; readers use a
// position only after placed_ is set under the lock.
void HeaderScan::give_places() {
  struct Row {
    const VersionFolder* folder;
    std::uint64_t key;
    File* file;
  };
  std::vector<Row> rows;
  rows.reserve(portions_.size() * kPortionSize);
  for (const auto& portion : portions_) {
    for (auto& file : portion->files) {
      // With subfolders, the order of bytes is not load order, so the key must not decide.
      rows.push_back({file.folder, recursive_ ? 0 : sort_key(file.entry.name), &file});
    }
  }
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    if (a.folder != b.folder) {
      return a.folder < b.folder;  // folders are in one vector, in configured order
    }
    return a.key != b.key ? a.key < b.key : VersionFolder::load_order(a.file->entry.name, b.file->entry.name);
  });
  order_.reserve(rows.size());
  for (const auto& row : rows) {
    row.file->place = order_.size();
    order_.push_back(row.file);
  }
  revisions_.resize(order_.size());
  const std::lock_guard lock(mutex_);
  placed_ = true;
}

// Assigns each file the cache record of its name, in one pass over both lists, which have the same order. If the orders differ,
// some files are read unnecessarily.
void HeaderScan::match_records() {
  const auto& records = cache_->records();
  auto record = records.begin();
  for (File* file : order_) {
    const auto folder = static_cast<std::uint32_t>(file->folder - folders_);
    while (
        record != records.end() &&
        (record->folder < folder || (record->folder == folder && VersionFolder::load_order(record->name, file->entry.name)))) {
      ++record;
    }
    if (record != records.end() && record->folder == folder && record->name == file->entry.name) {
      file->record = &*record++;
    }
  }
}

// One stat() instead of opening, reading and parsing.
bool HeaderScan::take_from_cache(const File& file) {
  struct stat status {};
  if (file.record == nullptr || !file.entry.regular ||
      ::fstatat(file.folder->descriptor(), file.entry.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
      !S_ISREG(status.st_mode) || FileStamp::of(status) != file.record->stamp) {
    return false;
  }
  Revision revision;
  if (!HeaderCache::decode(file.record->header, revision)) {
    return false;
  }
  revision.path = file.folder->path_of(file.entry.name);
  revision.format = file.entry.format;
  revisions_[file.place] = std::move(revision);
  return true;
}

HeaderScan::Portion* HeaderScan::next_portion(bool& placed) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return complete_ || taken_ < portions_.size(); });
  placed = placed_;
  return taken_ < portions_.size() ? portions_[taken_++].get() : nullptr;
}

void HeaderScan::read_portions() {
  HeaderReader reader(limits_);
  bool placed = false;
  std::size_t read = 0;
  while (Portion* portion = next_portion(placed)) {
    for (auto& file : portion->files) {
      if (placed && take_from_cache(file)) {
        continue;
      }
      ++read;
      // The record is outdated: keep_headers() must store the new header.
      file.record = nullptr;
      std::string real_path;
      auto header = reader.read(*file.folder, file.entry, &real_path, cache_ && file.entry.regular ? &file.stamp : nullptr);
      if (placed && header && *header && real_path.empty()) {
        revisions_[file.place] = std::move(**header);
      } else {
        portion->outcomes.push_back({&file, std::move(header), std::move(real_path)});
      }
    }
  }
  files_read_ += read;
}

// Stores the headers that were read. Links, errors and files that are no revisions are not cached.
void HeaderScan::keep_headers() const {
  std::vector<HeaderCache::Kept> kept;
  kept.reserve(order_.size());
  std::size_t fresh = 0;
  for (const File* file : order_) {
    const Revision& revision = revisions_[file->place];
    const auto folder = static_cast<std::uint32_t>(file->folder - folders_);
    const bool known = file->record != nullptr;
    if (known || (file->entry.regular && !revision.id.empty() && cache_->keeps(file->stamp, folder))) {
      kept.push_back({known ? file->record->stamp : file->stamp, folder, file->entry.name, &revision});
      fresh += known ? 0U : 1U;
    }
  }
  if (fresh >= kMissesWorthWriting) {
    cache_->store(kept);
  }
}

Result<std::vector<Revision>> HeaderScan::collect(std::size_t folders) {
  std::vector<const Outcome*> special;
  Outcome* failed = nullptr;
  for (const auto& portion : portions_) {
    for (auto& outcome : portion->outcomes) {
      if (!outcome.header) {
        // The same error on every run, whichever thread finds one first.
        failed = failed == nullptr || outcome.file->place < failed->file->place ? &outcome : failed;
        continue;
      }
      if (*outcome.header) {
        revisions_[outcome.file->place] = std::move(**outcome.header);
      }
      if (!*outcome.header || !outcome.real_path.empty()) {
        special.push_back(&outcome);
      }
    }
  }
  if (failed != nullptr) {
    return fail(std::move(failed->header).error());
  }
  if (cache_ && files_read_ >= kMissesWorthWriting) {
    keep_headers();
  }
  if (!special.empty() || folders > 1) {
    leave_out(special, folders);
  }
  return std::move(revisions_);
}

// Removes files that are no revisions, and repeated ones.
void HeaderScan::leave_out(const std::vector<const Outcome*>& outcomes, std::size_t folders) {
  std::unordered_map<const File*, const Outcome*> special;
  bool repeats_possible = folders > 1;
  for (const auto* outcome : outcomes) {
    special.emplace(outcome->file, outcome);
    repeats_possible = repeats_possible || !outcome->real_path.empty();
  }
  std::unordered_set<std::string> met;
  std::size_t kept = 0;
  for (std::size_t place = 0; place < order_.size(); ++place) {
    const File& file = *order_[place];
    const auto found = special.find(&file);
    if (found != special.end() && !*found->second->header) {
      continue;
    }
    if (repeats_possible) {
      const bool link = found != special.end();
      if (!met.insert(link ? found->second->real_path : file.folder->real_path() + "/" + file.entry.name).second) {
        continue;
      }
    }
    if (kept != place) {
      revisions_[kept] = std::move(revisions_[place]);
    }
    ++kept;
  }
  revisions_.resize(kept);
}

}  // namespace athanor
