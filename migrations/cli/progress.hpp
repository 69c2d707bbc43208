// Progress of a run on standard error.
//
// LineProgress writes one line per revision, which suits logs:
//   Running upgrade 1975ea83b712 -> 8c1f0a2b7d3e, Add email to users (12 ms)
// BarProgress redraws one line on a terminal and leaves a summary. Both report immediately, and then at most every few seconds,
// who holds a lock that the run waits for.
//
// Threads: the migrator's thread. Ownership: borrow clock and output.
#pragma once

#include <memory>
#include <string>

#include "migrations/base/clock.hpp"
#include "migrations/cli/output.hpp"
#include "migrations/execute/progress_sink.hpp"

namespace athanor::cli {

class LineProgress : public ProgressSink {
 public:
  LineProgress(Output& output, const Clock& clock) : output_(output), clock_(clock) {}
  void run_started(const Plan& plan) override;
  void waiting_for_lock(const std::vector<Blocker>& holders, milliseconds waited) override;
  void batch_progress(const PlannedRevision& revision, std::int64_t rows, milliseconds elapsed) override;
  void blocked(const PlannedRevision& revision, const std::vector<Blocker>& blockers, milliseconds waited) override;
  void waiting_for_replica(const PlannedRevision& revision, milliseconds lag, milliseconds limit, milliseconds waited) override;
  void superuser_migrates() override;
  void index_left(const PlannedRevision& revision, const std::string& index) override;
  void catalog_not_recorded(const Error& error) override;
  void retrying(const PlannedRevision& revision, const Error& error, int attempt, milliseconds delay) override;
  void revision_finished(std::size_t index, const PlannedRevision& revision, milliseconds duration) override;
  void server_message(const ServerMessage& message) override;

 protected:
  virtual void say(const std::string& line);
  // Removes the redrawn line before other output.
  virtual void clear() {}
  [[nodiscard]] Output& output() { return output_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }

 private:
  // True the first time, and then at most every few seconds.
  bool time_to_remind();

  Output& output_;
  const Clock& clock_;
  bool reminded_ = false;
  SteadyTime last_reminder_{};
};

class BarProgress final : public LineProgress {
 public:
  BarProgress(Output& output, const Clock& clock, int columns) : LineProgress(output, clock), columns_(columns) {}
  void run_started(const Plan& plan) override;
  void revision_started(std::size_t index, const PlannedRevision& revision) override;
  void batch_progress(const PlannedRevision& revision, std::int64_t rows, milliseconds elapsed) override;
  void revision_finished(std::size_t index, const PlannedRevision& revision, milliseconds duration) override;
  void run_finished(const ExecutionReport& report) override;

 protected:
  void say(const std::string& line) override;
  void clear() override;

 private:
  void draw(const std::string& now, bool always);

  int columns_;
  std::size_t total_ = 0;
  std::size_t done_ = 0;
  bool drawn_ = false;
  SteadyTime started_{};
  SteadyTime last_drawn_{};
};

// Reports a message of the server: a WARNING joins the command's warnings; a NOTICE is a remark, or with --json an entry of
// "messages".
void print_server_message(Output& output, const ServerMessage& message);
// Reports that no catalog was recorded, as a warning, because the run itself succeeded.
void print_catalog_not_recorded(Output& output, const Error& error);

// Creates the sink for the terminal and the flags. With -q and --json it reports only the server's warnings.
[[nodiscard]] std::unique_ptr<ProgressSink> make_progress(Output& output, const Clock& clock, bool terminal, int columns);

// "12 ms", "3.4 s", "5 min 12 s".
[[nodiscard]] std::string duration_text(milliseconds duration);
// "pid 4711 (psql, alice@10.0.0.7, since 2026-11-21T02:10:00+00:00)".
[[nodiscard]] std::string blocker_text(const Blocker& blocker);

}  // namespace athanor::cli
