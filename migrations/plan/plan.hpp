// A plan: everything a run will do, as an immutable value.
//
// Dry run, review, approval, lint and execution share it. It says which heads it starts from, which revisions run in which
// direction with which statements, and which heads every step leaves. Its hash covers what would be done (operation, start
// heads, steps, checksums) and nothing else, so two people who review the same hash review the same change.
//
// Threads: immutable; share by const reference.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/graph/graph.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {

struct PlannedRevision {
  WalkStep walk;        // direction, id, row operations, heads after
  std::string message;  // the revision's first line; empty for a stamp
  std::string path;
  std::vector<std::string> down;                 // the revision's parents, in file order
  std::vector<std::string> depends_on;           // as written
  std::vector<std::string> labels;               // its own
  std::shared_ptr<const RevisionScript> script;  // null for a stamp
  // The steps of the script in the walk's direction.
  [[nodiscard]] const std::vector<ScriptStep>& steps() const;
  // One transaction does it all: no autocommit, no batch, no second step.
  [[nodiscard]] bool single_transaction() const;
};

struct Plan {
  Direction operation = Direction::Upgrade;
  std::string target;             // as asked
  std::vector<std::string> from;  // current heads it starts from, sorted
  std::vector<std::string> to;    // heads it ends with, sorted
  std::vector<PlannedRevision> revisions;
  std::vector<std::string> warnings;
  std::string hash;  // 64 hexadecimal digits; empty plans have one too
  [[nodiscard]] bool empty() const { return revisions.empty(); }
};

// Every statement of the plan that destroys something (destroyed_by), with its place: "8c1f0a2b7d3e, line 14: DROP TABLE
// users".
[[nodiscard]] std::vector<std::string> destructive_statements(const Plan& plan);

// Walks the graph without touching bodies: steps only, no script, no hash. What `athanor plan` prints.
[[nodiscard]] Result<Walk> make_walk(const RevisionGraph& graph, Direction operation, const std::vector<std::string>& from,
                                     const std::vector<std::string>& targets);
// Walks and loads the body of every step. Irreversible downgrades, missing downgrade sections and Alembic bodies are errors
// here, before anything runs.
[[nodiscard]] Result<Plan> make_plan(const RevisionGraph& graph, const RevisionSource& source, Direction operation,
                                     const std::vector<std::string>& from, const std::vector<std::string>& targets);

// The plan of an offline range: `upgrade a:b --sql`, `downgrade a:b --sql`, `stamp a:b --sql`. An upgrade or stamp without a
// colon starts from nothing; a downgrade must say where it starts.
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
// Alembic's offline output: BEGIN, the version table if the plan starts from nothing, a comment and the SQL of each revision,
// its row operations, COMMIT. autocommit steps stand between COMMIT and BEGIN. batch steps become one statement over all keys.
//
// Around that it does to psql's session what a run does to its own: the settings of a migration session, role and search_path
// at the start, and again behind each revision, before its row is written, once everything the revision set is reset.
[[nodiscard]] std::string render_offline(const Plan& plan, const OfflineOptions& options);
// Only the version table, as `ensure_version --sql` prints it.
[[nodiscard]] std::string render_version_table(const OfflineOptions& options);

}  // namespace athanor
