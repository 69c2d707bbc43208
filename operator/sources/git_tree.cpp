#include "operator/sources/git_tree.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "migrations/text/foreign_message.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxLine = std::size_t{16} << 10U;
constexpr std::uint64_t kMaxLinkBytes = 4'096;

struct TreeEntry {
  std::string object;
  std::string name;
  std::uint64_t size = 0;
  bool link = false;
};

Error cannot_parse(const std::string& what) {
  return Error(ErrorCode::Internal, "cannot parse git's output for " + what);
}

// Parses the output of `git ls-tree -z -l`: "100644 blob <object> <size, padded>\t<name>\0".
class TreeListing {
 public:
  explicit TreeListing(const GitTree& tree) : tree_(tree) {}

  Result<void> feed(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto end = std::min(bytes.find('\0'), bytes.size());
      line_ += bytes.substr(0, end);
      if (line_.size() > kMaxLine) {
        return fail(cannot_parse("a tree"));
      }
      if (end == bytes.size()) {
        return {};
      }
      TRY(take(std::exchange(line_, {})));
      bytes.remove_prefix(end + 1);
    }
    return {};
  }

  // Returns files first and links last, so that no file is written through a link.
  std::vector<TreeEntry> finish() {
    std::stable_partition(entries_.begin(), entries_.end(), [](const TreeEntry& entry) { return !entry.link; });
    return std::move(entries_);
  }

 private:
  Result<void> take(const std::string& line) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos || line.size() < 13) {
      return fail(cannot_parse("a tree"));
    }
    if (line.compare(7, 5, "blob ") != 0) {
      return {};  // a submodule, or a folder when the source is not recursive
    }
    const std::string name = line.substr(tab + 1);
    // Before the check of the name: a strange name elsewhere in the repository must not make the source unusable.
    if (!is_revision_path(name, tree_.recursive)) {
      return {};
    }
    if (clean_inner_path(name) != name) {
      return fail(Error(ErrorCode::PathEscape, "a file of the commit has a path that leads out of its folder or is more than " +
                                                   std::to_string(kMaxPathDepth) + " folders deep")
                      .at(fit_for_message(tree_.folder.empty() ? name : tree_.folder + "/" + name)));
    }
    TreeEntry entry;
    entry.name = name;
    entry.link = line.starts_with("120000");
    entry.object = line.substr(12, line.find(' ', 12) - 12);
    const auto digits = line.find_first_not_of(' ', 12 + entry.object.size());
    const auto [stopped, problem] = std::from_chars(line.data() + digits, line.data() + tab, entry.size);
    if (problem != std::errc() || stopped != line.data() + tab) {
      return fail(cannot_parse("a file's size"));
    }
    return count(std::move(entry));
  }

  Result<void> count(TreeEntry entry) {
    const SourceLimits& limits = tree_.limits;
    if (entries_.size() == limits.max_files) {
      return fail(too_large("the source has more than " + std::to_string(limits.max_files) + " files"));
    }
    if (entry.size > (entry.link ? kMaxLinkBytes : limits.max_file_bytes)) {
      return fail(too_large("the file has " + std::to_string(entry.size) + " bytes and at most " +
                            std::to_string(limits.max_file_bytes) + " are read")
                      .at(tree_.folder.empty() ? entry.name : tree_.folder + "/" + entry.name));
    }
    total_ += entry.size;
    if (const std::uint64_t limit = std::min(limits.max_source_bytes, kMaxUnpackedBytes); total_ > limit) {
      const std::string folder = tree_.folder.empty() ? "root" : "folder " + fit_for_message(tree_.folder);
      return fail(source_too_large(folder + " of commit " + tree_.commit, limit).at("spec.source.git"));
    }
    entries_.push_back(std::move(entry));
    return {};
  }

  const GitTree& tree_;
  std::string line_;
  std::vector<TreeEntry> entries_;
  std::uint64_t total_ = 0;
};

// Writes the output of `git cat-file --batch` to files: "<object> blob <size>\n<bytes>\n", in the order of the requests.
class BlobWriter {
 public:
  BlobWriter(const std::vector<TreeEntry>& entries, UnpackedFolder& into) : entries_(entries), into_(into) {}

  Result<std::size_t> ask(std::span<char> buffer) {
    std::size_t filled = 0;
    while (asked_ < entries_.size() && filled + entries_[asked_].object.size() < buffer.size()) {
      const std::string line = entries_[asked_++].object + "\n";
      std::memcpy(buffer.data() + filled, line.data(), line.size());
      filled += line.size();
    }
    return filled;
  }

  Result<void> feed(std::string_view bytes) {
    while (!bytes.empty()) {
      if (!in_body_) {
        TRY(read_head(bytes));
      } else if (left_ > 0) {
        const auto part = bytes.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, bytes.size())));
        TRY(write(part));
        left_ -= part.size();
        bytes.remove_prefix(part.size());
      } else {
        bytes.remove_prefix(1);  // the line end after the content
        TRY(end_body());
      }
    }
    return {};
  }

  [[nodiscard]] bool complete() const { return done_ == entries_.size() && !in_body_; }

 private:
  Result<void> read_head(std::string_view& bytes) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    head_ += bytes.substr(0, end);
    if (head_.size() > kMaxLine || done_ == entries_.size()) {
      return fail(cannot_parse("a file"));
    }
    if (end == bytes.size()) {
      bytes = {};
      return {};
    }
    bytes.remove_prefix(end + 1);
    const TreeEntry& entry = entries_[done_];
    // Object and size must match the listing, because the limits were checked there.
    if (std::exchange(head_, {}) != entry.object + " blob " + std::to_string(entry.size)) {
      return fail(cannot_parse("a file"));
    }
    in_body_ = true;
    left_ = entry.size;
    if (!entry.link) {
      TRY_ASSIGN(file_, into_.create_file(entry.name));
    }
    return {};
  }

  Result<void> write(std::string_view part) {
    if (entries_[done_].link) {
      target_ += part;
      return {};
    }
    return UnpackedFolder::append(file_, part);
  }

  Result<void> end_body() {
    const TreeEntry& entry = entries_[done_++];
    in_body_ = false;
    return entry.link ? into_.create_link(entry.name, std::exchange(target_, {})) : Result<void>();
  }

  const std::vector<TreeEntry>& entries_;
  UnpackedFolder& into_;
  std::size_t asked_ = 0;
  std::size_t done_ = 0;
  bool in_body_ = false;
  std::uint64_t left_ = 0;
  std::string head_;
  std::string target_;
  UniqueFd file_;
};

Result<void> check_folder(const GitCommand& git, const GitTree& tree, const std::string& named) {
  if (tree.folder.empty()) {
    return {};
  }
  GitRun run;
  run.repository = tree.repository;
  run.arguments = {"cat-file", "-t", named};
  const auto type = git.output(std::move(run));
  if (!type && type.error().code == ErrorCode::Interrupted) {
    return fail(type.error());
  }
  if (!type || *type != "tree\n") {
    return fail(Error(ErrorCode::Io, "commit " + tree.commit.substr(0, 12) + " has no folder '" + tree.folder + "'")
                    .with_retry(RetryClass::Terminal)
                    .advise("correct git.path"));
  }
  return {};
}

}  // namespace

Result<void> unpack_tree(const GitCommand& git, const GitTree& tree, UnpackedFolder& into) {
  const std::string named = tree.commit + ":" + tree.folder;
  TRY(check_folder(git, tree, named));
  TreeListing listing(tree);
  GitRun list;
  list.repository = tree.repository;
  list.arguments = {"ls-tree", "-z", "-l", named};
  // -l: sizes, so that the limits are checked before any content is read. -z: names are not quoted.
  if (tree.recursive) {
    list.arguments.insert(list.arguments.begin() + 1, "-r");
  }
  list.out = [&listing](std::string_view bytes) { return listing.feed(bytes); };
  TRY(git.run(list));
  const auto entries = listing.finish();
  if (entries.empty()) {
    return {};
  }
  BlobWriter writer(entries, into);
  GitRun read;
  read.repository = tree.repository;
  // One process for all files instead of one each; --buffer, so that it does not flush after every file.
  read.arguments = {"cat-file", "--batch", "--buffer"};
  read.in = [&writer](std::span<char> buffer) { return writer.ask(buffer); };
  read.out = [&writer](std::string_view bytes) { return writer.feed(bytes); };
  TRY(git.run(read));
  if (!writer.complete()) {
    return fail(cannot_parse("the commit's files"));
  }
  return {};
}

}  // namespace athanor::controller
