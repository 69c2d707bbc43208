#include "migrations/text/database_url.hpp"

#include <algorithm>
#include <charconv>

#include "migrations/text/percent_encoding.hpp"

namespace athanor {
namespace {

std::string host_part(const std::string& host) {
  const bool is_ipv6 = host.find(':') != std::string::npos;
  return is_ipv6 ? "[" + host + "]" : percent_encoded(host);
}

bool is_blank(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

bool is_url(std::string_view connection) {
  const std::size_t scheme = connection.find("://");
  return connection.starts_with("postgres") && scheme < connection.find('=');
}

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    int code = 0;
    if (text[at] == '%' && at + 2 < text.size() &&
        std::from_chars(text.data() + at + 1, text.data() + at + 3, code, 16).ptr == text.data() + at + 3) {
      decoded += static_cast<char>(code);
      at += 2;
    } else {
      decoded += text[at];
    }
  }
  return decoded;
}

ConnectionParameters parameters_of_url(std::string_view url) {
  ConnectionParameters parameters;
  const std::size_t question = query_of(url);
  for (std::size_t begin = question + 1; question != std::string_view::npos && begin < url.size();) {
    const std::size_t end = std::min(url.find('&', begin), url.size());
    const std::string_view parameter = url.substr(begin, end - begin);
    const std::size_t equals = std::min(parameter.find('='), parameter.size());
    parameters.emplace_back(percent_decoded(parameter.substr(0, equals)),
                            percent_decoded(parameter.substr(std::min(equals + 1, parameter.size()))));
    begin = end + 1;
  }
  return parameters;
}

// name = value, with optional blanks around the equals sign. A value with blanks is in single quotes; a backslash escapes the
// next character.
ConnectionParameters parameters_of_keywords(std::string_view text) {
  ConnectionParameters parameters;
  std::size_t at = 0;
  const auto skip_blanks = [&] {
    while (at < text.size() && is_blank(text[at])) {
      ++at;
    }
  };
  for (skip_blanks(); at < text.size(); skip_blanks()) {
    const std::size_t begin = at;
    while (at < text.size() && text[at] != '=' && !is_blank(text[at])) {
      ++at;
    }
    std::string name(text.substr(begin, at - begin));
    skip_blanks();
    if (at == text.size() || text[at] != '=') {
      break;
    }
    ++at;
    skip_blanks();
    const bool quoted = at < text.size() && text[at] == '\'';
    at += quoted ? 1U : 0U;
    std::string value;
    for (; at < text.size() && !(quoted ? text[at] == '\'' : is_blank(text[at])); ++at) {
      at += text[at] == '\\' && at + 1 < text.size() ? 1U : 0U;
      value += text[at];
    }
    at += quoted ? 1U : 0U;
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

}  // namespace

std::size_t query_of(std::string_view url) {
  if (!is_url(url)) {
    return std::string_view::npos;
  }
  const std::size_t authority = url.find("://") + 3;
  const std::size_t end = url.find_first_of("@/", authority);
  // A password may contain a `?`, so search after the '@' if there is one before the first '/'.
  const bool has_user = end != std::string_view::npos && url[end] == '@';
  return url.find('?', has_user ? end : authority);
}

std::string database_url(const DatabaseParts& parts) {
  std::string url = "postgresql://" + percent_encoded(parts.user);
  if (!parts.password.empty()) {
    url += ":" + percent_encoded(parts.password);
  }
  return url + "@" + host_part(parts.host) + ":" + parts.port + "/" + percent_encoded(parts.name);
}

bool is_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc{} && end == text.data() + text.size() && port >= 1 && port <= 65'535;
}

ConnectionParameters connection_parameters(std::string_view connection) {
  return is_url(connection) ? parameters_of_url(connection) : parameters_of_keywords(connection);
}

std::string parameter_of(const ConnectionParameters& parameters, std::string_view name) {
  std::string value;
  for (const auto& [each, text] : parameters) {
    value = each == name ? text : value;
  }
  return value;
}

std::vector<std::string> listed_values(std::string_view list) {
  std::vector<std::string> items(1);
  for (const char c : list) {
    if (c == ',') {
      items.emplace_back();
    } else {
      items.back() += c;
    }
  }
  return items;
}

std::string with_parameter(std::string connection, std::string_view name, std::string_view value) {
  if (is_url(connection)) {
    const bool begun = connection.ends_with('?') || connection.ends_with('&');
    connection += query_of(connection) == std::string::npos ? "?" : begun ? "" : "&";
    return connection + std::string(name) + "=" + percent_encoded(std::string(value));
  }
  connection += " " + std::string(name) + "='";
  for (const char c : value) {
    connection += c == '\'' || c == '\\' ? "\\" : "";
    connection += c;
  }
  return connection + "'";
}

std::string without_parameter(const std::string& connection, std::string_view name) {
  const ConnectionParameters all = connection_parameters(connection);
  if (std::ranges::find(all, name, &ConnectionParameters::value_type::first) == all.end()) {
    return connection;
  }
  if (!is_url(connection)) {
    std::string rest;
    for (const auto& [keyword, value] : all) {
      if (keyword != name) {
        rest = with_parameter(std::move(rest), keyword, value);
      }
    }
    return rest;
  }
  const std::size_t question = query_of(connection);
  std::string rest = connection.substr(0, question);
  char separator = '?';
  for (std::size_t begin = question + 1; begin <= connection.size();) {
    const std::size_t end = std::min(connection.find('&', begin), connection.size());
    const std::string raw = connection.substr(begin, end - begin);
    const ConnectionParameters one = connection_parameters("postgresql:///?" + raw);
    if (one.empty() || one.front().first != name) {
      rest += separator + raw;
      separator = '&';
    }
    begin = end + 1;
  }
  return rest;
}

}  // namespace athanor
