// The revisions of one source at one moment: the graph, and the plans made from it.
//
// Many resources share a source, so many reconciles share a snapshot: headers are parsed and the graph is built once, and a
// plan (which holds the parsed bodies) is made once per pair of start and target. A SourceProvider returns snapshots. When the
// source is unavailable it may return the last one together with the error: reconciles still compare the database with it, but
// begin nothing.
//
// FolderSnapshots is the provider's engine for folders. A snapshot is kept with the name, inode, size, mtime and ctime of every
// file it was made from; it is handed out again only while all of them are unchanged, and never when a file was changed so
// shortly before the snapshot that the clock of the file system could not tell a second change from the first. A plan
// whose bodies were read while the folder changed is refused as StalePlan, which is tried again at once.
//
// Threads: safe from any thread; a snapshot is immutable but for its cache of plans. Ownership: shared.
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
  // `unchanged`: whether the source still has the content the snapshot was made from. Called from any thread.
  SourceSnapshot(
      std::string id, std::unique_ptr<RevisionSource> source, RevisionGraph graph,
      std::function<bool()> unchanged = [] { return true; });

  [[nodiscard]] const std::string& id() const { return id_; }  // differs whenever the content may differ
  // What the source was resolved to, for people: a commit, a digest; empty when there is no such thing. Set before it is
  // shared.
  [[nodiscard]] const std::string& revision() const { return revision_; }
  void set_revision(std::string revision) { revision_ = std::move(revision); }
  // What else a declaration may call this content: a commit, a digest. Set before it is shared.
  void set_names(std::vector<std::string> names) { names_ = std::move(names); }
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  // Where a file stands, in the words of whoever put it there: "key a1.sql of ConfigMap shop/orders". Set before it is shared.
  using Place = std::function<std::string(const std::string& path)>;
  void set_place(Place place) { place_ = std::move(place); }
  [[nodiscard]] std::string place_of(const std::string& path) const { return place_ ? place_(path) : path; }
  // What lies beside the revisions and is none, some of it. Set before it is shared.
  void set_ignored(std::vector<std::string> ignored) { ignored_ = std::move(ignored); }
  [[nodiscard]] const std::vector<std::string>& ignored() const { return ignored_; }
  [[nodiscard]] const RevisionGraph& graph() const { return graph_; }
  // Whether the source still has the content the snapshot was made from.
  [[nodiscard]] bool unchanged() const { return unchanged_(); }
  [[nodiscard]] const RevisionSource& source() const { return *source_; }
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

// `files` and behind them what the ledger of one database recorded of revisions that no file has any more. Not shared: it
// belongs to that database.
[[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> complete_from_ledger(std::shared_ptr<SourceSnapshot> files,
                                                                           std::vector<RecordedRevision> recorded);

struct LoadedSource {
  LoadedSource() = default;
  // Implicit, because most providers have no doubts.
  // NOLINTNEXTLINE(google-explicit-constructor)
  LoadedSource(std::shared_ptr<SourceSnapshot> held, std::optional<Error> why = std::nullopt)
      : snapshot(std::move(held)), doubt(std::move(why)) {}
  std::shared_ptr<SourceSnapshot> snapshot;
  std::optional<Error> doubt;  // why the source is unavailable: the snapshot is the last one
  // Without a snapshot: what was read, and cannot be used for the reason in `doubt`.
  std::string unusable_revision;
  SourceSnapshot* operator->() const { return snapshot.get(); }
};

class SourceProvider {
 public:
  virtual ~SourceProvider() = default;
  // May block on files or the network.
  [[nodiscard]] virtual Result<LoadedSource> load(const DatabaseMigration& resource) = 0;
};

// What the file system says of one file.
struct FileMark {
  std::string path;
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;
  bool operator==(const FileMark&) const = default;
};
// Marks of the files that `wanted` picks by name, sorted by path; sub-folders when `recursive`. Hidden files are passed over.
[[nodiscard]] Result<std::vector<FileMark>> mark_folder(const std::string& folder, bool recursive,
                                                        bool (*wanted)(std::string_view name));
// True when a change after `taken` could leave the marks as they are.
[[nodiscard]] bool marks_are_fresh(const std::vector<FileMark>& marks, WallTime taken);

class FolderSnapshots {
 public:
  explicit FolderSnapshots(Clock& clock, SourceLimits limits = {}) : clock_(clock), limits_(limits) {}
  [[nodiscard]] Result<std::shared_ptr<SourceSnapshot>> load(const std::string& folder, bool recursive);

 private:
  struct Entry {
    std::vector<FileMark> marks;
    std::shared_ptr<SourceSnapshot> snapshot;
    bool fresh = true;  // not to be trusted a second time
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
