#include "operator/process_environment.hpp"

#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "migrations/backup/client_programs.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"

namespace athanor::controller {
namespace {

constexpr const char* kDefaultListen = "127.0.0.1:8080";

}  // namespace

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

void forget_database_environment() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view variable(*entry);
    if (variable.starts_with("PG")) {
      names.emplace_back(variable.substr(0, variable.find('=')));
    }
  }
  for (const auto& name : names) {
    ::unsetenv(name.c_str());
  }
}

Result<std::unique_ptr<SessionFactory>> connect_to_database(const std::string& url, const ExecutionSettings& settings,
                                                            const StopToken& stop) {
  TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, settings, stop));
  return std::unique_ptr<SessionFactory>(std::move(factory));
}

SessionFactoryMaker connect_to_allowed(AllowedHosts hosts) {
  return [hosts = std::move(hosts)](const std::string& url, const ExecutionSettings& settings,
                                    const StopToken& stop) -> Result<std::unique_ptr<SessionFactory>> {
    if (!hosts.all()) {
      TRY_ASSIGN(const auto keywords, postgres::connection_keywords(url));
      TRY(hosts.check_database(keywords));
    }
    return connect_to_database(url, settings, stop);
  };
}

ProgramEnvironment program_environment() {
  ProgramEnvironment programs;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    programs.environment.emplace_back(*entry);
  }
  programs.path = split_path(environment_variable("PATH").value_or(""));
  programs.connection_keywords = postgres::connection_keywords;
  return programs;
}

Result<std::unique_ptr<Listener>> open_listener(const Options& options, ListenerHandlers handlers, Clock& clock, const Log& log,
                                                ReviewToken review) {
  ListenerOptions listener{options.listen.empty() ? kDefaultListen : options.listen};
  if (listener.address == "off") {
    return std::unique_ptr<Listener>();
  }
  listener.certificate = options.tls_certificate;
  listener.key = options.tls_key;
  listener.review = std::move(review);
  listener.complain = [log](const Error& error) {
    log.warn("the listener keeps its current certificate", error_fields(error));
  };
  return Listener::open(std::move(listener), std::move(handlers), clock);
}

}  // namespace athanor::controller
