#include "operator/cluster/secret_credentials.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "migrations/base/sha256.hpp"
#include "migrations/base/write_all.hpp"
#include "operator/kube/base64.hpp"
#include "operator/kube/object_fields.hpp"
#include "operator/kube/secret_label.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxSecretBytes = std::size_t{64} << 10U;
constexpr std::chrono::hours kKeepUnused(1);

Error system_error(const std::string& what, int number) {
  return Error(ErrorCode::Io, what + ": " + std::strerror(number)).advise("give the operator a writable folder: --cache");
}

std::string named_secret(const DatabaseMigration& resource, const SecretReference& reference) {
  return "Secret " + resource.metadata.name_space + "/" + reference.value;
}

Result<std::string> value_in(const KubeObject& secret, const std::string& named, const std::string& key) {
  const auto* const data = part_of(secret, "data");
  const auto value = data == nullptr ? std::optional<std::string>() : base64_decode(text_of(*data, key.c_str()));
  if (!value || value->empty()) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, named + " has no value at the key " + key)
                    .with_retry(RetryClass::Transient)
                    .advise("add the key, or name another one"));
  }
  if (value->size() > kMaxSecretBytes) {
    return fail(Error(ErrorCode::MissingDatabaseUrl, named + " has more than 64 KiB at the key " + key)
                    .with_retry(RetryClass::Transient)
                    .advise("store only the value itself there, or name another key"));
  }
  std::string text = *value;
  while (text.ends_with('\n') || text.ends_with('\r')) {  // added by an editor or `echo`
    text.pop_back();
  }
  return text;
}

}  // namespace

SecretCredentials::SecretCredentials(RecentReads& reads, Clock& clock, CredentialSource& local, std::string folder,
                                     bool labelled, TokenSource* tokens)
    : reads_(reads), clock_(clock), local_(local), folder_(std::move(folder)), labelled_(labelled), tokens_(tokens) {}

SecretCredentials::~SecretCredentials() {
  for (const auto& [name, used] : used_) {
    ::unlink((folder_ + "/" + name).c_str());
  }
}

Result<std::string> SecretCredentials::read(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind == SecretReference::Kind::File) {
    return local_.read(resource, reference);
  }
  if (reference.kind == SecretReference::Kind::Environment) {
    return fail(
        Error(ErrorCode::MissingDatabaseUrl, "the operator's environment is not read on a cluster").advise("use secretKeyRef"));
  }
  TRY_ASSIGN(const auto found, secret(resource, reference));
  return value_in(*found, named_secret(resource, reference), reference.key);
}

Result<std::shared_ptr<const KubeObject>> SecretCredentials::secret(const DatabaseMigration& resource,
                                                                    const SecretReference& reference) {
  const std::string named = named_secret(resource, reference);
  auto secret = reads_.get(kube::kSecrets, resource.metadata.name_space, reference.value, resource.known_since);
  if (!secret) {
    Error error = std::move(secret).error();
    if (error.code == ErrorCode::ApiNotFound) {
      // Transient: Secrets are not watched, so only a retry finds it once it exists.
      return fail(Error(ErrorCode::MissingDatabaseUrl, named + " does not exist")
                      .with_retry(RetryClass::Transient)
                      .advise("create it in the namespace of the resource"));
    }
    return fail(std::move(error).at(named));
  }
  if (labelled_ && !is_allowed(**secret)) {
    return fail(not_allowed(named, ErrorCode::MissingDatabaseUrl));
  }
  return secret;
}

Result<bool> SecretCredentials::names_scratch_server(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind != SecretReference::Kind::SecretKey) {
    return false;
  }
  TRY_ASSIGN(const auto found, secret(resource, reference));
  return is_for_scratch_server(*found);
}

Result<std::string> SecretCredentials::file(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind == SecretReference::Kind::File) {
    return local_.file(resource, reference);
  }
  TRY_ASSIGN(const std::string content, read(resource, reference));
  return write_file(content + "\n");
}

// Writes a file named after its content's hash, so a file never changes under its name while libpq reads it.
Result<std::string> SecretCredentials::write_file(const std::string& content) {
  const std::string name = sha256_hex(content) + ".pem";
  const std::string path = folder_ + "/" + name;
  const SteadyTime now = clock_.steady_now();
  const std::lock_guard lock(mutex_);
  for (auto file = used_.begin(); file != used_.end();) {
    if (file->first != name && now - file->second > kKeepUnused) {
      ::unlink((folder_ + "/" + file->first).c_str());
      file = used_.erase(file);
    } else {
      ++file;
    }
  }
  // Check the file as well: a cleaner of temporary folders may have removed it.
  if (used_.contains(name) && ::access(path.c_str(), R_OK) == 0) {
    used_[name] = now;
    return path;
  }
  if (::mkdir(folder_.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
    return fail(system_error("cannot create the folder for certificates", errno));
  }
  // The folder may exist already. Refuse a link and a folder that others can access.
  struct stat found {};
  if (::lstat(folder_.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != ::geteuid() ||
      (found.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(Error(ErrorCode::Io, "the folder for certificates is accessible to other users, or is not a folder")
                    .advise("give the operator an empty folder of its own: --cache"));
  }
  // Write to a draft and rename it, so that the path never names a partial file.
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());
  const int descriptor = ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR);
  if (descriptor < 0) {
    return fail(system_error("cannot write a certificate", errno));
  }
  const bool written = write_all(descriptor, content);
  const int number = errno;
  ::close(descriptor);
  if (!written || ::rename(draft.c_str(), path.c_str()) != 0) {
    const int reason = written ? errno : number;
    ::unlink(draft.c_str());
    return fail(system_error("cannot write a certificate", reason));
  }
  used_[name] = now;
  return path;
}

}  // namespace athanor::controller
