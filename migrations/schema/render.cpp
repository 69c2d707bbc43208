#include "migrations/schema/render.hpp"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kNameBytes = 63;  // NAMEDATALEN - 1

using Json = nlohmann::json;

Json parse(std::string_view text) {
  return Json::parse(text, nullptr, false);
}

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Names texts_of(const Json& array) {
  Names names;
  if (array.is_array()) {
    for (const Json& value : array) {
      names.push_back(text_of(value));
    }
  }
  return names;
}

// toast.autovacuum_enabled
std::string option_name(const std::string& key) {
  const auto dot = key.find('.');
  return dot == std::string::npos ? quote_identifier(key)
                                  : quote_identifier(key.substr(0, dot)) + '.' + quote_identifier(key.substr(dot + 1));
}

std::map<std::string, std::string> option_map(std::string_view json) {
  std::map<std::string, std::string> options;
  for (const std::string& option : list(json)) {
    options.insert(split_option(option));
  }
  return options;
}

}  // namespace

std::string object_name(const FactId& id) {
  return qualified_name(id.schema, id.name);
}

std::string parent_name(const FactId& id) {
  return qualified_name(id.schema, id.parent);
}

std::string routine_name(const FactId& id) {
  return object_name(id) + '(' + id.arguments + ')';
}

Names list(std::string_view json) {
  return json.empty() ? Names() : texts_of(parse(json));
}

std::vector<Names> rows(std::string_view json) {
  std::vector<Names> result;
  if (!json.empty()) {
    const Json array = parse(json);
    if (array.is_array()) {
      for (const Json& row : array) {
        result.push_back(texts_of(row));
      }
    }
  }
  return result;
}

std::string name_of_pair(std::string_view json) {
  const Names parts = list(json);
  return parts.size() == 2 ? qualified_name(parts[0], parts[1]) : std::string();
}

std::string join(const Names& parts, std::string_view between) {
  std::string text;
  for (const std::string& part : parts) {
    if (!text.empty()) {
      text += between;
    }
    text += part;
  }
  return text;
}

std::string quoted_list(const Names& names) {
  Names quoted;
  for (const std::string& name : names) {
    quoted.push_back(quote_identifier(name));
  }
  return join(quoted);
}

std::pair<std::string, std::string> split_option(std::string_view option) {
  const auto equals = option.find('=');
  if (equals == std::string_view::npos) {
    return {std::string(option), std::string()};
  }
  return {std::string(option.substr(0, equals)), std::string(option.substr(equals + 1))};
}

std::string storage_options(const Names& options) {
  Names parts;
  for (const std::string& option : options) {
    const auto [key, value] = split_option(option);
    parts.push_back(option_name(key) + '=' + quote_literal(value));
  }
  return '(' + join(parts) + ')';
}

std::string option_names(const Names& keys) {
  Names parts;
  for (const std::string& key : keys) {
    parts.push_back(option_name(key));
  }
  return '(' + join(parts) + ')';
}

std::string foreign_options(std::string_view json) {
  Names parts;
  for (const std::string& option : list(json)) {
    const auto [key, value] = split_option(option);
    parts.push_back(quote_identifier(key) + ' ' + quote_literal(value));
  }
  return parts.empty() ? std::string() : "OPTIONS (" + join(parts) + ')';
}

std::string changed_foreign_options(std::string_view before, std::string_view after) {
  const auto had = option_map(before);
  const auto has = option_map(after);
  Names parts;
  for (const auto& [key, value] : had) {
    if (!has.contains(key)) {
      parts.push_back("DROP " + quote_identifier(key));
    }
  }
  for (const auto& [key, value] : has) {
    const auto old = had.find(key);
    if (old == had.end()) {
      parts.push_back("ADD " + quote_identifier(key) + ' ' + quote_literal(value));
    } else if (old->second != value) {
      parts.push_back("SET " + quote_identifier(key) + ' ' + quote_literal(value));
    }
  }
  return parts.empty() ? std::string() : "OPTIONS (" + join(parts) + ')';
}

OptionChange changed_options(std::string_view before, std::string_view after) {
  const auto had = option_map(before);
  const auto has = option_map(after);
  OptionChange change;
  for (const auto& [key, value] : had) {
    if (!has.contains(key)) {
      change.reset.push_back(key);
    }
  }
  for (const auto& [key, value] : has) {
    const auto old = had.find(key);
    if (old == had.end() || old->second != value) {
      change.set.push_back(key + '=' + value);
    }
  }
  return change;
}

std::string without_semicolon(std::string_view text) {
  while (!text.empty() && (text.back() == ';' || text.back() == ' ' || text.back() == '\n')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

std::string with_suffix(std::string_view name, std::string_view suffix) {
  std::string text(name.substr(0, std::min(name.size(), kNameBytes - suffix.size())));
  // Do not cut a UTF-8 sequence.
  while (!text.empty() && text.size() < name.size() && (static_cast<unsigned char>(name[text.size()]) & 0xC0U) == 0x80U) {
    text.pop_back();
  }
  return text.append(suffix);
}

Names split_top_level(std::string_view text) {
  Names parts;
  std::string part;
  int depth = 0;
  char quote = 0;
  for (const char letter : text) {
    if (quote != 0) {
      quote = letter == quote ? '\0' : quote;
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
    } else if (letter == '(' || letter == '[') {
      ++depth;
    } else if (letter == ')' || letter == ']') {
      --depth;
    }
    if (letter == ',' && depth == 0 && quote == 0) {
      parts.push_back(std::exchange(part, {}));
    } else if (letter != ' ' || !part.empty()) {
      part += letter;
    }
  }
  if (!part.empty()) {
    parts.push_back(part);
  }
  return parts;
}

}  // namespace athanor::schema
