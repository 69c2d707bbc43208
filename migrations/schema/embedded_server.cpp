#include "migrations/schema/embedded_server.hpp"

#include <fcntl.h>
#include <pwd.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include "migrations/base/process.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/foreign_message.hpp"

namespace athanor::schema {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSocket = "/.s.PGSQL.5432";
constexpr milliseconds kLockPoll{50};
constexpr milliseconds kLockPatience{120'000};  // another command may be running initdb
constexpr milliseconds kStartPatience{120'000};
constexpr std::string_view kWayOut = "set scratch_url to a server where databases may be created";

// The keeper, with flock(1) and stat(1) of any Linux. It holds the exclusive lock while it stops the server, so that a command
// that starts meanwhile waits and finds the server gone. It also ends when the lock file is missing, because no command can
// find the server then. It ignores SIGINT, which Ctrl-C sends to the whole process group of the command.
constexpr const char* kKeeper = R"(
trap '' HUP INT TERM
lock=$1 data=$2 idle=$3; shift 3
end() {
  "$@" >/dev/null 2>&1
  rm -rf -- "$data"
  exit 0
}
while sleep 2; do
  [ -e "$data/postmaster.pid" ] || exit 0
  [ -e "$lock" ] || end "$@"
  exec 9<>"$lock"
  if flock -n -x 9; then
    [ $(($(date +%s) - $(stat -c %Y "$lock"))) -lt "$idle" ] || end "$@"
  fi
  exec 9>&-
done)";

// No durability, because the data is never reused. Small memory and few processes, because every user of the server waits for
// its start. Many locks, because a schema is loaded in large transactions.
constexpr const char* kConfiguration = R"(
listen_addresses = ''
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 50
shared_buffers = 32MB
max_locks_per_transaction = 1024
wal_level = minimal
max_wal_senders = 0
jit = off
timezone = 'UTC'
logging_collector = off
)";

Error unavailable(std::string message) {
  return Error(ErrorCode::ScratchUnavailable, std::move(message)).advise(std::string(kWayOut));
}

std::string text_of(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

}  // namespace

Result<std::unique_ptr<EmbeddedServer>> EmbeddedServer::start(const EmbeddedSettings& settings, Clock& clock,
                                                              const StopToken& stop) {
  std::unique_ptr<EmbeddedServer> server(new EmbeddedServer(settings, clock, stop));
  TRY(server->find_account());
  std::error_code problem;
  if (!settings.cache_folder.empty() && settings.keep_warm.count() > 0) {
    fs::create_directories(settings.cache_folder, problem);
    const std::string base =
        settings.cache_folder + "/scratch-" + (settings.major > 0 ? std::to_string(settings.major) : std::string("newest"));
    server->lock_.reset(::open((base + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
    server->note_ = base + ".folder";
  }
  if (!server->lock_) {
    // Without a lock file no other command can share the server.
    server->owned_ = true;
    TRY(server->make_server());
    return server;
  }
  for (;;) {
    TRY(server->lock(LOCK_SH));
    TRY_ASSIGN(bool warm, server->join_warm_server());
    if (warm) {
      return server;
    }
    ::flock(server->lock_.get(), LOCK_UN);
    TRY(server->lock(LOCK_EX));
    // Another command may have started a server before we got the lock.
    TRY_ASSIGN(warm, server->join_warm_server());
    if (!warm) {
      TRY(server->make_server());
    }
    // flock(2) does not convert an exclusive lock to a shared one atomically: the keeper may stop the server in between, so
    // check again.
    ::flock(server->lock_.get(), LOCK_UN);
  }
}

EmbeddedServer::~EmbeddedServer() {
  if (owned_) {
    remove_server();
  } else if (lock_) {
    ::futimens(lock_.get(), nullptr);  // the idle time starts now
  }
}

std::string EmbeddedServer::url() const {
  return database_url({.host = data_, .port = "5432", .name = "postgres", .user = "postgres", .password = ""});
}

Result<void> EmbeddedServer::find_account() {
  user_ = ::geteuid();
  group_ = ::getegid();
  if (user_ != 0) {
    return {};
  }
  for (const char* name : {"postgres", "nobody"}) {
    if (const struct passwd* account = ::getpwnam(name); account != nullptr && account->pw_uid != 0) {
      user_ = account->pw_uid;
      group_ = account->pw_gid;
      drops_root_ = true;
      return {};
    }
  }
  return fail(Error(ErrorCode::ScratchUnavailable, "PostgreSQL does not run as root, and there is no other account to run it")
                  .advise("add the account `postgres`, run athanor as another user, or " + std::string(kWayOut)));
}

Result<void> EmbeddedServer::lock(int operation) {
  const SteadyTime deadline = clock_.steady_now() + kLockPatience;
  while (::flock(lock_.get(), operation | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      return fail(unavailable("cannot lock the scratch server: " + std::generic_category().message(errno)));
    }
    if (!clock_.wait(kLockPoll, stop_)) {
      return fail(ErrorCode::Interrupted, "stopped on request while waiting for the scratch server");
    }
    if (clock_.steady_now() >= deadline) {
      return fail(unavailable("another command has been starting the scratch server for two minutes"));
    }
  }
  return {};
}

// Do not trust a folder that another user could have created or can write to.
bool EmbeddedServer::is_private_folder(const std::string& path) const {
  struct stat status {};
  return !path.empty() && ::lstat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == user_ &&
         (status.st_mode & (S_IRWXG | S_IRWXO)) == 0;
}

bool EmbeddedServer::answers() const {
  struct sockaddr_un address {};
  const std::string path = data_ + kSocket;
  if (path.size() >= sizeof address.sun_path) {
    return false;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(address.sun_path), path.c_str(), path.size() + 1);
  const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return socket && ::connect(socket.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0;
}

Result<bool> EmbeddedServer::join_warm_server() {
  // The note may be outdated, so check that the server accepts connections.
  data_ = text_of(note_);
  if (is_private_folder(data_) && answers()) {
    ::futimens(lock_.get(), nullptr);
    return true;
  }
  return false;
}

Result<void> EmbeddedServer::make_server() {
  TRY_ASSIGN(const ServerPrograms programs, find_server_programs(settings_.search, settings_.major, stop_));
  programs_ = programs.folder;
  TRY(make_data_folder());
  auto made = initialise(programs).and_then([&] { return launch(programs); });
  if (made && !owned_) {
    made = keep_warm(programs);
  }
  if (!made) {
    remove_server();
  }
  return made;
}

Result<void> EmbeddedServer::make_data_folder() {
  std::string pattern = settings_.temporary_folder + "/athanor-scratch-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) {
    return fail(
        unavailable("cannot create a folder in " + settings_.temporary_folder + ": " + std::generic_category().message(errno)));
  }
  data_ = pattern;
  if (data_.size() + std::strlen(kSocket) >= sizeof(sockaddr_un::sun_path)) {
    ::rmdir(data_.c_str());
    return fail(Error(ErrorCode::ScratchUnavailable, "the path " + data_ + " is too long for a Unix socket")
                    .advise("set TMPDIR to a folder with a short path, such as /tmp"));
  }
  if (drops_root_ && ::chown(data_.c_str(), user_, group_) != 0) {
    const int number = errno;
    ::rmdir(data_.c_str());
    return fail(unavailable("cannot change the owner of " + data_ +
                            " to the account of the server: " + std::generic_category().message(number)));
  }
  return {};
}

std::vector<std::string> EmbeddedServer::as_server(std::vector<std::string> arguments) const {
  if (drops_root_) {
    arguments.insert(arguments.begin(), {"setpriv", "--reuid=" + std::to_string(user_), "--regid=" + std::to_string(group_),
                                         "--clear-groups", "--"});
  }
  return arguments;
}

Result<void> EmbeddedServer::run(std::vector<std::string> arguments, const std::string& what) const {
  ProcessCommand command;
  command.arguments = as_server(std::move(arguments));
  for (const std::string& variable : settings_.search.environment) {
    // PGDATA, PGHOST and other libpq variables point to another server; LC_* and LANG would change the locale and the language
    // of messages.
    if (!variable.starts_with("PG") && !variable.starts_with("LC_") && !variable.starts_with("LANG")) {
      command.environment.push_back(variable);
    }
  }
  command.environment.emplace_back("LC_ALL=C");
  command.folder = "/";
  command.clock = &clock_;
  command.timeout = kStartPatience;
  command.cannot_start = ErrorCode::ScratchUnavailable;
  auto end = run_process(command, {}, stop_);
  if (!end) {
    Error error = std::move(end).error();
    if (error.code == ErrorCode::ScratchUnavailable) {
      error.hint = drops_root_ ? "install setpriv (package util-linux), with which root can start the server as another "
                                 "account; run athanor as another user; or " +
                                     std::string(kWayOut)
                               : std::string(kWayOut);
    }
    return fail(std::move(error));
  }
  if (end->exit_code != 0) {
    return fail(unavailable(what + " failed: " + fit_for_message(end->err)));
  }
  return {};
}

Result<void> EmbeddedServer::initialise(const ServerPrograms& programs) {
  TRY(run({programs.folder + "/initdb", "-D", data_, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync",
           "--no-instructions"},
          "initdb"));
  std::ofstream configuration(data_ + "/postgresql.auto.conf", std::ios::app);
  configuration << kConfiguration << "unix_socket_directories = '" << data_ << "'\n";
  configuration.close();
  return configuration ? Result<void>() : fail(unavailable("cannot write into " + data_));
}

Result<void> EmbeddedServer::launch(const ServerPrograms& programs) {
  auto started =
      run({programs.folder + "/pg_ctl", "-D", data_, "-l", data_ + "/server.log", "-w", "-t", "60", "start"}, "pg_ctl start");
  if (!started && started.error().code == ErrorCode::ScratchUnavailable) {
    std::ifstream log(data_ + "/server.log");
    std::string words;
    for (std::string line; std::getline(log, line);) {
      if (line.find("FATAL") != std::string::npos) {
        words = line;
      }
    }
    return fail(unavailable("the scratch server did not start" + (words.empty() ? "" : ": " + fit_for_message(words))));
  }
  return started;
}

Result<void> EmbeddedServer::keep_warm(const ServerPrograms& programs) {
  std::vector<std::string> arguments{"sh",
                                     "-c",
                                     "sh -c \"$0\" \"$@\" </dev/null >/dev/null 2>&1 &",
                                     kKeeper,
                                     "athanor-scratch-keeper",
                                     note_.substr(0, note_.rfind('.')) + ".lock",
                                     data_,
                                     std::to_string(settings_.keep_warm.count())};
  for (std::string& word : as_server({programs.folder + "/pg_ctl", "-D", data_, "-m", "immediate", "-w", "-t", "30", "stop"})) {
    arguments.push_back(std::move(word));
  }
  ProcessCommand command;
  command.arguments = std::move(arguments);
  command.environment = settings_.search.environment;
  command.folder = "/";
  command.clock = &clock_;
  command.timeout = kStartPatience;
  TRY_ASSIGN(const ProcessEnd end, run_process(command, {}, stop_));
  // Write and rename, so that other commands never read half a path.
  std::ofstream note(note_ + ".new", std::ios::trunc);
  note << data_ << "\n";
  note.close();
  if (end.exit_code != 0 || !note || ::rename((note_ + ".new").c_str(), note_.c_str()) != 0) {
    owned_ = true;  // no command could find it, so it ends with this one
  }
  return {};
}

void EmbeddedServer::remove_server() noexcept {
  if (data_.empty()) {
    return;
  }
  stop_ = StopToken();  // remove it even after a stop request
  std::error_code problem;
  if (fs::exists(data_ + "/postmaster.pid", problem)) {
    (void)run({programs_ + "/pg_ctl", "-D", data_, "-m", "immediate", "-w", "-t", "30", "stop"}, "pg_ctl stop");
  }
  fs::remove_all(data_, problem);
  data_.clear();
}

}  // namespace athanor::schema
