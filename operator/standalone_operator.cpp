#include "operator/standalone_operator.hpp"

#include <cstdio>
#include <memory>
#include <utility>

#include "operator/backup/folder_backups.hpp"
#include "operator/operator_settings.hpp"
#include "operator/process_environment.hpp"
#include "operator/reconcile/migration_controller.hpp"
#include "operator/rehearse/scratch_rehearsals.hpp"
#include "operator/serve/listener.hpp"
#include "operator/serve/metrics.hpp"
#include "operator/sources/local_sources.hpp"
#include "operator/standalone/local_credentials.hpp"
#include "operator/standalone/standalone.hpp"
#include "operator/standalone/summary.hpp"

namespace athanor::controller {
namespace {

// For rehearsals without a declared scratch server. Whoever writes manifests here also runs the operator.
schema::EmbeddedSettings embedded_server() {
  const ProgramEnvironment programs = program_environment();
  schema::EmbeddedSettings settings;
  settings.search.path = programs.path;
  settings.search.environment = programs.environment;
  return settings;
}

// Wires standalone mode. The members live as long as the process and are constructed in order of dependency.
class StandaloneOperator {
 public:
  StandaloneOperator(const Options& options, StateFolder state, AllowedRoots sources, AllowedRoots secrets,
                     AllowedRoots backups, Log log)
      : options_(options),
        log_(std::move(log)),
        state_(std::move(state)),
        roots_(sources.roots()),
        metrics_(options.workers),
        queue_(clock_, queue_limits(options), &metrics_.queue()),
        sources_(std::move(sources), clock_, options.limits),
        credentials_(std::move(secrets), environment_variable),
        databases_(make_migrator_access(connect_to_allowed(AllowedHosts(options.database_hosts)), clock_)),
        backup_roots_(std::move(backups)),
        backups_(
            [this](const DatabaseMigration& resource, const std::string& path) { return backup_folder(resource.key(), path); },
            connect_to_allowed(AllowedHosts(options.database_hosts)), program_environment(), clock_, log_),
        rehearsals_(
            connect_to_allowed(AllowedHosts(options.database_hosts)),
            [this](const DatabaseMigration& resource, const std::string& path) { return backup_folder(resource.key(), path); },
            program_environment(), clock_, log_, embedded_server()),
        store_(
            state_, clock_, [this](const DatabaseMigration& resource) { return identify(resource); },
            [this](const ResourceKey& key) { queue_.add(key); }),
        manifests_(roots_.front(), clock_),
        reconciler_(reconciler_parts()),
        controller_({store_, queue_, metrics_.controller(), clock_, feed_},
                    migration_kind(store_, reconciler_, metrics_.runs(), clock_), controller_options(options), log_),
        standalone_({manifests_, store_, queue_, [this](const ResourceKey& key) { controller_.removed(key); },
                     [this](std::size_t resources, std::size_t problems) { metrics_.manifests(resources, problems); }},
                    roots_, options.resync, log_) {
    metrics_.attach(queue_, store_);
  }

  Result<int> run_once(const StopToken& stop) {
    TRY(standalone_.load());
    controller_.start(stop);
    queue_.wait_until_idle();
    controller_.stop();
    const Summary summary{store_.all(), standalone_.problems()};
    const std::string text = options_.json ? summary_json(summary) : summary_table(summary);
    (void)std::fwrite(text.data(), 1, text.size(), stdout);
    return summary.all_ready() ? 0 : 1;
  }

  Result<int> run(const StopToken& stop) {
    TRY_ASSIGN(const auto listener,
               open_listener(options_,
                             {[this] { return metrics_.text(); }, [this] { return some_worker_works(queue_, options_); },
                              [this] { return standalone_.ready(); }},
                             clock_, log_));
    TRY(standalone_.load());
    log_.info("operator started", {{"version", ATHANOR_VERSION},
                                   {"manifests", manifests_.path()},
                                   {"state", state_.path()},
                                   {"resources", store_.all().size()},
                                   {"workers", options_.workers}});
    controller_.start(stop);
    standalone_.follow(stop);
    log_.info("operator stopping; running migrations stop at their next safe point");
    controller_.stop();
    log_.info("operator stopped");
    return 0;
  }

 private:
  ReconcilerParts reconciler_parts() {
    ReconcilerParts parts{sources_, credentials_, *databases_, metrics_.runs(), clock_, nullptr, &backups_};
    parts.rehearsals = &rehearsals_;
    // Credentials that were unreadable when the manifests were read may be available now.
    parts.has_room = [this](const DatabaseMigration& resource, const DatabaseLocation& place) {
      return queue_.set_group(resource.key(), server_of(place.described));
    };
    parts.claim = [this](const DatabaseMigration& resource, const DatabaseLocation& place) {
      return store_.claim(resource, place);
    };
    return parts;
  }

  FolderStore::Identity identify(const DatabaseMigration& resource) {
    const auto target = make_target(resource, credentials_);
    if (!target) {
      return {};  // its reconcile reports the error
    }
    const auto described = databases_->describe(*target);
    if (!described) {
      return {};
    }
    return {server_of(*described), claim_of(*described, resource)};
  }

  // Authors of manifests may name any folder below a root.
  Result<std::string> backup_folder(const ResourceKey& key, const std::string& path) const {
    const auto& roots = backup_roots_.roots();
    return backup_roots_.resolve(roots.empty() ? std::string() : roots.front(), path.empty() ? key.text() : path,
                                 "spec.backup.path", "--backup-root");
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
  AllowedRoots backup_roots_;
  FolderBackups backups_;
  ScratchRehearsals rehearsals_;
  FolderStore store_;
  ManifestFolder manifests_;
  Reconciler reconciler_;
  MigrationFeed feed_;
  MigrationController controller_;
  Standalone standalone_;
};

Result<AllowedRoots> roots_of(const std::string& manifests, const std::vector<std::string>& more) {
  std::vector<std::string> roots{manifests};
  roots.insert(roots.end(), more.begin(), more.end());
  return AllowedRoots::create(roots);
}

}  // namespace

Result<int> run_standalone(const Options& options, const Log& log, const StopToken& stop) {
  TRY_ASSIGN(auto sources, roots_of(options.manifests, options.source_roots));
  TRY_ASSIGN(auto secrets, roots_of(options.manifests, options.secret_roots));
  TRY_ASSIGN(auto backups, AllowedRoots::create(options.backup_roots));
  const std::string state_path = options.state.empty() ? sources.roots().front() + "/.athanor" : options.state;
  TRY_ASSIGN(auto state, StateFolder::open(state_path));
  const auto standalone = std::make_unique<StandaloneOperator>(options, std::move(state), std::move(sources),
                                                               std::move(secrets), std::move(backups), log);
  return options.once ? standalone->run_once(stop) : standalone->run(stop);
}

}  // namespace athanor::controller
