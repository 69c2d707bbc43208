// A progress sink that records every event as one line of text.
//
// Threads: one thread, the one that executes the plan.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "migrations/execute/progress_sink.hpp"

namespace athanor::test {

class RecordingSink final : public ProgressSink {
 public:
  void waiting_for_lock(const std::vector<Blocker>& holders, milliseconds) override {
    note("waiting_for_lock");
    lock_holders = holders;
  }
  void revision_started(std::size_t, const PlannedRevision& revision) override {
    note("started " + revision.walk.revision.value_or("stamp"));
  }
  void revision_finished(std::size_t, const PlannedRevision& revision, milliseconds) override {
    note("finished " + revision.walk.revision.value_or("stamp"));
    if (on_finished) {
      on_finished(revision.walk.revision.value_or(""));
    }
  }
  void batch_progress(const PlannedRevision&, std::int64_t rows, milliseconds) override {
    note("batch " + std::to_string(rows));
    if (on_batch) {
      on_batch(rows);
    }
  }
  void blocked(const PlannedRevision&, const std::vector<Blocker>& blockers, milliseconds) override {
    note("blocked");
    last_blockers = blockers;
  }
  void waiting_for_replica(const PlannedRevision&, milliseconds lag, milliseconds limit, milliseconds) override {
    note("waiting_for_replica " + std::to_string(lag.count()) + " " + std::to_string(limit.count()));
  }
  void superuser_migrates() override { note("superuser_migrates"); }
  void catalog_not_recorded(const Error& error) override { note("catalog_not_recorded " + error.message); }
  void index_left(const PlannedRevision&, const std::string& index) override { note("index_left " + index); }
  void retrying(const PlannedRevision&, const Error& error, int attempt, milliseconds) override {
    note("retrying " + std::to_string(attempt) + " " + error.sqlstate);
    if (on_retry) {
      on_retry(attempt);
    }
  }

  [[nodiscard]] bool saw(const std::string& event) const {
    for (const auto& line : events) {
      if (line == event) {
        return true;
      }
    }
    return false;
  }

  std::vector<std::string> events;
  std::vector<Blocker> lock_holders;
  std::vector<Blocker> last_blockers;
  std::function<void(const std::string&)> on_finished;
  std::function<void(std::int64_t)> on_batch;
  std::function<void(int)> on_retry;

 private:
  void note(std::string line) { events.push_back(std::move(line)); }
};

}  // namespace athanor::test
