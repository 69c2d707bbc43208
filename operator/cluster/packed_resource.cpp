#include "operator/cluster/packed_resource.hpp"

#include <utility>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/cluster/object_fields.hpp"

namespace athanor::controller {
namespace {

std::string packed(const KubeObject& object) {
  std::string bytes;
  KubeObject::to_cbor(object, bytes);
  bytes.shrink_to_fit();
  return bytes;
}

KubeObject unpacked(const std::string& bytes) {
  return bytes.empty() ? KubeObject::object() : KubeObject::from_cbor(bytes, true, false);
}

void copy_part(const KubeObject& from, const char* name, KubeObject& to) {
  if (const auto found = from.find(name); found != from.end()) {
    to.emplace(name, *found);
  }
}

KubeObject used_metadata(const KubeObject& object) {
  KubeObject used = KubeObject::object();
  if (const auto* const metadata = part_of(object, "metadata")) {
    for (const char* const name : {"name", "namespace", "generation", "labels", "annotations"}) {
      copy_part(*metadata, name, used);
    }
    if (const auto annotations = used.find("annotations"); annotations != used.end() && annotations->is_object()) {
      annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
    }
  }
  return used;
}

}  // namespace

PackedResource::PackedResource(const KubeObject& object) {
  KubeObject declaration = {{"metadata", used_metadata(object)}};
  copy_part(object, "spec", declaration);
  declaration_ = packed(declaration);
  if (const auto* const status = part_of(object, "status")) {
    status_ = packed(*status);
  }
  if (const auto* const metadata = part_of(object, "metadata")) {
    mark_ = {text_of(*metadata, "uid"), text_of(*metadata, "resourceVersion")};
  }
}

DatabaseMigration PackedResource::unpack(std::optional<Error>* unreadable) const {
  const KubeObject object = unpacked(declaration_);
  auto read = read_object(object);
  DatabaseMigration resource;
  if (read) {
    resource = std::move(*read);
  } else {
    resource.metadata = metadata_of(object);
    if (unreadable != nullptr) {
      *unreadable = std::move(read).error();
    }
  }
  resource.metadata.uid = mark_.uid;
  resource.metadata.resource_version = mark_.resource_version;
  if (!status_.empty()) {
    resource.status = status_from_json(Json(unpacked(status_)));
  }
  return resource;
}

Metadata PackedResource::metadata() const {
  Metadata metadata = metadata_of(unpacked(declaration_));
  metadata.uid = mark_.uid;
  metadata.resource_version = mark_.resource_version;
  return metadata;
}

void PackedResource::set_status(const DatabaseMigrationStatus& status, std::string resource_version) {
  mark_.resource_version = std::move(resource_version);
  status_ = packed(KubeObject(status_to_json(status)));
}

}  // namespace athanor::controller
