#include "migrations/schema/schema_source.hpp"

#include <algorithm>

namespace athanor::schema {
namespace {

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
}

bool names_models(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) {
    return false;
  }
  const auto plain = [](std::string_view part) { return std::ranges::all_of(part, is_name_character); };
  return plain(text.substr(0, colon)) && plain(text.substr(colon + 1));
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

}  // namespace

std::string SchemaSource::describe() const {
  switch (kind) {
    case Kind::Files:
      return joined(files);
    case Kind::Models:
      return "the models of " + joined(models);
    case Kind::Command:
      return "the schema of `" + command + "`";
    case Kind::Database:
      return "the database of desired_schema";
    case Kind::None:
      break;
  }
  return "nothing";
}

SchemaSource source_of_text(std::string_view text) {
  SchemaSource source;
  if (text.empty()) {
    return source;
  }
  if (text.starts_with("postgres") && text.find("://") != std::string_view::npos) {
    source.kind = SchemaSource::Kind::Database;
    source.url = text;
  } else if (names_models(text)) {
    source.kind = SchemaSource::Kind::Models;
    source.models = {std::string(text)};
  } else {
    source.kind = SchemaSource::Kind::Files;
    source.files = {std::string(text)};
  }
  return source;
}

}  // namespace athanor::schema
