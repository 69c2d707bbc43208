#include "operator/api/database_migration.hpp"

namespace athanor::controller {

std::string_view SourceSpec::kind() const {
  if (!config_maps.empty()) {
    return "configMaps";
  }
  if (git) {
    return "git";
  }
  if (flux) {
    return "flux";
  }
  return image ? "image" : "path";
}

}  // namespace athanor::controller
