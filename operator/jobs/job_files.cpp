#include "operator/jobs/job_files.hpp"

#include <algorithm>
#include <utility>

#include "operator/kube/object_fields.hpp"
#include "operator/sources/unpacked_folder.hpp"

namespace athanor::controller {
namespace {

// Below the 1 MiB that Kubernetes allows for a ConfigMap, and far below etcd's limit for an object.
constexpr std::size_t kMostBytes = std::size_t{900} << 10U;
constexpr std::size_t kMostConfigMaps = 16;  // as many as spec.source may name
constexpr std::size_t kMostPathBytes = std::size_t{256} << 10U;
constexpr std::size_t kLongestKey = 253;

// The bytes of a file beside its text: its key, and the key's entry in managedFields.
std::size_t overhead_of(const std::string& key) {
  return 2 * key.size() + 32;
}

bool may_be_key(std::string_view path) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  };
  return path.size() <= kLongestKey && !path.starts_with("..") && std::ranges::all_of(path, allowed);
}

// The source's folder in the repository or archive, as a prefix of the paths of its files.
std::string folder_of(const SourceSpec& source) {
  const std::string path = source.git ? source.git->path : source.flux ? source.flux->path : std::string();
  const std::string clean = clean_inner_path(path).value_or("");
  return clean.empty() ? clean : clean + "/";
}

Error too_large_for_a_job(const std::string& message) {
  return Error(ErrorCode::FileTooLarge, message)
      .at("spec.source")
      .advise(
          "put the revisions in an image (spec.source.image), move bulk data out of them, or set spec.execution.mode to "
          "InProcess");
}

std::string limit_text() {
  return std::to_string(kMostBytes >> 10U) + " KiB";
}

}  // namespace

bool is_handed_over(const SourceSpec& source) {
  return !source.config_maps.empty() || source.git || source.flux;
}

Result<JobFiles> JobFiles::pack(const DatabaseMigration& resource, const SourceSnapshot* snapshot, std::string name) {
  JobFiles files;
  if (!is_handed_over(resource.spec.source)) {
    return files;
  }
  if (snapshot == nullptr) {
    return fail(ErrorCode::Internal, "a Job was requested without the files of its plan");
  }
  files.name_ = std::move(name);
  TRY_ASSIGN(auto revisions, snapshot->source().list());
  const std::string folder = folder_of(resource.spec.source);
  const auto path_of = [&folder](const Revision& revision) {
    return revision.path.starts_with(folder) ? revision.path.substr(folder.size()) : revision.path;
  };
  // Files whose path is no valid key come last. They go into ConfigMaps of their own, and only those need a list of keys and
  // paths.
  std::stable_partition(revisions.begin(), revisions.end(),
                        [&](const Revision& revision) { return may_be_key(path_of(revision)); });
  for (const auto& revision : revisions) {
    TRY_ASSIGN(auto text, snapshot->source().read(revision));
    TRY(files.add(path_of(revision), std::move(text), revision.path));
    if (files.parts_.size() > kMostConfigMaps || files.path_bytes_ > kMostPathBytes) {
      return fail(too_large_for_a_job("the " + std::to_string(revisions.size()) + " revision files do not fit in the " +
                                      std::to_string(kMostConfigMaps) + " ConfigMaps of " + limit_text() +
                                      " that a Job can have"));
    }
  }
  return files;
}

Result<void> JobFiles::add(const std::string& path, std::string text, const std::string& shown) {
  const bool plain = may_be_key(path);
  const std::string key = plain ? path : "file-" + std::to_string(++files_);
  const std::size_t bytes = text.size() + overhead_of(key);
  if (bytes > kMostBytes) {
    return fail(too_large_for_a_job("the file " + shown + " has " + std::to_string(text.size()) +
                                    " bytes; a ConfigMap for a Job holds at most " + limit_text()));
  }
  // A volume source either maps all its keys or lists items, so a ConfigMap never mixes the two kinds.
  const bool fits = !parts_.empty() && parts_.back().items.empty() == plain && parts_.back().bytes + bytes <= kMostBytes;
  if (!fits) {
    parts_.emplace_back();
  }
  Part& part = parts_.back();
  part.data[key] = std::move(text);
  part.bytes += bytes;
  if (!plain) {
    part.items.push_back({{"key", key}, {"path", path}});
    path_bytes_ += key.size() + path.size() + 32;
  }
  return {};
}

KubeObject JobFiles::volume() const {
  KubeObject sources = KubeObject::array();
  for (std::size_t number = 1; number <= parts_.size(); ++number) {
    KubeObject source = {{"name", name_of(number)}};
    if (const auto& items = parts_[number - 1].items; !items.empty()) {
      source["items"] = items;
    }
    sources.push_back({{"configMap", std::move(source)}});
  }
  return {{"projected", {{"sources", std::move(sources)}}}};
}

KubeObject JobFiles::config_map(std::size_t index, const KubeObject& job) const {
  const KubeObject nothing = KubeObject::object();
  const KubeObject* const metadata = part_of(job, "metadata");
  const KubeObject& of_job = metadata == nullptr ? nothing : *metadata;
  const KubeObject owner = {{"apiVersion", kube::kJobs.api_version()},
                            {"kind", kube::kJobs.kind},
                            {"name", text_of(of_job, "name")},
                            {"uid", text_of(of_job, "uid")},
                            {"controller", true}};
  return {{"apiVersion", kube::kConfigMaps.api_version()},
          {"kind", kube::kConfigMaps.kind},
          {"metadata",
           {{"name", name_of(index + 1)},
            {"namespace", text_of(of_job, "namespace")},
            {"labels", of_job.value("labels", nothing)},
            {"ownerReferences", KubeObject::array({owner})}}},
          {"immutable", true},
          {"data", parts_[index].data}};
}

}  // namespace athanor::controller
