#include "operator/serve/tls_files.hpp"

#include <openssl/err.h>

#include <utility>

namespace athanor::controller {
namespace {

constexpr milliseconds kCheckAgain{1'000};

Error unusable(const std::string& what, const std::string& path) {
  ::ERR_clear_error();
  return Error(ErrorCode::Configuration, what + " " + path + " cannot be used")
      .advise("use PEM files: the certificate with its chain, and its private key without a passphrase");
}

}  // namespace

Result<TlsFiles> TlsFiles::open(std::string certificate, std::string key, Clock& clock) {
  TlsFiles files(std::move(certificate), std::move(key), clock);
  TRY(files.load());
  return files;
}

TlsFiles::Stamp TlsFiles::stamp_of(const std::string& path) {
  struct stat file {};
  return ::stat(path.c_str(), &file) == 0 ? Stamp{file.st_ino, file.st_mtim} : Stamp{};
}

Result<void> TlsFiles::refresh() {
  const SteadyTime now = clock_->steady_now();
  if (now - checked_ < kCheckAgain) {
    return {};
  }
  checked_ = now;
  if (stamp_of(certificate_) == of_certificate_ && stamp_of(key_) == of_key_) {
    return {};
  }
  return load();
}

Result<void> TlsFiles::load() {
  // Take the stamps before reading: a change during the read is then noticed by the next refresh().
  of_certificate_ = stamp_of(certificate_);
  of_key_ = stamp_of(key_);
  TlsContext context(::SSL_CTX_new(::TLS_server_method()), &::SSL_CTX_free);
  if (!context) {
    return fail(ErrorCode::Internal, "cannot create a TLS context");
  }
  ::SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  ::SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ::SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  ::SSL_CTX_set_mode(context.get(),
                     SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Without this callback OpenSSL would prompt for a passphrase on the terminal.
  ::SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
  if (::SSL_CTX_use_certificate_chain_file(context.get(), certificate_.c_str()) != 1) {
    return fail(unusable("the certificate", certificate_));
  }
  if (::SSL_CTX_use_PrivateKey_file(context.get(), key_.c_str(), SSL_FILETYPE_PEM) != 1 ||
      ::SSL_CTX_check_private_key(context.get()) != 1) {
    return fail(unusable("the key", key_));
  }
  context_ = std::move(context);
  return {};
}

}  // namespace athanor::controller
