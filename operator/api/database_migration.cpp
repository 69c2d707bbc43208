#include "operator/api/database_migration.hpp"

namespace athanor::controller {

std::string rows_text(const std::vector<std::string>& rows, std::string_view between) {
  std::string text;
  for (const auto& row : rows) {
    text += text.empty() ? "" : between;
    text += row;
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
