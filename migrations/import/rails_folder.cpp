// Rails: db/structure.sql becomes a single revision that replaces all Ruby migrations up to it; schema_migrations has the
// versions.
#include <algorithm>
#include <array>

#include "migrations/import/foreign_text.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor {
namespace {

// Lines for psql that pg_dump writes since 2025; they are not part of the schema.
bool is_psql_guard(std::string_view line) {
  return line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ");
}

// The versions in INSERT INTO "schema_migrations" (version) VALUES ('…'), ('…').
std::set<std::string> listed_versions(std::string_view text) {
  std::set<std::string> versions;
  bool inside = false;
  bool insert = false;
  SqlLexer lexer(text);
  for (Token token = lexer.next_code(); token.kind != TokenKind::End && token.kind != TokenKind::Unterminated;
       token = lexer.next_code()) {
    const std::string_view word = lexer.text(token);
    if (token.kind == TokenKind::Symbol && word == ";") {
      inside = insert = false;
    } else if (token.kind == TokenKind::Word && same_word(word, "insert")) {
      insert = true;
    } else if (insert && (word == "\"schema_migrations\"" || word == "schema_migrations")) {
      inside = true;
    } else if (inside && token.kind == TokenKind::String) {
      versions.emplace(word.substr(1, word.size() - 2));
    }
  }
  return versions;
}

ForeignFolder read_folder(const std::vector<ForeignFile>& files, const ForeignOptions& /*options*/) {
  ForeignFolder folder;
  std::set<std::string> listed;
  bool schema_rb = false;
  for (const ForeignFile& file : files) {
    schema_rb = schema_rb || base_name(file.name) == "schema.rb";
    if (base_name(file.name) != "structure.sql") {
      continue;
    }
    const auto text = foreign_text(file, folder);
    if (!text) {
      continue;
    }
    if (!folder.revisions.empty()) {
      folder.refused.push_back({file.name, 0, "a second structure.sql: give the one to adopt"});
      continue;
    }
    ForeignSection section;
    for (const TextLine& line : lines_of(*text)) {
      section.sql += (is_psql_guard(line.text) ? std::string() : std::string(line.text)) + "\n";
    }
    listed = listed_versions(section.sql);
    if (listed.empty()) {
      folder.refused.push_back({file.name, 0, "lists no version of schema_migrations at its end"});
      continue;
    }
    ForeignRevision revision;
    revision.version = *std::ranges::max_element(listed, smaller_number);
    revision.message = "Baseline of Rails at " + revision.version;
    revision.file = file.name;
    revision.covers.assign(listed.begin(), listed.end());
    revision.irreversible = "it is a baseline: what Rails migrated before";
    revision.up.push_back(std::move(section));
    folder.revisions.push_back(std::move(revision));
  }
  if (folder.revisions.empty() && folder.refused.empty()) {
    folder.refused.push_back({schema_rb ? "schema.rb" : "structure.sql", 0,
                              schema_rb
                                  ? "is Ruby: set config.active_record.schema_format = :sql and run `rails db:schema:dump`"
                                  : "does not exist: run `rails db:schema:dump` with schema_format :sql"});
  }
  for (const ForeignFile& file : files) {
    const std::string_view digits = leading_digits(base_name(file.name));
    if (!file.name.ends_with(".rb") || digits.size() < 3) {
      continue;
    }
    if (!listed.empty() && !listed.contains(std::string(digits))) {
      folder.refused.push_back({file.name, 0, "structure.sql does not have it: run `rails db:migrate`"});
    } else {
      folder.left_out.push_back({file.name, 0, "written in Ruby; structure.sql has what it does"});
    }
  }
  return folder;
}

constexpr std::array<std::string_view, 1> kColumns{"version"};

Result<std::size_t> read_history(const ForeignFolder& folder, const ForeignRows& rows) {
  const ForeignRevision& baseline = folder.revisions.front();
  std::set<std::string> applied;
  for (const auto& row : rows) {
    applied.insert(cell_text(row, 0));
  }
  if (applied.empty()) {
    return std::size_t{0};
  }
  for (const std::string& version : applied) {
    if (std::ranges::find(baseline.covers, version) == baseline.covers.end()) {
      return fail(Error(ErrorCode::UnknownDatabaseRevision,
                        "Rails applied version " + version + " to this database, but structure.sql does not list it")
                      .advise("check out the commit that has it, or write the file again: rails db:schema:dump"));
    }
  }
  for (const std::string& version : baseline.covers) {
    if (!applied.contains(version)) {
      return fail(Error(ErrorCode::NotUpToDate,
                        "structure.sql is at version " + version + ", which Rails has not applied to this database")
                      .advise("migrate the database to the version of structure.sql: rails db:migrate"));
    }
  }
  return std::size_t{1};
}

}  // namespace

const ForeignFormat kRailsFormat{.name = "rails",
                                 .title = "Rails",
                                 .catch_up = "rails db:migrate",
                                 .recursive = true,
                                 .read_folder = read_folder,
                                 .table = "schema_migrations",
                                 .columns = kColumns,
                                 .order = "version",
                                 .read_history = read_history};

}  // namespace athanor
