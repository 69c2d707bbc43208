#include "migrations/import/alembic_import.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <sstream>
#include <system_error>

#include "migrations/import/native_revision.hpp"
#include "migrations/import/new_files.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/revision/revision_text.hpp"
#include "migrations/revision/source.hpp"

namespace athanor {
namespace {

namespace fs = std::filesystem;

ImportLoss loss_of(const RenderedRevision& revision, Direction direction, const RenderFault& fault) {
  return {revision.id, revision.file, fault.line, direction, fault.type, fault.message};
}

// From one of our errors about generated text. The line number is dropped, because nobody has seen that text.
ImportLoss loss_of(const RenderedRevision& revision, Direction direction, const Error& error) {
  std::string reason = error.message;
  if (!error.hint.empty()) {
    reason += " (" + error.hint + ")";
  }
  return {revision.id, revision.file, 0, direction, std::string(error_name(error.code)), std::move(reason)};
}

// The reason after `-- athanor:irreversible`, on one line.
std::string irreversible_reason(const ImportLoss& loss) {
  std::string text = loss.type == "NotImplementedError" || loss.type == "Missing"
                         ? (loss.reason.empty() ? "its Alembic downgrade raised NotImplementedError" : loss.reason)
                         : "its Alembic downgrade could not be rendered: " + loss.reason;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

Result<Revision> read_header(const std::string& text, const std::string& path) {
  TRY_ASSIGN(auto header, parse_revision_header(RevisionFormat::NativeSql, text, true, path));
  if (!header) {
    return fail(ErrorCode::Internal, "the header of the file has no end");
  }
  return std::move(*header);
}

// Reads the file as every command will, and compares it with Alembic's data.
Result<void> prove(const RenderedRevision& revision, const std::string& path, const std::string& text) {
  TRY_ASSIGN(const std::string normal, normalise_revision_text(text, path));
  if (normal != text) {
    return fail(ErrorCode::NotRenderable, "its text does not survive being written to a file");
  }
  TRY_ASSIGN(const Revision header, read_header(text, path));
  const Revision meant = header_of(revision);
  if (header.id != meant.id || header.down != meant.down || header.depends_on != meant.depends_on ||
      header.labels != meant.labels || header.message != meant.message || header.created != meant.created) {
    return fail(Error(ErrorCode::NotRenderable, "its header would be read differently from a revision file")
                    .advise("give it a docstring whose first line is not a header field"));
  }
  TRY(parse_script(header, text));
  return {};
}

Result<std::string> proven_text(const RenderedRevision& revision, const std::string& path, std::string_view irreversible) {
  TRY_ASSIGN(std::string text, native_revision_text(revision, irreversible));
  TRY(prove(revision, path, text));
  return text;
}

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class Preparation {
 public:
  Preparation(const RenderedProject& project, fs::path folder) : project_(project), folder_(std::move(folder)) {}

  Result<Import> run() {
    for (const RenderedRevision& revision : project_.revisions) {
      add(revision);
    }
    TRY(check_names());
    add_project_warnings();
    return std::move(import_);
  }

 private:
  void add(RenderedRevision revision) {
    if (revision.upgrade.fault) {
      import_.refused.push_back(loss_of(revision, Direction::Upgrade, *revision.upgrade.fault));
      return;
    }
    cut_names(revision);
    ImportFile file{revision.id, revision.file, (folder_ / fs::path(revision.file).stem()).string() + ".sql", {}};
    file.varies = revision.upgrade.varies;
    std::optional<ImportLoss> lost;
    if (revision.downgrade.fault) {
      lost = loss_of(revision, Direction::Downgrade, *revision.downgrade.fault);
    }
    auto text = proven_text(revision, file.path, lost ? irreversible_reason(*lost) : std::string());
    if (!text && !lost) {
      // Find out which direction is at fault: try the upgrade without the downgrade.
      lost = loss_of(revision, Direction::Downgrade, text.error());
      auto upgrade_alone = proven_text(revision, file.path, irreversible_reason(*lost));
      if (upgrade_alone) {
        text = std::move(upgrade_alone);
      }
    }
    if (!text) {
      import_.refused.push_back(loss_of(revision, Direction::Upgrade, text.error()));
      return;
    }
    if (lost) {
      import_.irreversible.push_back(std::move(*lost));
    }
    add_remarks(revision);
    file.text = std::move(*text);
    import_.files.push_back(std::move(file));
  }

  void add_remarks(const RenderedRevision& revision) {
    for (const auto* direction : {&revision.upgrade, &revision.downgrade}) {
      for (const std::string& remark : direction->remarks) {
        import_.warnings.push_back(shown_path(revision.file) + ": " + remark);
      }
    }
  }

  void cut_names(RenderedRevision& revision) {
    for (auto* direction : {&revision.upgrade, &revision.downgrade}) {
      for (const std::string& name : cut_long_names(*direction)) {
        direction->remarks.push_back("the name " + name + " is over 63 bytes: written as PostgreSQL cuts it");
      }
    }
  }

  // Whether an existing file may stay. The first import fixed the values generated in Python.
  static bool take_present(ImportFile& file) {
    std::string there = read_whole(file.path);
    if (there != file.text && (!file.varies || !same_but_for_values(there, file.text))) {
      return false;
    }
    file.text = std::move(there);
    return true;
  }

  Result<void> check_names() {
    std::map<std::string, const ImportFile*> names;
    for (ImportFile& file : import_.files) {
      const auto [other, fresh] = names.emplace(file.path, &file);
      if (!fresh) {
        return fail(Error(ErrorCode::DuplicateRevision, shown_path(file.source) + " and " + shown_path(other->second->source) +
                                                            " would both become " + shown_path(file.path))
                        .advise("rename one of them; Alembic ignores file names"));
      }
      std::error_code ignored;
      if (fs::symlink_status(file.path, ignored).type() != fs::file_type::not_found) {
        if (!fs::is_regular_file(file.path, ignored) || !take_present(file)) {
          return fail(Error(ErrorCode::Io, shown_path(file.path) + " already exists and differs; nothing was written")
                          .advise("move it away, or choose another folder with --output"));
        }
        file.present = true;
      }
    }
    return {};
  }

  void add_project_warnings() {
    import_.warnings.insert(import_.warnings.end(), project_.warnings.begin(), project_.warnings.end());
    if (project_.version_table != "alembic_version" || !project_.version_table_schema.empty()) {
      std::string warning = "env.py uses another version table: put `version_table: " + project_.version_table + "`";
      if (!project_.version_table_schema.empty()) {
        warning += " and `version_table_schema: " + project_.version_table_schema + "`";
      }
      import_.warnings.push_back(warning + " into athanor.yaml");
    }
    if (project_.version_callbacks > 0) {
      import_.warnings.emplace_back("env.py has on_version_apply callbacks, which were not imported");
    }
  }

  const RenderedProject& project_;
  fs::path folder_;
  Import import_;
};

Error different_graph(const std::string& what) {
  return Error(ErrorCode::Internal, "the files do not have the same graph as Alembic: " + what + "; the files were removed");
}

// Compares the folder, as every later command reads it, with Alembic's data.
Result<void> compare(const Import& import, const RenderedProject& project, const std::string& folder) {
  const FolderSource source({folder}, false);
  TRY_ASSIGN(std::vector<Revision> found, source.list());
  std::map<std::string, const Revision*> by_id;
  for (const Revision& revision : found) {
    by_id.emplace(revision.id, &revision);
  }
  for (const ImportFile& file : import.files) {
    const auto entry = by_id.find(file.revision);
    if (entry == by_id.end()) {
      return fail(different_graph("revision " + file.revision + " is missing"));
    }
    TRY_ASSIGN(std::string text, source.read(*entry->second));
    if (text != file.text) {
      return fail(different_graph("revision " + file.revision + " has a different text"));
    }
    TRY(parse_script(*entry->second, std::move(text)));
  }
  if (!import.refused.empty()) {
    return {};  // the graph is incomplete until those revisions are written by hand
  }
  const std::size_t others =
      found.size() - import.files.size();  // files of an earlier import that Alembic no longer has, or new ones
  TRY_ASSIGN(const RevisionGraph graph, RevisionGraph::build(std::move(found)));
  auto heads = graph.heads();
  auto bases = graph.bases();
  std::ranges::sort(heads);
  std::ranges::sort(bases);
  if (others == 0 && (heads != project.heads || bases != project.bases)) {
    return fail(different_graph("its heads or bases differ"));
  }
  return {};
}

}  // namespace

std::string ImportLoss::place() const {
  return shown_path(file) + (line > 0 ? ":" + std::to_string(line) : std::string());
}

Result<Import> prepare_import(const RenderedProject& project, const std::string& folder) {
  return Preparation(project, folder).run();
}

Result<void> write_import(const Import& import, const RenderedProject& project, const std::string& folder) {
  NewFiles files;
  TRY(files.make_folder(folder));
  for (const ImportFile& file : import.files) {
    if (!file.present) {
      TRY(files.write(file.path, file.text));
    }
  }
  TRY(compare(import, project, folder));
  files.keep();
  return {};
}

}  // namespace athanor
