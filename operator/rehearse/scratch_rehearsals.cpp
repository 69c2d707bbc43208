#include "operator/rehearse/scratch_rehearsals.hpp"

#include <algorithm>
#include <utility>

#include "migrations/backup/folder_store.hpp"
#include "migrations/rehearse/backup_copy.hpp"
#include "migrations/rehearse/containment.hpp"
#include "migrations/rehearse/rehearsal.hpp"
#include "migrations/rehearse/rehearsal_summary.hpp"
#include "migrations/rehearse/schema_copy.hpp"
#include "migrations/schema/target_search_path.hpp"
#include "operator/reconcile/token_sessions.hpp"

namespace athanor::controller {
namespace {

constexpr int kVersionsInOneMajor = 10'000;
// A statement that does not end on an empty table has met something else, and a worker waits for it.
constexpr milliseconds kLongestStatement{600'000};
constexpr milliseconds kLongestOnRows{6 * 3'600'000};

std::vector<std::string> first_of(std::vector<std::string> lines) {
  lines.resize(std::min(lines.size(), kMaxListed));
  return lines;
}

// "; 1200 rows, 98 MiB there" beside what is rewritten: the copy is empty.
std::string size_in_words(const LiveSizes& sizes, const std::string& relation) {
  const auto found = sizes.find(relation);
  if (found == sizes.end() || found->second.rows < 0) {
    return {};
  }
  return ", about " + std::to_string(found->second.rows) + " rows and " + std::to_string(found->second.bytes / 1'048'576) +
         " MiB in the database";
}

std::vector<std::string> with_sizes(std::vector<std::string> lines, const LiveSizes& sizes) {
  for (std::string& line : lines) {
    line += size_in_words(sizes, line.substr(0, line.find(": ")));
  }
  return lines;
}

Error without_backup(Error error) {
  if (error.code != ErrorCode::BackupNotFound && error.code != ErrorCode::BackupRefused) {
    return error;
  }
  error.hint = "policy.rehearsal: Backup needs a backup at the current revision: set spec.backup.when: Always";
  return error;
}

// Sessions that end their statement when nobody wants the rehearsal any more.
class WatchedFactory final : public SessionFactory {
 public:
  WatchedFactory(std::unique_ptr<SessionFactory> own, StopToken stop, std::function<bool()> unwanted)
      : own_(std::move(own)), stop_(stop), unwanted_(std::move(unwanted)) {}

  Result<std::unique_ptr<Session>> open() override {
    TRY_ASSIGN(auto session, own_->open());
    session->set_wait_listener([stop = stop_, unwanted = unwanted_](milliseconds) { return stop.requested() || unwanted(); });
    return session;
  }
  Result<std::unique_ptr<ReadSession>> open_observer() override { return own_->open_observer(); }
  [[nodiscard]] std::string describe() const override { return own_->describe(); }

 private:
  std::unique_ptr<SessionFactory> own_;
  StopToken stop_;
  std::function<bool()> unwanted_;
};

}  // namespace

struct ScratchRehearsals::Stage {
  schema::ScratchServer& server;
  LiveSchema live;
  schema::InspectOptions options;
  CopiedSchema copy{};
  std::string backup{};  // where it is; empty: a copy of the schema
};

// The newest backup of the rows that the database has now: another one would rehearse another plan.
Result<void> ScratchRehearsals::restore(const RehearsalRequest& request, Stage& stage, const StopToken& stop) const {
  const DatabaseTarget& target = request.target;
  TRY_ASSIGN(const std::string folder, backups_(request.resource, request.resource.spec.backup.path));
  TRY_ASSIGN(const auto store, FolderStore::open_existing(folder));
  TRY_ASSIGN(const auto sessions, sessions_of(target, connect_, target.settings.execution, stop));
  BackupJob job;
  job.version_table = target.settings.version_table;
  job.version_table_schema = target.settings.version_table_schema;
  job.ledger_schema = target.settings.ledger_schema;
  job.resource = request.resource.key().text();
  job.resource_uid = request.resource.metadata.uid;
  job.environment = programs_.environment;
  job.path = programs_.path;
  BackupProgress progress;
  TRY_ASSIGN(const BackupRecord record, newest_backup({*store, *sessions, clock_, progress, stop}, job));
  stage.backup = record.location;
  TRY_ASSIGN(stage.copy, copy_backup({.server = stage.server,
                                      .store = *store,
                                      .record = record,
                                      .job = job,
                                      .keywords = programs_.connection_keywords,
                                      .live = stage.live.catalog,
                                      .plan = request.plan,
                                      .options = stage.options},
                                     progress, clock_, stop));
  return {};
}

Result<RehearsalResult> ScratchRehearsals::rehearse(const RehearsalRequest& request, const StopToken& stop) {
  if (request.scratch.url.empty() && !embedded_) {
    return fail(Error(ErrorCode::ScratchUnavailable, "no scratch server is configured")
                    .at("spec.scratch")
                    .advise("set scratch.urlFrom to a server of the same major version"));
  }
  TRY(check_containment(request.plan, request.scratch.url.empty()));
  const DatabaseTarget& target = request.target;
  const bool rows = request.resource.spec.policy.rehearsal == RehearsalPolicy::Backup;
  const SteadyTime begin = clock_.steady_now();
  TRY_ASSIGN(const auto factory, sessions_of(target, connect_, target.settings.execution, stop));
  TRY_ASSIGN(const auto live_session, factory->open());
  std::string search_path = target.settings.execution.search_path;
  if (search_path.empty()) {
    TRY_ASSIGN(search_path, schema::target_search_path(*live_session));
  }

  schema::ScratchSettings settings;
  settings.url = request.scratch.url;
  if (embedded_) {
    settings.embedded = *embedded_;
  }
  settings.embedded.major = live_session->server_version() / kVersionsInOneMajor;
  const auto connect = [&](const std::string& url, const ExecutionSettings& wanted) -> Result<std::unique_ptr<SessionFactory>> {
    ExecutionSettings session = wanted;
    session.statement_timeout = rows ? kLongestOnRows : kLongestStatement;
    session.answer_timeout = session.statement_timeout;
    session.show_values = false;  // what is said goes into a status
    TRY_ASSIGN(auto own, connect_(url, session, stop));
    if (!request.unwanted) {
      return own;
    }
    return std::make_unique<WatchedFactory>(std::move(own), stop, request.unwanted);
  };
  schema::ScratchServer server(std::move(settings), connect, clock_, stop);
  {
    // Nobody may have approved the plan yet. Check this before the schema is built there: its text comes from a database that
    // the author of the resource chose, too.
    TRY_ASSIGN(const auto empty, server.create());
    const bool any = request.scratch.any_role || request.scratch.url.empty();
    TRY(check_scratch_role(*live_session, *empty, any ? ScratchRole::AnyElsewhere : ScratchRole::Limited));
  }
  Stage stage{server, {}, whole_schema(target.settings.version_table, target.settings.ledger_schema)};
  TRY_ASSIGN(stage.live, read_live_schema(*live_session, stage.options));
  if (rows) {
    if (auto restored = restore(request, stage, stop); !restored) {
      return fail(without_backup(std::move(restored).error()));
    }
  } else {
    TRY_ASSIGN(stage.copy, copy_schema(server, stage.live.catalog, live_session.get(), request.plan, stage.options));
  }
  if (!stage.copy.difference.empty()) {
    log_.warn("the copy for a rehearsal differs from the schema of the database",
              {{"resource", request.resource.key().text()}, {"first", stage.copy.difference.front()}});
  }
  TRY_ASSIGN(const Rehearsal rehearsal, athanor::rehearse({.copy = *stage.copy.database,
                                                           .plan = request.plan,
                                                           .clock = clock_,
                                                           .search_path = search_path,
                                                           .inspect = stage.copy.inspect}));
  RehearsalResult result;
  result.failure = failure_of(rehearsal, rows ? "the backup" : "a copy of the schema");
  RehearsalStatus& status = result.status;
  status.copy = rows ? "Backup" : "Schema";
  status.backup = stage.backup;
  status.passed = !result.failure;
  status.time = format_iso8601(clock_.wall_now());
  status.duration_ms = std::chrono::duration_cast<milliseconds>(clock_.steady_now() - begin).count();
  status.statements = static_cast<std::int64_t>(rehearsal.statements.size());
  status.message = result.failure ? result.failure->describe() : success_of(rehearsal);
  status.locks = first_of(strongest_locks(rehearsal));
  status.rewrites = first_of(with_sizes(rewritten(rehearsal), stage.live.sizes));
  return result;
}

}  // namespace athanor::controller
