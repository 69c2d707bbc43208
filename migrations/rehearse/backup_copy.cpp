#include "migrations/rehearse/backup_copy.hpp"

#include <utility>

#include "migrations/backup/restore_run.hpp"
#include "migrations/schema/difference.hpp"

namespace athanor {
namespace {

constexpr int kVersionsInOneMajor = 10'000;

}  // namespace

Result<CopiedSchema> copy_backup(const BackupCopyRequest& request, BackupProgress& progress, Clock& clock,
                                 const StopToken& stop) {
  TRY_ASSIGN(const BackupRecord record, verify_backup(request.store, request.record.file, request.job, progress, clock, stop));
  TRY_ASSIGN(const int version, request.server.server_version());
  TRY(provide_schema_roles(request.server, request.live));  // policies of the dump name some
  TRY(prepare_roles(request.server, request.plan));
  CopiedSchema copy;
  TRY_ASSIGN(copy.database, request.server.create());
  BackupJob job = request.job;
  job.role.clear();
  TRY_ASSIGN(job.connection, request.keywords(copy.database->url()));
  progress.stage(BackupStage::Restoring, record.file);
  TRY(run_pg_restore({.store = request.store,
                      .record = record,
                      .job = job,
                      .database = copy.database->name(),
                      .server_major = version / kVersionsInOneMajor,
                      .more = {"--no-owner", "--no-privileges"}},
                     progress, clock, stop));
  {
    TRY_ASSIGN(const auto session, copy.database->open());
    session->set_wait_listener([&stop](milliseconds) { return stop.requested(); });
    TRY(session->execute_autocommit("ANALYZE"));  // a dump has no statistics
  }
  copy.has_statistics = true;
  copy.inspect = [options = request.options](const schema::ScratchDatabase& database) -> Result<schema::Catalog> {
    TRY_ASSIGN(const auto session, database.open());
    return schema::inspect(*session, options);
  };
  TRY_ASSIGN(const schema::Catalog restored, copy.inspect(*copy.database));
  copy.difference = schema::describe_difference(restored, request.live);
  return copy;
}

}  // namespace athanor
