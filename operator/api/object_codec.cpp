// A DatabaseMigration as an API server sends it.
#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxDepth = 64;

// The spelling decides the type, as in YAML: a JSON string is quoted text, everything else a plain scalar.
YamlNode node_of(const nlohmann::json& json, std::size_t depth) {
  YamlNode node;
  if (depth > kMaxDepth) {
    return node;
  }
  if (json.is_object()) {
    node.kind = YamlNode::Kind::Mapping;
    for (const auto& [key, value] : json.items()) {
      node.entries.push_back({key, 1, 1, node_of(value, depth + 1)});
    }
  } else if (json.is_array()) {
    node.kind = YamlNode::Kind::Sequence;
    for (const auto& item : json) {
      node.items.push_back(node_of(item, depth + 1));
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

// kubectl's copy of the whole object is of no use here, and large.
void drop_bulk(std::map<std::string, std::string>& annotations) {
  annotations.erase("kubectl.kubernetes.io/last-applied-configuration");
}

}  // namespace

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
  metadata.labels = texts_at(*found, "labels");
  metadata.annotations = texts_at(*found, "annotations");
  drop_bulk(metadata.annotations);
  return metadata;
}

Result<DatabaseMigration> read_object(const nlohmann::json& object) {
  DatabaseMigration resource;
  resource.metadata = metadata_of(object);
  resource.origin = resource.metadata.name_space + "/" + resource.metadata.name;
  if (const auto status = object.find("status"); status != object.end() && status->is_object()) {
    resource.status = status_from_json(Json(*status));
  }
  const auto spec = object.find("spec");
  if (spec == object.end() || !spec->is_object()) {
    return fail(Error(ErrorCode::Configuration, "there is no spec").at(resource.origin));
  }
  const YamlNode node = node_of(*spec, 0);
  YamlFields fields(node, resource.origin, "spec");
  read_spec(fields, resource.spec, Habitat::Cluster);
  if (auto read = fields.finish(); !read) {
    // There are no lines in an API object.
    return fail(std::move(read).error().at(resource.origin));
  }
  if (const auto execution = spec->find("execution"); execution != spec->end() && execution->contains("podTemplate")) {
    resource.spec.execution.pod_template = execution->at("podTemplate").dump();
  }
  return resource;
}

}  // namespace athanor::controller
