// Child processes of a test: run one to its end, or start it, observe it, signal it and wait for it.
//
//   auto result = run_process({athanor_binary(), "upgrade", "head"}, {.environment = {{"DATABASE_URL", database.url()}}});
//   EXPECT_EQ(result.exit_code, 0) << result.err;
//
// The child inherits the environment of the test without DATABASE_URL and PG*, plus the variables of the options, so a
// developer's shell cannot change a test's result. Standard input is the given text, or empty. A child that exceeds its time
// limit is killed and reported with exit code 137 and `timed_out`.
//
// Threads: one thread per object. Ownership: a Process kills and reaps its child when destroyed.
#pragma once

#include <sys/types.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace athanor::test {

struct ProcessOptions {
  std::map<std::string, std::optional<std::string>> environment{};  // nullopt: unset
  std::string standard_input{};
  std::string directory{};  // empty: the test's working directory
  int timeout_ms = 60'000;
};

struct ProcessResult {
  int exit_code = -1;  // 128 + N after signal N
  std::string out;
  std::string err;
  bool timed_out = false;
  long max_rss_kib = 0;
  double cpu_seconds = 0;
  double wall_seconds = 0;
};

[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});

class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments, const ProcessOptions& options = {});
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Reads until standard output or standard error contains `text`; false when the child ended or the time ran out first.
  [[nodiscard]] bool wait_for_output(const std::string& text, int timeout_ms = 20'000);
  [[nodiscard]] bool running();
  // Waits until the child ends, at most the time limit of the options.
  [[nodiscard]] ProcessResult wait();
  [[nodiscard]] const std::string& out() const { return result_.out; }
  [[nodiscard]] const std::string& err() const { return result_.err; }

 private:
  // Reads the available output, waiting up to `timeout_ms` for some. False when both pipes are closed.
  bool pump(int timeout_ms);
  bool reap(bool block);

  pid_t pid_ = -1;
  int out_ = -1;
  int err_ = -1;
  int in_ = -1;
  std::string input_;
  int timeout_ms_;
  bool reaped_ = false;
  double started_ = 0;
  ProcessResult result_;
};

// build/bin/athanor and build/bin/athanor-operator of the build under test.
[[nodiscard]] std::string athanor_binary();
[[nodiscard]] std::string operator_binary();
// The Python with Alembic, SQLModel and psycopg2 (tests/requirements.txt): ATHANOR_PYTHON, or <build>/python-path. Throws with
// instructions when there is none.
[[nodiscard]] std::string python_with_alembic();

}  // namespace athanor::test
