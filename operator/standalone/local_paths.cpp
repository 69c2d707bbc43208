#include "operator/standalone/local_paths.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "operator/standalone/small_file.hpp"

namespace athanor::controller {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSecretBytes = 64U << 10U;

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

Result<std::string> AllowedRoots::resolve_below(const std::string& part, const std::string& path,
                                                const std::string& field) const {
  const fs::path root(roots_.empty() ? "" : roots_.front());
  const fs::path asked(path);
  std::error_code error;
  const fs::path own = fs::weakly_canonical(root / part, error);
  const fs::path resolved = error ? fs::path() : fs::weakly_canonical(own / asked, error);
  const bool climbs = std::ranges::find(asked, fs::path("..")) != asked.end();
  if (error || roots_.empty() || asked.is_absolute() || climbs || !lies_in(own, root) || own == root ||
      !lies_in(resolved, own)) {
    return fail(Error(ErrorCode::PathEscape, field + " '" + path + "' leaves " + part + "/, the folder of this namespace")
                    .advise("write it relative to that folder, as in `orders`, or leave it out"));
  }
  return resolved.string();
}

Result<LoadedSource> LocalSources::load(const DatabaseMigration& resource) {
  const SourceSpec& source = resource.spec.source;
  TRY_ASSIGN(const auto folder, roots_.resolve(resource.folder, source.path, "spec.source.path", "--source-root"));
  return snapshots_.load(folder, source.recursive);
}

Result<std::string> LocalCredentials::read(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind == SecretReference::Kind::Environment) {
    auto value = environment_(reference.value);
    if (!value || value->empty()) {
      return fail(Error(ErrorCode::MissingDatabaseUrl, "the environment variable " + reference.value + " is not set")
                      .advise("set it in the operator's environment"));
    }
    return std::move(*value);
  }
  TRY_ASSIGN(const auto path, roots_.resolve(resource.folder, reference.value, "the secret file", "--secret-root"));
  auto read = read_small_file(path, kMaxSecretBytes);
  if (!read && read.error().code == ErrorCode::FileTooLarge) {
    return fail(ErrorCode::FileTooLarge, "the secret file '" + reference.value + "' has more than 64 KiB");
  }
  std::string value = std::move(read).value_or("");
  while (value.ends_with('\n') || value.ends_with('\r')) {
    value.pop_back();
  }
  if (value.empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, "the secret file '" + reference.value + "' is missing or empty")
                    .advise("write the secret into it"));
  }
  return value;
}

Result<std::string> LocalCredentials::file(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind != SecretReference::Kind::File) {
    return fail(Error(ErrorCode::Configuration, "a certificate cannot come from an environment variable")
                    .advise("name its file in `file`"));
  }
  return roots_.resolve(resource.folder, reference.value, "the certificate file", "--secret-root");
}

}  // namespace athanor::controller
