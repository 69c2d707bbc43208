#include "migrations/backup/restore_run.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "migrations/backup/backup_run.hpp"
#include "migrations/backup/child_connection.hpp"
#include "migrations/backup/client_programs.hpp"

namespace athanor {
namespace {

constexpr const char* kApplication = "athanor pg_restore";

std::vector<std::string> arguments_of(const RestoreRun& run, const ClientPrograms& programs, const std::string& path) {
  // --exit-on-error: an incomplete database must never get its name.
  std::vector<std::string> arguments{programs.pg_restore, "--exit-on-error", "--no-password", "--dbname=service=athanor"};
  if (!run.job.role.empty()) {
    arguments.push_back("--role=" + run.job.role);
  }
  arguments.insert(arguments.end(), run.more.begin(), run.more.end());
  if (!path.empty()) {
    arguments.push_back("--jobs=" + std::to_string(run.jobs));
    arguments.push_back(path);
  }
  return arguments;
}

}  // namespace

Result<void> run_pg_restore(const RestoreRun& run, BackupProgress& progress, Clock& clock, const StopToken& stop) {
  const BackupJob& job = run.job;
  const ProgramSearch search{job.settings.programs, job.path, kInstalledPrograms, plain_environment(job.environment)};
  // pg_restore must know the format of the archive as well as the server.
  const int needed = std::max(parse_major(run.record.client_version), run.server_major);
  TRY_ASSIGN(const ClientPrograms programs, find_programs(search, needed, stop));
  TRY_ASSIGN(const ChildConnection connection,
             ChildConnection::create(job.connection, run.database, kApplication, job.environment));
  const auto start = clock.steady_now();
  std::uint64_t done = 0;
  ProcessStreams streams;
  std::unique_ptr<BackupReader> reader;
  // Parallel restore needs a file that it can seek in; a single job reads a stream from any store.
  const std::string path = run.jobs > 1 ? run.store.local_path(run.record.file) : std::string();
  if (path.empty()) {
    TRY_ASSIGN(reader, run.store.open(run.record.file));
    streams.in = [&](std::span<char> buffer) -> Result<std::size_t> {
      TRY_ASSIGN(const std::size_t got, reader->read(buffer));
      done += got;
      return got;
    };
  }
  streams.tick = [&]() -> Result<void> {
    progress.bytes(done, run.record.size, std::chrono::duration_cast<milliseconds>(clock.steady_now() - start));
    return {};
  };
  const ProcessCommand command = connection.command(arguments_of(run, programs, path));
  TRY_ASSIGN(const ProcessEnd end, run_process(command, streams, stop));
  if (end.exit_code != 0) {
    return fail(connection.error_of("pg_restore", command, end, ErrorCode::BackupFailed));
  }
  return {};
}

}  // namespace athanor
