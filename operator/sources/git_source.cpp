#include "operator/sources/git_source.hpp"

#include <array>
#include <utility>

#include "migrations/base/ids.hpp"
#include "migrations/base/sha256.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/object_fields.hpp"
#include "operator/kube/secret_label.hpp"
#include "operator/reconcile/reconciler.hpp"
#include "operator/sources/git_repository.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxSecretBytes = std::size_t{64} << 10U;
constexpr std::size_t kMaxDeclared = 100'000;

// Returns the parts of a resource whose change makes it ask the server immediately: its spec (generation) and the retry
// annotation.
std::string declaration_of(const DatabaseMigration& resource) {
  const auto retry = resource.metadata.annotations.find(kRetryNowAnnotation);
  return resource.metadata.uid + "\n" + std::to_string(resource.metadata.generation) + "\n" +
         (retry == resource.metadata.annotations.end() ? "" : retry->second);
}

// Removes the line end that editors and `echo` append.
std::string without_line_end(std::string text) {
  while (text.ends_with('\n') || text.ends_with('\r')) {
    text.pop_back();
  }
  return text;
}

}  // namespace

GitRepositories::GitRepositories(KubeReader& secrets, Clock& clock, GitOptions options, GitEnvironment surroundings,
                                 StopToken stop)
    : secrets_(secrets),
      clock_(clock),
      options_(std::move(options)),
      git_(std::move(surroundings), clock, stop),
      salt_(random_hex(32)) {}

GitRepositories::~GitRepositories() = default;

Result<LoadedSource> GitRepositories::load(const DatabaseMigration& resource) {
  const SourceSpec& source = resource.spec.source;
  TRY(options_.hosts.check_source(source.git->url));
  TRY_ASSIGN(const auto credentials, read_credentials(resource));
  TRY_ASSIGN(const auto found, repository(source.git->url, credentials));
  const std::string declaration = declaration_of(resource);
  auto loaded =
      found->load({*source.git, source.recursive, resource.metadata.name_space}, changed(resource.key(), declaration));
  // Only after a definite answer: after a failure the resource still counts as changed, and its next load asks the server
  // again.
  if (loaded && !loaded->doubt) {
    answered(resource.key(), declaration);
    follow(resource.key(), found, *source.git, *loaded);
  }
  return loaded;
}

// Registers the resource for poll(), which also removes it: this class is not informed of deleted resources.
void GitRepositories::follow(const ResourceKey& key, std::shared_ptr<Repository> repository, const GitSource& source,
                             const LoadedSource& loaded) {
  const std::lock_guard lock(mutex_);
  if (!source.commit.empty()) {
    followed_.erase(key);
    return;
  }
  followed_[key] = {std::move(repository), source, loaded.snapshot->revision(), clock_.steady_now() + source.interval};
}

std::vector<GitRepositories::Moved> GitRepositories::poll(
    const std::function<bool(const ResourceKey& key, const GitSource& source)>& wanted) {
  std::vector<std::pair<ResourceKey, Followed>> due;
  {
    const SteadyTime now = clock_.steady_now();
    const std::lock_guard lock(mutex_);
    for (auto& [key, followed] : followed_) {
      if (followed.due <= now) {
        followed.due = now + followed.source.interval;
        due.emplace_back(key, followed);
      }
    }
  }
  std::vector<Moved> moved;
  // Without the lock: asking a server may take a minute, and load() needs the lock.
  for (const auto& [key, followed] : due) {
    if (!wanted(key, followed.source)) {
      const std::lock_guard lock(mutex_);
      followed_.erase(key);
      continue;
    }
    if (auto revision = followed.repository->ask_again(followed.source, key.name_space);
        revision && *revision != followed.revision) {
      moved.push_back({key, std::move(*revision)});
    }
  }
  return moved;
}

Result<GitCredentials> GitRepositories::read_credentials(const DatabaseMigration& resource) const {
  GitCredentials credentials;
  const std::string& name = resource.spec.source.git->secret_name;
  if (name.empty()) {
    return credentials;
  }
  const std::string named = "Secret " + resource.metadata.name_space + "/" + name;
  auto secret = secrets_.get(kube::kSecrets, resource.metadata.name_space, name);
  if (!secret) {
    Error error = std::move(secret).error();
    if (error.code == ErrorCode::ApiNotFound) {
      return fail(Error(ErrorCode::Configuration, named + " does not exist")
                      .with_retry(RetryClass::Transient)
                      .advise("create it in the namespace of the resource"));
    }
    return fail(std::move(error).at(named));
  }
  if (options_.labelled_secrets && !is_allowed(*secret)) {
    return fail(not_allowed(named, ErrorCode::Configuration));
  }
  const std::array<std::pair<const char*, std::string*>, 5> keys{{{"username", &credentials.username},
                                                                  {"password", &credentials.password},
                                                                  {"ca.crt", &credentials.authorities},
                                                                  {"identity", &credentials.identity},
                                                                  {"known_hosts", &credentials.known_hosts}}};
  const auto* const data = part_of(*secret, "data");
  for (const auto& [key, value] : keys) {
    const auto decoded = data == nullptr ? std::optional<std::string>("") : base64_decode(text_of(*data, key));
    if (!decoded || decoded->size() > kMaxSecretBytes) {
      return fail(Error(ErrorCode::Configuration, named + " has an unusable value at the key " + key)
                      .with_retry(RetryClass::Transient));
    }
    *value = without_line_end(*decoded);
  }
  if (credentials == GitCredentials()) {
    return fail(Error(ErrorCode::Configuration, named + " has no credentials for Git")
                    .with_retry(RetryClass::Transient)
                    .advise("add the keys username and password, or identity and known_hosts"));
  }
  return credentials;
}

Result<std::shared_ptr<GitRepositories::Repository>> GitRepositories::repository(const std::string& url,
                                                                                 const GitCredentials& credentials) {
  std::string known_by = salt_;
  for (const std::string* part : {&url, &credentials.username, &credentials.password, &credentials.authorities,
                                  &credentials.identity, &credentials.known_hosts}) {
    // Length prefixes, so that no value can imitate a separator.
    known_by += std::to_string(part->size()) + ":" + *part;
  }
  const std::string key = sha256_hex(known_by).substr(0, 32);
  const SteadyTime long_ago = clock_.steady_now() - options_.keep_unused();
  const std::lock_guard lock(mutex_);
  std::erase_if(repositories_, [&](const auto& known) {
    return known.first != key && known.second.use_count() == 1 && known.second->unused_since(long_ago);
  });
  auto& found = repositories_[key];
  if (!found) {
    found = std::make_shared<Repository>(git_, clock_, options_, url, credentials, options_.folder + "/" + key);
  }
  return found;
}

// Whether the resource's declaration differs from the one at its last successful load.
bool GitRepositories::changed(const ResourceKey& key, const std::string& declaration) {
  const std::lock_guard lock(mutex_);
  const auto known = declared_.find(key);
  return known == declared_.end() || known->second != declaration;
}

void GitRepositories::answered(const ResourceKey& key, const std::string& declaration) {
  const std::lock_guard lock(mutex_);
  if (declared_.size() > kMaxDeclared) {
    declared_.clear();
  }
  declared_[key] = declaration;
}

}  // namespace athanor::controller
