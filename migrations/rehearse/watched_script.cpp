#include "migrations/rehearse/watched_script.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace athanor {
namespace {

constexpr std::array<std::string_view, 8> kModes{
    "AccessShareLock", "RowShareLock",          "RowExclusiveLock", "ShareUpdateExclusiveLock",
    "ShareLock",       "ShareRowExclusiveLock", "ExclusiveLock",    "AccessExclusiveLock"};
constexpr std::string_view kBatch = "{batch}";

struct KnownRelation {
  std::string name;
  std::string file;  // pg_class.relfilenode of tables and indexes; "0" for others
};
using Relations = std::map<std::string, KnownRelation>;  // by oid
using Locks = std::map<std::string, std::string>;        // strongest mode by oid

// Relations of user schemas. Qualified operators, because the revision may have created operators in its search_path.
constexpr std::string_view kRelations =
    "SELECT c.oid, n.nspname OPERATOR(pg_catalog.||) '.' OPERATOR(pg_catalog.||) c.relname, CASE WHEN c.relkind IN ('r', 'm', "
    "'i') THEN c.relfilenode ELSE 0 END FROM "
    "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace WHERE n.nspname "
    "OPERATOR(pg_catalog.!~) '^pg_' AND n.nspname OPERATOR(pg_catalog.<>) 'information_schema'";
constexpr std::string_view kLocks =
    "SELECT l.relation, l.mode FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_database AS d ON d.oid "
    "OPERATOR(pg_catalog.=) l.database WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.granted AND l.pid "
    "OPERATOR(pg_catalog.=) pg_catalog.pg_backend_pid() AND d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()";

Result<Relations> read_relations(Session& session) {
  TRY_ASSIGN(const Rows rows, session.query(kRelations));
  Relations relations;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    relations.emplace(rows.text(row, 0), KnownRelation{rows.text(row, 1), rows.text(row, 2)});
  }
  return relations;
}

Result<Locks> query_locks(Session& session) {
  TRY_ASSIGN(const Rows rows, session.query(kLocks));
  Locks locks;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    std::string& mode = locks[rows.text(row, 0)];
    if (strength_of(rows.text(row, 1)) > strength_of(mode)) {
      mode = rows.text(row, 1);
    }
  }
  return locks;
}

class Watch {
 public:
  Watch(Session& session, Clock& clock, std::string revision, WatchedRun& run)
      : session_(session), clock_(clock), revision_(std::move(revision)), run_(run) {}

  Result<void> run(std::span<const ScriptStep> steps) {
    TRY_ASSIGN(before_, read_relations(session_));
    files_ = before_;
    for (std::size_t index = 0; index < steps.size(); ++index) {
      const ScriptStep& step = steps[index];
      TRY(step.kind == StepKind::Autocommit ? run_alone(step, index) : run_in_transaction(step, index));
    }
    return {};
  }

 private:
  RehearsedStatement& begin(const ScriptStep& step, std::size_t index, const SqlStatement& statement) const {
    RehearsedStatement& rehearsed = run_.statements.emplace_back();
    rehearsed.revision = revision_;
    rehearsed.step = index;
    rehearsed.kind = step.kind;
    rehearsed.line = statement.line;
    rehearsed.sql = sanitise_sql(statement.sql);
    return rehearsed;
  }

  template <class Send>
  Result<void> timed(RehearsedStatement& rehearsed, const Send& send) const {
    const SteadyTime start = clock_.steady_now();
    auto done = send();
    rehearsed.duration = std::chrono::duration_cast<milliseconds>(clock_.steady_now() - start);
    if (!done) {
      Error error = std::move(done).error();
      error.context = "line " + std::to_string(rehearsed.line);
      return fail(std::move(error));
    }
    rehearsed.rows = done->affected;
    return {};
  }

  Result<void> run_alone(const ScriptStep& step, std::size_t index) {
    for (const SqlStatement& statement : step.statements) {
      RehearsedStatement& rehearsed = begin(step, index, statement);
      TRY(timed(rehearsed, [&] { return session_.execute_autocommit(statement.sql); }));
      TRY(read_relation_files(rehearsed));
    }
    return {};
  }

  Result<void> run_in_transaction(const ScriptStep& step, std::size_t index) {
    if (step.statements.empty()) {
      return {};
    }
    TRY(session_.query("BEGIN"));
    Locks held;
    for (const SqlStatement& statement : step.statements) {
      // The condition on the key range becomes true, so that one statement covers all rows.
      std::string sql(statement.sql);
      if (const std::size_t at = sql.find(kBatch); step.kind == StepKind::Batch && at != std::string::npos) {
        sql.replace(at, kBatch.size(), "true");
      }
      RehearsedStatement& rehearsed = begin(step, index, statement);
      TRY(timed(rehearsed, [&] { return session_.query(sql); }));
      TRY_ASSIGN(const Locks now, query_locks(session_));
      read_locks(held, now, rehearsed);
      held = now;
      TRY(read_relation_files(rehearsed));
    }
    TRY(session_.query("COMMIT"));
    return {};
  }

  void read_locks(const Locks& held, const Locks& now, RehearsedStatement& rehearsed) const {
    rehearsed.locks_known = true;
    for (const auto& [oid, mode] : now) {
      const auto before = held.find(oid);
      const auto known = before_.find(oid);
      const bool added = before == held.end() || strength_of(mode) > strength_of(before->second);
      if (added && known != before_.end()) {
        rehearsed.locks.push_back({known->second.name, mode});
      }
    }
    std::ranges::sort(rehearsed.locks, [](const RehearsedLock& left, const RehearsedLock& right) {
      return std::pair(-strength_of(left.mode), left.relation) < std::pair(-strength_of(right.mode), right.relation);
    });
  }

  Result<void> read_relation_files(RehearsedStatement& rehearsed) {
    TRY_ASSIGN(Relations now, read_relations(session_));
    for (const auto& [oid, relation] : now) {
      const auto last = files_.find(oid);
      const auto known = before_.find(oid);
      if (known != before_.end() && last != files_.end() && last->second.file != relation.file) {
        // A new relfilenode means that the server wrote the relation anew.
        rehearsed.rewrites.push_back(known->second.name);
      }
    }
    std::ranges::sort(rehearsed.rewrites);
    files_ = std::move(now);
    return {};
  }

  Session& session_;
  Clock& clock_;
  std::string revision_;
  WatchedRun& run_;
  Relations before_;  // before the revision
  Relations files_;   // before the statement
};

}  // namespace

int strength_of(const std::string& mode) {
  const auto found = std::ranges::find(kModes, mode);
  return found == kModes.end() ? 0 : static_cast<int>(found - kModes.begin()) + 1;
}

WatchedRun run_watched(Session& session, Clock& clock, const std::string& revision, std::span<const ScriptStep> steps) {
  WatchedRun run;
  if (auto done = Watch(session, clock, revision, run).run(steps); !done) {
    run.error = std::move(done).error();
  }
  return run;
}

}  // namespace athanor
