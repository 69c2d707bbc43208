#include <algorithm>
#include <array>
#include <sstream>

#include "tests/support/fake_kube.hpp"

namespace athanor::test {
namespace {

void add_leaves(const KubeObject& value, const std::string& path, std::set<std::string>& leaves) {
  if (!value.is_object() || (value.empty() && !path.empty())) {
    leaves.insert(path);
    return;
  }
  for (const auto& [name, member] : value.items()) {
    std::string escaped = name;
    for (std::size_t at = escaped.find('~'); at != std::string::npos; at = escaped.find('~', at + 2)) {
      escaped.replace(at, 1, "~0");
    }
    for (std::size_t at = escaped.find('/'); at != std::string::npos; at = escaped.find('/', at + 2)) {
      escaped.replace(at, 1, "~1");
    }
    add_leaves(member, path + "/" + escaped, leaves);
  }
}

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

std::set<std::string> leaves_of(const KubeObject& object) {
  std::set<std::string> leaves;
  add_leaves(object, "", leaves);
  std::erase_if(leaves, [](const std::string& leaf) {
    return leaf.empty() || leaf == "/apiVersion" || leaf == "/kind" || leaf == "/metadata/name" ||
           leaf == "/metadata/namespace" || leaf == "/metadata/resourceVersion" || leaf == "/metadata/uid" ||
           leaf == "/metadata/generation" || leaf == "/metadata/creationTimestamp";
  });
  return leaves;
}

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
