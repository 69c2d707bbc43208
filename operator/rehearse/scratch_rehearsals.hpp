// Rehearsals on scratch databases: the schema of the live database is built on another server, or its newest backup restored
// there, and the plan runs on that.
//
// The server is that of spec.scratch. Without it, and in standalone mode only, it is a throwaway one of this machine's server
// programs: revisions run on it as superuser, who can start programs, so on a cluster the pod of the operator never is that
// server. It is never the server of the target unless spec.scratch names that.
//
// Threads: safe from any thread; each call has a server of its own. Ownership: borrows the clock.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "migrations/schema/embedded_server.hpp"
#include "operator/backup/folder_backups.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/rehearsal_service.hpp"

namespace athanor::controller {

class ScratchRehearsals final : public RehearsalService {
 public:
  // `embedded`: how a throwaway server is made where no other is named; empty: not at all.
  // `backups`: the folder of a resource's backups, as FolderBackups finds it.
  ScratchRehearsals(SessionFactoryMaker connect, FolderBackups::Resolve backups, ProgramEnvironment programs, Clock& clock,
                    Log log, std::optional<schema::EmbeddedSettings> embedded)
      : connect_(std::move(connect)),
        backups_(std::move(backups)),
        programs_(std::move(programs)),
        clock_(clock),
        log_(std::move(log)),
        embedded_(std::move(embedded)) {}

  [[nodiscard]] Result<RehearsalResult> rehearse(const RehearsalRequest& request, const StopToken& stop) override;

 private:
  struct Stage;
  [[nodiscard]] Result<void> restore(const RehearsalRequest& request, Stage& stage, const StopToken& stop) const;

  SessionFactoryMaker connect_;
  FolderBackups::Resolve backups_;
  ProgramEnvironment programs_;
  Clock& clock_;
  Log log_;
  std::optional<schema::EmbeddedSettings> embedded_;
};

}  // namespace athanor::controller
