#include "migrations/backup/dump_content.hpp"

#include <vector>

#include "migrations/backup/child_connection.hpp"
#include "migrations/backup/program_error.hpp"
#include "migrations/base/sha256.hpp"

namespace athanor {
namespace {

constexpr const char* kDoNotUse = "do not use this file; take another backup";

}  // namespace

Result<void> require_same(const DumpContent& found, const DumpContent& expected, const std::string& name) {
  if (found.size != expected.size) {
    return fail(Error(ErrorCode::BackupCorrupt,
                      "the dump has " + std::to_string(found.size) + " bytes instead of " + std::to_string(expected.size))
                    .at(name)
                    .advise(kDoNotUse));
  }
  if (found.sha256 != expected.sha256) {
    return fail(Error(ErrorCode::BackupCorrupt, "the dump was changed: its SHA-256 differs from the recorded one")
                    .at(name)
                    .advise(kDoNotUse));
  }
  return {};
}

Result<DumpContent> read_content(BackupReader& reader, const StopToken& stop) {
  Sha256 digest;
  DumpContent content;
  std::vector<char> buffer(std::size_t{256} << 10U);
  while (true) {
    if (stop.requested()) {
      return fail(Error(ErrorCode::Interrupted, "stopped while reading a backup; nothing was changed"));
    }
    TRY_ASSIGN(const std::size_t got, reader.read(buffer));
    if (got == 0) {
      content.sha256 = digest.finish();
      return content;
    }
    digest.update({buffer.data(), got});
    content.size += got;
  }
}

Result<void> verify_dump(BackupReader& reader, const DumpContent& expected, const ClientPrograms& programs,
                         const std::vector<std::string>& environment, const std::string& name, const ByteCount& count,
                         const StopToken& stop) {
  Sha256 digest;
  DumpContent found;
  const auto next = [&](std::span<char> buffer) -> Result<std::size_t> {
    TRY_ASSIGN(const std::size_t got, reader.read(buffer));
    digest.update({buffer.data(), got});
    found.size += got;
    if (count) {
      count(found.size);
    }
    return got;
  };
  ProcessStreams streams;
  streams.in = next;
  // Without --dbname, pg_restore converts the whole archive to SQL, which decodes every block.
  ProcessCommand command = client_command({programs.pg_restore, "--file=/dev/null"}, plain_environment(environment));
  command.idle_timeout = kClientIdle;
  TRY_ASSIGN(const ProcessEnd end, run_process(command, streams, stop));
  if (end.exit_code != 0) {
    Error error = program_error("pg_restore", command, end, {}, ErrorCode::BackupCorrupt);
    if (error.code == ErrorCode::BackupCorrupt) {
      error.message = "the dump cannot be decoded: " + error.message;
      error.hint = kDoNotUse;
    }
    return fail(std::move(error).at(name));
  }
  // pg_restore stops reading at the end of the archive. Read on: the checksum covers the whole file.
  std::vector<char> buffer(std::size_t{64} << 10U);
  while (true) {
    TRY_ASSIGN(const std::size_t got, next(buffer));
    if (got == 0) {
      break;
    }
  }
  found.sha256 = digest.finish();
  return require_same(found, expected, name);
}

}  // namespace athanor
