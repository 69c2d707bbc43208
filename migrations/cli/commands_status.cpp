// The verb status: summarises everything that is known about a database.
#include <charconv>

#include "migrations/cli/ahead_of_files.hpp"
#include "migrations/cli/command_context.hpp"
#include "migrations/cli/commands.hpp"
#include "migrations/cli/half_applied_report.hpp"
#include "migrations/cli/progress.hpp"
#include "migrations/cli/project.hpp"
#include "migrations/graph/target_position.hpp"

namespace athanor::cli {
namespace {

struct Status {
  std::vector<std::string> heads;
  std::vector<std::string> pending;
  std::vector<std::string> unknown;  // rows whose revision has no file
  std::optional<AheadOfFiles> ahead;
  std::vector<Blocker> holders;
  std::vector<Migrator::HistoryEntry> history;
  std::optional<Error> checksums;
  std::optional<HalfAppliedRevision> half;
  std::optional<Error> overlap;  // rows that contradict each other
};

Result<std::size_t> last_count(const Arguments& arguments) {
  const std::string text = arguments.value("--last").value_or("10");
  std::size_t count = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (problem != std::errc{} || end != text.data() + text.size() || count > 10'000) {
    return fail(Error(ErrorCode::Usage, "--last needs a number up to 10000, not '" + text + "'"));
  }
  return count;
}

Result<Status> gather(Situation& situation, std::size_t last) {
  Status status;
  const RevisionGraph& graph = situation.project.graph;
  Migrator& migrator = situation.database.migrator();
  const std::vector<std::string>& current_heads = situation.observation.current_heads;
  status.heads = graph.effective_heads();
  status.unknown = unknown_heads(graph, current_heads);
  TRY_ASSIGN(status.ahead, find_ahead(migrator, graph, current_heads));
  status.half = half_applied_revision(situation.project, situation.observation.unfinished);
  if (auto apart = refuse_overlapping_rows(graph, current_heads); !apart) {
    status.overlap = std::move(apart).error();
  }
  if (status.unknown.empty() && !status.overlap) {
    TRY_ASSIGN(const Walk walk, make_walk(graph, Direction::Upgrade, current_heads, {"heads"}));
    for (const WalkStep& step : walk.steps) {
      status.pending.push_back(*step.revision);
    }
    if (auto checked = migrator.verify_checksums(graph, *situation.project.source, current_heads); !checked) {
      if (checked.error().code != ErrorCode::ChecksumMismatch) {
        return fail(std::move(checked).error());
      }
      status.checksums = std::move(checked).error();
    }
  }
  TRY_ASSIGN(status.holders, migrator.lock_holders());
  TRY_ASSIGN(status.history, migrator.ledger(last));
  return status;
}

void fill_fields(Json& fields, const Situation& situation, const Status& status) {
  fields["database"] = situation.database.describe();
  fields["server_version"] = situation.observation.server_version;
  fields["target_heads"] = status.heads;
  fields["pending"] = status.pending;
  fields["unknown_revisions"] = status.ahead ? std::vector<std::string>() : status.unknown;
  Json recorded = Json::array();
  if (status.ahead) {
    for (const RecordedRevision& revision : status.ahead->revisions) {
      recorded.push_back(revision.revision.id);
    }
  }
  fields["ahead_of_files"] = std::move(recorded);
  fields["has_version_table"] = situation.observation.has_version_table;
  fields["has_ledger"] = situation.observation.has_ledger;
  Json holders = Json::array();
  for (const Blocker& holder : status.holders) {
    holders.push_back({{"pid", holder.pid},
                       {"application", holder.application},
                       {"user", holder.user},
                       {"client", holder.client},
                       {"since", holder.since}});
  }
  fields["lock_holders"] = std::move(holders);
  fields["unfinished"] = half_applied_json(status.half, situation.observation.unfinished);
  fields["overlap"] = status.overlap ? error_json(*status.overlap) : Json(nullptr);
  fields["checksums"] = status.checksums ? error_json(*status.checksums) : Json(nullptr);
  Json history = Json::array();
  for (const Migrator::HistoryEntry& entry : status.history) {
    history.push_back({{"id", entry.id},
                       {"run_id", entry.run_id},
                       {"revision", entry.revision},
                       {"direction", entry.direction},
                       {"outcome", entry.outcome},
                       {"checksum", entry.checksum},
                       {"plan_hash", entry.plan_hash},
                       {"started_at", entry.started_at},
                       {"duration_ms", entry.duration_ms},
                       {"actor", entry.actor},
                       {"sqlstate", entry.sqlstate},
                       {"message", entry.message}});
  }
  fields["history"] = std::move(history);
}

// Text that another program wrote to the database may contain line ends.
void put(Output& output, const std::string& text) {
  output.line(printable(text, LineEnds::Escape));
}

void print_pending(Output& output, const Status& status) {
  constexpr std::size_t kShown = 10;
  if (status.pending.empty()) {
    put(output, "pending       none");
    return;
  }
  put(output, "pending       " + std::to_string(status.pending.size()));
  for (std::size_t i = 0; i < status.pending.size() && i < kShown; ++i) {
    put(output, "              " + status.pending[i]);
  }
  if (status.pending.size() > kShown) {
    put(output, "              … and " + std::to_string(status.pending.size() - kShown) + " more");
  }
}

void print_status(Output& output, const Situation& situation, const Status& status) {
  put(output, "database      " + situation.database.describe());
  put(output, "current       " + join_revisions(situation.observation.current_heads));
  put(output, "heads         " + join_revisions(status.heads));
  if (status.ahead) {
    put(output, "ahead         of the files: " + describe(*status.ahead));
  }
  for (const std::string& row : status.ahead ? std::vector<std::string>() : status.unknown) {
    put(output, "unknown       " + row + " is in the version table but has no revision file");
  }
  if (status.overlap) {
    put(output, "overlap       " + status.overlap->message);
  } else if (status.unknown.empty()) {
    print_pending(output, status);
  }
  put(output,
      "lock          " + (status.holders.empty() ? std::string("free") : "held by " + blocker_text(status.holders.front())));
  if (status.half) {
    put(output, "half-applied  " + half_applied_line(*status.half));
  }
  if (status.unknown.empty() && !status.overlap) {
    put(output, "checksums     " + (status.checksums ? status.checksums->describe() : std::string("as applied")));
  }
  if (!status.history.empty()) {
    put(output, "ledger");
  }
  for (const Migrator::HistoryEntry& entry : status.history) {
    std::string line = "  " + entry.started_at + "  " + entry.direction + " " + entry.revision + "  " + entry.outcome + "  " +
                       duration_text(milliseconds(entry.duration_ms)) + "  " + entry.actor;
    line += entry.message.empty() ? "" : "  " + entry.message;
    put(output, line);
  }
}

std::string summary(const Status& status) {
  if (status.ahead) {
    return "the database is ahead of the files";
  }
  if (!status.unknown.empty()) {
    return "the version table contains revisions that have no revision file";
  }
  if (status.overlap) {
    return "rows of the version table overlap";
  }
  if (status.half) {
    return describe_half_applied(status.half->parts);
  }
  return status.pending.empty() ? "up to date" : std::to_string(status.pending.size()) + " pending";
}

}  // namespace

Result<void> run_status(CommandContext& context) {
  TRY_ASSIGN(const std::size_t last, last_count(context.arguments()));
  TRY_ASSIGN(Situation situation, observe_situation(context));
  TRY_ASSIGN(const Status status, gather(situation, last));
  if (context.json()) {
    fill_fields(context.output().fields(), situation, status);
  } else {
    print_status(context.output(), situation, status);
  }
  context.output().set_message(summary(status));
  if (status.half) {
    context.output().note(way_on(*status.half));
  }
  if (status.overlap) {
    context.output().note(status.overlap->hint);
  }
  return {};
}

}  // namespace athanor::cli
