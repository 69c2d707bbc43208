// SHA-256 (FIPS 180-4) for revision checksums, plan hashes and backup digests.
//
// Threads: one Sha256 object per thread; the functions are pure.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace athanor {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  // Adds bytes to the message.
  void update(std::string_view bytes);
  // Returns 64 lower-case hexadecimal digits. Do not use the object afterwards.
  [[nodiscard]] std::string finish();

 private:
  void* context_;
};

// The digest of `bytes` as 64 lower-case hexadecimal digits.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// The first 128 bits of the digest: enough to compare texts without keeping them.
using ShortDigest = std::array<std::uint64_t, 2>;
[[nodiscard]] ShortDigest sha256_short(std::string_view bytes);

}  // namespace athanor
