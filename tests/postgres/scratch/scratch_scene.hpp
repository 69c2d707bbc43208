// Scratch databases on an embedded server that the test starts, or on the server of the test run.
//
// Threads: one thread. Ownership: owns the cache folder.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "migrations/base/process.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/schema/scratch.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::test {

struct ScratchScene {
  TempFolder folder;
  SystemClock clock;
  StopSource stop;
  schema::ScratchSettings settings;

  ScratchScene() {
    settings.embedded.cache_folder = folder / "cache";
    settings.embedded.keep_warm = std::chrono::seconds(3);
    settings.embedded.search.environment = inherited_environment();
    if (const char* programs = std::getenv("ATHANOR_POSTGRES_BIN"); programs != nullptr) {
      settings.embedded.search.folder = programs;
    }
  }
  [[nodiscard]] schema::ConnectFunction connect() {
    return [this](const std::string& url, const ExecutionSettings& session) -> Result<std::unique_ptr<SessionFactory>> {
      TRY_ASSIGN(auto factory, postgres::PostgresFactory::create(url, session, stop.token()));
      return std::unique_ptr<SessionFactory>(std::move(factory));
    };
  }
  [[nodiscard]] std::unique_ptr<schema::ScratchServer> server() {
    return std::make_unique<schema::ScratchServer>(settings, connect(), clock, stop.token());
  }
  // Uses the server of the test run, which is already started.
  void use_running_server() { settings.url = server_url(); }
  [[nodiscard]] static std::vector<std::string> scratch_databases(const std::string& url) {
    return Client(url).column("SELECT datname FROM pg_database WHERE datname LIKE 'athanor\\_scratch\\_%' ORDER BY 1");
  }
};

}  // namespace athanor::test
