// The TLS settings of the transport: trusted authorities, client certificate, and verification of the server's name.
//
// cpprest creates an OpenSSL context per connection and lets us configure it. Its own verification is too lax for a cluster: it
// also trusts the system's authorities and accepts a certificate's common name as a host name. So OpenSSL alone verifies here,
// against the cluster's authorities and subject alternative names only.
//
// Threads: TlsIdentity is immutable; a TlsObserver is called from cpprest's threads. Ownership: see configure().
#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <memory>
#include <string>

#include "migrations/base/result.hpp"

namespace athanor::controller {

// Callbacks about a connection's TLS layer.
class TlsObserver {
 public:
  virtual ~TlsObserver() = default;
  // A handshake failed; `reason` is fit for an error message.
  virtual void failed(std::string reason) = 0;
  // A handshake begins: the TCP connection is established.
  virtual void handshake(const SSL* connection) = 0;
  // A record of this many bytes is arriving.
  virtual void receiving(std::size_t bytes) = 0;
};

struct TlsSettings {
  std::string server_name;  // verified, and sent as SNI unless it is an IP address
  bool skip_verify = false;
  std::string ca_pem;  // empty: the system's authorities
  std::string certificate_pem;
  std::string key_pem;
};

class TlsIdentity {
 public:
  // Parses the PEM texts. Error: Configuration when they are unreadable or the key does not match the certificate.
  [[nodiscard]] static Result<std::shared_ptr<const TlsIdentity>> make(const TlsSettings& settings);
  // Applies the settings to a context. The context refers to this object and to `observer`; both must outlive its connections.
  void configure(SSL_CTX* context, TlsObserver* observer) const;
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
  Owned<STACK_OF(X509), release_chain> chain_;  // the client certificate, then its issuers
  Owned<EVP_PKEY, EVP_PKEY_free> key_;
};

}  // namespace athanor::controller
