// Creates certificate authorities and certificates (P-256) for tests, including expired and otherwise invalid ones.
//
// Threads: pure functions. Ownership: plain values.
#pragma once

#include <string>
#include <vector>

namespace athanor::test {

struct TestCertificate {
  std::string certificate_pem;
  std::string key_pem;
};

struct CertificateOptions {
  std::string common_name = "test";
  std::vector<std::string> names{};  // "DNS:localhost", "IP:127.0.0.1"; empty: only the common name
  long valid_from_seconds = -3600;   // relative to now
  long valid_to_seconds = 3600;
};

[[nodiscard]] TestCertificate make_authority(const std::string& common_name = "test authority");
[[nodiscard]] TestCertificate issue_certificate(const TestCertificate& authority, const CertificateOptions& wishes);

}  // namespace athanor::test
