#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>

#include "migrations/backup/restore.hpp"
#include "migrations/execute/migrator.hpp"
#include "migrations/postgres/connect.hpp"
#include "migrations/postgres/connection_string.hpp"
#include "tests/support/client_folder.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/postgres_fixture.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

// A real PgBouncer in front of the fixture server.
class Pooler : public testing::Test {
 protected:
  void start(const std::string& mode, const std::string& extra = "") {
    const std::string server = test::server_url();
    const auto at = server.rfind("127.0.0.1:");
    const std::string server_port = server.substr(at + 10, server.find('/', at) - at - 10);
    port_ = std::to_string(20'000 + ::getpid() % 12'000);  // below those that the kernel gives to outgoing connections
    folder_.write("users.txt", "\"postgres\" \"athanor\"\n");
    folder_.write("pgbouncer.ini", "[databases]\n* = host=127.0.0.1 port=" + server_port +
                                       "\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + port_ +
                                       "\nauth_type = plain\nauth_file = " + folder_ / "users.txt" + "\npool_mode = " + mode +
                                       "\nunix_socket_dir =\n" + extra + "\n");
    std::vector<std::string> command{"/usr/sbin/pgbouncer", folder_ / "pgbouncer.ini"};
    if (::getuid() == 0) {
      ::chmod(folder_.string().c_str(), 0755);
      command.insert(command.begin(), {"setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"});
    }
    process_ = std::make_unique<test::Process>(command);
    ASSERT_TRUE(process_->wait_for_output("process up", 10'000)) << process_->err();
    url_ = "postgresql://postgres:athanor@127.0.0.1:" + port_ + "/" + database_.name();
  }
  // What a verb that writes gets; `check_first` as most of them do.
  Error work(const ExecutionSettings& settings = {}, bool check_first = true) {
    auto factory = postgres::PostgresFactory::create(url_, settings).value();
    Migrator migrator(*factory, clock_, with(settings), sink_);
    if (check_first) {
      const auto seen = migrator.observe();
      EXPECT_TRUE(seen) << seen.error().describe();
    }
    const auto done = migrator.ensure_version({});
    return done ? Error(ErrorCode::Internal, "accepted") : done.error();
  }
  // The rows that a verb that reads finds.
  std::vector<std::string> look() {
    auto factory = postgres::PostgresFactory::create(url_, {}).value();
    Migrator migrator(*factory, clock_, with({}), sink_);
    const auto seen = migrator.observe();
    EXPECT_TRUE(seen) << seen.error().describe();
    EXPECT_TRUE(migrator.ledger(10));
    EXPECT_TRUE(migrator.lock_holders());
    return seen ? seen->current_heads : std::vector<std::string>{"nothing was seen"};
  }
  static MigratorSettings with(const ExecutionSettings& settings) {
    MigratorSettings migrator;
    migrator.execution = settings;
    return migrator;
  }
  void put_version_row() {
    database_.run(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1')");
  }
  [[nodiscard]] std::string locks() {
    return database_.value(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname ="
        " current_database())");
  }
  SystemClock clock_;
  ProgressSink sink_;
  test::TestDatabase database_{"pooler"};
  test::TempFolder folder_;
  std::unique_ptr<test::Process> process_;
  std::string port_;
  std::string url_;
};

TEST_F(Pooler, IsRefusedForWorkInTransactionModeWhenItRejectsStartUpOptions) {
  start("transaction");
  EXPECT_EQ(work().code, ErrorCode::PoolerRefused);
  EXPECT_EQ(work({}, false).code, ErrorCode::PoolerRefused);
  ExecutionSettings vouched;
  vouched.allow_session_pooler = true;
  EXPECT_EQ(work(vouched).code, ErrorCode::PoolerRefused) << "without its settings a session is for reading";
  EXPECT_EQ(locks(), "0");
}

TEST_F(Pooler, IsRefusedForWorkWhenItIgnoresStartUpOptions) {
  start("transaction", "ignore_startup_parameters = options");
  const Error error = work();
  EXPECT_EQ(error.code, ErrorCode::PoolerRefused) << error.describe();
  EXPECT_NE(error.hint.find("the URL of the server itself"), std::string::npos);
  EXPECT_EQ(work({}, false).code, ErrorCode::PoolerRefused);
  EXPECT_EQ(locks(), "0") << "a lock would stay behind on a connection that nobody can name";
}

TEST_F(Pooler, IsReadThroughInEveryMode) {
  put_version_row();
  for (const std::string mode : {"session", "transaction", "statement"}) {
    for (const std::string options : {"", "ignore_startup_parameters = options"}) {
      start(mode, options);
      EXPECT_EQ(look(), std::vector<std::string>{"r1"}) << mode << " " << options;
      process_.reset();
    }
  }
}

// Another role or search_path would read other tables.
TEST_F(Pooler, IsNotReadThroughWithoutTheOptionsThatSayWhatIsRead) {
  start("transaction");
  ExecutionSettings settings;
  settings.search_path = "app";
  auto factory = postgres::PostgresFactory::create(url_, settings).value();
  const auto session = factory->open();
  ASSERT_FALSE(session);
  EXPECT_EQ(session.error().code, ErrorCode::PoolerRefused);
}

TEST_F(Pooler, IsRefusedByBackupAndRestoreToo) {
  start("transaction", "ignore_startup_parameters = options");
  database_.run(
      "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY); INSERT INTO alembic_version VALUES ('r1')");
  test::MemoryStore store;
  BackupProgress progress;
  SystemClock clock;
  const auto backup = [&](const std::string& url) {
    BackupJob job;
    job.connection = postgres::parse_connection_string(url).value().keywords;
    job.path = {test::client_folder()};
    const auto sessions = postgres::PostgresFactory::create(url, {}).value();
    return ensure_backup({store, *sessions, clock, progress, {}}, job);
  };
  const auto refused = backup(url_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::PoolerRefused) << refused.error().describe();

  RestoreJob job;
  job.reference = backup(database_.url()).value().id;
  job.database = database_.name();
  job.replace = true;
  job.backup.path = {test::client_folder()};
  const ConnectTo connect = [this](const std::string& to) -> Result<std::unique_ptr<SessionFactory>> {
    return postgres::PostgresFactory::create(to == database_.name() ? url_ : test::url_of(to), {}).value();
  };
  const auto kept = restore_backup({store, connect, clock, progress, {}}, job);
  ASSERT_FALSE(kept.has_value());
  EXPECT_EQ(kept.error().code, ErrorCode::PoolerRefused) << kept.error().describe();
  // A session that was closed is over when its backend is, a moment later; one that the pooler kept would keep the lock.
  EXPECT_TRUE(
      database_.wait_until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM"
                           " pg_database WHERE datname = current_database())"));
}

TEST_F(Pooler, IsTakenInSessionModeWhenTheUserVouchesForIt) {
  start("session", "ignore_startup_parameters = options");
  ExecutionSettings settings;
  settings.allow_session_pooler = true;
  EXPECT_EQ(work(settings).message, "accepted");
}

}  // namespace
}  // namespace athanor
