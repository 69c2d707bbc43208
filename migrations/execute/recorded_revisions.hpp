// Revisions as the ledger recorded them when they were applied. They are known without their files: after a rollback to an
// older commit the database is ahead of the files, by name, and can be taken down again with the text that was run.
//
// Threads: plain values; a RecordedSource may be used from any thread. Ownership: it owns the source it completes.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/session/session.hpp"

namespace athanor {

struct RecordedRevision {
  Revision revision;                // its path is "ledger/<id>.sql"
  std::optional<std::string> text;  // the whole file; empty when it was not kept
  std::string applied_at;           // "2026-11-21T02:10:00+00:00"
  std::string actor;
  std::string checksum;  // of the text, kept or not
};

// How the revisions at the current heads lead down to what the files know.
struct RecordedLineage {
  std::vector<RecordedRevision> revisions;  // in no file, applied; children before their parents
  std::vector<std::string> missing;         // neither in a file nor recorded: descent is not known
  [[nodiscard]] bool complete() const { return missing.empty(); }
};

// `rows` as HistoryTable::select_lineage() answers. Walks from `heads` to revisions of `files` or to bases.
[[nodiscard]] Result<RecordedLineage> trace_lineage(const Rows& rows, const RevisionGraph& files,
                                                    const std::vector<std::string>& heads);

// The files, and behind them the revisions that only the ledger knows.
class RecordedSource final : public RevisionSource {
 public:
  RecordedSource(std::unique_ptr<RevisionSource> files, std::vector<RecordedRevision> recorded)
      : files_(std::move(files)), recorded_(std::move(recorded)) {}
  // A label that a file has taken meanwhile is the file's.
  [[nodiscard]] Result<std::vector<Revision>> list() const override;
  // NotRenderable for a revision whose text was not kept.
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override;
  [[nodiscard]] Result<std::string> checksum(const Revision& revision) const override;

 private:
  [[nodiscard]] const RecordedRevision* find(const Revision& revision) const;

  std::unique_ptr<RevisionSource> files_;
  std::vector<RecordedRevision> recorded_;
};

}  // namespace athanor
