// A private PostgreSQL server for tests that crash it, so that no other test is affected. It is stopped and removed at the end
// of the scope.
//
// Threads: one thread. Ownership: owns the server and its folder.
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

class OwnServer {
 public:
  OwnServer() : OwnServer(std::vector<std::string>{}) {}
  // A server with a copy of the original's files, as pg_basebackup makes them: same system identifier, same databases.
  [[nodiscard]] static OwnServer copy_of(const OwnServer& original) {
    return OwnServer(std::vector<std::string>{original.folder_ / "server"});
  }
  ~OwnServer() { (void)run_process({kScript, "stop", folder_ / "server"}); }
  OwnServer(const OwnServer&) = delete;
  OwnServer& operator=(const OwnServer&) = delete;

  [[nodiscard]] const std::string& url() const { return url_; }
  // crash() kills the server as a power cut would; resume() starts it again on the same port.
  void crash() { control("crash"); }
  void resume() { control("resume"); }
  void restart() { control("restart"); }

 private:
  static constexpr const char* kScript = ATHANOR_SOURCE_DIR "/tests/support/throwaway-postgres";
  explicit OwnServer(const std::vector<std::string>& original) : url_(control("start", original).out) {
    while (!url_.empty() && url_.back() == '\n') {
      url_.pop_back();
    }
  }
  ProcessResult control(const std::string& action, const std::vector<std::string>& original = {}) {
    std::vector<std::string> command{kScript, action, folder_ / "server"};
    command.insert(command.end(), original.begin(), original.end());
    auto result = run_process(command);
    if (result.exit_code != 0) {
      throw std::runtime_error("throwaway-postgres " + action + ": " + result.err);
    }
    return result;
  }
  TempFolder folder_;
  std::string url_;
};

}  // namespace athanor::test
