#include <algorithm>
#include <array>
#include <sstream>

#include "tests/support/fake_kube.hpp"

namespace athanor::test {
namespace {

// "key", "!key", "key=value", "key==value", "key!=value".
bool matches_one(const std::string& term, const std::function<std::optional<std::string>(const std::string&)>& value_of) {
  if (const std::size_t unequal = term.find("!="); unequal != std::string::npos) {
    return value_of(term.substr(0, unequal)) != term.substr(unequal + 2);
  }
  if (const std::size_t equal = term.find('='); equal != std::string::npos) {
    const std::size_t value = term.find_first_not_of('=', equal);
    return value_of(term.substr(0, equal)) == (value == std::string::npos ? "" : term.substr(value));
  }
  return term.starts_with('!') ? !value_of(term.substr(1)) : value_of(term).has_value();
}

bool matches_all(const std::string& selector, const std::function<std::optional<std::string>(const std::string&)>& value_of) {
  std::istringstream terms(selector);
  for (std::string term; std::getline(terms, term, ',');) {
    if (!matches_one(term, value_of)) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool matches_selectors(const KubeObject& object, const std::string& labels, const std::string& fields) {
  const auto label = [&object](const std::string& name) -> std::optional<std::string> {
    const KubeObject all = object.value("/metadata/labels"_json_pointer, KubeObject::object());
    return all.contains(name) ? std::optional(all[name].get<std::string>()) : std::nullopt;
  };
  const auto field = [&object](std::string name) -> std::optional<std::string> {
    std::ranges::replace(name, '.', '/');
    return object.value(KubeObject::json_pointer("/" + name), std::string());
  };
  return matches_all(labels, label) && matches_all(fields, field);
}

KubeObject metadata_of(const KubeObject& object) {
  return {{"apiVersion", "meta.k8s.io/v1"}, {"kind", "PartialObjectMetadata"}, {"metadata", object.at("metadata")}};
}

bool has_status(const ResourceType& type) {
  constexpr std::array<std::string_view, 4> kTypes{"databasemigrations", "pods", "jobs", "namespaces"};
  return std::ranges::find(kTypes, type.plural) != kTypes.end();
}

bool counts_generations(const ResourceType& type) {
  return type.group == "athanor.dev" || type.plural == "jobs";
}

}  // namespace athanor::test
