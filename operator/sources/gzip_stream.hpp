// Decompresses an untrusted gzip file in blocks, with one layer of compression and little memory.
//
// libarchive's own gzip filter buffers a header without an end, and looks for further layers below the first. zlib skips
// headers without storing them. Several members in a row are one stream, as for gzip. Anything else after a member is an error,
// and so is an end in the middle of one.
//
// Threads: one thread. Ownership: owns the open file.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/base/unique_fd.hpp"

namespace athanor::controller {

class GzipStream {
 public:
  // Error: Io.
  [[nodiscard]] static Result<std::unique_ptr<GzipStream>> open(const std::string& file);
  ~GzipStream();
  GzipStream(const GzipStream&) = delete;
  GzipStream& operator=(const GzipStream&) = delete;

  // Returns the next bytes, which are valid until the next call; empty at the end. Errors: MalformedRevision, Io.
  [[nodiscard]] Result<std::string_view> next();

 private:
  explicit GzipStream(UniqueFd file);
  [[nodiscard]] Result<void> fill();

  UniqueFd file_;
  z_stream zlib_{};
  std::vector<unsigned char> in_;
  std::vector<char> out_;
  bool between_members_ = false;
  bool ended_ = false;
};

}  // namespace athanor::controller
