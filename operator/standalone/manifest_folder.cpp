#include "operator/standalone/manifest_folder.hpp"

#include <filesystem>
#include <utility>

#include "operator/standalone/small_file.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxManifests = 20'000;

bool is_manifest_name(std::string_view name) {
  return name.ends_with(".yaml") || name.ends_with(".yml");
}

Manifest problem_only(Error error) {
  Manifest manifest;
  manifest.problems.push_back({std::move(error), std::nullopt});
  return manifest;
}

}  // namespace

Manifest ManifestFolder::read(const std::string& file) const {
  const std::string name = std::filesystem::path(file).filename();
  auto text = read_small_file(file, kMaxManifestBytes);
  if (!text) {
    return problem_only(std::move(text).error().at(name));
  }
  return parse_manifest(*text, name, path_);
}

Result<ManifestSnapshot> ManifestFolder::scan() {
  const WallTime taken = clock_.wall_now();
  TRY_ASSIGN(const auto marks, mark_folder(path_, false, is_manifest_name));
  if (marks.size() > kMaxManifests) {
    return fail(Error(ErrorCode::FileTooLarge, "more than " + std::to_string(kMaxManifests) + " manifests").at(path_));
  }
  std::map<std::string, Entry> entries;
  for (const auto& mark : marks) {
    auto known = entries_.find(mark.path);
    if (known != entries_.end() && !known->second.fresh && known->second.mark == mark) {
      entries.emplace(mark.path, std::move(known->second));
    } else {
      entries.emplace(mark.path, Entry{mark, marks_are_fresh({mark}, taken), read(mark.path)});
    }
  }
  entries_ = std::move(entries);

  ManifestSnapshot snapshot;
  std::map<ResourceKey, std::string> declared_in;
  for (const auto& [path, entry] : entries_) {
    const std::string name = std::filesystem::path(path).filename();
    for (const auto& resource : entry.manifest.resources) {
      const auto [place, is_new] = declared_in.emplace(resource.key(), resource.origin);
      if (is_new) {
        snapshot.resources.push_back(resource);
      } else {
        snapshot.problems[name].push_back({Error(ErrorCode::Configuration, "metadata.name: " + resource.key().text() +
                                                                               " is already declared in " + place->second)
                                               .at(resource.origin),
                                           std::nullopt});
      }
    }
    for (const auto& problem : entry.manifest.problems) {
      snapshot.problems[name].push_back(problem);
    }
  }
  return snapshot;
}

}  // namespace athanor::controller
