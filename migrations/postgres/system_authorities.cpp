#include "migrations/postgres/system_authorities.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace athanor::postgres {
namespace {

constexpr int kFirstThatKnowsSystem = 160000;
constexpr std::string_view kSystem = "system";
constexpr std::string_view kVerified = "verify-full";

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// SSL_CERT_FILE, as in OpenSSL, else where Debian, Red Hat or Alpine install it.
std::string authorities_file() {
  if (std::string chosen = environment("SSL_CERT_FILE"); !chosen.empty()) {
    return chosen;
  }
  constexpr std::array kFiles{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"};
  const auto* const found = std::ranges::find_if(kFiles, [](const char* file) { return ::access(file, R_OK) == 0; });
  return found == kFiles.end() ? "" : *found;
}

}  // namespace

Result<void> name_system_authorities(std::vector<std::pair<std::string, std::string>>& keywords) {
  const auto find = [&](std::string_view name) {
    return std::ranges::find(keywords, name, &std::pair<std::string, std::string>::first);
  };
  const auto root = find("sslrootcert");
  const bool named = root != keywords.end() && !root->second.empty();
  if ((named ? root->second : environment("PGSSLROOTCERT")) != kSystem || PQlibVersion() >= kFirstThatKnowsSystem) {
    return {};
  }
  const auto given = find("sslmode");
  std::string mode = given == keywords.end() || given->second.empty() ? environment("PGSSLMODE") : given->second;
  if (mode.empty()) {
    mode = kVerified;
    keywords.emplace_back("sslmode", mode);
  }
  if (mode != kVerified) {
    // PGSSLROOTCERT may be meant for other connections; this URL asks for a lower mode explicitly.
    return named ? Result<void>(fail(Error(ErrorCode::Configuration, "sslrootcert=system requires sslmode=verify-full")
                                         .advise("write sslmode=verify-full, or name the authority's file in sslrootcert")))
                 : Result<void>();
  }
  std::string file = authorities_file();
  if (file.empty()) {
    return fail(
        Error(ErrorCode::Configuration, "sslrootcert=system: no file of trusted certificate authorities found on this machine")
            .advise("install ca-certificates, set SSL_CERT_FILE, or name the authority's file in sslrootcert"));
  }
  if (const auto word = find("sslrootcert"); word != keywords.end()) {
    word->second = std::move(file);
  } else {
    keywords.emplace_back("sslrootcert", std::move(file));
  }
  return {};
}

}  // namespace athanor::postgres
