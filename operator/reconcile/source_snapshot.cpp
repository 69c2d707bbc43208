#include "operator/reconcile/source_snapshot.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxPlans = 64;
constexpr std::size_t kMaxSnapshots = 128;
constexpr std::size_t kMaxBodyBytes = std::size_t{8} << 20U;
constexpr int kMaxDepth = 16;
constexpr std::int64_t kNanosecondsPerSecond = 1'000'000'000;

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * kNanosecondsPerSecond + time.tv_nsec;
}

bool is_revision_name(std::string_view name) {
  return name.ends_with(".sql") || name.ends_with(".py");
}

std::string plan_key(Direction direction, const std::vector<std::string>& from, const std::vector<std::string>& targets) {
  std::string key(direction_name(direction));
  for (const auto& row : from) {
    key += '\n' + row;
  }
  key += "\n>";
  for (const auto& target : targets) {
    key += '\n' + target;
  }
  return key;
}

// Replaces the hint: the operator has no athanor.yaml, its limits are options.
Error explained(Error error) {
  if (error.code == ErrorCode::FileTooLarge) {
    error.hint = "raise --max-files or --max-file-size of the operator, or move bulk data out of the revisions";
  }
  return error;
}

// Caches file bodies up to a limit for the next plan or comparison, because a fleet reads the same files.
class CachingSource final : public RevisionSource {
 public:
  explicit CachingSource(std::unique_ptr<RevisionSource> source) : source_(std::move(source)) {}
  [[nodiscard]] Result<std::vector<Revision>> list() const override { return source_->list(); }
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = bodies_.find(revision.id); found != bodies_.end()) {
        return found->second;
      }
    }
    auto body = source_->read(revision);
    if (!body) {
      return fail(explained(std::move(body).error()));
    }
    const std::lock_guard lock(mutex_);
    if (bytes_ + body->size() <= kMaxBodyBytes && bodies_.emplace(revision.id, *body).second) {
      bytes_ += body->size();
    }
    return body;
  }
  // Cached, because every database of a fleet is compared with the same files.
  [[nodiscard]] Result<std::string> checksum(const Revision& revision) const override {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = checksums_.find(revision.id); found != checksums_.end()) {
        return found->second;
      }
    }
    TRY_ASSIGN(std::string checksum, RevisionSource::checksum(revision));
    const std::lock_guard lock(mutex_);
    return checksums_.try_emplace(revision.id, std::move(checksum)).first->second;
  }

 private:
  std::unique_ptr<RevisionSource> source_;
  mutable std::mutex mutex_;
  mutable std::map<std::string, std::string> bodies_;  // by id; a changed file means another snapshot
  mutable std::size_t bytes_ = 0;
  mutable std::map<std::string, std::string> checksums_;
};

// Reads the files of a snapshot that is shared with others.
class SharedFiles final : public RevisionSource {
 public:
  explicit SharedFiles(std::shared_ptr<SourceSnapshot> snapshot) : snapshot_(std::move(snapshot)) {}
  [[nodiscard]] Result<std::vector<Revision>> list() const override { return snapshot_->graph().revisions(); }
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override { return snapshot_->source().read(revision); }
  [[nodiscard]] Result<std::string> checksum(const Revision& revision) const override {
    return snapshot_->source().checksum(revision);
  }

 private:
  std::shared_ptr<SourceSnapshot> snapshot_;
};

class FolderReader {
 public:
  FolderReader(bool recursive, bool (*wanted)(std::string_view)) : recursive_(recursive), wanted_(wanted) {}

  Result<void> read(const std::string& folder, int depth) {
    DIR* directory = ::opendir(folder.c_str());
    if (directory == nullptr) {
      return fail(Error(ErrorCode::Io, std::string("the folder cannot be read: ") + std::strerror(errno)).at(folder));
    }
    std::vector<std::string> folders;
    while (const dirent* entry = ::readdir(directory)) {
      const std::string_view name(entry->d_name);
      if (name.starts_with('.')) {
        continue;
      }
      struct stat facts {};
      // Follow links: in a mounted ConfigMap every file is a link into a hidden folder, which the kubelet replaces as a whole.
      if (::fstatat(::dirfd(directory), entry->d_name, &facts, 0) != 0) {
        // Deleted between the two calls, or a dangling link. Record a mark anyway, because a file appearing there is a change.
        marks.push_back({folder + "/" + std::string(name), 0, 0, -1, 0, 0});
        continue;
      }
      if (S_ISDIR(facts.st_mode)) {
        folders.push_back(folder + "/" + std::string(name));
      } else if (wanted_(name)) {
        marks.push_back({folder + "/" + std::string(name), facts.st_dev, facts.st_ino, facts.st_size,
                         nanoseconds(facts.st_mtim), nanoseconds(facts.st_ctim)});
      }
    }
    ::closedir(directory);
    // The limit also ends a cycle of links.
    if (recursive_ && depth < kMaxDepth) {
      for (const auto& child : folders) {
        TRY(read(child, depth + 1));
      }
    }
    return {};
  }

  std::vector<FileMark> marks;

 private:
  bool recursive_;
  bool (*wanted_)(std::string_view);
};

}  // namespace

SourceSnapshot::SourceSnapshot(std::string id, std::unique_ptr<RevisionSource> source, RevisionGraph graph,
                               std::function<bool()> unchanged)
    : id_(std::move(id)),
      source_(std::make_unique<CachingSource>(std::move(source))),
      graph_(std::move(graph)),
      unchanged_(std::move(unchanged)) {}

Result<std::shared_ptr<const Plan>> SourceSnapshot::plan(Direction direction, const std::vector<std::string>& from,
                                                         const std::vector<std::string>& targets) {
  const std::string key = plan_key(direction, from, targets);
  // Hold the lock while the plan is made: other resources of a fleet wait for the same plan instead of making it again.
  const std::lock_guard lock(mutex_);
  if (const auto found = plans_.find(key); found != plans_.end()) {
    return found->second;
  }
  TRY_ASSIGN(auto made, make_plan(graph_, *source_, direction, from, targets));
  // make_plan() has read the files. If they changed since the graph was built, the plan may mix two versions of the source.
  if (!unchanged_()) {
    return fail(Error(ErrorCode::StalePlan, "the source changed during planning"));
  }
  if (plans_.size() >= kMaxPlans) {
    plans_.clear();
  }
  auto plan = std::make_shared<const Plan>(std::move(made));
  plans_.emplace(key, plan);
  return plan;
}

Result<std::shared_ptr<SourceSnapshot>> complete_from_ledger(std::shared_ptr<SourceSnapshot> files,
                                                             std::vector<RecordedRevision> recorded) {
  // Caches compare the id, so it must also name the revisions that come from the ledger.
  std::string id = files->id() + "+ledger";
  for (const RecordedRevision& revision : recorded) {
    id += " " + revision.revision.id;
  }
  auto source = std::make_unique<RecordedSource>(std::make_unique<SharedFiles>(files), std::move(recorded));
  TRY_ASSIGN(auto revisions, source->list());
  TRY_ASSIGN(auto graph, RevisionGraph::build(std::move(revisions)));
  auto snapshot = std::make_shared<SourceSnapshot>(std::move(id), std::move(source), std::move(graph),
                                                   [files] { return files->unchanged(); });
  snapshot->set_revision(files->revision());
  snapshot->set_names(files->names());
  snapshot->set_ignored(files->ignored());
  snapshot->set_place([files](const std::string& path) {
    return path.starts_with("ledger/") ? "the ledger's text of revision " + path.substr(7, path.rfind('.') - 7)
                                       : files->place_of(path);
  });
  return snapshot;
}

Result<std::vector<FileMark>> mark_folder(const std::string& folder, bool recursive, bool (*wanted)(std::string_view)) {
  FolderReader reader(recursive, wanted);
  TRY(reader.read(folder, 0));
  std::ranges::sort(reader.marks, {}, &FileMark::path);
  return std::move(reader.marks);
}

bool marks_are_fresh(const std::vector<FileMark>& marks, WallTime taken) {
  // Local file systems use the kernel's tick (at most 10 ms) for timestamps. One that only shows whole seconds may be two
  // seconds late.
  const bool whole_seconds =
      std::ranges::all_of(marks, [](const FileMark& mark) { return mark.changed_ns % kNanosecondsPerSecond == 0; });
  const std::int64_t margin = whole_seconds ? 2 * kNanosecondsPerSecond : 20'000'000;
  const std::int64_t limit = std::chrono::duration_cast<std::chrono::nanoseconds>(taken.time_since_epoch()).count() - margin;
  return std::ranges::any_of(marks,
                             [limit](const FileMark& mark) { return std::max(mark.changed_ns, mark.modified_ns) > limit; });
}

Error source_too_large(const std::string& source, std::uint64_t limit) {
  constexpr std::uint64_t kMiB = 1U << 20U;
  const std::string size = limit % kMiB == 0 ? std::to_string(limit / kMiB) + " MiB" : std::to_string(limit) + " bytes";
  return Error(ErrorCode::FileTooLarge, "the " + source + " contains more than " + size + " of revision files")
      .advise(
          "raise --max-source-size of the operator (operator.maxSourceSize of the chart), or move bulk data out of the "
          "revisions");
}

Result<std::shared_ptr<SourceSnapshot>> FolderSnapshots::load(const std::string& folder, bool recursive) {
  const std::string key = folder + (recursive ? "/**" : "");
  const std::lock_guard lock(mutex_);
  // Read the clock before the marks, so that a file that changes during the scan counts as fresh.
  const WallTime taken = clock_.wall_now();
  TRY_ASSIGN(auto marks, mark_folder(folder, recursive, is_revision_name));
  if (const auto found = entries_.find(key); found != entries_.end()) {
    // Do not reuse a fresh entry: a file may have changed again within the resolution of its timestamps, with the same marks.
    if (!found->second.fresh && found->second.marks == marks) {
      found->second.used = ++uses_;
      return found->second.snapshot;
    }
    entries_.erase(found);
  }
  std::uint64_t size = 0;
  for (const auto& mark : marks) {
    size += static_cast<std::uint64_t>(std::max<std::int64_t>(mark.size, 0));
  }
  if (size > limits_.max_source_bytes) {
    return fail(source_too_large("folder " + folder, limits_.max_source_bytes));
  }
  auto source = std::make_unique<FolderSource>(std::vector<std::string>{folder}, recursive, limits_);
  auto revisions = source->list();
  if (!revisions) {
    return fail(explained(std::move(revisions).error()));
  }
  TRY_ASSIGN(auto graph, RevisionGraph::build(std::move(*revisions)));
  // Compare the marks again after reading: a file that changed in between would belong to no consistent state.
  auto unchanged = [folder, recursive, marks] {
    const auto now = mark_folder(folder, recursive, is_revision_name);
    return now && *now == marks;
  };
  if (!unchanged()) {
    return fail(Error(ErrorCode::StalePlan, "the source changed while it was read").at(folder));
  }
  auto snapshot = std::make_shared<SourceSnapshot>(key + "#" + std::to_string(++loads_), std::move(source), std::move(graph),
                                                   std::move(unchanged));
  evict();
  const bool fresh = marks_are_fresh(marks, taken);
  entries_[key] = Entry{std::move(marks), snapshot, fresh, ++uses_};
  return snapshot;
}

void FolderSnapshots::evict() {
  while (entries_.size() >= kMaxSnapshots) {
    entries_.erase(std::ranges::min_element(entries_, {}, [](const auto& entry) { return entry.second.used; }));
  }
}

}  // namespace athanor::controller
