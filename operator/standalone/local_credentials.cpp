#include "operator/standalone/local_credentials.hpp"

#include <utility>

#include "operator/standalone/small_file.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxSecretBytes = 64U << 10U;

}  // namespace

Result<std::string> LocalCredentials::read(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind == SecretReference::Kind::Environment) {
    auto value = environment_(reference.value);
    if (!value || value->empty()) {
      return fail(Error(ErrorCode::MissingDatabaseUrl, "the environment variable " + reference.value + " is not set")
                      .advise("set it in the operator's environment"));
    }
    return std::move(*value);
  }
  TRY_ASSIGN(const auto path, roots_.resolve_for(resource.metadata.name_space, resource.folder, reference.value,
                                                 "the secret file", "--secret-root"));
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
                    .advise("write the secret to it"));
  }
  return value;
}

Result<std::string> LocalCredentials::file(const DatabaseMigration& resource, const SecretReference& reference) {
  if (reference.kind != SecretReference::Kind::File) {
    return fail(Error(ErrorCode::Configuration, "a certificate cannot come from an environment variable")
                    .advise("set `file` to its path"));
  }
  return roots_.resolve_for(resource.metadata.name_space, resource.folder, reference.value, "the certificate file",
                            "--secret-root");
}

}  // namespace athanor::controller
