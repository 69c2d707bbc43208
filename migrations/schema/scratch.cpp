#include "migrations/schema/scratch.hpp"

#include <chrono>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/text/database_url.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr int kVersionsInOneMajor = 10'000;
constexpr std::string_view kPrefix = "athanor_scratch_";
constexpr std::chrono::hours kLeftAfter{1};

std::int64_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

ExecutionSettings scratch_session(const std::string& search_path) {
  ExecutionSettings settings;
  settings.lock_timeout = milliseconds(60'000);
  settings.answer_timeout = milliseconds(120'000);
  settings.search_path = search_path;
  settings.application_name = "athanor scratch";
  settings.show_values = true;  // no real data can appear in messages
  return settings;
}

// Errors of the connection name DATABASE_URL, but here the failing setting is scratch_url.
Error unavailable(Error error) {
  constexpr std::string_view kSetting = "DATABASE_URL";
  for (std::string* text : {&error.message, &error.hint}) {
    for (auto at = text->find(kSetting); at != std::string::npos; at = text->find(kSetting)) {
      text->replace(at, kSetting.size(), "scratch_url");
    }
  }
  if (error.code != ErrorCode::Interrupted) {
    error.code = ErrorCode::ScratchUnavailable;
  }
  error.message = "the server of scratch_url: " + error.message;
  return error;
}

bool is_reserved(std::string_view role) {
  return role.starts_with("pg_") || role == "public" || role == "none";
}

}  // namespace

ScratchDatabase::~ScratchDatabase() {
  server_.drop(name_);
}

Result<std::unique_ptr<Session>> ScratchDatabase::open(const std::string& search_path) const {
  TRY_ASSIGN(const auto factory, server_.connect_(url_, scratch_session(search_path)));
  return factory->open();
}

ScratchServer::ScratchServer(ScratchSettings settings, ConnectFunction connect, Clock& clock, StopToken stop)
    : settings_(std::move(settings)), connect_(std::move(connect)), clock_(clock), stop_(stop) {}

ScratchServer::~ScratchServer() = default;

Result<void> ScratchServer::check_version(int version) const {
  const int wanted = settings_.embedded.major;
  const int major = version / kVersionsInOneMajor;
  if (wanted == 0 || wanted == major) {
    return {};
  }
  return fail(Error(ErrorCode::ScratchUnavailable, "the scratch server is PostgreSQL " + std::to_string(major) +
                                                       ", the target is PostgreSQL " + std::to_string(wanted) +
                                                       ", and they print the same definition differently")
                  .advise("point scratch_url at a server of version " + std::to_string(wanted)));
}

Result<Session*> ScratchServer::administration() {
  if (session_) {
    return session_.get();
  }
  if (!settings_.url.empty()) {
    url_ = settings_.url;
  } else if (!settings_.target_url.empty()) {
    url_ = settings_.target_url;
  } else {
    TRY_ASSIGN(embedded_, EmbeddedServer::start(settings_.embedded, clock_, stop_));
    url_ = embedded_->url();
  }
  const bool named = !settings_.url.empty();
  auto factory = connect_(url_, scratch_session(""));
  if (!factory) {
    return fail(named ? unavailable(std::move(factory).error()) : std::move(factory).error());
  }
  auto opened = (*factory)->open();
  if (!opened) {
    Error error = std::move(opened).error();
    if (named) {
      return fail(unavailable(std::move(error)));
    }
    error.message = "the server for scratch databases: " + error.message;
    return fail(std::move(error));
  }
  TRY(check_version((*opened)->server_version()));
  session_ = std::move(*opened);
  // This session drops the databases, which must also work after a stop request.
  session_->set_wait_listener([](milliseconds) { return false; });
  drop_leftovers(*session_);
  return session_.get();
}

Result<int> ScratchServer::server_version() {
  TRY_ASSIGN(const Session* session, administration());
  return session->server_version();
}

// Best effort: the next command retries what could not be dropped.
void ScratchServer::drop_leftovers(Session& session) const {
  const auto found = session.query(
      "SELECT d.datname, pg_catalog.split_part(d.datname, '_', 3) FROM pg_catalog.pg_database d WHERE d.datname ~ "
      "'^athanor_scratch_[0-9]{10}_[0-9a-f]{12}$' AND d.datdba = (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = "
      "current_user) AND NOT EXISTS (SELECT FROM pg_catalog.pg_stat_activity a WHERE a.datid = d.oid)");
  if (!found) {
    return;
  }
  const std::int64_t limit = seconds_of(clock_.wall_now() - kLeftAfter);
  for (std::size_t row = 0; row < found->rows.size(); ++row) {
    if (std::stoll(found->text(row, 1)) < limit) {
      (void)session.execute_autocommit("DROP DATABASE IF EXISTS " + quote_identifier(found->text(row, 0)));
    }
  }
}

Result<std::unique_ptr<ScratchDatabase>> ScratchServer::create(const ScratchDatabase* original) {
  TRY_ASSIGN(Session * session, administration());
  std::string name = std::string(kPrefix) + std::to_string(seconds_of(clock_.wall_now())) + "_" + random_hex(12);
  // template0, because template1 may contain objects of the site; locale C, so that definitions do not depend on the server's
  // locale.
  const std::string from = original == nullptr ? std::string("template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'")
                                               : quote_identifier(original->name());
  // Create the object first, so that its destructor drops the database: a cancelled CREATE DATABASE may still have succeeded.
  std::unique_ptr<ScratchDatabase> database(new ScratchDatabase(*this, name, with_parameter(url_, "dbname", name)));
  auto made = session->execute_autocommit("CREATE DATABASE " + quote_identifier(name) + " TEMPLATE " + from);
  if (!made) {
    Error error = std::move(made).error();
    if (error.sqlstate == "42501") {
      return fail(Error(ErrorCode::ScratchUnavailable, "the role of the scratch server may not create databases")
                      .advise("ALTER ROLE … CREATEDB for the role of scratch_url")
                      .with_sqlstate(error.sqlstate));
    }
    return fail(std::move(error));
  }
  return database;
}

void ScratchServer::drop(const std::string& name) noexcept {
  if (session_ && session_->alive()) {
    (void)session_->execute_autocommit("DROP DATABASE IF EXISTS " + quote_identifier(name) + " WITH (FORCE)");
  }
}

Result<void> ScratchServer::provide_roles(const std::set<std::string>& roles) {
  if (roles.empty()) {
    return {};
  }
  TRY_ASSIGN(Session * session, administration());
  TRY_ASSIGN(const Rows known, session->query("SELECT rolname FROM pg_catalog.pg_roles"));
  std::set<std::string> present;
  for (std::size_t row = 0; row < known.rows.size(); ++row) {
    present.insert(known.text(row, 0));
  }
  for (const std::string& role : roles) {
    if (present.contains(role) || is_reserved(role)) {
      continue;
    }
    if (!embedded_) {
      return fail(Error(ErrorCode::ScratchUnavailable,
                        "the schema names the role " + quote_identifier(role) + ", which the scratch server does not have")
                      .advise("create it there: CREATE ROLE " + quote_identifier(role) + " NOLOGIN"));
    }
    auto made = session->execute_autocommit("CREATE ROLE " + quote_identifier(role) + " NOLOGIN");
    if (!made && made.error().sqlstate != "42710") {  // duplicate_object: another command created it meanwhile
      return fail(std::move(made).error());
    }
  }
  return {};
}

Result<void> ScratchServer::forget_roles(const std::set<std::string>& roles) {
  if (roles.empty()) {
    return {};
  }
  TRY_ASSIGN(Session * session, administration());
  if (!embedded_) {
    return {};
  }
  for (const std::string& role : roles) {
    if (!is_reserved(role) && role != "postgres") {
      // Fails while another command's database uses the role. CREATE ROLE then reports that it exists.
      (void)session->execute_autocommit("DROP ROLE IF EXISTS " + quote_identifier(role));
    }
  }
  return {};
}

}  // namespace athanor::schema
