#include "operator/api/database_migration.hpp"

namespace athanor::controller {

std::string heads_text(const std::vector<std::string>& heads, std::string_view between) {
  std::string text;
  for (const auto& head : heads) {
    text += text.empty() ? "" : between;
    text += head;
  }
  return text.empty() ? "base" : text;
}

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
