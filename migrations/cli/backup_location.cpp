#include "migrations/cli/backup_location.hpp"

#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "migrations/backup/client_programs.hpp"
#include "migrations/backup/folder_store.hpp"
#include "migrations/cli/backup_lines.hpp"
#include "migrations/text/duration.hpp"

namespace athanor::cli {
namespace {

Result<void> read_number(const Arguments& arguments, std::string_view flag, int least, int most, int& value) {
  const auto text = arguments.value(flag);
  if (!text) {
    return {};
  }
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (problem != std::errc{} || end != text->data() + text->size() || value < least || value > most) {
    return fail(Error(ErrorCode::Usage, std::string(flag) + " needs a number from " + std::to_string(least) + " to " +
                                            std::to_string(most) + ", not '" + *text + "'"));
  }
  return {};
}

Result<void> read_duration(const Arguments& arguments, std::string_view flag, milliseconds& value) {
  if (const auto text = arguments.value(flag)) {
    auto parsed = parse_duration(*text);
    if (!parsed) {
      Error error = std::move(parsed).error().at(std::string(flag));
      error.code = ErrorCode::Usage;
      return fail(std::move(error));
    }
    value = *parsed;
  }
  return {};
}

// The folder in `reference`, a backup's file, or `given`. Both may be there if they are the same.
Result<void> choose_folder(std::optional<std::string> given, const std::string& reference, std::string& folder) {
  const auto slash = reference.rfind('/');
  const std::string named = slash == 0 ? "/" : reference.substr(0, slash == std::string::npos ? 0 : slash);
  std::error_code ignored;
  if (given && !named.empty() && *given != named && !std::filesystem::equivalent(*given, named, ignored)) {
    return fail(Error(ErrorCode::Usage, "--backup-folder is " + *given + ", and the backup " + reference + " is in " + named)
                    .advise("name the folder once"));
  }
  if (given) {
    folder = std::move(*given);
  } else if (!named.empty()) {
    folder = named;
  }
  return {};
}

}  // namespace

std::string conninfo_of(const ConnectionKeywords& keywords, const std::string& database) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text += name;
    text += "='";
    for (const char c : value) {
      if (c == '\'' || c == '\\') {
        text += '\\';
      }
      text += c;
    }
    text += "' ";
  };
  for (const auto& [name, value] : keywords) {
    if (name != "dbname") {
      add(name, value);
    }
  }
  add("dbname", database);
  return text;
}

Result<BackupLocation> open_backup_place(CommandContext& context, Configuration configuration, BackupAccess purpose,
                                         const std::string& reference) {
  const Arguments& arguments = context.arguments();
  BackupSettings& settings = configuration.backup;
  TRY(choose_folder(arguments.value("--backup-folder"), reference, settings.folder));
  TRY(read_number(arguments, "--compression", 0, 9, settings.compression));
  TRY(read_number(arguments, "--keep", 1, 1'000'000, settings.retention.keep));
  TRY(read_duration(arguments, "--max-age", settings.retention.max_age));
  TRY(read_duration(arguments, "--accept-max-age", settings.accept_max_age));
  BackupLocation place;
  if (purpose != BackupAccess::Catalogue) {
    TRY_ASSIGN(place.store, purpose == BackupAccess::Writing ? FolderStore::open_folder(settings.folder)
                                                             : FolderStore::open_existing(settings.folder));
  }
  place.job = backup_job(configuration);
  place.job.actor = context.outside().actor;
  if (context.outside().environment) {
    place.job.environment = context.outside().environment();
  }
  place.job.path = split_path(context.outside().variable("PATH").value_or(""));
  if (!configuration.database_url.empty() && context.outside().connection_keywords) {
    TRY_ASSIGN(place.job.connection, context.outside().connection_keywords(configuration.database_url));
  }
  place.configuration = std::move(configuration);
  return place;
}

Result<std::unique_ptr<SessionFactory>> connect_to(CommandContext& context, const BackupLocation& place,
                                                   const std::string& database) {
  if (place.configuration.database_url.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "no database is configured")
                    .advise("set DATABASE_URL in the environment, or database_url in athanor.yaml"));
  }
  const std::string where = database.empty() ? place.configuration.database_url : conninfo_of(place.job.connection, database);
  return context.outside().connect(where, place.configuration.execution);
}

Result<BackupRecord> ensure_backup_here(CommandContext& context, BackupLocation& place) {
  TRY_ASSIGN(const auto sessions, connect_to(context, place));
  const auto lines = make_backup_lines(context.output(), *context.outside().clock, context.outside().err_is_terminal);
  return ensure_backup({*place.store, *sessions, *context.outside().clock, *lines, context.outside().stop}, place.job);
}

Json backup_json(const BackupRecord& record) {
  Json json = Json::object();
  json["id"] = record.id;
  json["file"] = record.file;
  json["location"] = record.location;
  json["database"] = record.database.name;
  json["place"] = record.place;
  json["version_table"] = record.version_table;
  json["revisions"] = record.revisions;
  json["size"] = record.size;
  json["sha256"] = record.sha256;
  json["lsn"] = record.lsn;
  json["server_version"] = record.server_version;
  json["client_version"] = record.client_version;
  json["started_at"] = format_iso8601(record.started);
  json["duration_ms"] = record.duration.count();
  json["verified_at"] = record.verified ? Json(format_iso8601(*record.verified)) : Json(nullptr);
  json["actor"] = record.actor;
  json["accepted"] = record.accepted;
  return json;
}

std::string backup_text(const BackupRecord& record) {
  return record.location + " (" + size_text(record.size) + ", at " + join_revisions(record.revisions) + ")";
}

}  // namespace athanor::cli
