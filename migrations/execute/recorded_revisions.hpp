// Revisions as the ledger recorded them when they were applied. They are known without their files: after a rollback to an
// older commit the database is ahead of the files, and the recorded text still allows a downgrade.
//
// Threads: plain values; a RecordedSource may be used from any thread. Ownership: a RecordedSource owns the source it wraps.
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
  std::optional<std::string> text;  // the whole file; empty when it was not stored
  std::string applied_at;           // "2026-11-21T02:10:00+00:00"
  std::string actor;
  std::string checksum;  // of the text, even when the text was not stored
};

// The revisions between the current heads and those that the files contain.
struct RecordedLineage {
  std::vector<RecordedRevision> revisions;  // applied but in no file; children before parents
  std::vector<std::string> missing;         // neither in a file nor recorded: their ancestors are unknown
  [[nodiscard]] bool complete() const { return missing.empty(); }
};

// `rows` are the result of HistoryTable::select_lineage(). Walks from `heads` down to revisions of `files` or to bases.
[[nodiscard]] Result<RecordedLineage> trace_lineage(const Rows& rows, const RevisionGraph& files,
                                                    const std::vector<std::string>& heads);

// The revisions of the files, followed by those that only the ledger has.
class RecordedSource final : public RevisionSource {
 public:
  RecordedSource(std::unique_ptr<RevisionSource> files, std::vector<RecordedRevision> recorded)
      : files_(std::move(files)), recorded_(std::move(recorded)) {}
  // When a file and a recorded revision have the same label, the file keeps it.
  [[nodiscard]] Result<std::vector<Revision>> list() const override;
  // Error: NotRenderable for a recorded revision without stored text.
  [[nodiscard]] Result<std::string> read(const Revision& revision) const override;
  [[nodiscard]] Result<std::string> checksum(const Revision& revision) const override;

 private:
  [[nodiscard]] const RecordedRevision* find(const Revision& revision) const;

  std::unique_ptr<RevisionSource> files_;
  std::vector<RecordedRevision> recorded_;
};

}  // namespace athanor
