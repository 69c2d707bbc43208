#include <utility>

#include "migrations/revision/header_scan.hpp"
#include "migrations/revision/revision_file.hpp"
#include "migrations/revision/revision_text.hpp"
#include "migrations/revision/source.hpp"
#include "migrations/revision/version_folder.hpp"

namespace athanor {
namespace {

// The name of `path` relative to `location`; empty when it is elsewhere.
std::string name_inside(const std::string& location, const std::string& path) {
  std::string prefix = location;
  while (prefix.size() > 1 && prefix.back() == '/') {
    prefix.pop_back();
  }
  if (!prefix.empty() && prefix.back() != '/') {
    prefix += '/';
  }
  if (!path.starts_with(prefix)) {
    return {};
  }
  auto name = path.substr(prefix.size());
  const bool wanders = name.starts_with('/') || ("/" + name + "/").find("/../") != std::string::npos;
  return wanders ? std::string{} : name;
}

}  // namespace

FolderSource::FolderSource(std::vector<std::string> locations, bool recursive, SourceLimits limits, HeaderCacheSettings cache)
    : locations_(std::move(locations)), recursive_(recursive), limits_(limits), cache_(std::move(cache)) {}

Result<std::vector<Revision>> FolderSource::list() const {
  std::vector<VersionFolder> folders;
  folders.reserve(locations_.size());
  for (const auto& location : locations_) {
    TRY_ASSIGN(auto folder, VersionFolder::open(location));
    folders.push_back(std::move(folder));
  }
  return HeaderScan(recursive_, limits_, cache_).run(folders);
}

Result<std::string> FolderSource::read(const Revision& revision) const {
  for (const auto& location : locations_) {
    const auto name = name_inside(location, revision.path);
    if (name.empty()) {
      continue;
    }
    TRY_ASSIGN(const auto folder, VersionFolder::open(location));
    TRY_ASSIGN(auto text, read_revision_file(folder, name, revision.path, limits_));
    return normalise_revision_text(std::move(text), revision.path);
  }
  return fail(Error(ErrorCode::PathEscape, "the file lies outside the configured locations").at(revision.path));
}

}  // namespace athanor
