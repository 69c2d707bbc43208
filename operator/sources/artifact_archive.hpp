// Unpacks the revision files of an untrusted tar.gz archive.
//
// Absolute names, names with `..`, devices and sparse files are refused anywhere in the archive; links are refused in the
// source's folder and on the way to it. Every decompressed byte counts against a limit: files that are not wanted, headers, and
// what follows the archive's end. A header has a limit of its own, because libarchive keeps it in memory. A file that occurs
// twice is refused. Only revision files of the source's folder are written. The whole file is read, so a truncated one is
// refused even if the archive in it has an end.
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
  std::uint64_t max_bytes = kMaxUnpackedBytes;  // decompressed
};
// Unpacks the archive into `into`. Errors: PathEscape, FileTooLarge, MalformedRevision (not an archive), Io. On an error
// discard `into`.
[[nodiscard]] Result<void> unpack_archive(const ArchiveRequest& request, UnpackedFolder& into);

}  // namespace athanor::controller
