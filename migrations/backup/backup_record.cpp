#include "migrations/backup/backup_record.hpp"

#include <array>
#include <cctype>
#include <ctime>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace athanor {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;
constexpr std::size_t kLongestPart = 60;

// Replaces everything except letters, digits, "_" and "+", which are safe in file names of every system.
std::string safe_part(std::string_view text) {
  std::string part;
  for (const char c : text.substr(0, kLongestPart)) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '+';
    part += plain ? c : '_';
  }
  return part;
}

std::string compact_time(WallTime time) {
  std::string text;
  for (const char c : format_iso8601(time).substr(0, 19)) {  // 2026-11-21T02:10:00 → 20261121T021000Z
    if (c != '-' && c != ':') {
      text += c;
    }
  }
  return text + "Z";
}

Json properties_json(const DatabaseProperties& properties) {
  Json json = {{"owner", properties.owner},           {"encoding", properties.encoding},
               {"collate", properties.collate},       {"ctype", properties.ctype},
               {"provider", properties.provider},     {"locale", properties.locale},
               {"comment", properties.comment},       {"icu_rules", properties.icu_rules},
               {"tablespace", properties.tablespace}, {"connection_limit", properties.connection_limit},
               {"settings", Json::array()},           {"grants", nullptr}};
  for (const auto& setting : properties.settings) {
    json["settings"].push_back({{"role", setting.role}, {"setting", setting.setting}});
  }
  if (properties.has_grants) {
    json["grants"] = Json::array();
    for (const auto& grant : properties.grants) {
      json["grants"].push_back({{"grantee", grant.grantee}, {"privilege", grant.privilege}, {"grantable", grant.grantable}});
    }
  }
  return json;
}

DatabaseProperties properties_from(const Json& json) {
  DatabaseProperties properties;
  json.at("owner").get_to(properties.owner);
  json.at("encoding").get_to(properties.encoding);
  json.at("collate").get_to(properties.collate);
  json.at("ctype").get_to(properties.ctype);
  json.at("provider").get_to(properties.provider);
  json.at("locale").get_to(properties.locale);
  json.at("comment").get_to(properties.comment);
  // Fields with a default are missing in manifests of older versions.
  properties.icu_rules = json.value("icu_rules", "");
  properties.tablespace = json.value("tablespace", "");
  properties.connection_limit = json.value("connection_limit", -1);
  for (const Json& setting : json.at("settings")) {
    properties.settings.push_back({setting.at("role").get<std::string>(), setting.at("setting").get<std::string>()});
  }
  properties.has_grants = json.at("grants").is_array();
  if (properties.has_grants) {
    for (const Json& grant : json.at("grants")) {
      properties.grants.push_back({grant.at("grantee").get<std::string>(), grant.at("privilege").get<std::string>(),
                                   grant.at("grantable").get<bool>()});
    }
  }
  return properties;
}

WallTime time_from(const Json& json) {
  const auto time = parse_iso8601(json.get<std::string>());
  if (!time) {
    throw std::invalid_argument("a time");
  }
  return *time;
}

BackupRecord record_from(const Json& json) {
  BackupRecord record;
  json.at("id").get_to(record.id);
  json.at("file").get_to(record.file);
  const Json& database = json.at("database");
  database.at("system_identifier").get_to(record.database.system_identifier);
  database.at("oid").get_to(record.database.oid);
  database.at("name").get_to(record.database.name);
  database.at("place").get_to(record.place);
  json.at("version_table").get_to(record.version_table);
  json.at("revisions").get_to(record.revisions);
  json.at("sha256").get_to(record.sha256);
  json.at("size").get_to(record.size);
  json.at("lsn").get_to(record.lsn);
  if (const auto target = json.find("target"); target != json.end() && !target->is_null()) {
    record.target = target->get<std::vector<std::string>>();
  }
  if (const auto row = json.find("ledger_id"); row != json.end() && !row->is_null()) {
    record.ledger_id = row->get<std::int64_t>();
  }
  record.resource = json.value("resource", "");
  record.resource_uid = json.value("resource_uid", "");
  json.at("server_version").get_to(record.server_version);
  json.at("client_version").get_to(record.client_version);
  json.at("compression").get_to(record.compression);
  record.started = time_from(json.at("started_at"));
  record.duration = milliseconds(json.at("duration_ms").get<std::int64_t>());
  if (!json.at("verified_at").is_null()) {
    record.verified = time_from(json.at("verified_at"));
  }
  json.at("actor").get_to(record.actor);
  json.at("tool").get_to(record.tool);
  record.properties = properties_from(json.at("properties"));
  return record;
}

}  // namespace

std::string write_manifest(const BackupRecord& record) {
  Json json = {{"athanor_backup", kFormat}};
  json["id"] = record.id;
  json["file"] = record.file;
  json["database"] = {{"name", record.database.name},
                      {"oid", record.database.oid},
                      {"system_identifier", record.database.system_identifier},
                      {"place", record.place}};
  json["version_table"] = record.version_table;
  json["revisions"] = record.revisions;
  json["target"] = record.target ? Json(*record.target) : Json(nullptr);
  json["resource"] = record.resource;
  json["resource_uid"] = record.resource_uid;
  json["sha256"] = record.sha256;
  json["size"] = record.size;
  json["lsn"] = record.lsn;
  json["ledger_id"] = record.ledger_id ? Json(*record.ledger_id) : Json(nullptr);
  json["server_version"] = record.server_version;
  json["client_version"] = record.client_version;
  json["compression"] = record.compression;
  json["started_at"] = format_iso8601(record.started);
  json["duration_ms"] = record.duration.count();
  json["verified_at"] = record.verified ? Json(format_iso8601(*record.verified)) : Json(nullptr);
  json["actor"] = record.actor;
  json["tool"] = record.tool;
  json["properties"] = properties_json(record.properties);
  // Names need not be UTF-8: replace invalid bytes instead of failing.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<BackupRecord> read_manifest(std::string_view text, std::string_view name) {
  const auto broken = [&](const std::string& why) {
    return fail(Error(ErrorCode::BackupCorrupt, "cannot read the manifest: " + why).at(std::string(name)));
  };
  try {
    const Json json = Json::parse(text);
    const int format = json.at("athanor_backup").get<int>();
    if (format != kFormat) {
      return broken("its format is " + std::to_string(format) + ", but this version of Athanor reads " +
                    std::to_string(kFormat));
    }
    BackupRecord record = record_from(json);
    // A renamed manifest would describe, and delete, another dump.
    if (manifest_name(record.file) != name) {
      return broken("it belongs to another file, " + record.file);
    }
    return record;
  } catch (const std::exception&) {  // nlohmann's messages quote the manifest's text
    return broken("it is not the manifest of a backup, or it is incomplete");
  }
}

std::string backup_file_name(const BackupRecord& record) {
  std::string rows;
  for (const std::string& row : record.revisions) {
    rows += rows.empty() ? "" : "+";
    rows += row;
  }
  // The database's name may come from a Secret, and file names are shown. Prefer the resource's name.
  const std::string name =
      record.resource.empty() ? record.database.name : record.resource.substr(record.resource.find('/') + 1);
  return safe_part(name) + "-" + compact_time(record.started) + "-" + safe_part(rows.empty() ? "base" : rows) + "-" +
         safe_part(record.id) + ".dump";
}

std::string manifest_name(std::string_view dump_name) {
  const auto dot = dump_name.rfind('.');
  return std::string(dump_name.substr(0, dot)) + ".json";
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits{"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  std::uint64_t tenths = bytes * 10;
  while (tenths >= 10'240 && unit + 1 < kUnits.size()) {
    tenths /= 1'024;
    ++unit;
  }
  std::string text = std::to_string(tenths / 10);
  if (unit > 0) {
    text += "." + std::to_string(tenths % 10);
  }
  return text + " " + std::string(kUnits[unit]);
}

}  // namespace athanor
