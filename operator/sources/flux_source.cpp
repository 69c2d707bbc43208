#include "operator/sources/flux_source.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/text/foreign_message.hpp"
#include "operator/kube/object_fields.hpp"
#include "operator/sources/artifact_archive.hpp"

namespace athanor::controller {
namespace {

constexpr std::chrono::hours kKeepUnused(1);

// A temporary file, deleted with this object.
class Download {
 public:
  static Result<Download> create(const std::string& folder) {
    std::error_code problem;
    std::filesystem::create_directories(folder, problem);
    std::string pattern = folder + "/download.XXXXXX";
    const int number = problem ? -1 : ::mkostemp(pattern.data(), O_CLOEXEC);
    if (number < 0) {
      return fail(Error(ErrorCode::Io, "cannot create a file for an artifact: " +
                                           (problem ? problem.message() : std::generic_category().message(errno)))
                      .advise("give the operator a writable folder: --cache"));
    }
    ::close(number);
    return Download(pattern);
  }
  ~Download() {
    if (!path_.empty()) {
      ::unlink(path_.c_str());
    }
  }
  Download(Download&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Download& operator=(Download&&) = delete;
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit Download(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Error waiting_for(const std::string& message) {
  return Error(ErrorCode::Io, message).advise("check the Flux source; the operator tries again when it changes");
}

// Returns the condition Ready; nullopt when there is none.
std::optional<KubeObject> ready_of(const KubeObject& status) {
  const auto conditions = status.find("conditions");
  if (conditions == status.end() || !conditions->is_array()) {
    return std::nullopt;
  }
  for (const auto& condition : *conditions) {
    if (condition.is_object() && text_of(condition, "type") == "Ready") {
      return condition;
    }
  }
  return std::nullopt;
}

std::string in_its_words(const std::optional<KubeObject>& ready) {
  const std::string message = ready ? fit_for_message(text_of(*ready, "message")) : std::string();
  return message.empty() ? std::string() : ": " + message;
}

bool is_sha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Returns the names that a spec may use for this content: for "main@sha1:4f0c…" also "sha1:4f0c…" and "4f0c…", and the
// artifact's digest.
std::vector<std::string> names_of(const std::string& revision, const std::string& sha256) {
  std::vector<std::string> names{"sha256:" + sha256};
  const std::string id = revision.substr(revision.rfind('@') + 1);
  names.push_back(id);
  names.push_back(id.substr(id.rfind(':') + 1));
  return names;
}

}  // namespace

const std::vector<ResourceType>& flux_types() {
  static const std::vector<ResourceType> types{{"source.toolkit.fluxcd.io", "v1", "gitrepositories", "GitRepository"},
                                               {"source.toolkit.fluxcd.io", "v1", "ocirepositories", "OCIRepository"},
                                               {"source.toolkit.fluxcd.io", "v1", "buckets", "Bucket"}};
  return types;
}

Result<LoadedSource> FluxArtifacts::load(const DatabaseMigration& resource) {
  const FluxSource& source = *resource.spec.source.flux;
  const bool recursive = resource.spec.source.recursive;
  const auto type = std::ranges::find(flux_types(), source.kind, &ResourceType::kind);
  if (type == flux_types().end()) {
    return fail(Error(ErrorCode::Io, "there is no Flux source of the kind " + source.kind).with_retry(RetryClass::Terminal));
  }
  const std::string named = source.kind + " " + resource.metadata.name_space + "/" + source.name;
  const auto in_source = [&named](Error error) {
    error.context = error.context.empty() ? named : named + ": " + error.context;
    return error;
  };
  auto artifact = find_artifact(*type, resource);
  if (!artifact) {
    return fail(in_source(std::move(artifact).error()));
  }
  const std::string place = named + '\n' + source.path + (recursive ? "\n**" : "");
  // Include the revision: a commit that changes no file has the same artifact, and a resource may wait for that commit.
  const std::string id = sha256_hex(place + '\n' + artifact->sha256 + '\n' + artifact->revision);
  auto snapshot = entry(place)->work.get([&id](const std::shared_ptr<SourceSnapshot>& made) { return made->id() == id; },
                                         [&] { return make(*artifact, resource, id); }, id);
  if (!snapshot) {
    return fail(in_source(std::move(snapshot).error()));
  }
  return snapshot;
}

Result<FluxArtifacts::Artifact> FluxArtifacts::find_artifact(const ResourceType& type,
                                                             const DatabaseMigration& resource) const {
  auto object = reader_.get(type, resource.metadata.name_space, resource.spec.source.flux->name);
  if (!object) {
    Error error = std::move(object).error();
    if (error.code == ErrorCode::ApiNotFound) {
      return fail(Error(ErrorCode::Io, "does not exist").advise("create it in the namespace of the resource"));
    }
    if (error.code == ErrorCode::ApiForbidden) {
      error.hint = "allow the operator to read Flux sources (chart: flux.enabled)";
    }
    return fail(std::move(error));
  }
  static const KubeObject kNothing = KubeObject::object();
  const KubeObject* status = part_of(*object, "status");
  status = status == nullptr ? &kNothing : status;
  const auto ready = ready_of(*status);
  if (ready && text_of(*ready, "status") == "False") {
    return fail(waiting_for("is not ready" + in_its_words(ready)));
  }
  const KubeObject* metadata = part_of(*object, "metadata");
  // Right after the spec changed, status still describes the artifact of the previous spec.
  if (metadata != nullptr && number_of(*metadata, "generation") != number_of(*status, "observedGeneration")) {
    return fail(waiting_for("was changed, and Flux has not reconciled it yet"));
  }
  const KubeObject* const current = part_of(*status, "artifact");
  if (current == nullptr) {
    return fail(waiting_for("has no artifact yet" + in_its_words(ready)));
  }
  const std::string digest = text_of(*current, "digest");
  if (!digest.starts_with("sha256:") || !is_sha256(std::string_view(digest).substr(7))) {
    return fail(Error(ErrorCode::Io, "its artifact has no SHA-256 digest")
                    .with_retry(RetryClass::Terminal)
                    .advise("configure Flux's source-controller to use sha256 (--artifact-digest-algo)"));
  }
  Artifact artifact;
  artifact.url = text_of(*current, "url");
  artifact.sha256 = digest.substr(7);
  const auto revision = text_of(*current, "revision");
  // The revision appears in statuses and logs. Use the digest instead of one with control characters or of excessive length.
  const bool plain = std::ranges::all_of(revision, [](char c) { return c > 0x20 && c < 0x7f; });
  artifact.revision = plain && !revision.empty() && revision.size() <= 512 ? revision : digest;
  artifact.size = static_cast<std::uint64_t>(std::max<std::int64_t>(number_of(*current, "size"), 0));
  return artifact;
}

// Returns the entry of `place`. Drops entries that were not used for an hour and that no thread refers to.
std::shared_ptr<FluxArtifacts::Kept> FluxArtifacts::entry(const std::string& place) {
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  std::erase_if(kept_,
                [now](const auto& known) { return known.second.use_count() == 1 && now - known.second->used > kKeepUnused; });
  auto& found = kept_[place];
  if (!found) {
    found = std::make_shared<Kept>(clock_);
  }
  found->used = now;
  return found;
}

Result<std::shared_ptr<SourceSnapshot>> FluxArtifacts::make(const Artifact& artifact, const DatabaseMigration& resource,
                                                            const std::string& id) const {
  const FluxSource& source = *resource.spec.source.flux;
  const bool recursive = resource.spec.source.recursive;
  const std::string& name_space = resource.metadata.name_space;
  const auto path = clean_inner_path(source.path);
  if (!path) {
    return fail(Error(ErrorCode::PathEscape, "fluxRef.path leads out of the artifact"));
  }
  TRY_ASSIGN(const Download file, Download::create(options_.folder));
  TRY(download(artifact, file.path(), name_space));
  TRY_ASSIGN(auto folder, UnpackedFolder::create(options_.folder));
  ArchiveRequest request;
  request.file = file.path();
  request.folder = *path;
  request.recursive = recursive;
  request.limits = options_.limits;
  TRY(unpack_archive(request, *folder));
  TRY(folder->hold(*options_.quota, name_space, clock_.steady_now()));
  TRY_ASSIGN(auto snapshot, make_snapshot(std::move(folder), {id, artifact.revision, *path, recursive, options_.limits}));
  snapshot->set_names(names_of(artifact.revision, artifact.sha256));
  return snapshot;
}

// Downloads the artifact into `file` and verifies its size and digest.
Result<void> FluxArtifacts::download(const Artifact& artifact, const std::string& file, const std::string& name_space) const {
  CacheQuota::Item held(*options_.quota, CacheQuota::Item::Use::Own);
  const UniqueFd out(::open(file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC | O_NOFOLLOW));
  if (!out) {
    return fail(Error(ErrorCode::Io, "cannot write an artifact: " + std::generic_category().message(errno)));
  }
  const std::uint64_t limit = options_.max_artifact_bytes;
  const auto oversized = [limit] {
    return Error(ErrorCode::FileTooLarge, "the artifact has more than " + std::to_string(limit) + " bytes")
        .advise("exclude other files from the Flux source (spec.ignore)");
  };
  if (artifact.size > limit) {
    return fail(oversized());
  }
  Sha256 hash;
  std::uint64_t size = 0;
  TRY(fetcher_.fetch(
      artifact.url, options_.timeout,
      [&](std::string_view bytes) -> Result<void> {
        // Count the received bytes as well: the status may declare no size or a wrong one.
        size += bytes.size();
        if (size > limit) {
          return fail(oversized());
        }
        TRY(held.hold(name_space, size, clock_.steady_now()));
        hash.update(bytes);
        return UnpackedFolder::append(out, bytes);
      },
      stop_));
  if (artifact.size != 0 && artifact.size != size) {
    return fail(Error(ErrorCode::Io,
                      "the artifact has " + std::to_string(size) + " bytes and should have " + std::to_string(artifact.size)));
  }
  if (hash.finish() != artifact.sha256) {
    return fail(Error(ErrorCode::Io, "the artifact's SHA-256 does not match the Flux source; the artifact was not used"));
  }
  return {};
}

}  // namespace athanor::controller
