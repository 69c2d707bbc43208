#include "operator/reconcile/approved_plan.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "migrations/base/sha256.hpp"
#include "operator/reconcile/reconcile_context.hpp"

namespace athanor::controller {
namespace {

using Ledger = std::vector<Migrator::HistoryEntry>;

// The keywords that decide which server is reached and how names are resolved there.
constexpr std::array<std::string_view, 6> kLeading = {"dbname", "host", "hostaddr", "options", "port", "service"};

// Adds a length prefix, so that no value can imitate a separator.
void add(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(" ").append(std::to_string(value.size())).append(":").append(value).append("\n");
}

// Returns the revisions of the plan at ledger entry `next`, in the order they were applied. Moves `next` past them.
std::vector<std::string> newest_run(const Ledger& ledger, std::size_t& next, const std::string& plan_hash,
                                    std::string_view direction) {
  std::vector<std::string> revisions;
  for (; next < ledger.size(); ++next) {
    const auto& entry = ledger[next];
    if (entry.outcome == "failed") {
      continue;
    }
    if (entry.outcome != "applied" || entry.plan_hash != plan_hash || entry.direction != direction) {
      break;
    }
    revisions.insert(revisions.begin(), entry.revision);
  }
  return revisions;
}

// Returns the heads of a version table that has exactly these revisions applied. Alembic omits a head that another one depends
// on in some places and not in others, so the caller tries both forms.
std::vector<std::string> rows_of(const RevisionGraph& graph, const std::set<std::string>& applied, bool with_dependencies) {
  std::set<std::string> rows = applied;
  for (const auto& id : applied) {
    const Revision* const revision = graph.find(id);
    if (revision == nullptr) {
      continue;
    }
    for (const auto& parent : revision->down) {
      rows.erase(parent);
    }
    for (const auto& needed : with_dependencies ? std::vector<std::string>() : revision->depends_on) {
      rows.erase(needed);
    }
  }
  return {rows.begin(), rows.end()};
}

// Returns the plan with this hash that started with `executed` and left `rest`; null when it cannot be reconstructed.
std::shared_ptr<const Plan> whole_plan(SourceSnapshot& snapshot, const Plan& rest, const std::vector<std::string>& executed,
                                       const std::string& hash) {
  const auto now = snapshot.graph().applied(rest.from);
  if (!now) {
    return nullptr;
  }
  std::set<std::string> before(now->begin(), now->end());
  for (const auto& id : executed) {
    if (rest.operation == Direction::Upgrade) {
      before.erase(id);
    } else {
      before.insert(id);
    }
  }
  std::vector<std::string> revisions = executed;
  for (const auto& id : ids_of(rest)) {
    revisions.push_back(id);
  }
  for (const bool with_dependencies : {true, false}) {
    const auto plan = snapshot.plan(rest.operation, rows_of(snapshot.graph(), before, with_dependencies), {rest.target});
    // Only an equal hash proves that this is the plan which was approved.
    if (plan && (*plan)->hash == hash && ids_of(**plan) == revisions) {
      return *plan;
    }
  }
  return nullptr;
}

}  // namespace

std::string approval_scope(const DatabaseMigration& resource, const DatabaseLocation& place,
                           const ConnectionKeywords& keywords) {
  std::string scope = "athanor approval 1\n";
  // A recreated resource of the same name needs a new approval.
  add(scope, "uid", resource.metadata.uid);
  for (const auto& [name, value] : keywords) {
    if (std::ranges::find(kLeading, name) != kLeading.end()) {
      add(scope, name, value);
    }
  }
  // Without the server's start time: a restart must not invalidate approvals.
  add(scope, "database", lasting_part(place.identity));
  add(scope, "schema", resource.spec.database.schema);
  add(scope, "role", resource.spec.database.role);
  add(scope, "version table", resource.spec.database.version_table);
  if (!resource.spec.execution.pod_template.empty()) {
    add(scope, "pod template", resource.spec.execution.pod_template);
  }
  if (!resource.spec.execution.job.empty()) {
    add(scope, "job", resource.spec.execution.job);
  }
  return scope;
}

std::string approval_hash(const std::string& plan_hash, const std::string& scope) {
  std::string text = scope;
  add(text, "plan", plan_hash);
  return sha256_hex(text);
}

std::vector<std::string> begun_plans(SourceSnapshot& snapshot, const Plan& rest, const Ledger& ledger) {
  std::vector<std::string> hashes;
  std::shared_ptr<const Plan> whole;
  std::size_t next = 0;
  for (;;) {
    // A plan may have been interrupted more than once. Each remainder was planned again with its own hash, so go back one run
    // at a time.
    const auto newest = std::find_if(ledger.begin() + static_cast<std::ptrdiff_t>(next), ledger.end(),
                                     [](const auto& entry) { return entry.outcome != "failed"; });
    if (newest == ledger.end()) {
      return hashes;
    }
    const Plan& left = whole ? *whole : rest;
    const auto executed = newest_run(ledger, next, newest->plan_hash, direction_name(rest.operation));
    if (executed.empty() || newest->plan_hash.empty()) {
      return hashes;
    }
    whole = whole_plan(snapshot, left, executed, newest->plan_hash);
    if (!whole) {
      return hashes;
    }
    hashes.push_back(whole->hash);
  }
}

}  // namespace athanor::controller
