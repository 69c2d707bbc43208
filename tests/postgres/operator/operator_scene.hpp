// A scene for tests of the real operator binary: a folder of manifests, revisions beside them, and the status files it writes.
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

  // "manifests/rev/<id>.sql"; tables t_<id> come and go unless a body is given.
  void revision(const std::string& id, const std::string& down, const std::string& upgrade = "",
                const std::string& downgrade = "");
  // Removes its file.
  void forget_revision(const std::string& id) const;
  // "manifests/<name>.yaml" for shop/<name>; `more` are lines of the spec.
  void manifest(const std::string& name, const std::string& url, const std::string& more = "");
  // The same, replaced as an editor does: written aside, renamed over.
  void manifest_by_rename(const std::string& name, const std::string& url, const std::string& more = "");

  [[nodiscard]] ProcessResult once(const std::vector<std::string>& more = {}, const ProcessOptions& options = {});
  // Starts the operator on a free port and waits until it is ready.
  void start(const std::vector<std::string>& more = {}, const ProcessOptions& options = {});
  [[nodiscard]] Process& process() { return *process_; }
  // SIGTERM, then the end.
  [[nodiscard]] ProcessResult stop();

  [[nodiscard]] std::string status(const std::string& name) const;  // the status file; empty while there is none
  // Waits until the status file holds every one of these texts; false after 20 s.
  [[nodiscard]] bool wait_for_status(const std::string& name, const std::vector<std::string>& parts) const;
  // Waits for Ready=True with this revision.
  [[nodiscard]] bool wait_until_at(const std::string& name, const std::string& revision) const;
  // "127.0.0.1:PORT" of the running operator.
  [[nodiscard]] std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // Body of a GET; `code` receives the HTTP status.
  [[nodiscard]] std::string get(const std::string& path, int* code = nullptr) const;
  // What a raw request gets back, whole.
  [[nodiscard]] std::string raw(const std::string& request) const;

  TempFolder folder;

 private:
  std::vector<std::string> arguments(const std::vector<std::string>& more) const;
  int port_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace athanor::test
