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

constexpr int kSetsTransactionTimeout = 17;  // the first version of pg_restore and of the server that has it

// An incomplete database must never get its name: pg_restore ends at the first error, or its errors are read afterwards.
bool ends_at_errors(const RestoreRun& run, const ClientPrograms& programs) {
  return programs.major < kSetsTransactionTimeout || run.server_major >= kSetsTransactionTimeout;
}

std::vector<std::string> arguments_of(const RestoreRun& run, const ClientPrograms& programs, const std::string& path) {
  std::vector<std::string> arguments{programs.pg_restore, "--no-password", "--dbname=service=athanor"};
  if (ends_at_errors(run, programs)) {
    arguments.emplace_back("--exit-on-error");
  }
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

std::string_view next_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

}  // namespace

bool refuses_only_transaction_timeout(std::string_view err) {
  constexpr std::string_view kError = "pg_restore: error: could not execute query: ";
  constexpr std::string_view kCommand = "Command was: SET transaction_timeout = 0;";
  constexpr std::string_view kCount = "pg_restore: warning: errors ignored on restore: ";
  int refused = 0;
  while (!err.empty()) {
    const std::string_view line = next_line(err);
    if (line.starts_with(kCount)) {
      // The last line. Without it pg_restore did not run to its end, or what it wrote was cut off.
      return refused > 0 && err.empty() && line.substr(kCount.size()) == std::to_string(refused);
    }
    if (line.starts_with("pg_restore: error: ") || line.starts_with("Command was: ")) {
      // A message of the server in another language is known by the command that follows it.
      if (!line.starts_with(kError) || next_line(err) != kCommand) {
        return false;
      }
      ++refused;
    }
  }
  return false;
}

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
  const bool refused = !ends_at_errors(run, programs) && end.exit_code == 1 && refuses_only_transaction_timeout(end.err);
  if (end.exit_code != 0 && !refused) {
    return fail(connection.error_of("pg_restore", command, end, ErrorCode::BackupFailed));
  }
  return {};
}

}  // namespace athanor
