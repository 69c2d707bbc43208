#include "operator/reconcile/database_access.hpp"

#include <utility>

#include "migrations/base/percent_encoding.hpp"
#include "migrations/plan/plan.hpp"
#include "migrations/revision/database_url.hpp"

namespace athanor::controller {
namespace {

Result<std::string> url_of_parts(const DatabaseMigration& resource, CredentialSource& credentials) {
  const DatabaseSpec& database = resource.spec.database;
  const auto part = [&](const std::optional<SecretReference>& from, const std::string& plain) -> Result<std::string> {
    return from ? credentials.read(resource, *from) : Result<std::string>(plain);
  };
  DatabaseParts parts;
  TRY_ASSIGN(parts.host, part(database.host_from, database.host));
  TRY_ASSIGN(parts.port, part(database.port_from, std::to_string(database.port)));
  TRY_ASSIGN(parts.name, part(database.name_from, database.name));
  TRY_ASSIGN(parts.user, part(database.user_from, database.user));
  TRY_ASSIGN(parts.password, part(database.password_from, database.password));
  if (!is_port(parts.port)) {
    return fail(Error(ErrorCode::Configuration, "portFrom does not hold a port number").at("spec.database.portFrom"));
  }
  return database_url(parts) + (database.ssl_mode.empty() ? "" : "?sslmode=" + database.ssl_mode);
}

Result<void> add_certificates(std::string& url, const DatabaseMigration& resource, CredentialSource& credentials) {
  const DatabaseSpec& database = resource.spec.database;
  const auto add = [&](const char* name, const std::optional<SecretReference>& from) -> Result<void> {
    if (from) {
      TRY_ASSIGN(const std::string path, credentials.file(resource, *from));
      url += (url.find('?') == std::string::npos ? "?" : "&") + std::string(name) + "=" + percent_encoded(path);
    }
    return {};
  };
  TRY(add("sslrootcert", database.root_certificate_from));
  TRY(add("sslcert", database.client_certificate_from));
  TRY(add("sslkey", database.client_key_from));
  if (database.root_certificate_from && url.find("sslmode=") == std::string::npos) {
    url += "&sslmode=verify-full";  // whoever names an authority wants it asked
  }
  return {};
}

class MigratorAccess final : public DatabaseAccess {
 public:
  MigratorAccess(std::unique_ptr<SessionFactory> factory, Clock& clock, MigratorSettings settings, ProgressSink& progress)
      : factory_(std::move(factory)), migrator_(*factory_, clock, std::move(settings), progress) {}

  Result<Observation> observe() override { return migrator_.observe(); }
  Result<std::vector<Blocker>> lock_holders() override { return migrator_.lock_holders(); }
  Result<std::vector<Migrator::HistoryEntry>> ledger(std::size_t limit) override { return migrator_.ledger(limit); }
  Result<void> verify_checksums(const SourceSnapshot& snapshot, const std::vector<std::string>& rows,
                                const Plan* plan) override {
    return migrator_.verify_checksums(snapshot.graph(), snapshot.source(), rows, plan);
  }
  ExecutionReport execute(const Plan& plan, const StopToken& stop) override { return migrator_.execute(plan, stop); }

 private:
  std::unique_ptr<SessionFactory> factory_;
  Migrator migrator_;
};

class MigratorAccessFactory final : public DatabaseAccessFactory {
 public:
  MigratorAccessFactory(SessionFactoryMaker connect, Clock& clock) : connect_(std::move(connect)), clock_(clock) {}

  Result<std::unique_ptr<DatabaseAccess>> open(const DatabaseTarget& target, ProgressSink& progress) override {
    TRY_ASSIGN(auto factory, connect_(target.url, target.settings.execution));
    return std::make_unique<MigratorAccess>(std::move(factory), clock_, target.settings, progress);
  }
  Result<std::string> describe(const DatabaseTarget& target) override {
    TRY_ASSIGN(auto factory, connect_(target.url, target.settings.execution));
    return factory->describe();
  }

 private:
  SessionFactoryMaker connect_;
  Clock& clock_;
};

}  // namespace

Result<DatabaseTarget> make_target(const DatabaseMigration& resource, CredentialSource& credentials) {
  const DatabaseSpec& database = resource.spec.database;
  DatabaseTarget target;
  if (database.url_from) {
    TRY_ASSIGN(target.url, credentials.read(resource, *database.url_from));
  } else if (!database.url.empty()) {
    target.url = database.url;
  } else {
    TRY_ASSIGN(target.url, url_of_parts(resource, credentials));
  }
  TRY(add_certificates(target.url, resource, credentials));
  MigratorSettings& settings = target.settings;
  settings.version_table = database.version_table;
  settings.actor = "databasemigration/" + resource.key().text();
  settings.execution.lock_wait = resource.spec.execution.lock_wait;
  settings.execution.lock_timeout = resource.spec.execution.lock_timeout;
  settings.execution.lock_retry_budget = resource.spec.execution.lock_retry_budget;
  settings.execution.statement_timeout = resource.spec.execution.statement_timeout;
  settings.execution.role = database.role;
  settings.execution.application_name = "athanor-operator";
  if (!database.schema.empty()) {
    // The version table is named with its schema: unqualified, the one of `public` would be found and taken for ours.
    settings.version_table_schema = database.schema;
    settings.execution.search_path = quote_identifier(database.schema) + ", public";
  }
  return target;
}

std::string claim_of(const std::string& described, const DatabaseMigration& resource) {
  return described + "#" + resource.spec.database.schema + "." + resource.spec.database.version_table;
}

std::string server_of(const std::string& described) {
  return described.substr(0, described.rfind('/'));
}

std::unique_ptr<DatabaseAccessFactory> make_migrator_access(SessionFactoryMaker connect, Clock& clock) {
  return std::make_unique<MigratorAccessFactory>(std::move(connect), clock);
}

}  // namespace athanor::controller
