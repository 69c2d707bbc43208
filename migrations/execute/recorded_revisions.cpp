#include "migrations/execute/recorded_revisions.hpp"

#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "migrations/execute/migrator_impl.hpp"
#include "migrations/revision/native_header.hpp"

namespace athanor {
namespace {

// The columns of HistoryTable::select_lineage().
enum Column { Id, Parents, DependsOn, Labels, Text, AppliedAt, Actor, Checksum };

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

// Of hexadecimal digits in lower case, as encode() writes them.
std::optional<unsigned> digit(char c) {
  if (c >= '0' && c <= '9') {
    return c - '0';
  }
  return c >= 'a' && c <= 'f' ? std::optional<unsigned>(c - 'a' + 10) : std::nullopt;
}

std::optional<std::string> bytes_of(const Parameter& hexadecimal) {
  if (!hexadecimal || hexadecimal->size() % 2 != 0) {
    return std::nullopt;
  }
  std::string bytes;
  bytes.reserve(hexadecimal->size() / 2);
  for (std::size_t i = 0; i < hexadecimal->size(); i += 2) {
    const auto high = digit((*hexadecimal)[i]);
    const auto low = digit((*hexadecimal)[i + 1]);
    if (!high || !low) {
      return std::nullopt;
    }
    bytes += static_cast<char>(*high << 4U | *low);
  }
  return bytes;
}

RecordedRevision recorded_in(const Rows& rows, std::size_t row) {
  RecordedRevision recorded;
  recorded.text = bytes_of(rows.cell(row, Text));
  Revision& revision = recorded.revision;
  revision.path = "ledger/" + rows.text(row, Id) + ".sql";
  if (recorded.text) {
    // Only the text contains message and date.
    if (auto header = parse_native_header(*recorded.text, true, revision.path); header && *header) {
      revision = std::move(**header);
      revision.path = "ledger/" + rows.text(row, Id) + ".sql";
    }
  }
  revision.id = rows.text(row, Id);
  revision.down = lines_of(rows.text(row, Parents));
  revision.depends_on = lines_of(rows.text(row, DependsOn));
  revision.labels = lines_of(rows.text(row, Labels));
  recorded.applied_at = rows.text(row, AppliedAt);
  recorded.actor = rows.text(row, Actor);
  recorded.checksum = rows.text(row, Checksum);
  return recorded;
}

}  // namespace

Result<RecordedLineage> trace_lineage(const Rows& rows, const RevisionGraph& files, const std::vector<std::string>& heads) {
  std::unordered_map<std::string, std::size_t> row_of;
  for (std::size_t row = 0; row < rows.rows.size(); ++row) {
    // Parents are NULL in rows of an earlier version of Athanor, which recorded no lineage.
    if (rows.cell(row, Parents)) {
      row_of.emplace(rows.text(row, Id), row);
      for (auto& label : lines_of(rows.text(row, Labels))) {
        row_of.emplace(std::move(label), row);
      }
    }
  }
  RecordedLineage lineage;
  // Breadth first from the heads, so that children precede their parents.
  std::deque<std::string> open(heads.begin(), heads.end());
  std::unordered_set<std::string> seen;
  while (!open.empty()) {
    const std::string symbol = std::move(open.front());
    open.pop_front();
    if (files.find(symbol) != nullptr) {
      continue;
    }
    const auto found = row_of.find(symbol);
    if (found == row_of.end()) {
      if (!files.resolve(symbol) && seen.insert(symbol).second) {  // a dependency may be a label in the files
        lineage.missing.push_back(symbol);
      }
      continue;
    }
    if (!seen.insert(rows.text(found->second, Id)).second) {
      continue;
    }
    RecordedRevision recorded = recorded_in(rows, found->second);
    std::ranges::copy(recorded.revision.down, std::back_inserter(open));
    std::ranges::copy(recorded.revision.depends_on, std::back_inserter(open));
    lineage.revisions.push_back(std::move(recorded));
  }
  return lineage;
}

Result<RecordedLineage> Migrator::recorded_lineage(const RevisionGraph& files, const std::vector<std::string>& heads) {
  TRY(impl_->connect());
  if (!impl_->last_state) {
    TRY_ASSIGN([[maybe_unused]] const DatabaseState state, impl_->observe());
  }
  const DatabaseState& state = *impl_->last_state;
  if (!state.observation.has_ledger || state.tables.history_columns < HistoryTable::kColumns) {
    return trace_lineage({}, files, heads);  // an earlier version of Athanor recorded no lineage
  }
  TRY_ASSIGN(const Rows rows, impl_->session->query(impl_->ledger.history().select_lineage()));
  return trace_lineage(rows, files, heads);
}

Result<std::vector<Revision>> RecordedSource::list() const {
  TRY_ASSIGN(std::vector<Revision> revisions, files_->list());
  std::unordered_set<std::string> taken;
  for (const Revision& revision : revisions) {
    taken.insert(revision.id);
    taken.insert(revision.labels.begin(), revision.labels.end());
  }
  // Parents first: `recorded_` has children first.
  for (auto recorded = recorded_.rbegin(); recorded != recorded_.rend(); ++recorded) {
    if (!taken.contains(recorded->revision.id)) {
      Revision revision = recorded->revision;
      std::erase_if(revision.labels, [&](const std::string& label) { return taken.contains(label); });
      revisions.push_back(std::move(revision));
    }
  }
  return revisions;
}

const RecordedRevision* RecordedSource::find(const Revision& revision) const {
  const auto found = std::ranges::find_if(
      recorded_, [&](const RecordedRevision& recorded) { return recorded.revision.path == revision.path; });
  return found == recorded_.end() ? nullptr : &*found;
}

Result<std::string> RecordedSource::read(const Revision& revision) const {
  const RecordedRevision* recorded = find(revision);
  if (recorded == nullptr) {
    return files_->read(revision);
  }
  if (!recorded->text) {
    return fail(Error(ErrorCode::NotRenderable, "the ledger did not keep the SQL of revision " + revision.id)
                    .advise("check out the commit that has its file"));
  }
  return *recorded->text;
}

Result<std::string> RecordedSource::checksum(const Revision& revision) const {
  const RecordedRevision* recorded = find(revision);
  if (recorded == nullptr) {
    return files_->checksum(revision);
  }
  // Checksums are compared between ledger and file. This revision has no file, so it always matches.
  return recorded->checksum;
}

}  // namespace athanor
