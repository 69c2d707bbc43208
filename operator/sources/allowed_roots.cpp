#include "operator/sources/allowed_roots.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace athanor::controller {
namespace {

namespace fs = std::filesystem;

bool lies_in(const fs::path& path, const fs::path& root) {
  const auto mismatch = std::mismatch(root.begin(), root.end(), path.begin(), path.end());
  return mismatch.first == root.end();
}

}  // namespace

Result<AllowedRoots> AllowedRoots::create(const std::vector<std::string>& roots) {
  AllowedRoots allowed;
  for (const auto& root : roots) {
    std::error_code error;
    const fs::path canonical = fs::canonical(root, error);
    if (error || !fs::is_directory(canonical, error)) {
      return fail(Error(ErrorCode::Io, "not a folder").at(root));
    }
    allowed.roots_.push_back(canonical);
  }
  return allowed;
}

Result<AllowedRoots> AllowedRoots::create_divided(const std::vector<std::string>& roots) {
  TRY_ASSIGN(AllowedRoots allowed, create(roots));
  allowed.divided_ = true;
  return allowed;
}

std::string AllowedRoots::absolute(const std::string& folder, const std::string& path) {
  std::string text = (fs::path(folder) / path).lexically_normal();
  while (text.size() > 1 && text.ends_with('/')) {
    text.pop_back();
  }
  return text;
}

Result<std::string> AllowedRoots::resolve(const std::string& folder, const std::string& path, const std::string& field,
                                          const std::string& option) const {
  std::error_code error;
  const fs::path resolved = fs::weakly_canonical(fs::path(folder) / path, error);
  const bool inside = !error && std::ranges::any_of(roots_, [&](const std::string& root) { return lies_in(resolved, root); });
  if (!inside) {
    return fail(Error(ErrorCode::PathEscape, field + " '" + path + "' leaves the folders that manifests may name")
                    .advise("move it below the manifests' folder, or start the operator with " + option));
  }
  return resolved.string();
}

Result<std::string> AllowedRoots::resolve_for(const std::string& name_space, const std::string& folder, const std::string& path,
                                              const std::string& field, const std::string& option) const {
  if (!divided_) {
    return resolve(folder, path, field, option);
  }
  const fs::path requested(path);
  const bool is_name = !name_space.empty() && name_space.find_first_of("/.") == std::string::npos;
  for (const auto& root : roots_) {
    std::error_code error;
    const fs::path own = fs::weakly_canonical(fs::path(root) / name_space, error);
    // Refuse a link in place of the namespace's folder: it could lead into the folder of another namespace.
    if (error || !is_name || own != fs::path(root) / name_space) {
      continue;
    }
    const fs::path resolved = fs::weakly_canonical(own / requested, error);
    if (!error && lies_in(resolved, own)) {
      return resolved.string();
    }
    if (!requested.is_absolute()) {
      break;  // a relative path starts in the first root only
    }
  }
  return fail(Error(ErrorCode::PathEscape, field + " '" + path + "' leaves " + name_space + "/, the folder of this namespace")
                  .advise("put it below " + name_space + "/ in a folder given with " + option));
}

Result<std::string> AllowedRoots::resolve_below(const std::string& part, const std::string& path,
                                                const std::string& field) const {
  const fs::path root(roots_.empty() ? "" : roots_.front());
  const fs::path requested(path);
  std::error_code error;
  const fs::path own = fs::weakly_canonical(root / part, error);
  const fs::path resolved = error ? fs::path() : fs::weakly_canonical(own / requested, error);
  // Refuse ".." outright: below a folder that does not exist yet, weakly_canonical() resolves it by text only.
  const bool climbs = std::ranges::find(requested, fs::path("..")) != requested.end();
  if (error || roots_.empty() || requested.is_absolute() || climbs || !lies_in(own, root) || own == root ||
      !lies_in(resolved, own)) {
    return fail(Error(ErrorCode::PathEscape, field + " '" + path + "' leaves " + part + "/, the folder of this namespace")
                    .advise("write it relative to that folder, as in `orders`, or leave it out"));
  }
  return resolved.string();
}

}  // namespace athanor::controller
