#include "migrations/import/foreign_text.hpp"

#include <algorithm>

#include "migrations/revision/revision_text.hpp"

namespace athanor {

std::optional<std::string> foreign_text(const ForeignFile& file, ForeignFolder& folder) {
  auto text = normalise_revision_text(file.bytes, file.name);
  if (!text) {
    folder.refused.push_back({file.name, 0, text.error().message});
    return std::nullopt;
  }
  return std::move(*text);
}

std::vector<TextLine> lines_of(std::string_view text) {
  std::vector<TextLine> lines;
  int number = 1;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.push_back({text.substr(0, end), number++});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string_view leading_digits(std::string_view name) {
  return name.substr(0, std::min(name.find_first_not_of("0123456789"), name.size()));
}

std::string plain_number(std::string_view digits) {
  const std::size_t first = digits.find_first_not_of('0');
  return first == std::string_view::npos ? "0" : std::string(digits.substr(first));
}

bool smaller_number(std::string_view a, std::string_view b) {
  const std::string left = plain_number(a);
  const std::string right = plain_number(b);
  return left.size() != right.size() ? left.size() < right.size() : left < right;
}

std::string words_of_name(std::string_view name) {
  std::string words(name);
  std::ranges::replace(words, '_', ' ');
  std::ranges::replace(words, '-', ' ');
  const std::size_t first = words.find_first_not_of(' ');
  const std::size_t last = words.find_last_not_of(' ');
  return first == std::string::npos ? std::string() : words.substr(first, last - first + 1);
}

std::string_view base_name(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view without_extension(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

std::string fill_placeholders(std::string_view text, const ForeignOptions& options, std::vector<std::string>& missing) {
  std::string filled;
  while (true) {
    const std::size_t open = text.find("${");
    const std::size_t close = open == std::string_view::npos ? open : text.find('}', open);
    const bool named = close != std::string_view::npos && text.substr(open, close - open).find('\n') == std::string_view::npos;
    if (!named) {
      // "${" without an end is SQL: a dollar quote's tag cannot contain a brace.
      const std::size_t taken = open == std::string_view::npos ? text.size() : open + 2;
      filled += text.substr(0, taken);
      text.remove_prefix(taken);
      if (text.empty()) {
        return filled;
      }
      continue;
    }
    const std::string name(text.substr(open + 2, close - open - 2));
    const auto value = options.placeholders.find(name);
    filled += text.substr(0, open);
    if (value == options.placeholders.end()) {
      if (std::ranges::find(missing, name) == missing.end()) {
        missing.push_back(name);
      }
      filled += text.substr(open, close - open + 1);
    } else {
      filled += value->second;
    }
    text.remove_prefix(close + 1);
  }
}

void order_revisions(ForeignFolder& folder, bool (*less)(const ForeignRevision& a, const ForeignRevision& b)) {
  std::ranges::stable_sort(folder.revisions, less);
  for (std::size_t i = 1; i < folder.revisions.size(); ++i) {
    const ForeignRevision& earlier = folder.revisions[i - 1];
    const ForeignRevision& later = folder.revisions[i];
    if (!less(earlier, later)) {
      folder.refused.push_back({later.file, later.line, "has the same version as " + earlier.file});
    }
  }
}

Result<std::size_t> applied_beginning(const ForeignFormat& format, const ForeignFolder& folder,
                                      const std::set<std::string>& applied) {
  const auto& revisions = folder.revisions;
  for (const std::string& version : applied) {
    if (std::ranges::find(revisions, version, &ForeignRevision::version) == revisions.end()) {
      return fail(Error(ErrorCode::UnknownDatabaseRevision, std::string(format.title) + " applied version " + version +
                                                                " to this database, but no file has that version")
                      .advise("check out the commit that has it, or give the folder that does"));
    }
  }
  const auto is_applied = [&](const ForeignRevision& revision) { return applied.contains(revision.version); };
  const auto pending = std::ranges::find_if_not(revisions, is_applied);
  const auto beyond = std::find_if(pending, revisions.end(), is_applied);
  if (beyond != revisions.end()) {
    return fail(Error(ErrorCode::NotUpToDate, std::string(format.title) + " applied " + beyond->file + " and not " +
                                                  pending->file +
                                                  ", which comes before it: the applied migrations must not have gaps")
                    .advise("apply the missing migration first: " + std::string(format.catch_up)));
  }
  return static_cast<std::size_t>(pending - revisions.begin());
}

Error half_done(const ForeignFormat& format, std::string_view version, std::string_view way_out) {
  return Error(ErrorCode::NotUpToDate,
               std::string(format.title) + " stopped in the middle of version " + std::string(version) + " in this database")
      .advise(std::string(way_out));
}

Error changed_since(const ForeignFormat& format, const ForeignRevision& revision, std::string_view way_out) {
  return Error(ErrorCode::ChecksumMismatch, revision.file + " differs from the file that " + std::string(format.title) +
                                                " applied to this database: the checksums differ")
      .advise(std::string(way_out));
}

std::string cell_text(const std::vector<std::optional<std::string>>& row, std::size_t column) {
  return column < row.size() ? row[column].value_or("") : std::string();
}

}  // namespace athanor
