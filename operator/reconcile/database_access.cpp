#include "operator/reconcile/database_access.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/drift/run_record.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/session/forwarded_session.hpp"
#include "migrations/text/allowed_authentication.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/url_parameters.hpp"
#include "operator/reconcile/connection_rules.hpp"
#include "operator/reconcile/resource_words.hpp"
#include "operator/reconcile/session_cache.hpp"
#include "operator/reconcile/token_sessions.hpp"

namespace athanor::controller {
namespace {

// libpq ignores sslmode for a Unix socket, and several hosts are several servers.
Result<void> check_host_for_token(const std::string& host) {
  const auto belongs_to_name = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == ':';
  };
  if (!host.empty() && std::ranges::all_of(host, belongs_to_name)) {
    return {};
  }
  return fail(Error(ErrorCode::Configuration, "auth needs the name or address of one host")
                  .at("spec.database.host")
                  .advise("name the server itself: a token is for one server, over TLS"));
}

Result<void> want_token(const DatabaseMigration& resource, const DatabaseParts& parts, CredentialSource& credentials,
                        DatabaseTarget& target) {
  TokenSource* const source = credentials.tokens();
  if (source == nullptr) {
    return fail(Error(ErrorCode::Configuration, "this operator does not make tokens for databases")
                    .at("spec.database.auth")
                    .advise("start it with --database-auth, or use a password"));
  }
  TRY(check_host_for_token(parts.host));
  if (const auto allowed = parse_require_auth(resource.spec.database.require_auth); allowed && !allowed->password) {
    return fail(Error(ErrorCode::Configuration, "a token is sent as a password, which requireAuth does not allow")
                    .at("spec.database.requireAuth")
                    .advise("leave out requireAuth: a token only goes to a server whose certificate is verified"));
  }
  target.token =
      TargetToken{source, {*resource.spec.database.auth, resource.metadata.name_space, parts.host, parts.port, parts.user}};
  return {};
}

Result<std::string> url_of_parts(const DatabaseMigration& resource, CredentialSource& credentials, DatabaseTarget& target) {
  const DatabaseSpec& database = resource.spec.database;
  HiddenValues& hidden = target.hidden;
  const auto part = [&](const std::optional<SecretReference>& from, const std::string& plain) -> Result<std::string> {
    if (!from) {
      return plain;
    }
    TRY_ASSIGN(std::string value, credentials.read(resource, *from));
    hidden.add(value);
    return value;
  };
  DatabaseParts parts;
  TRY_ASSIGN(parts.host, part(database.host_from, database.host));
  TRY_ASSIGN(parts.port, part(database.port_from, std::to_string(database.port)));
  TRY_ASSIGN(parts.name, part(database.name_from, database.name));
  TRY_ASSIGN(parts.user, part(database.user_from, database.user));
  TRY_ASSIGN(parts.password, part(database.password_from, database.password));
  if (database.password_from) {
    hidden.add_password(parts.password);
  }
  if (!is_port(parts.port)) {
    std::string what = "the port";
    if (const auto& from = database.port_from; from && from->kind == SecretReference::Kind::SecretKey) {
      what = "the key " + from->key + " of Secret " + resource.metadata.name_space + "/" + from->value;
    }
    return fail(Error(ErrorCode::Configuration, what + " is not a port number").at("spec.database.portFrom"));
  }
  if (database.auth) {
    TRY(want_token(resource, parts, credentials, target));
  }
  std::string url = database_url(parts);
  if (!database.ssl_mode.empty()) {
    url = with_parameter(std::move(url), "sslmode", database.ssl_mode);
  }
  if (!database.require_auth.empty()) {
    url = with_parameter(std::move(url), "require_auth", database.require_auth);
  }
  return url;
}

ConnectionRules rules_for(const DatabaseMigration& resource, const CredentialSource& credentials) {
  ConnectionRules rules;
  rules.own_environment = credentials.shares_process_environment();
  rules.default_ssl_mode = resource.spec.database.default_ssl_mode;
  rules.minimum_ssl_mode = resource.spec.database.minimum_ssl_mode;
  return rules;
}

Result<void> add_certificates(std::string& url, const DatabaseMigration& resource, CredentialSource& credentials,
                              HiddenValues& hidden) {
  const DatabaseSpec& database = resource.spec.database;
  ConnectionRules rules = rules_for(resource, credentials);
  rules.field = "spec.database";
  rules.written_in = connection_in_words(resource);
  rules.sends_token = database.auth.has_value();
  const auto file = [&](std::string& path, const std::optional<SecretReference>& from) -> Result<void> {
    if (from) {
      TRY_ASSIGN(path, credentials.file(resource, *from));
      hidden.add(path);  // the file name may be a digest of the content
    }
    return {};
  };
  TRY(check_parameters(url, rules));  // before a Secret is read
  TRY(file(rules.root_certificate, database.root_certificate_from));
  TRY(file(rules.client_certificate, database.client_certificate_from));
  TRY(file(rules.client_key, database.client_key_from));
  TRY_ASSIGN(url, secured_url(std::move(url), rules));
  return {};
}

// The longest time to observe through one session. A server that answers byte by byte, or a statement_timeout of hours, would
// otherwise block a worker.
constexpr milliseconds kLongestObservation{60'000};

// Ends the waits of an observation that is no longer wanted or takes too long.
class ObservationTimer {
 public:
  ObservationTimer(const Clock& clock, StopToken stop) : clock_(clock), stop_(stop) {}
  void begin() { began_ = clock_.steady_now(); }
  // Until the next begin() nothing is ended.
  void end() { began_.reset(); }
  [[nodiscard]] bool late() const { return began_ && clock_.steady_now() - *began_ >= kLongestObservation; }
  [[nodiscard]] bool stop_requested() const { return stop_.requested(); }
  [[nodiscard]] WaitListener listener() const {
    return [this](milliseconds) { return began_ && (stop_requested() || late()); };
  }

 private:
  const Clock& clock_;
  StopToken stop_;
  std::optional<SteadyTime> began_;
};

Result<void> find_url(const DatabaseMigration& resource, CredentialSource& credentials, DatabaseTarget& target) {
  const DatabaseSpec& database = resource.spec.database;
  if (database.url_from) {
    TRY_ASSIGN(target.url, credentials.read(resource, *database.url_from));
    target.hidden.add_url(target.url);
  } else if (!database.url.empty()) {
    target.url = database.url;
  } else {
    TRY_ASSIGN(target.url, url_of_parts(resource, credentials, target));
  }
  return add_certificates(target.url, resource, credentials, target.hidden);
}

// Opens sessions for observing: a cached one, or a new one that may be cached afterwards.
class CachedSessionFactory final : public SessionFactory {
 public:
  CachedSessionFactory(SessionFactory& own, SessionCache& kept, const ObservationTimer& timer, std::string key, std::string who)
      : own_(own), kept_(kept), timer_(timer), key_(std::move(key)), who_(std::move(who)) {}

  Result<std::unique_ptr<Session>> open() override {
    auto session = sharing_ ? kept_.take(key_, who_) : nullptr;
    borrowed_ = session != nullptr;
    if (!session) {
      TRY_ASSIGN(session, own_.open());
    }
    return std::make_unique<SharedSession>(*this, std::move(session));
  }
  Result<std::unique_ptr<ReadSession>> open_observer() override { return own_.open_observer(); }
  [[nodiscard]] std::string describe() const override { return own_.describe(); }

  // Whether the session was opened by another resource, with that resource's settings.
  [[nodiscard]] bool borrowed() const { return borrowed_; }
  // From now on, sessions are opened for this resource only and closed after use.
  void stop_sharing() { sharing_ = false; }

 private:
  // Returns to the cache when it was used only for observing.
  class SharedSession final : public ForwardedSession {
   public:
    SharedSession(CachedSessionFactory& owner, std::unique_ptr<Session> session)
        : ForwardedSession(std::move(session)), owner_(owner) {
      session_->set_wait_listener(owner.timer_.listener());
    }
    ~SharedSession() override {
      if (owner_.sharing_ && session_->alive() && session_->in_flight() == 0) {
        // Without a listener the session would use the stop token it was opened with, which may no longer exist.
        session_->set_wait_listener([](milliseconds) { return false; });
        owner_.kept_.give(owner_.key_, std::move(session_));
      }
    }
    SharedSession(const SharedSession&) = delete;
    SharedSession& operator=(const SharedSession&) = delete;

   private:
    CachedSessionFactory& owner_;
  };

  SessionFactory& own_;
  SessionCache& kept_;
  const ObservationTimer& timer_;
  std::string key_;
  std::string who_;
  bool sharing_ = true;
  bool borrowed_ = false;
};

class MigratorAccess final : public DatabaseAccess {
 public:
  MigratorAccess(std::unique_ptr<SessionFactory> factory, SessionCache& kept, Clock& clock, const DatabaseTarget& target,
                 ProgressSink& progress)
      : factory_(std::move(factory)),
        timer_(clock, target.stop),
        sessions_(*factory_, kept, timer_, SessionCache::key_of(target), target.settings.actor),
        clock_(clock),
        settings_(target.settings),
        drift_(target.drift),
        on_drift_(target.on_drift),
        progress_(progress) {
    migrator_.emplace(sessions_, clock_, settings_, progress_);
  }

  Result<Observation> observe() override {
    const auto observe = [this] { return migrator_->observe(); };
    auto result = query(observe);
    // The server may have closed a cached session. Try once more with a new one.
    if (!result && sessions_.borrowed() && !timer_.stop_requested()) {
      use_own_session();
      result = query(observe);
    }
    identity_ = result ? result->identity : std::string();
    return result;
  }
  Result<std::vector<Blocker>> lock_holders() override {
    return query([this] { return migrator_->lock_holders(); });
  }
  Result<std::vector<Migrator::HistoryEntry>> ledger(std::size_t limit) override {
    return query([&] { return migrator_->ledger(limit); });
  }
  Result<std::optional<LastChange>> last_change() override {
    return query([this] { return migrator_->last_change(); });
  }
  Result<bool> has_user_tables() override {
    return query([this] { return migrator_->has_user_tables(); });
  }
  Result<RecordedLineage> recorded_lineage(const RevisionGraph& files, const std::vector<std::string>& heads) override {
    return query([&] { return migrator_->recorded_lineage(files, heads); });
  }
  Result<DriftCheck> check_drift() override {
    DriftCheck check;
    TRY(migrator_->ask([&](Session& session) -> Result<void> {
      TRY_ASSIGN(check, athanor::check_drift(session, drift_.value_or(DriftSettings{})));
      return {};
    }));
    return check;
  }
  Result<LiveDatabase> live_database() override {
    LiveDatabase live;
    TRY(query([&] {
      return migrator_->ask([&](Session& session) -> Result<void> {
        TRY_ASSIGN(live, read_live_database(session));
        return {};
      });
    }));
    return live;
  }
  Result<void> verify_checksums(const SourceSnapshot& snapshot, const std::vector<std::string>& rows,
                                const Plan* plan) override {
    return query([&] { return migrator_->verify_checksums(snapshot.graph(), snapshot.source(), rows, plan); });
  }
  ExecutionReport execute(const Plan& plan, const StopToken& stop, const Migrator::PreRunCheck& pre_run_check) override {
    timer_.end();  // a run has its own listener
    // A borrowed session has another resource's role, search_path and time-outs. That is harmless for observing, but not for a
    // run.
    if (sessions_.borrowed()) {
      use_own_session();
    }
    sessions_.stop_sharing();
    if (drift_) {
      migrator_->set_witness(recording_witness(*drift_, progress_, on_drift_));
    }
    return migrator_->execute(plan, stop, [&]() -> Result<void> {
      if (pre_run_check) {
        TRY(pre_run_check());
      }
      return check_identity();
    });
  }

 private:
  template <typename Query>
  auto query(const Query& run) -> decltype(run()) {
    timer_.begin();
    auto result = run();
    if (!result && result.error().code == ErrorCode::Interrupted && timer_.late() && !timer_.stop_requested()) {
      return fail(Error(ErrorCode::ConnectionLost, sessions_.describe() + " could not be queried within a minute")
                      .advise("check the server, and the network between it and the operator"));
    }
    return result;
  }
  // The run may open its own session, and the host name may lead elsewhere by now: to another server behind a Service, or to
  // another address.
  Result<void> check_identity() {
    if (identity_.empty()) {
      return {};
    }
    TRY_ASSIGN(const Observation now, migrator_->observe());
    const auto database_in = [](const std::string& identity) { return identity.substr(0, identity.find('#')); };
    if (database_in(now.identity) == database_in(identity_)) {
      return {};
    }
    return fail(Error(ErrorCode::StalePlan,
                      "the connection reached a different database than the plan was made for, "
                      "or the server was restarted; nothing was applied")
                    .advise("plan again"));
  }
  void use_own_session() {
    migrator_.reset();
    sessions_.stop_sharing();
    migrator_.emplace(sessions_, clock_, settings_, progress_);
  }

  std::unique_ptr<SessionFactory> factory_;
  ObservationTimer timer_;  // must outlive the sessions that listen to it
  CachedSessionFactory sessions_;
  Clock& clock_;
  MigratorSettings settings_;
  std::optional<DriftSettings> drift_;
  OnDrift on_drift_;
  ProgressSink& progress_;
  std::optional<Migrator> migrator_;
  std::string identity_;  // of the database that was observed
};

class MigratorAccessFactory final : public DatabaseAccessFactory {
 public:
  MigratorAccessFactory(SessionFactoryMaker connect, Clock& clock) : connect_(std::move(connect)), clock_(clock), kept_(clock) {
    kept_.start();
  }

  Result<std::unique_ptr<DatabaseAccess>> open(const DatabaseTarget& target, ProgressSink& progress) override {
    TRY_ASSIGN(auto factory, sessions_of(target, connect_, target.settings.execution, target.stop));
    return std::make_unique<MigratorAccess>(std::move(factory), kept_, clock_, target, progress);
  }
  Result<std::string> describe(const DatabaseTarget& target) override {
    TRY_ASSIGN(auto factory, connect_(target.url, target.settings.execution, StopToken()));
    return factory->describe();
  }

 private:
  SessionFactoryMaker connect_;
  Clock& clock_;
  SessionCache kept_;
};

}  // namespace

Result<DatabaseTarget> make_target(const DatabaseMigration& resource, CredentialSource& credentials) {
  DatabaseTarget target;
  target.hidden = HiddenValues(resource);
  if (auto found = find_url(resource, credentials, target); !found) {
    return fail(target.hidden.hide(std::move(found).error()));
  }
  const DatabaseSpec& database = resource.spec.database;
  MigratorSettings& settings = target.settings;
  settings.version_table = database.version_table;
  settings.identify = true;
  settings.actor = "databasemigration/" + resource.key().text();
  settings.execution.lock_wait = resource.spec.execution.lock_wait;
  settings.execution.lock_timeout = resource.spec.execution.lock_timeout;
  settings.execution.lock_retry_budget = resource.spec.execution.lock_retry_budget;
  settings.execution.statement_timeout = resource.spec.execution.statement_timeout;
  settings.execution.role = database.role;
  settings.execution.show_notices = true;
  settings.execution.application_name = "athanor-operator";
  if (!database.schema.empty()) {
    // Qualify the version table with its schema: an unqualified name could resolve to the table in `public` instead.
    settings.version_table_schema = database.schema;
    settings.execution.search_path = quote_identifier(database.schema) + ", public";
  }
  if (const PolicySpec& policy = resource.spec.policy; policy.drift != DriftPolicy::Ignore) {
    DriftSettings drift;
    drift.version_table = settings.version_table;
    drift.exclude = policy.drift_exclude;
    drift.actor = settings.actor;
    target.drift = std::move(drift);
    target.on_drift = policy.drift == DriftPolicy::Block ? OnDrift::Refuse : OnDrift::Record;
  }
  return target;
}

Result<ScratchTarget> scratch_target(const DatabaseMigration& resource, CredentialSource& credentials, HiddenValues& hidden) {
  ScratchTarget target;
  if (!resource.spec.scratch_url_from) {
    return target;
  }
  TRY_ASSIGN(std::string url, credentials.read(resource, *resource.spec.scratch_url_from));
  hidden.add_url(url);
  TRY_ASSIGN(target.any_role, credentials.names_scratch_server(resource, *resource.spec.scratch_url_from));
  ConnectionRules rules = rules_for(resource, credentials);
  rules.field = "spec.scratch";
  rules.written_in = "the URL";
  TRY(check_parameters(url, rules));
  if (const auto& from = resource.spec.scratch_root_certificate_from) {
    TRY_ASSIGN(rules.root_certificate, credentials.file(resource, *from));
    hidden.add(rules.root_certificate);
  }
  TRY_ASSIGN(target.url, secured_url(std::move(url), rules));
  return target;
}

std::string claim_of(const std::string& described, const DatabaseMigration& resource) {
  return described + "#" + resource.spec.database.schema + "." + resource.spec.database.version_table;
}

// An identity, "1795293032.152797/app/7710724856117241789#public.alembic_version", starts with the server's start time.
std::string lasting_part(const std::string& identity) {
  return identity.substr(std::min(identity.find('/'), identity.size()));
}

std::string server_of(const std::string& described) {
  return described.substr(0, described.rfind('/'));
}

std::unique_ptr<DatabaseAccessFactory> make_migrator_access(SessionFactoryMaker connect, Clock& clock) {
  return std::make_unique<MigratorAccessFactory>(std::move(connect), clock);
}

}  // namespace athanor::controller
