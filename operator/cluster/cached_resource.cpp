#include "operator/cluster/cached_resource.hpp"

#include <utility>

#include "operator/api/status_codec.hpp"

namespace athanor::controller {
namespace {

std::string text_of(const DatabaseMigrationStatus& status) {
  // Text from a database may be invalid UTF-8; the status must not fail because of it.
  std::string text = status_to_json(status).dump(-1, ' ', false, Json::error_handler_t::replace);
  text.shrink_to_fit();
  return text;
}

}  // namespace

CachedResource::CachedResource(const DatabaseMigration& resource)
    : metadata_(resource.metadata),
      spec_(resource.spec),
      status_(resource.status == DatabaseMigrationStatus{} ? std::string() : text_of(resource.status)) {}

DatabaseMigration CachedResource::value() const {
  DatabaseMigration resource;
  resource.metadata = metadata_;
  resource.spec = spec_;
  resource.origin = resource.key().text();
  if (!status_.empty()) {
    resource.status = status_from_json(Json::parse(status_));
  }
  return resource;
}

void CachedResource::set_status(const DatabaseMigrationStatus& status, std::string resource_version) {
  metadata_.resource_version = std::move(resource_version);
  status_ = text_of(status);
}

}  // namespace athanor::controller
