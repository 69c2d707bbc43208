// Liquibase, formatted SQL: "--changeset author:id" sections; databasechangelog has a row for each changeset that ran.
#include <algorithm>
#include <array>
#include <map>

#include "migrations/import/foreign_text.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// The text after "--changeset" or "-- rollback", ignoring the case of the word.
std::optional<std::string_view> behind(std::string_view line, std::string_view word) {
  line = trim(line);
  if (!line.starts_with("--")) {
    return std::nullopt;
  }
  line = trim(line.substr(2));
  if (line.size() < word.size() || !same_word(line.substr(0, word.size()), word)) {
    return std::nullopt;
  }
  const std::string_view rest = line.substr(word.size());
  const bool whole = rest.empty() || rest.front() == ' ' || rest.front() == '\t' || rest.front() == ':' || rest.front() == '-';
  return whole ? std::optional(rest) : std::nullopt;
}

std::string unquoted(std::string_view text) {
  return std::string(text.size() > 1 && text.front() == '"' && text.back() == '"' ? text.substr(1, text.size() - 2) : text);
}

// Splits into words; a quoted word may contain blanks.
std::vector<std::string> attribute_words(std::string_view text) {
  std::vector<std::string> words;
  bool quoted = false;
  bool open = false;
  for (const char letter : text) {
    const bool blank = !quoted && (letter == ' ' || letter == '\t');
    if (letter == '"') {
      quoted = !quoted;
    }
    if (blank) {
      open = false;
      continue;
    }
    if (!open) {
      words.emplace_back();
      open = true;
    }
    words.back() += letter;
  }
  return words;
}

std::string lower(std::string_view text) {
  std::string small(text);
  std::ranges::transform(small, small.begin(), lower_ascii);
  return small;
}

class LiquibaseFile {
 public:
  LiquibaseFile(const ForeignFile& file, const ForeignOptions& options, ForeignFolder& folder)
      : file_(file), options_(options), folder_(folder) {}

  void read(std::string_view text) {
    for (const TextLine& line : lines_of(text)) {
      take(line);
    }
    finish();
  }

 private:
  void take(const TextLine& line) {
    const std::string_view text = trim(line.text);
    if (in_block_) {
      in_block_ = text.find("*/") == std::string_view::npos;
      add_rollback(text.substr(0, std::min(text.find("*/"), text.size())), line.number);
    } else if (text.starts_with("/*") && lower(trim(text.substr(2))).starts_with("liquibase rollback")) {
      in_block_ = text.find("*/") == std::string_view::npos;
      start_rollback(line.number + 1);
    } else if (const auto changeset = behind(line.text, "changeset")) {
      finish();
      begin(*changeset, line.number);
    } else if (behind(line.text, "liquibase")) {
      // "--liquibase formatted sql"
    } else if (!open_) {
      if (behind(line.text, "property")) {
        refuse(line.number, "--property: set its value with --placeholder NAME=VALUE and remove the line");
      } else if (!text.empty() && !text.starts_with("--")) {
        refuse(line.number, "SQL above the first --changeset");
      }
    } else {
      take_inside(line);
    }
    if (open_ && (in_block_ || is_directive_)) {
      section_.sql += "\n";  // keeps the line numbers of what follows
    }
    is_directive_ = false;
  }

  void take_inside(const TextLine& line) {
    is_directive_ = true;
    if (const auto rollback = behind(line.text, "rollback")) {
      start_rollback(line.number);
      add_rollback(trim(*rollback), line.number);
    } else if (const auto comment = behind(line.text, "comment")) {
      const std::string_view words = trim(comment->starts_with(':') ? comment->substr(1) : *comment);
      revision_.message = revision_.message.empty() ? std::string(words) : revision_.message;
    } else if (behind(line.text, "preconditions") || behind(line.text, "precondition")) {
      refuse(line.number, "a precondition, which a revision cannot have: write the condition as SQL");
    } else if (behind(line.text, "ignorelines") || behind(line.text, "ignore")) {
      refuse(line.number, "ignored lines: remove them");
    } else if (behind(line.text, "validchecksum") || behind(line.text, "valid checksum")) {
      return;
    } else {
      is_directive_ = false;
      section_.sql += delimited(line.text) + "\n";
    }
  }

  // Replaces the changeset's own statement delimiter by SQL's.
  [[nodiscard]] std::string delimited(std::string_view line) const {
    if (delimiter_.empty()) {
      return std::string(line);
    }
    const std::string_view text = trim(line);
    if (same_word(text, lower(delimiter_))) {
      return ";";
    }
    if (delimiter_.size() > 1 && text.ends_with(delimiter_)) {
      return std::string(text.substr(0, text.size() - delimiter_.size())) + ";";
    }
    return std::string(line);
  }

  void begin(std::string_view rest, int line) {
    revision_ = ForeignRevision{};
    section_ = ForeignSection{};
    rollback_.reset();
    delimiter_.clear();
    skipped_ = false;
    open_ = true;
    const std::vector<std::string> words = attribute_words(trim(rest));
    // An author may be two words: the id follows the first colon.
    const std::size_t colon = trim(rest).find(':');
    if (words.empty() || colon == std::string_view::npos) {
      refuse(line, "--changeset without author:id");
      open_ = false;
      return;
    }
    const std::string author = unquoted(trim(trim(rest).substr(0, colon)));
    const std::vector<std::string> behind_colon = attribute_words(trim(rest).substr(colon + 1));
    if (behind_colon.empty()) {
      refuse(line, "--changeset without an id");
      open_ = false;
      return;
    }
    const std::string id = unquoted(behind_colon.front());
    revision_.version = author + ":" + id;
    revision_.id = id;
    revision_.file = file_.name;
    revision_.line = line;
    section_.line = line + 1;
    for (std::size_t i = 1; i < behind_colon.size(); ++i) {
      obey(behind_colon[i], line);
    }
  }

  void obey(const std::string& attribute, int line) {
    const std::size_t cut = std::min(attribute.find(':'), attribute.size());
    const std::string name = lower(attribute.substr(0, cut));
    const std::string value = cut < attribute.size() ? unquoted(attribute.substr(cut + 1)) : std::string();
    const std::string known = lower(value);
    if (name == "runintransaction") {
      section_.transaction = known != "false";
    } else if (name == "enddelimiter") {
      delimiter_ = value == ";" ? std::string() : value;
      if (delimiter_.starts_with("\\n")) {
        delimiter_ = delimiter_.substr(2);
      }
      if (delimiter_.find('\\') != std::string::npos) {
        refuse(line, "the delimiter \"" + value + "\" is a pattern: end statements with ;");
      }
    } else if (name == "dbms") {
      skipped_ = skipped_ || !for_postgres(known);
    } else if (name == "ignore") {
      skipped_ = skipped_ || known == "true";
    } else if (name == "context" || name == "contextfilter" || name == "labels" || name == "runonchange") {
      if (name != "runonchange" || known == "true") {
        folder_.warnings.push_back(file_.name + ": " + revision_.version + " loses its " + attribute.substr(0, cut) +
                                   ", which a revision does not have");
      }
    } else if ((name == "runalways" && known == "true") || (name == "failonerror" && known == "false")) {
      refuse(line, attribute + " has no counterpart: a revision runs once, and succeeds");
    } else if (name == "logicalfilepath" || name == "splitstatements" || name == "rollbacksplitstatements" ||
               name == "stripcomments" || name == "runalways" || name == "failonerror" || name == "created" ||
               name == "runorder" || name == "objectquotingstrategy") {
      return;
    } else {
      refuse(line, "the attribute \"" + attribute.substr(0, cut) + "\" is not known");
    }
  }

  static bool for_postgres(std::string_view list) {
    bool named = false;
    bool excluded = false;
    bool positive = false;
    while (!list.empty()) {
      const std::size_t end = std::min(list.find(','), list.size());
      const std::string_view word = trim(list.substr(0, end));
      positive = positive || !word.starts_with('!');
      named = named || word == "postgresql" || word == "all";
      excluded = excluded || word == "!postgresql" || word == "none";
      list.remove_prefix(std::min(end + 1, list.size()));
    }
    return !excluded && (named || !positive);
  }

  void start_rollback(int line) {
    if (!rollback_) {
      rollback_ = ForeignSection{.sql = {}, .line = line};
    }
  }

  void add_rollback(std::string_view text, int /*line*/) {
    const std::string words = lower(trim(text));
    if (rollback_ && words != "empty" && words != "not required") {
      if (words.starts_with("changesetid:")) {
        refuse(revision_.line, "a rollback that names another changeset: write its SQL");
      }
      rollback_->sql += std::string(text) + "\n";
    }
  }

  void finish() {
    if (!open_) {
      return;
    }
    open_ = false;
    if (skipped_) {
      folder_.left_out.push_back({file_.name, revision_.line, revision_.version + " is not for PostgreSQL, or ignored"});
      return;
    }
    std::vector<std::string> missing;
    section_.sql = fill_placeholders(section_.sql, options_, missing);
    if (rollback_) {
      rollback_->sql = fill_placeholders(rollback_->sql, options_, missing);
      revision_.down.push_back(std::move(*rollback_));
    } else {
      revision_.irreversible = revision_.version + " of " + file_.name + " has no rollback";
    }
    for (const std::string& name : missing) {
      refuse(revision_.line, "the parameter ${" + name + "} has no value: set it with --placeholder " + name + "=VALUE");
    }
    if (revision_.message.empty()) {
      revision_.message = revision_.version;
    }
    revision_.up.push_back(std::move(section_));
    folder_.revisions.push_back(std::move(revision_));
  }

  void refuse(int line, std::string reason) { folder_.refused.push_back({file_.name, line, std::move(reason)}); }

  const ForeignFile& file_;
  const ForeignOptions& options_;
  ForeignFolder& folder_;
  ForeignRevision revision_;
  ForeignSection section_;
  std::optional<ForeignSection> rollback_;
  std::string delimiter_;
  bool open_ = false;
  bool skipped_ = false;
  bool in_block_ = false;  // inside /* liquibase rollback */
  bool is_directive_ = false;
};

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& options) {
  ForeignFolder folder;
  for (const ForeignFile& file : files) {
    const bool other = file.name.ends_with(".xml") || file.name.ends_with(".yaml") || file.name.ends_with(".yml") ||
                       file.name.ends_with(".json");
    if (other) {
      const bool changes = file.bytes.find("hangeSet") != std::string::npos;
      if (changes) {
        folder.refused.push_back({file.name, 0, "has changesets that are not SQL: write them as formatted SQL"});
      } else {
        folder.left_out.push_back({file.name, 0, "only includes other changelogs, which are read in the order of their names"});
      }
      continue;
    }
    if (!file.name.ends_with(".sql")) {
      continue;
    }
    const auto text = foreign_text(file, folder);
    if (!text) {
      continue;
    }
    if (text->find("liquibase formatted") == std::string::npos) {
      folder.left_out.push_back({file.name, 0, "has no \"--liquibase formatted sql\": Liquibase would not run it by itself"});
      continue;
    }
    LiquibaseFile(file, options, folder).read(*text);
  }
  if (!folder.revisions.empty()) {
    folder.warnings.emplace_back(
        "MD5SUM is not compared: check with `liquibase validate` that the changesets have not changed");
  }
  std::map<std::string, int> ids;
  std::map<std::string, int> versions;
  for (const ForeignRevision& revision : folder.revisions) {
    ++ids[revision.id];
    if (++versions[revision.version + " " + revision.file] > 1) {
      folder.refused.push_back({revision.file, revision.line, "a second changeset " + revision.version});
    }
  }
  for (ForeignRevision& revision : folder.revisions) {
    if (ids[revision.id] > 1) {
      revision.id.clear();
    }
  }
  return folder;
}

constexpr std::array<std::string_view, 4> kColumns{"id", "author", "filename", "exectype"};
enum Column : std::size_t { kId, kAuthor, kFileName, kExecType };

// Several files may have the same author and id: then the path decides.
std::size_t position_of(const ForeignFolder& folder, const std::string& version, const std::string& path) {
  std::size_t best = folder.revisions.size();
  for (std::size_t i = 0; i < folder.revisions.size(); ++i) {
    const ForeignRevision& revision = folder.revisions[i];
    if (revision.version == version) {
      if (path.ends_with(revision.file)) {
        return i;
      }
      best = i;
    }
  }
  return best;
}

// A new database would be made in the order of the files.
Error applied_in_another_order(const ForeignRevision& first, const ForeignRevision& second) {
  return Error(ErrorCode::VersionRowMismatch,
               "Liquibase applied " + first.version + " of " + first.file + " before " + second.version + " of " + second.file +
                   ", but by file name it comes later: Athanor does not read the order of a master changelog")
      .advise("adopt a copy of the folder whose files are named in the order in which Liquibase runs them");
}

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  std::vector<bool> applied(folder.revisions.size(), false);
  std::size_t last = 0;
  for (const auto& row : rows) {
    const std::string version = cell_text(row, kAuthor) + ":" + cell_text(row, kId);
    const std::size_t place = position_of(folder, version, cell_text(row, kFileName));
    if (place == folder.revisions.size()) {
      return applied_beginning(kLiquibaseFormat, folder, {version});
    }
    const std::string how = cell_text(row, kExecType);
    if (how == "FAILED") {
      return fail(half_done(kLiquibaseFormat, version, "fix it and run `liquibase update`"));
    }
    // A changeset that runs again (runOnChange) keeps its row and gets a new number.
    if (how != "RERAN") {
      if (place < last) {
        return fail(applied_in_another_order(folder.revisions[last], folder.revisions[place]));
      }
      last = place;
    }
    applied[place] = true;
  }
  const auto pending = std::ranges::find(applied, false);
  const auto beyond = std::find(pending, applied.end(), true);
  const auto count = static_cast<std::size_t>(pending - applied.begin());
  if (beyond != applied.end()) {
    const ForeignRevision& later = folder.revisions[static_cast<std::size_t>(beyond - applied.begin())];
    return fail(Error(ErrorCode::NotUpToDate, "Liquibase applied " + later.version + " of " + later.file + " and not " +
                                                  folder.revisions[count].version + " of " + folder.revisions[count].file +
                                                  ", which comes before it: the applied migrations must not have gaps")
                    .advise("apply the missing migration first: liquibase update"));
  }
  return count;
}

}  // namespace

const ForeignFormat kLiquibaseFormat{.name = "liquibase",
                                     .title = "Liquibase",
                                     .catch_up = "liquibase update",
                                     .recursive = true,
                                     .read_folder = read_folder,
                                     .table = "databasechangelog",
                                     .columns = kColumns,
                                     .order = "orderexecuted",
                                     .beside = "databasechangeloglock",
                                     .read_history = read_history};

}  // namespace athanor
