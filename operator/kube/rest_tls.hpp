// The TLS side of the transport: whom we trust, who we are, and how a server's name is checked.
//
// cpprest builds an OpenSSL context per connection and lets us dress it. Its own checks are too wide for a cluster (the
// system's authorities stay trusted beside the cluster's, and a certificate's common name counts as a host name), so
// verification is OpenSSL's alone: the cluster's authorities only, the name from tls-server-name or the URL, subject
// alternative names only. The server name goes out with every handshake, also with one that cpprest begins anew on a second
// address.
//
// Threads: TlsIdentity is immutable once made. A CertificateRecorder is called from the pool's threads.
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Told what a connection goes through.
class CertificateRecorder {
 public:
  virtual ~CertificateRecorder() = default;
  // Why a handshake failed, in words fit for an error message.
  virtual void trouble(std::string words) = 0;
  // A handshake begins: the connection stands.
  virtual void handshake(const SSL* connection) = 0;
  // A record of this many bytes begins to arrive.
  virtual void receiving(std::size_t bytes) = 0;
};

struct TlsSettings {
  std::string server_name;  // checked, and sent unless it is an address
  bool skip_verify = false;
  std::string ca_pem;  // empty: the system's authorities
  std::string certificate_pem;
  std::string key_pem;
};

class TlsIdentity {
 public:
  [[nodiscard]] static Result<std::shared_ptr<const TlsIdentity>> make(const TlsSettings& settings);
  // `witness` must live as long as connections made from the context are in use.
  void configure(SSL_CTX* context, CertificateRecorder* witness) const;
  [[nodiscard]] const std::string& server_name() const { return server_name_; }
  [[nodiscard]] bool name_is_address() const { return name_is_address_; }
  [[nodiscard]] bool skip_verify() const { return skip_verify_; }

 private:
  template <class T, void (*release)(T*)>
  struct Release {
    void operator()(T* thing) const { release(thing); }
  };
  template <class T, void (*release)(T*)>
  using Owned = std::unique_ptr<T, Release<T, release>>;
  static void release_chain(STACK_OF(X509) * chain);

  TlsIdentity() = default;

  std::string server_name_;
  bool name_is_address_ = false;
  bool skip_verify_ = false;
  Owned<X509_STORE, X509_STORE_free> store_;
  Owned<STACK_OF(X509), release_chain> chain_;  // ours first, then its issuers
  Owned<EVP_PKEY, EVP_PKEY_free> key_;
};

}  // namespace athanor::controller
