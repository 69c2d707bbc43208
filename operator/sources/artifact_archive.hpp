// Revision files out of a tar.gz that somebody else made.
//
// Everything in it is taken for hostile: absolute names and names with `..` are refused wherever they stand, devices too, links
// where the source's folder is; every byte that comes out of the compression counts against a limit, also those of files that
// nobody wants; a file that comes twice is refused. Only revision files of the source's folder are written.
//
// Threads: pure function, but for the files. Errors: PathEscape, FileTooLarge, MalformedRevision (no archive).
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
  std::uint64_t max_bytes = kMaxUnpackedBytes;  // of everything in it
};
[[nodiscard]] Result<void> unpack_archive(const ArchiveRequest& request, UnpackedFolder& into);

}  // namespace athanor::controller
