// Unpacks the revision files of one commit, byte for byte as they were committed.
//
// Files are read as objects, not checked out: no filter, attribute, line-end setting or LFS pointer changes a byte, and nothing
// in a repository can make git execute something. The tree's number of files and their sizes are checked against the limits
// before any content is read. Links to files stay links and are created last; the folder's reader refuses links that lead out
// of it. Submodules are skipped.
//
// Threads: safe from any thread, one per target folder.
#pragma once

#include <string>

#include "operator/sources/git_command.hpp"
#include "operator/sources/unpacked_folder.hpp"

namespace athanor::controller {

struct GitTree {
  std::string repository;
  std::string commit;
  std::string folder;  // clean path; empty: the root
  bool recursive = false;
  SourceLimits limits;
};
// Unpacks the files into `into`. Errors: Io (terminal) when the folder is not in the commit, PathEscape, FileTooLarge, those of
// GitCommand. On an error discard `into`.
[[nodiscard]] Result<void> unpack_tree(const GitCommand& git, const GitTree& tree, UnpackedFolder& into);

}  // namespace athanor::controller
