#include "migrations/backup/new_database.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

constexpr std::size_t kLongestIdentifier = 63;

// Settings that are lists of quoted names: as one literal they would become a single name.
constexpr std::array<std::string_view, 5> kLists{"search_path", "temp_tablespaces", "session_preload_libraries",
                                                 "local_preload_libraries", "createrole_self_grant"};

// `app, "My, schema"` → 'app', 'My, schema'.
std::string list_value(std::string_view text) {
  std::string out;
  std::string item;
  bool quoted = false;
  bool any = false;
  const auto finish = [&] {
    if (any) {
      out += out.empty() ? "" : ", ";
      out += quote_literal(item);
    }
    item.clear();
    any = false;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      const bool doubled = quoted && i + 1 < text.size() && text[i + 1] == '"';
      any = true;
      if (doubled) {
        item += text[++i];
      } else {
        quoted = !quoted;
      }
    } else if (!quoted && c == ',') {
      finish();
    } else if (quoted || c != ' ') {
      item += c;
      any = true;
    }
  }
  finish();
  return out.empty() ? "''" : out;
}

// Quotes the name of a setting; an extension's has a dot.
std::string setting_name(std::string_view name) {
  const auto dot = name.find('.');
  return dot == std::string_view::npos ? quote_identifier(name)
                                       : quote_identifier(name.substr(0, dot)) + "." + quote_identifier(name.substr(dot + 1));
}

std::string setting_sql(const std::string& database, const DatabaseProperties::Setting& setting) {
  const auto equals = setting.setting.find('=');
  const std::string name = setting.setting.substr(0, equals);
  const std::string value = equals == std::string::npos ? std::string() : setting.setting.substr(equals + 1);
  const std::string target = setting.role.empty() ? "ALTER DATABASE " + database
                                                  : "ALTER ROLE " + quote_identifier(setting.role) + " IN DATABASE " + database;
  const bool list = std::ranges::find(kLists, name) != kLists.end();
  return target + " SET " + setting_name(name) + " TO " + (list ? list_value(value) : quote_literal(value));
}

}  // namespace

std::string create_database_sql(const std::string& name, const DatabaseProperties& properties, bool with_owner) {
  std::string sql = "CREATE DATABASE " + quote_identifier(name) + " TEMPLATE template0 ENCODING " +
                    quote_literal(properties.encoding) + " LC_COLLATE " + quote_literal(properties.collate) + " LC_CTYPE " +
                    quote_literal(properties.ctype);
  if (properties.provider == "i") {
    sql += " LOCALE_PROVIDER icu ICU_LOCALE " + quote_literal(properties.locale);
    if (!properties.icu_rules.empty()) {
      sql += " ICU_RULES " + quote_literal(properties.icu_rules);
    }
  } else if (properties.provider == "b") {
    sql += " LOCALE_PROVIDER builtin BUILTIN_LOCALE " + quote_literal(properties.locale);
  }
  if (with_owner && !properties.owner.empty()) {
    sql += " OWNER " + quote_identifier(properties.owner);
  }
  if (!properties.tablespace.empty()) {
    sql += " TABLESPACE " + quote_identifier(properties.tablespace);
  }
  return sql;
}

std::vector<std::string> describe_database_sql(const std::string& name, const DatabaseProperties& properties) {
  const std::string database = quote_identifier(name);
  std::vector<std::string> statements;
  for (const auto& setting : properties.settings) {
    statements.push_back(setting_sql(database, setting));
  }
  if (properties.has_grants) {
    // The dump has the complete grants, so remove PostgreSQL's default for PUBLIC first.
    statements.push_back("REVOKE ALL ON DATABASE " + database + " FROM PUBLIC");
    for (const auto& grant : properties.grants) {
      // The manifest is a file, so its words must not reach SQL unchecked.
      static constexpr std::array<std::string_view, 4> kPrivileges{"CREATE", "CONNECT", "TEMPORARY", "TEMP"};
      if (std::ranges::find(kPrivileges, grant.privilege) == kPrivileges.end()) {
        continue;
      }
      statements.push_back("GRANT " + grant.privilege + " ON DATABASE " + database + " TO " +
                           (grant.grantee.empty() ? "PUBLIC" : quote_identifier(grant.grantee)) +
                           (grant.grantable ? " WITH GRANT OPTION" : ""));
    }
  }
  if (properties.connection_limit >= 0) {
    statements.push_back("ALTER DATABASE " + database + " CONNECTION LIMIT " + std::to_string(properties.connection_limit));
  }
  if (!properties.comment.empty()) {
    statements.push_back("COMMENT ON DATABASE " + database + " IS " + quote_literal(properties.comment));
  }
  return statements;
}

SplitProperties split_settings(const DatabaseProperties& properties) {
  SplitProperties split;
  split.server = properties;
  split.server.settings.clear();
  for (const auto& setting : properties.settings) {
    const std::string_view name = std::string_view(setting.setting).substr(0, setting.setting.find('='));
    (name.find('.') == std::string_view::npos ? split.server : split.own).settings.push_back(setting);
  }
  return split;
}

std::string derived_name(const std::string& name, const std::string& ending) {
  const std::size_t room = kLongestIdentifier - 1 - ending.size();
  std::size_t cut = std::min(room, name.size());
  while (cut > 0 && cut < name.size() && (static_cast<unsigned char>(name[cut]) & 0xC0U) == 0x80U) {
    --cut;  // do not split a UTF-8 sequence
  }
  return name.substr(0, cut) + "_" + ending;
}

}  // namespace athanor
