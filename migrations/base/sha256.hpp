// SHA-256 as FIPS 180-4 defines it, for revision checksums, plan hashes and backup digests.
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
  void update(std::string_view bytes);
  // Lower-case hexadecimal, 64 characters. The object may not be used afterwards.
  [[nodiscard]] std::string finish();

 private:
  void* context_;
};

[[nodiscard]] std::string sha256_hex(std::string_view bytes);

// The first half of it, to tell texts apart without keeping them.
using ShortDigest = std::array<std::uint64_t, 2>;
[[nodiscard]] ShortDigest sha256_short(std::string_view bytes);

}  // namespace athanor
