#include "operator/app.hpp"

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include "migrations/postgres/connect.hpp"
#include "operator/log/log.hpp"
#include "operator/options.hpp"
#include "operator/reconcile/controller.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/metrics.hpp"
#include "operator/standalone/local_paths.hpp"
#include "operator/standalone/standalone.hpp"
#include "operator/standalone/summary.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:8080";

// The one thing a signal handler can reach.
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
    std::signal(SIGPIPE, SIG_IGN);  // a scraper that hangs up is no reason to die
  }
  ~SignalScope() {
    std::signal(SIGTERM, SIG_DFL);
    std::signal(SIGINT, SIG_DFL);
    signal_target = nullptr;
  }
  SignalScope(const SignalScope&) = delete;
  SignalScope& operator=(const SignalScope&) = delete;
};

std::optional<std::string> environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

Result<std::unique_ptr<SessionFactory>> connect(const std::string& url, const ExecutionSettings& settings) {
  TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, settings));
  return std::unique_ptr<SessionFactory>(std::move(factory));
}

// Everything that lives as long as the process, in order of construction.
class House {
 public:
  House(const Options& options, StateFolder state, AllowedRoots sources, AllowedRoots secrets, Log log)
      : options_(options),
        log_(std::move(log)),
        state_(std::move(state)),
        roots_(sources.roots()),
        metrics_(options.workers),
        queue_(clock_, BackOff{}, options.per_server, &metrics_),
        sources_(std::move(sources), clock_, options.limits),
        credentials_(std::move(secrets), environment),
        databases_(make_migrator_access(connect, clock_)),
        catalogue_(state_, clock_, [this](const DatabaseMigration& resource) { return identify(resource); }),
        manifests_(roots_.front(), clock_),
        reconciler_({sources_, credentials_, *databases_, metrics_, clock_}),
        controller_({catalogue_, reconciler_, queue_, metrics_, clock_}, controller_options(), log_),
        standalone_({manifests_, catalogue_, queue_, [this](const ResourceKey& key) { forget(key); },
                     [this](std::size_t resources, std::size_t problems) { metrics_.manifests(resources, problems); }},
                    roots_, options.resync, log_) {
    metrics_.attach(queue_);
  }

  Result<int> run_once(const StopToken& stop) {
    TRY(standalone_.load());
    controller_.start(stop);
    queue_.wait_until_idle();
    controller_.stop();
    const Summary summary{catalogue_.all(), standalone_.problems()};
    const std::string text = options_.json ? summary_json(summary) : summary_table(summary);
    std::fwrite(text.data(), 1, text.size(), stdout);
    return summary.all_ready() ? 0 : 1;
  }

  Result<int> run(const StopToken& stop) {
    TRY_ASSIGN(const auto listener, listen());
    TRY(standalone_.load());
    log_.info("operator started", {{"version", ATHANOR_VERSION},
                                   {"manifests", manifests_.path()},
                                   {"state", state_.path()},
                                   {"resources", catalogue_.all().size()},
                                   {"workers", options_.workers}});
    controller_.start(stop);
    standalone_.follow(stop);
    log_.info("operator stops; running migrations end at their next safe point");
    controller_.stop();
    log_.info("operator stopped");
    return 0;
  }

 private:
  ControllerOptions controller_options() const {
    ControllerOptions controller;
    controller.workers = options_.workers;
    controller.resync = options_.resync;
    controller.once = options_.once;
    return controller;
  }

  Result<std::unique_ptr<Listener>> listen() {
    const std::string address = options_.listen.empty() ? kDefaultListen : options_.listen;
    if (address == "off") {
      return std::unique_ptr<Listener>();
    }
    return Listener::open(address,
                          {[this] { return metrics_.text(); }, [] { return true; }, [this] { return standalone_.ready(); }});
  }

  Catalogue::Identity identify(const DatabaseMigration& resource) {
    const auto target = make_target(resource, credentials_);
    if (!target) {
      return {};  // told when it is reconciled
    }
    const auto described = databases_->describe(*target);
    if (!described) {
      return {};
    }
    return {server_of(*described), claim_of(*described, resource)};
  }

  void forget(const ResourceKey& key) {
    reconciler_.forget(key);
    metrics_.forgotten(key);
  }

  const Options& options_;
  Log log_;
  SystemClock clock_;
  StateFolder state_;
  std::vector<std::string> roots_;
  Metrics metrics_;
  WorkQueue queue_;
  LocalSources sources_;
  LocalCredentials credentials_;
  std::unique_ptr<DatabaseAccessFactory> databases_;
  Catalogue catalogue_;
  ManifestFolder manifests_;
  Reconciler reconciler_;
  Controller controller_;
  Standalone standalone_;
};

Result<AllowedRoots> roots_of(const std::string& manifests, const std::vector<std::string>& more) {
  std::vector<std::string> roots{manifests};
  roots.insert(roots.end(), more.begin(), more.end());
  return AllowedRoots::create(roots);
}

Result<int> run(const Options& options, const StopToken& stop) {
  const Log log(options.log_level.value_or(options.once ? LogLevel::Warn : LogLevel::Info));
  if (!options.listen.empty() && options.listen != "off") {
    TRY(check_listen_address(options.listen));
  }
  TRY_ASSIGN(auto sources, roots_of(options.manifests, options.source_roots));
  TRY_ASSIGN(auto secrets, roots_of(options.manifests, options.secret_roots));
  const std::string state_path = options.state.empty() ? sources.roots().front() + "/.athanor" : options.state;
  TRY_ASSIGN(auto state, StateFolder::open(state_path));
  const auto house = std::make_unique<House>(options, std::move(state), std::move(sources), std::move(secrets), log);
  return options.once ? house->run_once(stop) : house->run(stop);
}

int complain(const Error& error) {
  std::fprintf(stderr, "athanor-operator: %s\n", error.describe().c_str());
  if (!error.hint.empty()) {
    std::fprintf(stderr, "  %s\n", error.hint.c_str());
  }
  return exit_code(error.code);
}

}  // namespace

int run_operator(const std::vector<std::string>& arguments) {
  const auto options = parse_options(arguments);
  if (!options) {
    return complain(options.error());
  }
  if (options->help) {
    std::fputs(help_text().c_str(), stdout);
    return 0;
  }
  if (options->version) {
    std::printf("athanor-operator %s\n", ATHANOR_VERSION);
    return 0;
  }
  StopSource stop;
  const SignalScope signals(stop);
  const auto ended = run(*options, stop.token());
  return ended ? *ended : complain(ended.error());
}

}  // namespace athanor::controller
