// A scene for tests of the real operator binary: a folder of manifests, revisions in it, and the status files that it writes.
//
// Threads: one thread. Ownership: stops the operator and removes the folder at the end of the scope.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

class OperatorScene {
 public:
  OperatorScene();

  // Writes manifests/rev/<id>.sql. By default its upgrade creates a table t_<id> and its downgrade drops it.
  void revision(const std::string& id, const std::string& down, const std::string& upgrade = "",
                const std::string& downgrade = "");
  // Removes the revision's file.
  void forget_revision(const std::string& id) const;
  // Writes manifests/<name>.yaml for shop/<name>; `more` are lines of the spec.
  void manifest(const std::string& name, const std::string& url, const std::string& more = "");
  // The same, replaced as editors do: written to a temporary file, then renamed over the old one.
  void manifest_by_rename(const std::string& name, const std::string& url, const std::string& more = "");

  [[nodiscard]] ProcessResult once(const std::vector<std::string>& more = {}, const ProcessOptions& options = {});
  // Starts the operator on a free port and waits until it is ready.
  void start(const std::vector<std::string>& more = {}, const ProcessOptions& options = {});
  [[nodiscard]] Process& process() { return *process_; }
  // Sends SIGTERM and waits for the end.
  [[nodiscard]] ProcessResult stop();

  [[nodiscard]] std::string status(const std::string& name) const;  // the status file; empty when it does not exist
  // Waits until the status file contains all of these texts; false after 20 s.
  [[nodiscard]] bool wait_for_status(const std::string& name, const std::vector<std::string>& parts) const;
  // Waits for Ready=True at this revision.
  [[nodiscard]] bool wait_until_at(const std::string& name, const std::string& revision) const;
  // The address of the running operator, "127.0.0.1:PORT".
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // The body of a GET; `code` receives the HTTP status.
  [[nodiscard]] std::string get(const std::string& path, int* code = nullptr) const;
  // Sends raw bytes and returns the complete answer.
  [[nodiscard]] std::string raw(const std::string& request) const;

  TempFolder folder;

 private:
  std::vector<std::string> arguments(const std::vector<std::string>& more) const;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace athanor::test
