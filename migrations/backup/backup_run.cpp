#include "migrations/backup/backup_run.hpp"

#include <charconv>
#include <memory>
#include <utility>

#include "migrations/backup/dump_content.hpp"
#include "migrations/backup/dump_slot.hpp"
#include "migrations/backup/retention.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/execute/history_table.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr std::uint64_t kLookEvery = std::uint64_t{16} << 20U;

// Estimates the size of the dump: by the last dump of this database plus a quarter. Without one, by the size on disk, which
// includes indexes and free space that a dump does not have, and excludes its compression.
std::uint64_t expected_size(BackupStore& store, const DatabaseFacts& facts, int compression) {
  if (const auto list = list_backups(store); list) {
    for (const StoredBackup& backup : list->backups) {
      const BackupRecord& record = backup.record;
      // Sizes of compressed and uncompressed dumps are not comparable.
      if (backup.complete && record.database.same_as(facts.identity) && (record.compression > 0) == (compression > 0)) {
        return record.size + record.size / 4;
      }
    }
  }
  return compression > 0 ? facts.bytes / 2 : facts.bytes;
}

Result<void> require_space(const BackupTools& tools, const BackupSettings& settings, std::uint64_t expected) {
  if (!settings.check_space) {
    return {};
  }
  TRY_ASSIGN(const auto free, tools.store.free_space());
  // A store that cannot tell is not a reason to refuse.
  if (!free || *free >= expected + settings.min_free) {
    return {};
  }
  return fail(Error(ErrorCode::BackupFailed, "not enough free space: " + size_text(*free) + " available" +
                                                 (expected > 0 ? ", the dump may need " + size_text(expected) + " (an estimate)"
                                                               : ", and the dump is not finished") +
                                                 ", and " + size_text(settings.min_free) + " must stay free")
                  .at(tools.store.describe())
                  .advise("free some space, lower backup.keep, or set backup.check_space: false to skip this check"));
}

std::vector<std::string> dump_arguments(const BackupJob& job, const ClientPrograms& programs, const Snapshot& snapshot) {
  // --snapshot makes the dump show the same moment as the recorded heads; --no-password fails instead of prompting.
  std::vector<std::string> arguments{programs.pg_dump,
                                     "--format=custom",
                                     "--compress=" + std::to_string(job.settings.compression),
                                     "--snapshot=" + snapshot.id,
                                     "--lock-wait-timeout=" + std::to_string(job.settings.lock_timeout.count()),
                                     "--no-password"};
  if (!job.role.empty()) {
    arguments.push_back("--role=" + job.role);
  }
  return arguments;
}

void end_snapshot(Session& session) {
  if (session.alive()) {
    [[maybe_unused]] const auto ended = session.execute_autocommit("ROLLBACK");  // only a warning when no transaction is open
  }
}

class Run {
 public:
  Run(const BackupTools& tools, const BackupJob& job, const ClientPrograms& programs, Session& session)
      : tools_(tools), job_(job), programs_(programs), session_(session) {}

  Result<BackupRecord> to_the_end(const DatabaseFacts& facts) {
    // First, because leftovers of crashed writers take up space.
    if (auto cleaned = tools_.store.clean(tools_.clock.wall_now()); !cleaned) {
      tools_.progress.warning(cleaned.error().describe());
    }
    // Check the space before opening the snapshot, which holds back VACUUM while it exists.
    expected_ = expected_size(tools_.store, facts, job_.settings.compression);
    TRY(require_space(tools_, job_.settings, expected_));
    TRY_ASSIGN(record_.properties, read_properties(session_));
    TRY_ASSIGN(const Snapshot snapshot,
               open_snapshot(session_, job_.version_table_found, qualified_name(job_.ledger_schema, "history")));
    describe(facts, snapshot);
    TRY_ASSIGN(const std::unique_ptr<BackupWriter> writer, tools_.store.create(record_.file));
    TRY(dump(snapshot, *writer));
    end_snapshot(session_);  // verification takes long, and an open snapshot would hold back VACUUM
    TRY(verify(*writer));
    tools_.progress.stage(BackupStage::Publishing, record_.file);
    record_.verified = tools_.clock.wall_now();
    TRY(writer->publish(write_manifest(record_)));
    return std::move(record_);
  }

 private:
  void describe(const DatabaseFacts& facts, const Snapshot& snapshot) {
    record_.id = job_.run_id;
    record_.database = facts.identity;
    record_.place = tools_.sessions.describe();
    record_.version_table = qualified_name(job_.version_table_schema, job_.version_table);
    record_.revisions = snapshot.revisions;
    record_.lsn = snapshot.lsn;
    record_.ledger_id = snapshot.ledger_id;
    record_.target = job_.target;
    record_.resource = job_.resource;
    record_.resource_uid = job_.resource_uid;
    record_.server_version = session_.server_version();
    record_.client_version = programs_.version;
    record_.compression = job_.settings.compression;
    // Whole seconds, as the manifest stores them.
    record_.started = std::chrono::floor<std::chrono::seconds>(tools_.clock.wall_now());
    record_.actor = job_.actor;
    record_.tool = tool_name();
    record_.file = backup_file_name(record_);
    record_.location = tools_.store.location(record_.file);
  }

  [[nodiscard]] milliseconds since(SteadyTime start) const {
    return std::chrono::duration_cast<milliseconds>(tools_.clock.steady_now() - start);
  }

  Result<void> dump(const Snapshot& snapshot, BackupWriter& writer) {
    tools_.progress.stage(BackupStage::Dumping, record_.file);
    ConnectionKeywords keywords = job_.connection;
    if (job_.password) {
      std::erase_if(keywords, [](const auto& keyword) { return keyword.first == "password"; });
      TRY_ASSIGN(std::string password, job_.password());
      keywords.emplace_back("password", std::move(password));
    }
    TRY_ASSIGN(const ChildConnection connection,
               ChildConnection::create(keywords, {}, DumpSlot::kApplication, job_.environment));
    const auto start = tools_.clock.steady_now();
    Sha256 digest;
    ProcessStreams streams;
    streams.out = [&](std::string_view bytes) -> Result<void> {
      // Digest what pg_dump produces: verify() compares it with what the storage returns.
      digest.update(bytes);
      record_.size += bytes.size();
      if (job_.has_room && !job_.has_room(record_.size)) {
        return fail(Error(ErrorCode::BackupRefused,
                          "the dump exceeds the space that is left for it (" + std::to_string(record_.size) + " so far)"));
      }
      TRY(leave_room());
      return writer.write(bytes);
    };
    streams.tick = [&]() -> Result<void> {
      tools_.progress.bytes(record_.size, expected_, since(start));
      return {};
    };
    ProcessCommand command = connection.command(dump_arguments(job_, programs_, snapshot));
    command.idle_timeout = kClientIdle;
    TRY_ASSIGN(const ProcessEnd end, run_process(command, streams, tools_.stop));
    if (end.exit_code != 0) {
      return fail(connection.error_of("pg_dump", command, end, ErrorCode::BackupFailed));
    }
    record_.sha256 = digest.finish();
    record_.duration = since(start);
    return writer.finish();
  }

  // The estimate before the dump may have been too low, and a server can send data without end: stop before others run out of
  // space.
  Result<void> leave_room() {
    if (record_.size < next_look_) {
      return {};
    }
    next_look_ = record_.size + kLookEvery;
    return require_space(tools_, job_.settings, 0);
  }

  Result<void> verify(BackupWriter& writer) {
    tools_.progress.stage(BackupStage::Verifying, record_.file);
    TRY_ASSIGN(const std::unique_ptr<BackupReader> reader, writer.read_back());
    const auto start = tools_.clock.steady_now();
    const auto count = [&](std::uint64_t done) { tools_.progress.bytes(done, record_.size, since(start)); };
    return verify_dump(*reader, {record_.sha256, record_.size}, programs_, job_.environment, record_.location, count,
                       tools_.stop);
  }

  const BackupTools& tools_;
  const BackupJob& job_;
  const ClientPrograms& programs_;
  Session& session_;
  BackupRecord record_;
  std::uint64_t expected_ = 0;
  std::uint64_t next_look_ = kLookEvery;
};

}  // namespace

Result<BackupRecord> make_dump(const BackupTools& tools, const BackupJob& job, const ClientPrograms& programs, Session& session,
                               const DatabaseFacts& facts) {
  auto outcome = Run(tools, job, programs, session).to_the_end(facts);
  if (!outcome) {
    end_snapshot(session);
  }
  return outcome;
}

int parse_major(const std::string& version) {
  int major = 0;
  std::from_chars(version.data(), version.data() + version.size(), major);
  return major;
}

}  // namespace athanor
