#include "operator/sources/gzip_stream.hpp"

#include <fcntl.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace athanor::controller {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr int kGzipOnly = 16 + MAX_WBITS;

Error not_gzip(const char* why) {
  return {ErrorCode::MalformedRevision, std::string("the artifact is no readable tar.gz archive: ") + why};
}

}  // namespace

GzipStream::GzipStream(UniqueFd file) : file_(std::move(file)), in_(kBlock), out_(kBlock) {}

GzipStream::~GzipStream() {
  ::inflateEnd(&zlib_);
}

Result<std::unique_ptr<GzipStream>> GzipStream::open(const std::string& file) {
  UniqueFd descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!descriptor) {
    return fail(ErrorCode::Io, "an artifact cannot be read: " + std::generic_category().message(errno));
  }
  std::unique_ptr<GzipStream> stream(new GzipStream(std::move(descriptor)));
  if (::inflateInit2(&stream->zlib_, kGzipOnly) != Z_OK) {
    return fail(ErrorCode::Io, "an artifact cannot be read: out of memory");
  }
  return stream;
}

// Reads the next part of the file when zlib has used up the last one. At the end of the file zlib has no input.
Result<void> GzipStream::fill() {
  ssize_t got = 0;
  do {
    got = ::read(file_.get(), in_.data(), in_.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) {
    return fail(ErrorCode::Io, "an artifact cannot be read: " + std::generic_category().message(errno));
  }
  zlib_.next_in = in_.data();
  zlib_.avail_in = static_cast<uInt>(got);
  return {};
}

Result<std::string_view> GzipStream::next() {
  zlib_.next_out = reinterpret_cast<Bytef*>(out_.data());
  zlib_.avail_out = static_cast<uInt>(out_.size());
  while (!ended_ && zlib_.avail_out == out_.size()) {
    if (zlib_.avail_in == 0) {
      TRY(fill());
    }
    if (zlib_.avail_in == 0) {
      if (!between_members_) {
        return fail(not_gzip("it ends too early"));
      }
      ended_ = true;
      break;
    }
    const bool begins_member = std::exchange(between_members_, false);
    const int outcome = ::inflate(&zlib_, Z_NO_FLUSH);
    if (outcome == Z_STREAM_END) {
      between_members_ = true;
      ::inflateReset(&zlib_);
    } else if (outcome != Z_OK && outcome != Z_BUF_ERROR) {
      return fail(not_gzip(begins_member ? "something follows its end" : "its compression is damaged"));
    }
  }
  return std::string_view(out_.data(), out_.size() - zlib_.avail_out);
}

}  // namespace athanor::controller
