#include "operator/sources/config_map_source.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxContents = 1'024;

bool is_revision_name(std::string_view name) {
  return (name.ends_with(".sql") && !name.starts_with('_')) || (name.ends_with(".py") && !name.starts_with("__"));
}

Error not_found(const std::string& named, Error error) {
  if (error.code == ErrorCode::ApiNotFound) {
    return Error(ErrorCode::Io, named + " does not exist").advise("create it in the namespace of the resource");
  }
  return std::move(error).at(named);
}

// kubectl puts a file there that is not UTF-8. Nobody means a revision to be passed over.
Result<void> refuse_binary_revisions(const KubeObject& object) {
  const auto* const binary = part_of(object, "binaryData");
  if (binary == nullptr) {
    return {};
  }
  for (const auto& [key, value] : binary->items()) {
    if (is_revision_name(key)) {
      const auto* const metadata = part_of(object, "metadata");
      const std::string name = metadata == nullptr ? std::string() : " of ConfigMap " + text_of(*metadata, "name");
      return fail(
          Error(ErrorCode::NotUtf8, "the file " + key + name + " is in binaryData, where kubectl puts what is not UTF-8")
              .advise("save the file as UTF-8 and make the ConfigMap again, or rename the key if it is no revision"));
    }
  }
  return {};
}

}  // namespace

Result<void> ConfigMapSource::add(const KubeObject& object, Files& files) const {
  TRY(refuse_binary_revisions(object));
  const auto* const data = part_of(object, "data");
  if (data == nullptr) {
    return {};
  }
  for (const auto& [key, value] : data->items()) {
    if (!is_revision_name(key) || !value.is_string()) {
      continue;
    }
    if (std::ranges::find(files, key, &MemorySource::File::name) != files.end()) {
      return fail(Error(ErrorCode::DuplicateRevision, "the file " + key + " is in two of the ConfigMaps")
                      .advise("keep it in one of them, or rename it"));
    }
    if (files.size() == limits_.max_files) {
      return fail(
          Error(ErrorCode::FileTooLarge, "the ConfigMaps hold more than " + std::to_string(limits_.max_files) + " files")
              .advise("raise --max-files of the operator"));
    }
    files.push_back({key, value.get<std::string>()});
  }
  return {};
}

Result<ConfigMapSource::Content> ConfigMapSource::read(const DatabaseMigration& resource) const {
  Content content;
  for (const auto& name : resource.spec.source.config_maps) {
    auto object = reads_.get(kube::kConfigMaps, resource.metadata.name_space, name, resource.known_since);
    if (!object) {
      return fail(not_found("ConfigMap " + resource.metadata.name_space + "/" + name, std::move(object).error()));
    }
    if (const auto* const metadata = part_of(**object, "metadata")) {
      const std::string version = text_of(*metadata, "resourceVersion");
      content.identity += text_of(*metadata, "uid") + '@' + version + '\n';
      content.revision += (content.revision.empty() ? "" : ", ") + name + "@" + version;
    }
    content.objects.push_back(std::move(*object));
  }
  if (content.revision.size() > kMaxSourceRevisionBytes) {  // cut it would not tell of a change of the last ones
    content.revision = std::to_string(content.objects.size()) + " ConfigMaps, sha256:" + sha256_hex(content.revision);
  }
  return content;
}

Result<ConfigMapSource::Files> ConfigMapSource::files_of(const Content& content) const {
  Files files;
  for (const auto& object : content.objects) {
    TRY(add(*object, files));
  }
  std::ranges::sort(files, {}, &MemorySource::File::name);  // load order, as in a folder
  return files;
}

Result<LoadedSource> ConfigMapSource::load(const DatabaseMigration& resource) {
  std::string place = resource.metadata.name_space;
  for (const auto& name : resource.spec.source.config_maps) {
    place += '/' + name;
  }
  TRY_ASSIGN(Content content, read(resource));
  const std::string id = sha256_hex(place + '\n' + content.identity);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = newest_.find(place); found != newest_.end() && found->second->id() == id) {
      return found->second;
    }
  }
  TRY_ASSIGN(Files files, files_of(content));
  auto source = std::make_unique<MemorySource>(std::move(files));
  TRY_ASSIGN(auto revisions, source->list());
  TRY_ASSIGN(auto graph, RevisionGraph::build(std::move(revisions)));
  auto snapshot = std::make_shared<SourceSnapshot>(id, std::move(source), std::move(graph));
  snapshot->set_revision(std::move(content.revision));
  const std::lock_guard lock(mutex_);
  if (newest_.size() >= kMaxContents && !newest_.contains(place)) {
    newest_.erase(newest_.begin());
  }
  newest_[place] = snapshot;
  return snapshot;
}

}  // namespace athanor::controller
