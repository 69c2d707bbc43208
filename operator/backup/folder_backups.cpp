#include "operator/backup/folder_backups.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include "migrations/backup/folder_store.hpp"
#include "operator/reconcile/token_sessions.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::seconds kNoticeEvery(1);
// A retry reuses the backup of the previous attempt, but a backup older than a day is of little use for a restore.
constexpr std::chrono::hours kRetryAge(24);

// Reports progress for the status, at most once a second.
class NoticeProgress final : public BackupProgress {
 public:
  NoticeProgress(const BackupService::Notice& notice, Clock& clock, const Log& log, const HiddenValues& hidden)
      : notice_(notice), clock_(clock), log_(log), hidden_(hidden) {}

  void stage(BackupStage /*stage*/, const std::string& what) override { report(what, true); }
  void waiting(const std::vector<Blocker>& dumps, milliseconds /*waited*/) override {
    const std::string who = dumps.empty() ? std::string() : ": pid " + std::to_string(dumps.front().pid);
    report("waiting for another dump of this database to finish" + who, false);
  }
  void bytes(std::uint64_t done, std::uint64_t /*expected*/, milliseconds /*elapsed*/) override {
    report("taking a backup: " + size_text(done), false);
  }
  void warning(const std::string& text) override { log_.warn("backup warning", {{"warning", hidden_.hide(text)}}); }

 private:
  void report(const std::string& message, bool without_delay) {
    const SteadyTime now = clock_.steady_now();
    if (!notice_ || (!without_delay && now - reported_ < kNoticeEvery)) {
      return;
    }
    reported_ = now;
    notice_(message);
  }
  const BackupService::Notice& notice_;
  Clock& clock_;
  const Log& log_;
  const HiddenValues& hidden_;
  SteadyTime reported_{};
};

BackupStatus status_of(const BackupRecord& record) {
  BackupStatus status;
  status.location = record.location;
  status.revision = heads_text(record.revisions, ",");
  status.started_at = format_iso8601(record.started);
  status.duration_ms = record.duration.count();
  status.size_bytes = static_cast<std::int64_t>(record.size);
  status.sha256 = record.sha256;
  status.verified = record.verified.has_value();
  return status;
}

BackupJob job_of(const BackupRequest& request, const std::string& folder) {
  const BackupSpec& spec = request.resource.spec.backup;
  const DatabaseTarget& target = request.target;
  BackupJob job;
  job.settings.folder = folder;
  job.settings.compression = spec.compression;
  job.settings.retention.keep = static_cast<int>(spec.keep);
  job.settings.retention.max_age = spec.keep_for;
  job.settings.accept_max_age = spec.accept_for;
  job.version_table = target.settings.version_table;
  job.version_table_schema = target.settings.version_table_schema;
  job.ledger_schema = target.settings.ledger_schema;
  job.role = target.settings.execution.role;
  job.allow_session_pooler = target.settings.execution.allow_session_pooler;
  job.actor = target.settings.actor;
  job.target = request.destination;
  job.resource = request.resource.key().text();
  job.resource_uid = request.resource.metadata.uid;
  job.retry_age = spec.accept_for.count() > 0 ? milliseconds(0) : milliseconds(kRetryAge);
  return job;
}

// Returns the size of all files below a folder; unreadable ones count as 0.
std::uint64_t bytes_below(const std::string& folder) {
  namespace fs = std::filesystem;
  std::uint64_t bytes = 0;
  std::error_code error;
  fs::recursive_directory_iterator each(folder, fs::directory_options::skip_permission_denied, error);
  for (; !error && each != fs::recursive_directory_iterator(); each.increment(error)) {
    std::error_code ignored;
    if (each->is_regular_file(ignored) && !each->is_symlink(ignored)) {
      const auto size = each->file_size(ignored);
      bytes += ignored ? 0 : size;
    }
  }
  return bytes;
}

}  // namespace

Result<SavedDatabase> FolderBackups::ensure(const BackupRequest& request, const Notice& notice, const StopToken& stop) {
  const DatabaseTarget& target = request.target;
  TRY_ASSIGN(const std::string folder, resolve_(request.resource, request.resource.spec.backup.path));
  std::error_code ignored;  // open_folder reports the error
  std::filesystem::create_directories(std::filesystem::path(folder).parent_path(), ignored);
  TRY_ASSIGN(const auto store, FolderStore::open_folder(folder));
  TRY_ASSIGN(const auto sessions, sessions_of(target, connect_, target.settings.execution, StopToken()));
  BackupJob job = job_of(request, folder);
  TRY_ASSIGN(job.connection, surroundings_.connection_keywords(target.url));
  std::optional<NamespaceBytes::Growing> dump;
  if (quota_.bytes > 0) {
    const std::string& name_space = request.resource.metadata.name_space;
    TRY_ASSIGN(const std::string all, quota_.folder(name_space));
    dump.emplace(bytes_, name_space, [&all] { return bytes_below(all); });
    job.has_room = [&dump](std::uint64_t bytes) { return dump->grow_to(bytes); };
  }
  if (target.token) {
    job.password = [&target, &stop] { return token_password(target, stop); };
  }
  job.environment = surroundings_.environment;
  job.path = surroundings_.path;
  NoticeProgress progress(notice, clock_, log_, target.hidden);
  TRY_ASSIGN(const BackupRecord record, ensure_backup({*store, *sessions, clock_, progress, stop}, job));
  std::vector<std::string> expected = request.current_heads;
  std::ranges::sort(expected);
  std::vector<std::string> saved = record.revisions;
  std::ranges::sort(saved);
  // The backup must have the state from which the plan starts. If it does not, another client has migrated since.
  if (saved != expected) {
    return fail(ErrorCode::StalePlan, "the database's revision changed during its backup; planning again");
  }
  return SavedDatabase{status_of(record), record.accepted};
}

}  // namespace athanor::controller
