#include "migrations/text/percent_encoding.hpp"
#include "operator/kube/api_client.hpp"
#include "operator/kube/query_text.hpp"

namespace athanor::controller {

void QueryText::add(std::string_view name, std::string_view value) {
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += percent_encoded(value);
}

void QueryText::add_unless_empty(std::string_view name, std::string_view value) {
  if (!value.empty()) {
    add(name, value);
  }
}

std::string resource_path(const ResourceType& type, const std::string& name_space, const std::string& name,
                          const std::string& subresource) {
  std::string path = type.group.empty() ? "/api/" : "/apis/" + percent_encoded(type.group) + "/";
  path += percent_encoded(type.version);
  if (type.namespaced && !name_space.empty()) {
    path += "/namespaces/" + percent_encoded(name_space);
  }
  path += "/" + percent_encoded(type.plural);
  if (!name.empty()) {
    path += "/" + percent_encoded(name);
  }
  if (!subresource.empty()) {
    path += "/" + percent_encoded(subresource);
  }
  return path;
}

}  // namespace athanor::controller
