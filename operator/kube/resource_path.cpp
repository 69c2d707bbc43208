#include "operator/kube/api_client.hpp"
#include "operator/kube/query_text.hpp"

namespace athanor::controller {

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  encoded.reserve(text.size());
  for (const char character : text) {
    const bool plain = (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z') ||
                       (character >= '0' && character <= '9') || character == '-' || character == '.' || character == '_' ||
                       character == '~';
    if (plain) {
      encoded += character;
    } else {
      const auto byte = static_cast<unsigned char>(character);
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 0x0FU];
    }
  }
  return encoded;
}

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
