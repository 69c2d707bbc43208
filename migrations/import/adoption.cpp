#include "migrations/import/adoption.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <system_error>

#include "migrations/import/foreign_revision.hpp"
#include "migrations/import/new_files.hpp"
#include "migrations/revision/file_template.hpp"
#include "migrations/revision/revision_text.hpp"

namespace athanor {
namespace {

namespace fs = std::filesystem;

constexpr int kSlugLength = 40;

Error cannot_read(const std::string& path, const std::error_code& fault) {
  return Error(ErrorCode::Io, "cannot read " + shown_path(path) + ": " + fault.message())
      .with_retry(RetryClass::Terminal)
      .advise("give the folder of the migrations");
}

Result<std::string> read_bytes(const fs::path& path, const SourceLimits& limits) {
  std::error_code fault;
  const auto size = fs::file_size(path, fault);
  if (fault) {
    return fail(cannot_read(path.string(), fault));
  }
  if (size > limits.max_file_bytes) {
    return fail(file_too_large(path.string(), size, limits.max_file_bytes));
  }
  std::ifstream file(path, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return fail(cannot_read(path.string(), std::make_error_code(std::errc::io_error)));
  }
  return bytes;
}

class FolderReading {
 public:
  FolderReading(fs::path root, bool recursive, const SourceLimits& limits)
      : root_(std::move(root)), recursive_(recursive), limits_(limits) {}

  Result<std::vector<ForeignFile>> run() {
    std::error_code fault;
    if (fs::is_regular_file(root_, fault)) {
      TRY(add(root_, root_.filename().string()));
    } else {
      TRY(scan(root_, ""));
    }
    std::ranges::sort(files_, {}, &ForeignFile::name);
    return std::move(files_);
  }

 private:
  Result<void> scan(const fs::path& folder, const std::string& prefix) {
    std::error_code fault;
    for (fs::directory_iterator entry(folder, fault), end; !fault && entry != end; entry.increment(fault)) {
      const std::string name = entry->path().filename().string();
      if (name.starts_with('.')) {
        continue;
      }
      std::error_code unknown;
      // A link to a folder could form a cycle.
      if (entry->is_directory(unknown) && !entry->is_symlink(unknown)) {
        if (recursive_) {
          TRY(scan(entry->path(), prefix + name + "/"));
        }
      } else if (entry->is_regular_file(unknown)) {
        TRY(add(entry->path(), prefix + name));
      }
    }
    return fault ? Result<void>(fail(cannot_read(folder.string(), fault))) : Result<void>();
  }

  Result<void> add(const fs::path& path, const std::string& name) {
    if (files_.size() >= limits_.max_files) {
      return fail(Error(ErrorCode::FileTooLarge,
                        shown_path(root_.string()) + " contains more than " + std::to_string(limits_.max_files) + " files")
                      .advise("give the folder of the migrations, or raise limits.max_files"));
    }
    TRY_ASSIGN(std::string bytes, read_bytes(path, limits_));
    files_.push_back({name, std::move(bytes)});
    return {};
  }

  fs::path root_;
  bool recursive_;
  const SourceLimits& limits_;
  std::vector<ForeignFile> files_;
};

class Preparation {
 public:
  Preparation(const AdoptionRequest& request, ForeignFolder folder) : request_(request) { made_.folder = std::move(folder); }

  Result<Adoption> run() {
    made_.refused = made_.folder.refused;
    made_.warnings = made_.folder.warnings;
    if (made_.folder.revisions.empty() && made_.refused.empty()) {
      return fail(Error(ErrorCode::Io, "the folder contains no migration of " + std::string(request_.format.title))
                      .with_retry(RetryClass::Terminal)
                      .advise("give the folder of the migrations"));
    }
    choose_ids();
    std::string parent;
    for (const ForeignRevision& revision : made_.folder.revisions) {
      add(revision, parent);
      parent = revision.id;
    }
    if (!made_.refused.empty()) {
      // All refusals are collected first, so that the user sees them together.
      made_.files.clear();
      return std::move(made_);
    }
    TRY(check_present());
    return std::move(made_);
  }

 private:
  void choose_ids() {
    std::map<std::string, const ForeignRevision*> taken;
    for (ForeignRevision& revision : made_.folder.revisions) {
      std::string id = foreign_revision_id(revision.id.empty() ? revision.version : revision.id);
      if (taken.contains(id)) {
        // Two versions may shorten to the same id; the file name distinguishes them.
        id = foreign_revision_id(revision.version + " " + revision.file);
      }
      taken.emplace(id, &revision);
      revision.id = std::move(id);
    }
  }

  void add(const ForeignRevision& revision, const std::string& parent) {
    if (!revision.unreadable.empty() && !request_.partial) {
      made_.refused.push_back({revision.file, 0, revision.unreadable});
      return;
    }
    Revision header;
    header.id = revision.id;
    header.down = parent.empty() ? std::vector<std::string>{} : std::vector<std::string>{parent};
    header.message = revision.message.empty() ? std::string(base_of(revision.file)) : revision.message;
    const std::string slug = make_slug(revision.message, kSlugLength);
    header.path = (fs::path(request_.output) / (revision.id + (slug.empty() ? "" : "_" + slug) + ".sql")).string();
    ForeignRevisionText made = foreign_revision_text(request_.format, revision, header);
    made_.refused.insert(made_.refused.end(), made.problems.begin(), made.problems.end());
    made_.irreversible.insert(made_.irreversible.end(), made.way_back.begin(), made.way_back.end());
    made_.warnings.insert(made_.warnings.end(), made.warnings.begin(), made.warnings.end());
    made_.files.push_back({revision.id, revision.version, revision.file, header.path, std::move(made.text)});
  }

  static std::string_view base_of(std::string_view file) {
    const std::size_t slash = file.rfind('/');
    return slash == std::string_view::npos ? file : file.substr(slash + 1);
  }

  Result<void> check_present() {
    for (AdoptedFile& file : made_.files) {
      std::error_code ignored;
      // symlink_status(): a dangling link counts as an existing file, too.
      if (fs::symlink_status(file.path, ignored).type() == fs::file_type::not_found) {
        continue;
      }
      std::ifstream there(file.path, std::ios::binary);
      const std::string text((std::istreambuf_iterator<char>(there)), std::istreambuf_iterator<char>());
      if (!fs::is_regular_file(file.path, ignored) || text != file.text) {
        return fail(Error(ErrorCode::Io, shown_path(file.path) + " already exists and differs; nothing was written")
                        .with_retry(RetryClass::Terminal)
                        .advise("move it away, or choose another folder with --output"));
      }
      file.present = true;
    }
    return {};
  }

  const AdoptionRequest& request_;
  Adoption made_;
};

}  // namespace

Result<std::vector<ForeignFile>> read_foreign_files(const std::string& folder, bool recursive, const SourceLimits& limits) {
  return FolderReading(folder, recursive, limits).run();
}

Result<Adoption> prepare_adoption(const AdoptionRequest& request, ForeignFolder folder) {
  return Preparation(request, std::move(folder)).run();
}

Result<void> write_adoption(const Adoption& adoption, const std::string& output) {
  NewFiles files;
  TRY(files.make_folder(output));
  for (const AdoptedFile& file : adoption.files) {
    if (!file.present) {
      TRY(files.write(file.path, file.text));
    }
  }
  files.keep();
  return {};
}

}  // namespace athanor
