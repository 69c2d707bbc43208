// dbmate: <version>_<name>.sql with "-- migrate:up" and "-- migrate:down"; schema_migrations has the versions.
#include <algorithm>
#include <array>

#include "migrations/import/foreign_text.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

struct Marker {
  std::string_view direction;  // "up", "down", or whatever is there instead
  std::string_view options;
};

// "-- migrate:up transaction:false" at the start of a line.
std::optional<Marker> marker_of(std::string_view line) {
  if (!line.starts_with("--")) {
    return std::nullopt;
  }
  const std::string_view rest = trim(line.substr(2));
  constexpr std::string_view kPrefix = "migrate:";
  if (!rest.starts_with(kPrefix)) {
    return std::nullopt;
  }
  const std::string_view words = rest.substr(kPrefix.size());
  const std::size_t end = std::min(words.find_first_of(" \t"), words.size());
  return Marker{words.substr(0, end), trim(words.substr(end))};
}

class DbmateScript {
 public:
  DbmateScript(const ForeignFile& file, ForeignFolder& folder, ForeignRevision& revision)
      : file_(file), folder_(folder), revision_(revision) {}

  void read(std::string_view text) {
    for (const TextLine& line : lines_of(text)) {
      if (const auto marker = marker_of(line.text)) {
        begin(*marker, line.number);
      } else if (section_ != nullptr) {
        section_->sql += std::string(line.text) + "\n";
      } else if (!trim(line.text).empty() && !trim(line.text).starts_with("--")) {
        refuse(line.number, "SQL above \"-- migrate:up\", which dbmate does not run");
      }
    }
    if (revision_.up.empty()) {
      refuse(0, "has no \"-- migrate:up\"");
    }
    if (revision_.down.empty()) {
      revision_.irreversible = std::string(base_name(file_.name)) + " has no \"migrate:down\" section";
    }
    for (auto* sections : {&revision_.up, &revision_.down}) {
      for (ForeignSection& section : *sections) {
        // Without a transaction, dbmate sends the section as one message, which the server runs as one transaction if it
        // contains several statements.
        const auto statements = split_statements(section.sql);
        section.transaction = section.transaction || (statements && statements->size() > 1);
      }
    }
  }

 private:
  void begin(const Marker& marker, int line) {
    if (marker.direction != "up" && marker.direction != "down") {
      refuse(line, "\"migrate:" + std::string(marker.direction) + "\" is not known");
      return;
    }
    auto& sections = marker.direction == "up" ? revision_.up : revision_.down;
    if (!sections.empty() || (marker.direction == "up" && !revision_.down.empty())) {
      refuse(line, "\"migrate:" + std::string(marker.direction) + "\" is repeated, or comes after \"migrate:down\"");
      return;
    }
    ForeignSection section;
    section.line = line + 1;
    std::string_view options = marker.options;
    while (!options.empty()) {
      const std::size_t end = std::min(options.find_first_of(" \t"), options.size());
      const std::string_view option = options.substr(0, end);
      if (option == "transaction:false") {
        section.transaction = false;
      } else if (option != "transaction:true") {
        refuse(line, "the option \"" + std::string(option) + "\" is not known");
      }
      options = trim(options.substr(end));
    }
    sections.push_back(std::move(section));
    section_ = &sections.back();
  }

  void refuse(int line, std::string reason) { folder_.refused.push_back({file_.name, line, std::move(reason)}); }

  const ForeignFile& file_;
  ForeignFolder& folder_;
  ForeignRevision& revision_;
  ForeignSection* section_ = nullptr;
};

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  ForeignFolder folder;
  for (const ForeignFile& file : files) {
    const std::string_view digits = leading_digits(file.name);
    if (!file.name.ends_with(".sql")) {
      continue;
    }
    if (digits.empty()) {
      folder.left_out.push_back({file.name, 0, "its name does not begin with a number, so dbmate ignores it"});
      continue;
    }
    ForeignRevision revision;
    revision.version = digits;
    revision.message = words_of_name(without_extension(file.name).substr(digits.size()));
    revision.file = file.name;
    if (const auto text = foreign_text(file, folder)) {
      DbmateScript(file, folder, revision).read(*text);
      folder.revisions.push_back(std::move(revision));
    }
  }
  order_revisions(folder, [](const ForeignRevision& a, const ForeignRevision& b) { return a.version < b.version; });
  return folder;
}

constexpr std::array<std::string_view, 1> kColumns{"version"};

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  std::set<std::string> applied;
  for (const auto& row : rows) {
    applied.insert(cell_text(row, 0));
  }
  return applied_beginning(kDbmateFormat, folder, applied);
}

}  // namespace

const ForeignFormat kDbmateFormat{.name = "dbmate",
                                  .title = "dbmate",
                                  .catch_up = "dbmate migrate",
                                  .read_folder = read_folder,
                                  .table = "schema_migrations",
                                  .columns = kColumns,
                                  .order = "version",
                                  .read_history = read_history};

}  // namespace athanor
