// The revisions of one source at one point in time: the graph, and the plans made from it.
//
// Many resources share a source, so many reconciles share a snapshot: headers are parsed and the graph is built once, and a
// plan (which contains the parsed bodies) is made once per pair of start and target. A SourceProvider returns snapshots. If the
// source is unavailable, it may return the last snapshot together with the error: reconciles still compare the database with
// it, but start nothing.
//
// FolderSnapshots makes snapshots of folders. A snapshot is stored with the name, inode, size, mtime and ctime of all its
// files. It is reused only while all of them are unchanged, and never if a file changed so shortly before the snapshot that the
// file system's clock could not distinguish a second change. A plan whose bodies were read while the folder changed is refused
// with StalePlan and retried immediately.
//
// Threads: safe from any thread; a snapshot is immutable apart from its cache of plans. Ownership: shared.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/clock.hpp"
#include "migrations/execute/recorded_revisions.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

class SourceSnapshot {
 public:
  // `unchanged`: returns whether the source still has the content of the snapshot. Called from any thread.
  SourceSnapshot(
      std::string id, std::unique_ptr<RevisionSource> source, RevisionGraph graph,
      std::function<bool()> unchanged = [] { return true; });

  [[nodiscard]] const std::string& id() const { return id_; }  // differs whenever the content may differ
  // The resolved content, for display: a commit or a digest; empty if there is none. Set it before sharing the snapshot.
  [[nodiscard]] const std::string& revision() const { return revision_; }
  void set_revision(std::string revision) { revision_ = std::move(revision); }
  // Other names that spec.source.revision may use for this content: a commit, a digest. Set them before sharing the snapshot.
  void set_names(std::vector<std::string> names) { names_ = std::move(names); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // Describes a file in terms of the source: "key a1.sql of ConfigMap shop/orders". Set it before sharing the snapshot.
  using Place = std::function<std::string(const std::string& path)>;
  void set_place(Place place) { place_ = std::move(place); }
  [[nodiscard]] std::string place_of(const std::string& path) const { return place_ ? place_(path) : path; }
  // Some of the files that are not revisions. Set them before sharing the snapshot.
  void set_ignored(std::vector<std::string> ignored) { ignored_ = std::move(ignored); }
  [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }
  [[nodiscard]] const RevisionGraph& graph() const { return graph_; }
  // Whether the source still has the content of the snapshot.
  [[nodiscard]] bool unchanged() const { return unchanged_(); }
  [[nodiscard]] const RevisionSource& source() const { return *source_; }
  // Returns the plan from these heads to these targets, cached. Errors: StalePlan when the source changed meanwhile; those of
  // make_plan().
  [[nodiscard]] Result<std::shared_ptr<const Plan>> plan(Direction direction, const std::vector<std::string>& from,
                                                         const std::vector<std::string>& targets);

 private:
  std::string id_;
  std::string revision_;
  std::vector<std::string> names_;
  Place place_;
  std::vector<std::string> ignored_;
  std::unique_ptr<RevisionSource> source_;
  RevisionGraph graph_;
  std::function<bool()> unchanged_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const Plan>> plans_;
};

// Returns `files` extended with revisions that the ledger of one database recorded and that are in no file. Not shared: it
// belongs to that database.
[[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> complete_from_ledger(std::shared_ptr<SourceSnapshot> files,
                                                                           std::vector<RecordedRevision> recorded);

struct LoadedSource {
  LoadedSource() = default;
  // Implicit, because most providers return a snapshot without a doubt.
  // NOLINTNEXTLINE(google-explicit-constructor)
  LoadedSource(std::shared_ptr<SourceSnapshot> held, std::optional<Error> why = std::nullopt)
      : snapshot(std::move(held)), doubt(std::move(why)) {}
  std::shared_ptr<SourceSnapshot> snapshot;
  std::optional<Error> doubt;  // set if the source is unavailable: the snapshot is the last one
  // Without a snapshot: the content that was read and is unusable because of `doubt`.
  std::string unusable_revision;
  SourceSnapshot* operator->() const { return snapshot.get(); }
};

class SourceProvider {
 public:
  virtual ~SourceProvider() = default;
  // Returns a snapshot of the resource's source. May block on files or the network.
  [[nodiscard]] virtual Result<LoadedSource> load(const DatabaseMigration& resource) = 0;
};

// The attributes of one file that show whether it changed.
struct FileMark {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileMark&) const = default;
};
// Returns the marks of the files that `wanted` selects by name, sorted by path; includes subfolders if `recursive`. Skips
// hidden files.
[[nodiscard]] Result<std::vector<FileMark>> mark_folder(const std::string& folder, bool recursive,
                                                        bool (*wanted)(std::string_view name));
// Whether a change after `taken` could leave the marks unchanged.
[[nodiscard]] bool marks_are_fresh(const std::vector<FileMark>& marks, WallTime taken);

// The error for a source whose revision files are larger together than SourceLimits::max_source_bytes. `source`: what the user
// calls it: "folder /migrations".
[[nodiscard]] Error source_too_large(const std::string& source, std::uint64_t limit);

class FolderSnapshots {
 public:
  explicit FolderSnapshots(Clock& clock, SourceLimits limits = {}) : clock_(clock), limits_(limits) {}
  [[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> load(const std::string& folder, bool recursive);

 private:
  struct Entry {
    std::vector<FileMark> marks;
    std::shared_ptr<SourceSnapshot> snapshot;
    bool fresh = true;  // must not be reused
    std::uint64_t used = 0;
  };
  void evict();

  Clock& clock_;
  SourceLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  std::uint64_t uses_ = 0;
  std::uint64_t loads_ = 0;
};

}  // namespace athanor::controller
