// Unpacks the revision files of an untrusted tar.gz archive.
//
// Absolute names, names with `..`, and devices are refused anywhere in the archive; links are refused in the source's folder
// and on the way to it. Every decompressed byte counts against a limit, also those of files that are not wanted. A file that
// occurs twice is refused. Only revision files of the source's folder are written.
//
// Threads: safe from any thread, one per target folder.
#pragma once

#include <cstdint>
#include <string>

#include "operator/sources/unpacked_folder.hpp"

namespace athanor::controller {

struct ArchiveRequest {
  std::string file;    // the archive
  std::string folder;  // clean path of the folder in it; empty: its root
  bool recursive = false;
  SourceLimits limits;
  std::uint64_t max_bytes = kMaxUnpackedBytes;  // of all files in it, decompressed
};
// Unpacks the archive into `into`. Errors: PathEscape, FileTooLarge, MalformedRevision (not an archive), Io. On an error
// discard `into`.
[[nodiscard]] Result<void> unpack_archive(const ArchiveRequest& request, UnpackedFolder& into);

}  // namespace athanor::controller
