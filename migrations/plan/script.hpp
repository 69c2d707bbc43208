// A revision's body, parsed: what runs on the way up, what runs on the way down.
//
// The text is cut at the "-- athanor:" directives (docs/spec/revision-file.md): `upgrade`, `downgrade`, `step
// transaction|autocommit|batch …`, `irreversible <why>`, `allow <rule> <why>`. A directive counts only at the start of a line
// outside quotes and comments. A direction without explicit steps is one transactional step. Unknown directives are errors with
// a suggestion.
//
// Threads: plain value; statements point into `text`, which the script keeps alive.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/revision/revision.hpp"

namespace athanor {

enum class StepKind : std::uint8_t { Transaction, Autocommit, Batch };
[[nodiscard]] std::string_view step_kind_name(StepKind kind);  // "transaction", "autocommit", "batch"

// -- athanor:step batch table=users key=id size=5000 pause=20ms rate=10000 max-lag=5s
struct BatchOptions {
  std::string table;                     // as written, may be qualified
  std::string key;                       // a unique, ordered, not-null column
  std::int64_t size = 1'000;             // keys per transaction
  std::chrono::milliseconds pause{0};    // between transactions
  std::int64_t rate = 0;                 // rows per second at most; 0: no limit
  std::chrono::milliseconds max_lag{0};  // wait while a replica lags more; 0: the configuration's
};

struct ScriptStep {
  StepKind kind = StepKind::Transaction;
  std::vector<SqlStatement> statements;  // batch: exactly one, which contains {batch} once
  BatchOptions batch;
  int line = 1;  // of the directive, or of the section
};

// -- athanor:allow RULE reason: lint does not report RULE for the statement that follows. Before the first section it holds for
// the whole revision. Whether there is such a rule, lint says.
enum class AllowScope : std::uint8_t { Revision, Upgrade, Downgrade };
struct AllowDirective {
  std::string rule;
  std::string reason;
  int line = 1;
  AllowScope scope = AllowScope::Revision;
};

// -- athanor:replaces ID SHA256: a baseline stands for this revision, whose text had this checksum (`athanor squash`). The last
// revision replaced has the baseline's own id, so a database that is there, or past it, is at the baseline.
struct ReplacedRevision {
  std::string id;
  std::string checksum;
};

struct RevisionScript {
  std::shared_ptr<const std::string> text;
  std::string checksum;  // SHA-256 of `text` (BOM and CRLF already normalised)
  std::vector<ScriptStep> upgrade;
  std::vector<ScriptStep> downgrade;
  bool has_downgrade = false;  // a "-- athanor:downgrade" section exists, if only an empty one
  bool irreversible = false;
  std::string irreversible_reason;
  std::vector<AllowDirective> allows;  // in file order
  std::vector<ReplacedRevision> replaces{};
  // Whether the revision of this id and text is one that the script stands for.
  [[nodiscard]] bool stands_for(std::string_view id, std::string_view text_checksum) const;
};

// `text` as RevisionSource::read returns it. An AlembicPython revision is NotRenderable here: its hint names
// `athanor import alembic`. Every statement passed check_statement().
[[nodiscard]] Result<RevisionScript> parse_script(const Revision& revision, std::string text);

}  // namespace athanor
