// A parsed revision: the statements of its upgrade and its downgrade.
//
// "-- athanor:" directives cut the text (docs/spec/revision-file.md): `upgrade`, `downgrade`, `step
// transaction|autocommit|batch …`, `irreversible <why>`, `allow <rule> <why>`. A directive counts only at the start of a line,
// outside quotes and comments. A direction without explicit steps is one transactional step. An unknown directive is an error
// with a suggestion.
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
  std::chrono::milliseconds max_lag{0};  // wait while a replica lags more; 0: as configured
};

struct ScriptStep {
  StepKind kind = StepKind::Transaction;
  std::vector<SqlStatement> statements;  // batch: exactly one, which contains {batch} once
  BatchOptions batch;
  int line = 1;  // of the directive, or of the section
};

// -- athanor:allow RULE reason: lint does not report RULE for the following statement. Before the first section it applies to
// the whole revision. Lint checks whether the rule exists.
enum class AllowScope : std::uint8_t { Revision, Upgrade, Downgrade };
struct AllowDirective {
  std::string rule;
  std::string reason;
  int line = 1;
  AllowScope scope = AllowScope::Revision;
};

// -- athanor:replaces ID SHA256: a baseline replaces this revision, whose text had this checksum (`athanor squash`). The last
// replaced revision has the same id as the baseline, so a database at that revision, or later, is at the baseline.
struct ReplacedRevision {
  std::string id;
  std::string checksum;
};

struct RevisionScript {
  std::shared_ptr<const std::string> text;
  std::string checksum;  // SHA-256 of `text`, after removing BOM and CRLF
  std::vector<ScriptStep> upgrade;
  std::vector<ScriptStep> downgrade;
  bool has_downgrade = false;  // there is a "-- athanor:downgrade" section, even an empty one
  bool irreversible = false;
  std::string irreversible_reason;
  std::vector<AllowDirective> allows;  // in file order
  std::vector<ReplacedRevision> replaces{};
  // Whether the script replaces the revision with this id and text.
  [[nodiscard]] bool stands_for(std::string_view id, std::string_view text_checksum) const;
};

// `text` is the result of RevisionSource::read. Error: NotRenderable for an AlembicPython revision; the hint names `athanor
// import alembic`. Every statement has passed check_statement().
[[nodiscard]] Result<RevisionScript> parse_script(const Revision& revision, std::string text);

}  // namespace athanor
