#include "operator/sources/artifact_archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "migrations/text/foreign_message.hpp"
#include "operator/sources/gzip_stream.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kBlock = std::size_t{64} << 10U;
constexpr std::uint64_t kMaxEntries = 1'000'000;
// Of one entry's headers: long names, pax records, and maps of sparse files, for which libarchive takes twelve times the
// memory.
constexpr std::uint64_t kMaxHeaderBytes = std::uint64_t{4} << 20U;

struct CloseArchive {
  void operator()(archive* open) const { ::archive_read_free(open); }
};

class Unpacking {
 public:
  Unpacking(const ArchiveRequest& request, UnpackedFolder& into)
      : request_(request), into_(into), archive_(::archive_read_new()), block_(kBlock) {}

  Result<void> run() {
    TRY_ASSIGN(stream_, GzipStream::open(request_.file));
    ::archive_read_support_format_tar(archive_.get());
    header_bytes_ = 0;
    if (::archive_read_open(archive_.get(), this, nullptr, next_block, nullptr) != ARCHIVE_OK) {
      return fail(malformed());
    }
    archive_entry* entry = nullptr;
    for (std::uint64_t count = 0;; ++count) {
      header_bytes_ = 0;
      const int outcome = ::archive_read_next_header(archive_.get(), &entry);
      header_bytes_.reset();
      if (outcome == ARCHIVE_EOF) {
        break;
      }
      if (outcome != ARCHIVE_OK && outcome != ARCHIVE_WARN) {
        return fail(malformed());
      }
      // Entries without content do not count towards max_bytes, so limit their number as well.
      if (count == kMaxEntries) {
        return fail(too_large("the artifact has more than " + std::to_string(kMaxEntries) + " entries"));
      }
      TRY(take(entry));
    }
    for (std::string_view rest(" "); !rest.empty();) {
      TRY_ASSIGN(rest, next_bytes());
    }
    if (!found_ && !request_.folder.empty()) {
      return fail(Error(ErrorCode::Io, "the artifact has no folder '" + request_.folder + "'")
                      .with_retry(RetryClass::Terminal)
                      .advise("correct the path, or check what the Flux source excludes (spec.ignore)"));
    }
    return {};
  }

 private:
  static la_ssize_t next_block(archive* open, void* self, const void** block) {
    auto& unpacking = *static_cast<Unpacking*>(self);
    auto bytes = unpacking.next_bytes();
    if (!bytes) {
      unpacking.failure_ = std::move(bytes).error();
      ::archive_set_error(open, EIO, "the stream failed");
      return ARCHIVE_FATAL;
    }
    *block = bytes->data();
    return static_cast<la_ssize_t>(bytes->size());
  }

  Result<std::string_view> next_bytes() {
    TRY_ASSIGN(const std::string_view bytes, stream_->next());
    stream_bytes_ += bytes.size();
    if (stream_bytes_ > request_.max_bytes) {
      return fail(bomb());
    }
    if (header_bytes_ && (*header_bytes_ += bytes.size()) > kMaxHeaderBytes) {
      return fail(Error(ErrorCode::FileTooLarge, "the headers of an entry of the artifact have more than " +
                                                     std::to_string(kMaxHeaderBytes) + " bytes"));
    }
    return bytes;
  }

  // Why libarchive stopped: what we told it, or its own words.
  [[nodiscard]] Error malformed() const {
    if (failure_) {
      return *failure_;
    }
    const char* words = ::archive_error_string(archive_.get());
    return {ErrorCode::MalformedRevision, "the artifact is not a readable tar.gz archive" +
                                              (words == nullptr ? std::string() : ": " + fit_for_message(words))};
  }

  Result<void> take(archive_entry* entry) {
    const char* raw = ::archive_entry_pathname(entry);
    // archive_entry_pathname() returns null for a name that the locale cannot represent.
    raw = raw == nullptr ? ::archive_entry_pathname_utf8(entry) : raw;
    if (raw == nullptr || *raw == '\0') {
      return fail(ErrorCode::MalformedRevision, "an entry of the artifact has no name, or one that is not text");
    }
    const auto path = clean_inner_path(raw);
    if (!path) {
      return fail(Error(ErrorCode::PathEscape, "an entry of the artifact has a path that leads out of it or is more than " +
                                                   std::to_string(kMaxPathDepth) + " folders deep")
                      .at(fit_for_message(raw)));
    }
    const auto type = ::archive_entry_filetype(entry);
    const bool link = type == AE_IFLNK || ::archive_entry_hardlink(entry) != nullptr;
    const auto name = name_in_folder(*path);
    found_ = found_ || name;
    if (!link && type != AE_IFREG && type != AE_IFDIR) {
      return fail(Error(ErrorCode::PathEscape, "the artifact contains a device").at(fit_for_message(*path)));
    }
    if (::archive_entry_sparse_count(entry) > 0) {
      return fail(Error(ErrorCode::MalformedRevision, "the artifact contains a sparse file").at(fit_for_message(*path)));
    }
    // A link in place of a parent of the source's folder would redirect every file below it.
    const bool leads_there = request_.folder == *path || request_.folder.starts_with(*path + "/");
    if (link && (name || leads_there)) {
      return fail(Error(ErrorCode::PathEscape, "the artifact contains a link")
                      .at(fit_for_message(*path))
                      .advise("replace it with the file itself"));
    }
    // Links elsewhere in the archive are ignored: nothing is written through them.
    const bool wanted = type == AE_IFREG && name && is_revision_path(*name, request_.recursive);
    return wanted ? write(entry, *name) : pass_over(entry);
  }

  // Returns `path` relative to the source's folder; "" for the folder itself; nullopt for a path elsewhere.
  [[nodiscard]] std::optional<std::string> name_in_folder(const std::string& path) const {
    if (request_.folder.empty()) {
      return path;
    }
    if (path == request_.folder) {
      return "";
    }
    const std::string prefix = request_.folder + "/";
    return path.starts_with(prefix) ? std::optional(path.substr(prefix.size())) : std::nullopt;
  }

  Result<void> write(archive_entry* entry, const std::string& name) {
    if (++files_ > request_.limits.max_files) {
      return fail(too_large("the source has more than " + std::to_string(request_.limits.max_files) + " files"));
    }
    TRY_ASSIGN(const UniqueFd file, into_.create_file(name));
    std::uint64_t size = 0;
    return read(entry, [&](std::string_view bytes) -> Result<void> {
      size += bytes.size();
      if (size > request_.limits.max_file_bytes) {
        return fail(too_large("the file is larger than " + std::to_string(request_.limits.max_file_bytes) + " bytes").at(name));
      }
      total_ += bytes.size();
      if (total_ > request_.limits.max_source_bytes) {
        const std::string folder =
            request_.folder.empty() ? "artifact" : "folder " + fit_for_message(request_.folder) + " of the artifact";
        return fail(source_too_large(folder, request_.limits.max_source_bytes).at("spec.source.fluxRef"));
      }
      return UnpackedFolder::append(file, bytes);
    });
  }

  // Reads the entry instead of skipping it: libarchive decompresses skipped bytes too, but they would not be counted.
  Result<void> pass_over(archive_entry* entry) {
    return read(entry, [](std::string_view) -> Result<void> { return {}; });
  }

  template <class Take>
  Result<void> read(archive_entry* entry, const Take& take_bytes) {
    const auto declared = ::archive_entry_size(entry);
    // The declared size is a hint for an early error; the bytes themselves are counted below, because a header may lie.
    if (declared > 0 && static_cast<std::uint64_t>(declared) > request_.max_bytes - bytes_) {
      return fail(bomb());
    }
    while (true) {
      const auto got = ::archive_read_data(archive_.get(), block_.data(), block_.size());
      if (got < 0) {
        return fail(malformed());
      }
      if (got == 0) {
        return {};
      }
      bytes_ += static_cast<std::uint64_t>(got);
      if (bytes_ > request_.max_bytes) {
        return fail(bomb());
      }
      TRY(take_bytes(std::string_view(block_.data(), static_cast<std::size_t>(got))));
    }
  }

  [[nodiscard]] Error bomb() const {
    return Error(ErrorCode::FileTooLarge, "the artifact unpacks to more than " + std::to_string(request_.max_bytes) + " bytes")
        .advise("exclude other files from the Flux source (spec.ignore)");
  }

  const ArchiveRequest& request_;
  UnpackedFolder& into_;
  std::unique_ptr<archive, CloseArchive> archive_;
  std::unique_ptr<GzipStream> stream_;
  std::optional<Error> failure_;               // of the stream, while libarchive read it
  std::optional<std::uint64_t> header_bytes_;  // read for the current entry's headers; empty while its content is read
  std::uint64_t stream_bytes_ = 0;
  std::vector<char> block_;
  std::uint64_t bytes_ = 0;
  std::size_t files_ = 0;
  std::uint64_t total_ = 0;  // bytes of wanted files
  bool found_ = false;
};

}  // namespace

Result<void> unpack_archive(const ArchiveRequest& request, UnpackedFolder& into) {
  return Unpacking(request, into).run();
}

}  // namespace athanor::controller
