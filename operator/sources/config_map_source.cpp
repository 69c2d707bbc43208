#include "operator/sources/config_map_source.hpp"

#include <algorithm>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/revision/revision_text.hpp"
#include "migrations/text/letter_case.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxContents = 1'024;
constexpr std::size_t kIgnoredShown = 5;

bool is_revision_name(std::string_view name) {
  return (name.ends_with(".sql") && !name.starts_with('_')) || (name.ends_with(".py") && !name.starts_with("__"));
}

Error not_found(const std::string& named, Error error) {
  if (error.code == ErrorCode::ApiNotFound) {
    return Error(ErrorCode::Io, named + " does not exist").advise("create it in the namespace of the resource");
  }
  return std::move(error).at(named);
}

std::string name_of(const KubeObject& object) {
  const auto* const metadata = part_of(object, "metadata");
  return metadata == nullptr ? std::string() : text_of(*metadata, "name");
}

std::string place_in(const std::string& key, const std::string& config_map) {
  return "key " + key + " of ConfigMap " + config_map;
}

// Whether a key is probably meant as a revision, such as "A1.SQL".
bool looks_like_revision(std::string_view key) {
  return is_revision_name(lowered(key));
}

// kubectl stores a file that is not UTF-8 in binaryData. Fail rather than silently skip a revision.
Result<void> refuse_binary_revisions(const KubeObject& object) {
  const auto* const binary = part_of(object, "binaryData");
  if (binary == nullptr) {
    return {};
  }
  for (const auto& [key, value] : binary->items()) {
    if (looks_like_revision(key)) {
      return fail(Error(ErrorCode::NotUtf8, "the " + place_in(key, name_of(object)) +
                                                " is in binaryData, where kubectl puts files that are not UTF-8")
                      .advise("save the file as UTF-8 and recreate the ConfigMap, or rename the key if it is not a revision"));
    }
  }
  return {};
}

// Returns what `sha256sum *.sql | sha256sum` prints for the same files in a folder, in byte order of their names, so that a
// chart or a script can compute it without a cluster.
std::string digest_of(const std::vector<MemorySource::File>& files) {
  Sha256 list;
  for (const auto& file : files) {
    list.update(sha256_hex(file.text) + "  " + file.name + "\n");
  }
  return "sha256:" + list.finish();
}

// Replaces file names in an error of the migration library with ConfigMap and key. `context` starts with a file name, followed
// by a line number.
Error in_config_map_words(const std::map<std::string, std::string>& config_maps, Error error) {
  const std::string key = error.context.substr(0, error.context.find(':'));
  if (const auto found = config_maps.find(key); found != config_maps.end()) {
    error.context = "ConfigMap " + found->second + ", key " + error.context;
  }
  constexpr std::string_view kAlready = "already in ";
  if (const auto at = error.message.rfind(kAlready); at != std::string::npos) {
    const auto other = config_maps.find(error.message.substr(at + kAlready.size()));
    if (other != config_maps.end()) {
      error.message = error.message.substr(0, at + kAlready.size()) + place_in(other->first, other->second);
    }
  }
  return error;
}

}  // namespace

Result<void> ConfigMapSource::add(const KubeObject& object, Files& files) const {
  TRY(refuse_binary_revisions(object));
  const auto* const data = part_of(object, "data");
  if (data == nullptr) {
    return {};
  }
  const std::string config_map = name_of(object);
  for (const auto& [key, value] : data->items()) {
    if (!value.is_string()) {
      continue;
    }
    if (!is_revision_name(key)) {
      if (looks_like_revision(key)) {
        return fail(Error(ErrorCode::MalformedRevision, "the name of a revision file must end in .sql or .py, in lower case")
                        .at("ConfigMap " + config_map + ", key " + key)
                        .advise("rename the key"));
      }
      if (files.ignored.size() < kIgnoredShown) {
        files.ignored.push_back(place_in(key, config_map));
      }
      continue;
    }
    if (const auto other = files.config_maps.find(key); other != files.config_maps.end()) {
      return fail(Error(ErrorCode::DuplicateRevision,
                        "the key " + key + " is in two of the ConfigMaps: " + other->second + " and " + config_map)
                      .at("spec.source.configMaps")
                      .advise("keep it in only one of them, or rename it"));
    }
    if (files.revisions.size() == limits_.max_files) {
      return fail(
          Error(ErrorCode::FileTooLarge, "the ConfigMaps have more than " + std::to_string(limits_.max_files) + " files")
              .advise("raise --max-files of the operator"));
    }
    const std::size_t size = value.get_ref<const std::string&>().size();
    if (size > limits_.max_file_bytes) {
      return fail(file_too_large("ConfigMap " + config_map + ", key " + key, size, limits_.max_file_bytes));
    }
    files.bytes += size;
    if (files.bytes > limits_.max_source_bytes) {
      return fail(
          source_too_large("source with ConfigMap " + config_map, limits_.max_source_bytes).at("spec.source.configMaps"));
    }
    files.config_maps.emplace(key, config_map);
    files.revisions.push_back({key, value.get<std::string>()});
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
  if (content.revision.size() >
      kMaxSourceRevisionBytes) {  // use a digest: cut off, it would hide a change of the last ConfigMaps
    content.revision = std::to_string(content.objects.size()) + " ConfigMaps, sha256:" + sha256_hex(content.revision);
  }
  return content;
}

Result<ConfigMapSource::Files> ConfigMapSource::files_of(const Content& content) const {
  Files files;
  for (const auto& object : content.objects) {
    TRY(add(*object, files));
  }
  std::ranges::sort(files.revisions, {}, &MemorySource::File::name);  // load order, as in a folder
  return files;
}

Result<std::shared_ptr<SourceSnapshot>> ConfigMapSource::make_snapshot(const std::string& id, const Content& content) const {
  TRY_ASSIGN(Files files, files_of(content));
  std::string digest = digest_of(files.revisions);
  auto source = std::make_unique<MemorySource>(std::move(files.revisions));
  auto revisions = source->list();
  auto graph = revisions ? RevisionGraph::build(std::move(*revisions)) : fail(std::move(revisions).error());
  if (!graph) {
    return fail(in_config_map_words(files.config_maps, std::move(graph).error()));
  }
  auto snapshot = std::make_shared<SourceSnapshot>(id, std::move(source), std::move(*graph));
  snapshot->set_names({std::move(digest)});
  snapshot->set_ignored(std::move(files.ignored));
  snapshot->set_place([config_maps = std::move(files.config_maps)](const std::string& key) {
    const auto found = config_maps.find(key);
    return found == config_maps.end() ? key : place_in(key, found->second);
  });
  return snapshot;
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
  // Without the lock: two threads may make the same snapshot, which only costs time.
  auto made = make_snapshot(id, content);
  if (!made) {
    // The ConfigMaps were read but their revisions are invalid. Report which versions are meant, so that the status shows what
    // was checked.
    LoadedSource unusable;
    unusable.doubt = std::move(made).error();
    unusable.unusable_revision = std::move(content.revision);
    return unusable;
  }
  auto snapshot = std::move(*made);
  snapshot->set_revision(std::move(content.revision));
  const std::lock_guard lock(mutex_);
  if (newest_.size() >= kMaxContents && !newest_.contains(place)) {
    // Any entry will do: it is built again when needed.
    newest_.erase(newest_.begin());
  }
  newest_[place] = snapshot;
  return snapshot;
}

}  // namespace athanor::controller
