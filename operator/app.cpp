#include "operator/app.hpp"

#include <malloc.h>
#include <poll.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <thread>

#include "migrations/base/private_memory.hpp"
#include "operator/cluster_operator.hpp"
#include "operator/cluster_wait.hpp"
#include "operator/log/log.hpp"
#include "operator/options.hpp"
#include "operator/process_environment.hpp"
#include "operator/serve/listener.hpp"
#include "operator/standalone_operator.hpp"

namespace athanor::controller {
namespace {

// The only object that the signal handler uses.
StopSource* signal_target = nullptr;

class SignalScope {
 public:
  explicit SignalScope(StopSource& stop) {
    signal_target = &stop;
    struct sigaction action {};
    action.sa_handler = [](int /*number*/) { signal_target->request(); };
    sigemptyset(&action.sa_mask);
    sigaction(SIGTERM, &action, nullptr);
    sigaction(SIGINT, &action, nullptr);
    (void)std::signal(SIGPIPE, SIG_IGN);  // a scraper that hangs up must not end the process
  }
  ~SignalScope() {
    (void)std::signal(SIGTERM, SIG_DFL);
    (void)std::signal(SIGINT, SIG_DFL);
    signal_target = nullptr;
  }
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

Result<int> run(const Options& options, const StopToken& stop) {
  const Log log(options.log_level.value_or(options.once ? LogLevel::Warn : LogLevel::Info));
  if (!options.listen.empty() && options.listen != "off") {
    TRY(check_listen_address(options.listen));
  }
  if (!options.wait_for.empty()) {
    return wait_on_cluster(options, stop);
  }
  return options.kube ? run_on_cluster(options, log, stop) : run_standalone(options, log, stop);
}

// Makes malloc return memory that was needed briefly (a page of a list, a scrape). By default every thread keeps its own arena,
// and the size from which blocks are returned grows with every large block.
void keep_memory_small() {
  constexpr int kArenas = 2;
  constexpr int kReturnedFrom = 256 << 10;
  ::mallopt(M_ARENA_MAX, kArenas);
  ::mallopt(M_MMAP_THRESHOLD, kReturnedFrom);
  ::mallopt(M_TRIM_THRESHOLD, kReturnedFrom);
}

// Raises a stop to StopLevel::Now when the grace period has passed.
class GracePeriod {
 public:
  GracePeriod(StopSource& stop, milliseconds period) {
    if (period > milliseconds(0)) {
      thread_ = std::thread([this, &stop, period] { watch(stop, period); });
    }
  }
  ~GracePeriod() {
    over_.request();
    if (thread_.joinable()) {
      thread_.join();
    }
  }
  GracePeriod(const GracePeriod&) = delete;
  GracePeriod& operator=(const GracePeriod&) = delete;

 private:
  void watch(StopSource& stop, milliseconds period) {
    std::array<pollfd, 2> either{pollfd{stop.token().descriptor(), POLLIN, 0}, pollfd{over_.token().descriptor(), POLLIN, 0}};
    while (!stop.token().requested() && !over_.token().requested()) {
      ::poll(either.data(), either.size(), -1);
    }
    SystemClock clock;
    if (clock.wait(period, over_.token())) {
      stop.request(StopLevel::Now);
    }
  }

  StopSource over_;
  std::thread thread_;
};

int complain(const Error& error) {
  (void)std::fprintf(stderr, "athanor-operator: %s\n", error.describe().c_str());
  if (!error.hint.empty()) {
    (void)std::fprintf(stderr, "  %s\n", error.hint.c_str());
  }
  return exit_code(error.code);
}

}  // namespace

int run_operator(const std::vector<std::string>& arguments) {
  keep_memory_private();
  keep_memory_small();
  const auto options = parse_options(arguments, environment_variable("KUBERNETES_SERVICE_HOST").has_value());
  if (!options) {
    return complain(options.error());
  }
  if (options->help) {
    (void)std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  if (options->version) {
    std::printf("athanor-operator %s\n", ATHANOR_VERSION);
    return 0;
  }
  StopSource stop;
  const SignalScope signals(stop);
  const GracePeriod grace(stop, options->grace_period);
  const auto ended = run(*options, stop.token());
  return ended ? *ended : complain(ended.error());
}

}  // namespace athanor::controller
