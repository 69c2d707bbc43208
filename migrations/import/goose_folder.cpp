// goose: <number>_<name>.sql with "-- +goose" annotations; goose_db_version has a row for each change.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/import/foreign_text.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// "Up", "NO TRANSACTION"; empty for a line that is not an annotation.
std::optional<std::string> annotation_of(std::string_view line) {
  const std::string_view text = trim(line);
  if (!text.starts_with("--")) {
    return std::nullopt;
  }
  std::string_view rest =
      trim(text.substr(text.find_first_not_of('-') == std::string_view::npos ? text.size() : text.find_first_not_of('-')));
  if (!rest.starts_with("+goose")) {
    return std::nullopt;
  }
  return std::string(trim(rest.substr(std::string_view("+goose").size())));
}

class GooseScript {
 public:
  GooseScript(const ForeignFile& file, std::string_view text, ForeignFolder& folder, ForeignRevision& revision)
      : file_(file), text_(text), folder_(folder), revision_(revision) {}

  void read() {
    for (const TextLine& line : lines_of(text_)) {
      if (const auto annotation = annotation_of(line.text)) {
        annotate(*annotation, line.number);
      } else if (section_ != nullptr) {
        section_->sql += std::string(line.text) + "\n";
      } else if (!trim(line.text).empty() && !trim(line.text).starts_with("--")) {
        refuse(line.number, "SQL above \"-- +goose Up\", which goose does not run");
      }
      // An empty line in place of the annotation keeps the line numbers.
    }
    if (revision_.up.empty() && !refused_) {
      refuse(0, "has no \"-- +goose Up\"");
    }
    if (revision_.down.empty()) {
      revision_.irreversible = base_name(file_.name);
      revision_.irreversible += " has no \"+goose Down\" section";
    }
    for (auto* sections : {&revision_.up, &revision_.down}) {
      for (ForeignSection& section : *sections) {
        section.transaction = transaction_;
      }
    }
  }

 private:
  void annotate(const std::string& annotation, int line) {
    if (same_word(annotation, "up")) {
      begin(revision_.up, line, "Up");
    } else if (same_word(annotation, "down")) {
      begin(revision_.down, line, "Down");
    } else if (same_word(annotation, "no transaction")) {
      transaction_ = false;
    } else if (same_word(annotation, "statementbegin") || same_word(annotation, "statementend")) {
      // The lexer finds the ends of statements; an empty line keeps the line numbers.
      if (section_ != nullptr) {
        section_->sql += "\n";
      }
      return;
    } else if (same_word(annotation, "envsub off") || same_word(annotation, "envsub on")) {
      refuse(line, "ENVSUB substitutes environment variables into the SQL: write the values");
    } else {
      refuse(line, "\"+goose " + annotation + "\" is not known");
    }
    if (section_ != nullptr && section_->line != line + 1) {
      section_->sql += "\n";
    }
  }

  void begin(std::vector<ForeignSection>& sections, int line, std::string_view name) {
    if (!sections.empty()) {
      refuse(line, "a second \"+goose " + std::string(name) + "\"");
    }
    ForeignSection section;
    section.line = line + 1;
    sections.push_back(std::move(section));
    section_ = &sections.back();
  }

  void refuse(int line, std::string reason) {
    refused_ = true;
    folder_.refused.push_back({file_.name, line, std::move(reason)});
  }

  const ForeignFile& file_;
  std::string_view text_;
  ForeignFolder& folder_;
  ForeignRevision& revision_;
  ForeignSection* section_ = nullptr;
  bool transaction_ = true;
  bool refused_ = false;
};

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  ForeignFolder folder;
  for (const ForeignFile& file : files) {
    const bool sql = file.name.ends_with(".sql");
    const bool go = file.name.ends_with(".go") && !file.name.ends_with("_test.go");
    const std::string_view digits = leading_digits(file.name);
    if ((!sql && !go) || digits.empty() || !file.name.substr(digits.size()).starts_with('_')) {
      if (sql) {
        folder.left_out.push_back({file.name, 0, "its name does not begin with a number and '_', so goose ignores it"});
      }
      continue;
    }
    ForeignRevision revision;
    revision.version = plain_number(digits);
    revision.id = digits;
    revision.message = words_of_name(without_extension(file.name).substr(digits.size()));
    revision.file = file.name;
    if (go) {
      revision.unreadable = "written in Go";
      revision.irreversible = "its goose migration is written in Go";
      folder.revisions.push_back(std::move(revision));
      continue;
    }
    if (const auto text = foreign_text(file, folder)) {
      GooseScript(file, *text, folder, revision).read();
      folder.revisions.push_back(std::move(revision));
    }
  }
  order_revisions(folder,
                  [](const ForeignRevision& a, const ForeignRevision& b) { return smaller_number(a.version, b.version); });
  return folder;
}

constexpr std::array<std::string_view, 2> kColumns{"version_id", "is_applied"};

// The newest row of a version counts: older versions of goose also keep a row for every downgrade. Version 0 is the table
// itself.
Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  std::map<std::string, bool> last;
  for (const auto& row : rows) {
    last[plain_number(cell_text(row, 0))] = cell_text(row, 1) == "true";
  }
  std::set<std::string> applied;
  for (const auto& [version, is_applied] : last) {
    if (is_applied && version != "0") {
      applied.insert(version);
    }
  }
  return applied_beginning(kGooseFormat, folder, applied);
}

}  // namespace

const ForeignFormat kGooseFormat{.name = "goose",
                                 .title = "goose",
                                 .catch_up = "goose up -allow-missing",
                                 .read_folder = read_folder,
                                 .table = "goose_db_version",
                                 .columns = kColumns,
                                 .order = "id",
                                 .read_history = read_history};

}  // namespace athanor
