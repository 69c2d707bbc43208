// A plan: everything that a run will do, as an immutable value.
//
// Dry run, review, approval, lint and execution share it. It contains the heads it starts from, the revisions with their
// direction and statements, and the heads after each step. Its hash covers what will be done (operation, start heads, steps,
// checksums) and nothing else, so two people who review the same hash review the same change.
//
// Threads: immutable; share by const reference.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

struct PlannedRevision {
  WalkStep walk;        // direction, id, row operations, heads after
  std::string message;  // the revision's first line; empty for a stamp
  std::string path;
  std::vector<std::string> down;                 // the revision's parents, in file order
  std::vector<std::string> depends_on;           // as written in the file: ids or labels
  std::vector<std::string> labels;               // of this revision
  std::shared_ptr<const RevisionScript> script;  // null for a stamp
  // The script's steps in the walk's direction.
  [[nodiscard]] const std::vector<ScriptStep>& steps() const;
  // Whether one transaction does everything: no autocommit or batch step, no second step.
  [[nodiscard]] bool single_transaction() const;
};

struct Plan {
  Direction operation = Direction::Upgrade;
  std::string target;             // as the user typed it
  std::vector<std::string> from;  // current heads it starts from, sorted
  std::vector<std::string> to;    // heads it ends with, sorted
  std::vector<PlannedRevision> revisions;
  std::vector<std::string> warnings;
  std::string hash;  // 64 hexadecimal digits; set for an empty plan, too
  [[nodiscard]] bool empty() const { return revisions.empty(); }
};

// Every destructive statement of the plan (destroyed_by), with its position: "8c1f0a2b7d3e, line 14: DROP TABLE users".
[[nodiscard]] std::vector<std::string> destructive_statements(const Plan& plan);

// Computes the steps without reading files: no scripts, no hash. Used by `athanor plan`.
[[nodiscard]] Result<Walk> make_walk(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& from,
                                     const std::vector<std::string>& targets);
// Computes the steps and reads the script of each. Irreversible downgrades, missing downgrade sections and Alembic bodies are
// errors here, before anything runs.
[[nodiscard]] Result<Plan> make_plan(const RevisionGraph& graph, const RevisionSource& source, Direction operation,
                                     const std::vector<std::string>& from, const std::vector<std::string>& targets);

// The plan of an offline range: `upgrade a:b --sql`, `downgrade a:b --sql`, `stamp a:b --sql`. Without a colon, an upgrade or
// stamp starts from an empty database; a downgrade must name its start.
[[nodiscard]] Result<Plan> make_offline_plan(const RevisionGraph& graph, const RevisionSource& source, Direction operation,
                                             const std::string& range);

struct OfflineOptions {
  std::string version_table = "alembic_version";
  std::string version_table_schema;
  bool version_table_pk = true;
  bool transaction_per_migration = true;
  std::string role;         // as in ExecutionSettings
  std::string search_path;  // as in ExecutionSettings
};
// Alembic's offline output: BEGIN, the version table if the plan starts from an empty database, then for each revision a
// comment, its SQL and its row operations, and COMMIT. An autocommit step is placed between COMMIT and BEGIN. A batch step
// becomes one statement over all keys.
//
// The script also sets up psql's session as a run sets up its own: the settings of a migration session, role and search_path at
// the start. After each revision, before its row is written, it resets everything the revision set and applies them again.
[[nodiscard]] std::string render_offline(const Plan& plan, const OfflineOptions& options);
// Only the version table, for `ensure_version --sql`.
[[nodiscard]] std::string render_version_table(const OfflineOptions& options);

}  // namespace athanor
