#include "migrations/config/schema_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace athanor {
namespace {

using schema::SchemaSource;
using Resolve = std::function<std::string(std::string)>;

constexpr std::string_view kModelsExample = "write package.module:metadata, for example shop.models:SQLModel.metadata";

void read_models(YamlFields& fields, SchemaSource& source) {
  std::vector<std::string> models;
  fields.text_or_list("models", models);
  for (const std::string& model : models) {
    if (schema::source_of_text(model).kind != SchemaSource::Kind::Models) {
      fields.refuse("models", "does not name a metadata object", std::string(kModelsExample));
      return;
    }
  }
  if (models.empty()) {
    fields.refuse("models", "is empty", std::string(kModelsExample));
    return;
  }
  source = {.kind = SchemaSource::Kind::Models, .models = std::move(models)};
}

void read_files(YamlFields& fields, std::string_view key, std::vector<std::string> files, SchemaSource& source,
                const Resolve& resolved) {
  if (files.empty() || std::ranges::any_of(files, [](const std::string& file) { return file.empty(); })) {
    fields.refuse(key, "is empty", "name a SQL file or a folder of SQL files");
    return;
  }
  source = {.kind = SchemaSource::Kind::Files};
  for (std::string& file : files) {
    source.files.push_back(resolved(std::move(file)));
  }
}

// desired_schema as a mapping, which must have exactly one of these keys.
void read_source(YamlFields& fields, SchemaSource& source, const Resolve& resolved) {
  constexpr std::array<std::string_view, 4> kKinds{"files", "models", "command", "database_url"};
  const auto given = std::ranges::count_if(kKinds, [&](std::string_view kind) { return fields.has(kind); });
  if (given > 1) {
    const auto second =
        std::ranges::find_if(kKinds, [&, seen = 0](std::string_view kind) mutable { return fields.has(kind) && ++seen == 2; });
    fields.refuse(*second, "is a second source of the desired schema", "keep one of files, models, command, database_url");
    return;
  }
  if (fields.has("files")) {
    std::vector<std::string> files;
    fields.text_or_list("files", files);
    read_files(fields, "files", std::move(files), source, resolved);
  } else if (fields.has("models")) {
    read_models(fields, source);
  } else if (fields.has("command")) {
    source = {.kind = SchemaSource::Kind::Command};
    fields.required_text("command", source.command);
  } else if (fields.has("database_url")) {
    source = {.kind = SchemaSource::Kind::Database};
    fields.required_text("database_url", source.url);
  }
}

void read_desired(YamlFields& fields, SchemaSource& source, const Resolve& resolved) {
  if (fields.has("models") && fields.has("desired_schema")) {
    fields.refuse("models", "is a second source of the desired schema", "keep one of `models` and `desired_schema`");
    return;
  }
  if (fields.has("models")) {
    read_models(fields, source);
    return;
  }
  const YamlNode* node = fields.node("desired_schema");
  if (node == nullptr || node->kind == YamlNode::Kind::Null) {
    return;
  }
  if (node->kind == YamlNode::Kind::Mapping) {
    fields.mapping("desired_schema", [&](YamlFields& inside) { read_source(inside, source, resolved); });
    return;
  }
  std::vector<std::string> words;
  fields.text_or_list("desired_schema", words);
  if (words.size() == 1) {
    SchemaSource one = schema::source_of_text(words.front());
    if (one.kind != SchemaSource::Kind::Files && one.kind != SchemaSource::Kind::None) {
      source = std::move(one);
      return;
    }
  }
  read_files(fields, "desired_schema", std::move(words), source, resolved);
}

void read_compare(YamlFields& compare, schema::InspectOptions& to) {
  for (const auto& [key, patterns] : {std::pair("schemas", &to.schemas), std::pair("exclude_schemas", &to.exclude_schemas),
                                      std::pair("tables", &to.tables), std::pair("exclude_tables", &to.exclude_tables)}) {
    compare.text_list(key, *patterns);
    if (std::ranges::find(*patterns, "") != patterns->end()) {
      compare.refuse(key, "has an empty pattern, which matches nothing");
    }
  }
  compare.flag("owners", to.owners);
  compare.flag("privileges", to.privileges);
  compare.flag("default_privileges", to.default_privileges);
  compare.flag("publications", to.publications);
  compare.flag("subscriptions", to.subscriptions);
}

}  // namespace

void read_schema_fields(YamlFields& fields, SchemaConfiguration& to, const Resolve& resolved) {
  read_desired(fields, to.desired, resolved);
  if (fields.has("prepend_sys_path")) {
    std::vector<std::string> folders;
    fields.text_or_list("prepend_sys_path", folders);
    to.sys_path.clear();
    for (std::string& folder : folders) {
      to.sys_path.push_back(resolved(std::move(folder)));
    }
  }
  if (fields.has("python")) {
    fields.text("python", to.python);
    if (to.python.find('/') != std::string::npos) {
      to.python = resolved(std::move(to.python));
    }
  }
  fields.text("scratch_url", to.scratch_url);
  fields.flag("scratch_on_target", to.scratch_on_target);
  if (fields.has("scratch_programs")) {
    fields.text("scratch_programs", to.scratch_programs);
    to.scratch_programs = resolved(std::move(to.scratch_programs));
  }
  fields.duration("scratch_keep", to.scratch_keep);
  fields.mapping("compare", [&](YamlFields& compare) { read_compare(compare, to.compare); });
  fields.flag("check_drift", to.check_drift);
}

}  // namespace athanor
