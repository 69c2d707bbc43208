#include "operator/standalone/state_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/base/write_all.hpp"
#include "operator/standalone/small_file.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxPlainName = 200;
constexpr std::size_t kMaxStateBytes = std::size_t{1} << 20U;

Error io_error(const std::string& what, const std::string& path) {
  return Error(ErrorCode::Io, what + ": " + std::strerror(errno)).at(path);
}

}  // namespace

Result<StateFolder> StateFolder::open(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
    return fail(io_error("the state folder cannot be created", path).advise("name a writable folder with --state"));
  }
  StateFolder folder(std::filesystem::absolute(path).lexically_normal());
  // The folder may be in a Git checkout, and state must not be committed.
  if (const auto written = folder.replace(folder.path_ + "/.gitignore", "*\n"); !written) {
    return fail(Error(written.error()).advise("name a writable folder with --state"));
  }
  return folder;
}

// Namespaces contain no dots, so "<namespace>.<name>" is unambiguous.
std::string StateFolder::file_of(const ResourceKey& key) const {
  std::string name = key.name_space + "." + key.name;
  if (name.size() > kMaxPlainName) {  // a name may have 253 characters, a file name only 255 with its suffix
    name = name.substr(0, kMaxPlainName - 17) + "-" + sha256_hex(name).substr(0, 16);
  }
  return path_ + "/" + name + ".status.yaml";
}

std::string StateFolder::problem_file_of(const std::string& file) const {
  return path_ + "/problem." + file;
}

std::optional<StoredResource> StateFolder::read(const ResourceKey& key) const {
  const auto text = read_small_file(file_of(key), kMaxStateBytes);
  if (!text) {
    return std::nullopt;
  }
  auto stored = stored_from_yaml(*text);
  // A file that was renamed or copied describes another resource.
  if (!stored || stored->key != key) {
    return std::nullopt;
  }
  return std::move(*stored);
}

Result<void> StateFolder::replace(const std::string& file, const std::string& text) const {
  // Write a new file and rename it: a reader never sees a partial file, and a crash leaves the old one.
  const std::string fresh = path_ + "/.new-" + random_hex(12);
  const int descriptor = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return fail(io_error("the file cannot be created", fresh));
  }
  auto result = write_all(descriptor, text) ? Result<void>() : fail(io_error("the file cannot be written", fresh));
  ::close(descriptor);
  if (result && ::rename(fresh.c_str(), file.c_str()) != 0) {
    result = fail(io_error("the file cannot be replaced", file));
  }
  if (!result) {
    ::unlink(fresh.c_str());
  }
  return result;
}

Result<void> StateFolder::write(const StoredResource& stored) const {
  return replace(file_of(stored.key), stored_to_yaml(stored));
}

Result<void> StateFolder::write_problem(const std::string& file, const std::vector<Error>& errors) const {
  Json json = Json::object();
  json["kind"] = "ManifestProblem";
  json["file"] = file;
  for (const auto& error : errors) {
    Json item = Json::object();
    item["code"] = error_name(error.code);
    item["message"] = error.describe();
    if (!error.hint.empty()) {
      item["hint"] = error.hint;
    }
    json["errors"].push_back(std::move(item));
  }
  return replace(problem_file_of(file), json_to_yaml(json));
}

void StateFolder::remove(const ResourceKey& key) const {
  ::unlink(file_of(key).c_str());
}

void StateFolder::remove_problem(const std::string& file) const {
  ::unlink(problem_file_of(file).c_str());
}

void StateFolder::keep_only(const std::vector<ResourceKey>& keys, const std::vector<std::string>& problem_files) const {
  std::set<std::string> kept;
  for (const auto& key : keys) {
    kept.insert(file_of(key));
  }
  for (const auto& file : problem_files) {
    kept.insert(problem_file_of(file));
  }
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename();
    const bool ours = name.ends_with(".status.yaml") || name.starts_with("problem.") || name.starts_with(".new-");
    if (ours && !kept.contains(entry.path())) {
      ::unlink(entry.path().c_str());
    }
  }
}

}  // namespace athanor::controller
