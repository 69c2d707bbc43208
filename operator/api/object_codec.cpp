// Decodes a DatabaseMigration from the JSON of an API server.
#include <algorithm>
#include <exception>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

// Real pod templates are less than half as deep. Deeper values could overflow the stack of recursive code that copies or prints
// them.
constexpr std::size_t kMaxDepth = 64;

bool nests_deeper(const nlohmann::json& json, std::size_t levels) {
  return json.is_structured() && (levels == 0 || std::any_of(json.begin(), json.end(), [levels](const nlohmann::json& inner) {
                                    return nests_deeper(inner, levels - 1);
                                  }));
}

// As in YAML, a JSON string becomes a quoted scalar and every other value a plain scalar.
YamlNode node_of(const nlohmann::json& json) {
  YamlNode node;
  if (json.is_object()) {
    node.kind = YamlNode::Kind::Mapping;
    for (const auto& [key, value] : json.items()) {
      node.entries.push_back({key, 1, 1, node_of(value)});
    }
  } else if (json.is_array()) {
    node.kind = YamlNode::Kind::Sequence;
    for (const auto& item : json) {
      node.items.push_back(node_of(item));
    }
  } else if (!json.is_null()) {
    node.kind = YamlNode::Kind::Scalar;
    node.quoted = json.is_string();
    node.text = json.is_string() ? json.get<std::string>() : json.dump();
  }
  return node;
}

std::string text_at(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::map<std::string, std::string> texts_at(const nlohmann::json& json, const char* name) {
  std::map<std::string, std::string> texts;
  if (const auto found = json.find(name); found != json.end() && found->is_object()) {
    for (const auto& [key, value] : found->items()) {
      if (value.is_string()) {
        texts.emplace(key, value.get<std::string>());
      }
    }
  }
  return texts;
}

// kubectl's copy of the whole object is not needed, and large.
void drop_bulk(std::map<std::string, std::string>& annotations) {
  annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
}

// A status that is too deep was not written by an operator; ignore it.
DatabaseMigrationStatus status_of(const nlohmann::json& object) {
  const auto status = object.find("status");
  return status == object.end() || !status->is_object() || nests_deeper(*status, kMaxDepth) ? DatabaseMigrationStatus()
                                                                                            : status_from_json(Json(*status));
}

Result<DatabaseMigration> read_declaration(const nlohmann::json& object) {
  DatabaseMigration resource;
  resource.metadata = metadata_of(object);
  resource.origin = resource.metadata.name_space + "/" + resource.metadata.name;
  resource.status = status_of(object);
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) {
    return fail(Error(ErrorCode::Configuration, "there is no spec").at(resource.origin));
  }
  if (nests_deeper(*spec, kMaxDepth)) {
    return fail(Error(ErrorCode::Configuration, "the spec is nested more than " + std::to_string(kMaxDepth) + " levels deep")
                    .at(resource.origin));
  }
  const YamlNode node = node_of(*spec);
  YamlFields fields(node, resource.origin, "spec");
  read_spec(fields, resource.spec, OperatorMode::Cluster);
  if (auto read = fields.finish(); !read) {
    // API objects have no line numbers.
    return fail(std::move(read).error().at(resource.origin));
  }
  if (const auto execution = spec->find("execution"); execution != spec->end() && execution->contains("podTemplate")) {
    resource.spec.execution.pod_template = execution->at("podTemplate").dump();
  }
  if (const auto execution = spec->find("execution"); execution != spec->end() && execution->contains("job")) {
    resource.spec.execution.job = execution->at("job").dump();
  }
  return resource;
}

}  // namespace

Error undecodable(const std::exception& exception) {
  return Error(ErrorCode::Configuration, std::string("the manifest cannot be decoded: ") + exception.what())
      .advise("check its values against the reference of DatabaseMigration");
}

Metadata metadata_of(const nlohmann::json& object) {
  Metadata metadata;
  const auto found = object.find("metadata");
  if (found == object.end() || !found->is_object()) {
    return metadata;
  }
  metadata.name = text_at(*found, "name");
  metadata.name_space = text_at(*found, "namespace");
  metadata.uid = text_at(*found, "uid");
  metadata.resource_version = text_at(*found, "resourceVersion");
  if (const auto generation = found->find("generation"); generation != found->end() && generation->is_number_integer()) {
    metadata.generation = generation->get<std::int64_t>();
  }
  metadata.deleting = !text_at(*found, "deletionTimestamp").empty();
  metadata.labels = texts_at(*found, "labels");
  metadata.annotations = texts_at(*found, "annotations");
  drop_bulk(metadata.annotations);
  return metadata;
}

DatabaseMigration readable_part(const nlohmann::json& object) {
  DatabaseMigration resource;
  resource.metadata = metadata_of(object);
  resource.status = status_of(object);
  if (const auto spec = object.find("spec"); spec != object.end() && spec->is_object() && spec->contains("targetRevision")) {
    resource.spec.target_revision = text_at(*spec, "targetRevision");
  }
  return resource;
}

Result<DatabaseMigration> read_object(const nlohmann::json& object) {
  try {
    return read_declaration(object);
  } catch (const std::exception& exception) {  // no object may end the process
    return fail(undecodable(exception).at(metadata_of(object).name));
  }
}

}  // namespace athanor::controller
