// The revision files of one commit, byte for byte as they were committed.
//
// They are read as objects, not checked out: no filter, attribute, line-end setting or large-file pointer changes a byte, and
// nothing in a repository can make git run something. What the tree says of number and sizes is held against the limits
// before anything is read. Links to files stay links, made last; the folder's reader refuses those that lead out. Submodules
// are passed over.
//
// Threads: pure function, but for the files.
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
[[nodiscard]] Result<void> unpack_tree(const GitCommand& git, const GitTree& tree, UnpackedFolder& into);

}  // namespace athanor::controller
