#include "operator/kube/base64.hpp"

#include <openssl/evp.h>

#include <algorithm>

namespace athanor::controller {
namespace {

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}
const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64_encode(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');  // OpenSSL also writes a NUL, over std::string's own
  EVP_EncodeBlock(bytes_of(text), bytes_of(bytes), static_cast<int>(bytes.size()));
  return text;
}

std::optional<std::string> base64_decode(std::string_view text) {
  std::string code(text);
  std::erase_if(code, [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; });
  if (code.empty()) {
    return code;
  }
  // EVP_DecodeBlock is too lax: it reads '=' as six zero bits anywhere, counts padding as decoded bytes, and ignores a trailing
  // '-', so that it decodes less than the input. Check the padding here and the decoded length below.
  const std::size_t padding = code.size() - std::min(code.find('='), code.size());
  if (code.size() % 4 != 0 || padding > 2 || code.find_last_not_of('=') + 1 + padding != code.size()) {
    return std::nullopt;
  }
  std::string bytes(code.size() / 4 * 3, '\0');
  const int decoded = EVP_DecodeBlock(bytes_of(bytes), bytes_of(code), static_cast<int>(code.size()));
  if (decoded != static_cast<int>(bytes.size())) {
    return std::nullopt;
  }
  bytes.resize(bytes.size() - padding);
  return bytes;
}

}  // namespace athanor::controller
