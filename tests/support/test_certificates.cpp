#include "tests/support/test_certificates.hpp"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <atomic>
#include <memory>
#include <stdexcept>

namespace athanor::test {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;

std::string text_of(BIO* bio) {
  char buffer[4096];
  std::string text;
  for (int got = ::BIO_read(bio, buffer, sizeof buffer); got > 0; got = ::BIO_read(bio, buffer, sizeof buffer)) {
    text.append(buffer, static_cast<std::size_t>(got));
  }
  return text;
}

std::string pem_of(EVP_PKEY* key) {
  const Bio bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
  ::PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio.get());
}

std::string pem_of(X509* certificate) {
  const Bio bio(::BIO_new(::BIO_s_mem()), &::BIO_free);
  ::PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio.get());
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  if (extension == nullptr) {
    throw std::runtime_error("not an extension: " + value);
  }
  ::X509_add_ext(certificate, extension, -1);
  ::X509_EXTENSION_free(extension);
}

Certificate blank(EVP_PKEY* key, const CertificateOptions& wishes) {
  static std::atomic<long> serial{1000};
  Certificate certificate(::X509_new(), &::X509_free);
  ::X509_set_version(certificate.get(), 2);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate.get()), ++serial);
  ::X509_gmtime_adj(::X509_getm_notBefore(certificate.get()), wishes.valid_from_seconds);
  ::X509_gmtime_adj(::X509_getm_notAfter(certificate.get()), wishes.valid_to_seconds);
  ::X509_set_pubkey(certificate.get(), key);
  ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(wishes.common_name.c_str()), -1, -1, 0);
  return certificate;
}

}  // namespace

TestCertificate make_authority(const std::string& common_name) {
  const Key key(::EVP_EC_gen("P-256"), &::EVP_PKEY_free);
  CertificateOptions wishes;
  wishes.common_name = common_name;
  const Certificate certificate = blank(key.get(), wishes);
  ::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(certificate.get()));
  extend(certificate.get(), certificate.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate.get(), certificate.get(), NID_key_usage, "critical,keyCertSign");
  ::X509_sign(certificate.get(), key.get(), ::EVP_sha256());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

TestCertificate issue_certificate(const TestCertificate& authority, const CertificateOptions& wishes) {
  const Bio certificate_text(::BIO_new_mem_buf(authority.certificate_pem.data(), -1), &::BIO_free);
  const Bio key_text(::BIO_new_mem_buf(authority.key_pem.data(), -1), &::BIO_free);
  const Certificate issuer(::PEM_read_bio_X509(certificate_text.get(), nullptr, nullptr, nullptr), &::X509_free);
  const Key issuer_key(::PEM_read_bio_PrivateKey(key_text.get(), nullptr, nullptr, nullptr), &::EVP_PKEY_free);
  const Key key(::EVP_EC_gen("P-256"), &::EVP_PKEY_free);
  const Certificate certificate = blank(key.get(), wishes);
  ::X509_set_issuer_name(certificate.get(), ::X509_get_subject_name(issuer.get()));
  std::string names;
  for (const std::string& name : wishes.names) {
    names += (names.empty() ? "" : ",") + name;
  }
  if (!names.empty()) {
    extend(certificate.get(), issuer.get(), NID_subject_alt_name, names);
  }
  ::X509_sign(certificate.get(), issuer_key.get(), ::EVP_sha256());
  return {pem_of(certificate.get()), pem_of(key.get())};
}

}  // namespace athanor::test
