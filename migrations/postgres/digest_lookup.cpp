#define OPENSSL_SUPPRESS_DEPRECATED  // libpq 15 calls what OpenSSL 3 would rather not have called

#include "migrations/postgres/digest_lookup.hpp"

#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <atomic>

namespace athanor::postgres {
namespace {

using InitHmac = decltype(&HMAC_Init_ex);

std::atomic<std::uint64_t> saved{0};

// OpenSSL's own: the next one after ours.
InitHmac original() {
  static const auto function = reinterpret_cast<InitHmac>(::dlsym(RTLD_NEXT, "HMAC_Init_ex"));
  return function;
}

// Null where OpenSSL's configuration has none; then libpq's own is passed on, and fails as it would have.
const EVP_MD* sha256_at_hand() {
  static const EVP_MD* const digest = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return digest;
}

}  // namespace

void keep_digest_at_hand() {}

std::uint64_t lookups_saved() {
  return saved.load(std::memory_order_relaxed);
}

}  // namespace athanor::postgres

extern "C" __attribute__((visibility("default"))) int HMAC_Init_ex(HMAC_CTX* context, const void* key, int length,
                                                                   const EVP_MD* digest, ENGINE* engine) {
  using namespace athanor::postgres;
  const auto initialise = original();
  if (initialise == nullptr) {
    return 0;  // as any failure: there is no connection then
  }
  const EVP_MD* const known = digest == EVP_sha256() && engine == nullptr ? sha256_at_hand() : nullptr;
  if (known == nullptr) {
    return initialise(context, key, length, digest, engine);
  }
  saved.fetch_add(1, std::memory_order_relaxed);
  return initialise(context, key, length, known, engine);
}
