#include "operator/kube/rest_tls.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <utility>

namespace athanor::controller {
namespace {

constexpr int kCertificateRequired = 116;  // a TLS 1.3 alert that OpenSSL 3.0 has no description for

using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

Bio reader(const std::string& pem) {
  return {::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &::BIO_free};
}

bool is_address(const std::string& name) {
  std::array<unsigned char, 16> binary{};
  return ::inet_pton(AF_INET, name.c_str(), binary.data()) == 1 || ::inet_pton(AF_INET6, name.c_str(), binary.data()) == 1;
}

Error unusable(const std::string& what) {
  ::ERR_clear_error();
  return Error(ErrorCode::Configuration, what);
}

struct TlsConfiguration {
  const TlsIdentity* identity = nullptr;
  TlsObserver* observer = nullptr;
};

void free_configuration(void*, void* pointer, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<TlsConfiguration*>(pointer);
}

int configuration_index() {
  static const int index = ::SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_configuration);
  return index;
}

const TlsConfiguration& configuration_of(const SSL* connection) {
  return *static_cast<const TlsConfiguration*>(::SSL_CTX_get_ex_data(::SSL_get_SSL_CTX(connection), configuration_index()));
}

std::string describe_failure(int problem, const std::string& server_name) {
  if (problem == X509_V_ERR_HOSTNAME_MISMATCH || problem == X509_V_ERR_IP_ADDRESS_MISMATCH) {
    return "the server's certificate is not valid for " + server_name;
  }
  return std::string("the server's certificate is not trusted: ") + ::X509_verify_cert_error_string(problem);
}

// Replaces cpprest's verify callback, which would accept more than OpenSSL does.
int verify_chain(X509_STORE_CTX* chain, void* observer) {
  ::X509_STORE_CTX_set_verify_cb(chain, [](int preverified, X509_STORE_CTX*) { return preverified; });
  const int good = ::X509_verify_cert(chain);
  if (good != 1) {
    const auto* connection = static_cast<SSL*>(::X509_STORE_CTX_get_ex_data(chain, ::SSL_get_ex_data_X509_STORE_CTX_idx()));
    static_cast<TlsObserver*>(observer)->failed(
        describe_failure(::X509_STORE_CTX_get_error(chain), configuration_of(connection).identity->server_name()));
  }
  return good;
}

void on_progress(const SSL* connection, int where, int value) {
  const TlsConfiguration& configuration = configuration_of(connection);
  if ((where & SSL_CB_HANDSHAKE_START) != 0) {
    configuration.observer->handshake(connection);
  }
  if ((where & SSL_CB_HANDSHAKE_START) != 0 && !configuration.identity->name_is_address()) {
    // SNI is set here because cpprest creates a new connection for a second address and shows it to no other hook. The
    // callback's SSL is const only for historical reasons.
    ::SSL_ctrl(const_cast<SSL*>(connection), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
               const_cast<char*>(configuration.identity->server_name().c_str()));
  }
  if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT && (value >> 8) == SSL3_AL_FATAL) {
    const bool demanded = (value & 0xff) == kCertificateRequired;
    configuration.observer->failed(std::string("the server refused the TLS connection: ") +
                                   (demanded ? "client certificate required" : ::SSL_alert_desc_string_long(value)));
  }
}

// Counts arriving bytes by the length in each record's header, because cpprest buffers any amount before it delivers any.
void on_message(int sent, int, int type, const void* bytes, std::size_t size, SSL*, void* observer) {
  if (sent == 0 && type == SSL3_RT_HEADER && size == SSL3_RT_HEADER_LENGTH) {
    const auto* header = static_cast<const unsigned char*>(bytes);
    static_cast<TlsObserver*>(observer)->receiving((static_cast<std::size_t>(header[3]) << 8U) | header[4]);
  }
}

Result<void> add_authorities(X509_STORE* store, const std::string& pem) {
  const Bio bio = reader(pem);
  int count = 0;
  while (X509* certificate = ::PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr)) {
    ::X509_STORE_add_cert(store, certificate);
    ::X509_free(certificate);
    ++count;
  }
  ::ERR_clear_error();  // reaching the end of the text leaves an error in OpenSSL's queue
  if (count == 0) {
    return fail(unusable("the cluster's certificate authority has no PEM certificate"));
  }
  return {};
}

}  // namespace

void TlsIdentity::release_chain(STACK_OF(X509) * chain) {
  sk_X509_pop_free(chain, ::X509_free);
}

Result<std::shared_ptr<const TlsIdentity>> TlsIdentity::make(const TlsSettings& settings) {
  const std::shared_ptr<TlsIdentity> identity(new TlsIdentity());
  identity->server_name_ = settings.server_name;
  identity->name_is_address_ = is_address(settings.server_name);
  identity->skip_verify_ = settings.skip_verify;
  if (!settings.ca_pem.empty()) {
    identity->store_.reset(::X509_STORE_new());
    TRY(add_authorities(identity->store_.get(), settings.ca_pem));
  }
  if (settings.certificate_pem.empty() != settings.key_pem.empty()) {
    return fail(unusable("a client certificate and its key must be set together"));
  }
  if (!settings.certificate_pem.empty()) {
    identity->chain_.reset(sk_X509_new_null());
    const Bio certificates = reader(settings.certificate_pem);
    while (X509* certificate = ::PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)) {
      sk_X509_push(identity->chain_.get(), certificate);
    }
    const Bio key = reader(settings.key_pem);
    // Without this callback OpenSSL would prompt for a passphrase on the terminal.
    identity->key_.reset(::PEM_read_bio_PrivateKey(
        key.get(), nullptr, [](char*, int, int, void*) { return -1; }, nullptr));
    if (sk_X509_num(identity->chain_.get()) == 0 || !identity->key_) {
      return fail(unusable("the client certificate or its key is not readable PEM (a key with a passphrase is not supported)"));
    }
    if (::X509_check_private_key(sk_X509_value(identity->chain_.get(), 0), identity->key_.get()) != 1) {
      return fail(unusable("the client key does not belong to the client certificate"));
    }
    ::ERR_clear_error();
  }
  return identity;
}

void TlsIdentity::configure(SSL_CTX* context, TlsObserver* observer) const {
  ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  ::SSL_CTX_set_ex_data(context, configuration_index(), new TlsConfiguration{this, observer});
  ::SSL_CTX_set_info_callback(context, &on_progress);
  ::SSL_CTX_set_msg_callback(context, &on_message);
  ::SSL_CTX_ctrl(context, SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, observer);
  if (store_) {
    ::SSL_CTX_set1_cert_store(context, store_.get());
  }
  X509_VERIFY_PARAM* checks = ::SSL_CTX_get0_param(context);
  if (!skip_verify_) {
    ::X509_VERIFY_PARAM_set_flags(checks, X509_V_FLAG_PARTIAL_CHAIN);  // the cluster's CA may be an intermediate
    ::X509_VERIFY_PARAM_set_hostflags(checks, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (name_is_address_) {
      ::X509_VERIFY_PARAM_set1_ip_asc(checks, server_name_.c_str());
    } else {
      ::X509_VERIFY_PARAM_set1_host(checks, server_name_.c_str(), server_name_.size());
    }
    ::SSL_CTX_set_cert_verify_callback(context, &verify_chain, observer);
  }
  if (chain_) {
    ::SSL_CTX_use_certificate(context, sk_X509_value(chain_.get(), 0));
    for (int i = 1; i < sk_X509_num(chain_.get()); ++i) {
      ::SSL_CTX_add1_chain_cert(context, sk_X509_value(chain_.get(), i));
    }
    ::SSL_CTX_use_PrivateKey(context, key_.get());
  }
}

}  // namespace athanor::controller
