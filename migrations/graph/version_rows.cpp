#include "migrations/graph/version_rows.hpp"

#include <algorithm>

namespace athanor {
namespace {

Error row_error(std::string message) {
  // Terminal: rows and files contradict each other, and a retry changes neither.
  return Error(ErrorCode::VersionRowMismatch, std::move(message))
      .with_retry(RetryClass::Terminal)
      .advise(
          "compare `athanor current` with `athanor history`; remove a redundant depends_on or down_revision, or correct the "
          "rows with `athanor stamp`");
}

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

}  // namespace

VersionRows::VersionRows(const Symbols& symbols, std::vector<std::string> rows)
    : symbols_(symbols), data_(symbols.data()), rows_(std::move(rows)) {
  std::ranges::sort(rows_);
  rows_.erase(std::unique(rows_.begin(), rows_.end()), rows_.end());
}

bool VersionRows::has(std::string_view row) const {
  return std::ranges::binary_search(rows_, row);
}

Result<void> VersionRows::insert(WalkStep& step, const std::string& to) {
  const auto place = std::ranges::lower_bound(rows_, to);
  if (place != rows_.end() && *place == to) {
    return fail(row_error("the version table already holds a row for " + quoted(to)));
  }
  rows_.insert(place, to);
  step.operations.push_back({RowOperation::Kind::Insert, {}, to});
  return {};
}

Result<void> VersionRows::remove(WalkStep& step, const std::string& from) {
  const auto place = std::ranges::lower_bound(rows_, from);
  if (place == rows_.end() || *place != from) {
    return fail(row_error("the version table would hold no row for " + quoted(from) + " to delete" +
                          (step.revision ? " when " + quoted(*step.revision) + " is reached" : std::string())));
  }
  rows_.erase(place);
  step.operations.push_back({RowOperation::Kind::Delete, from, {}});
  return {};
}

Result<void> VersionRows::update(WalkStep& step, const std::string& from, const std::string& to) {
  if (has(to)) {
    return fail(row_error("the version table already holds a row for " + quoted(to)));
  }
  const auto place = std::ranges::lower_bound(rows_, from);
  if (place == rows_.end() || *place != from) {
    return fail(row_error("the version table would hold no row for " + quoted(from) + " to turn into " + quoted(to)));
  }
  if (rows_.size() == 1) {
    rows_.front() = to;
  } else {
    rows_.erase(place);
    rows_.insert(std::ranges::lower_bound(rows_, to), to);
  }
  step.operations.push_back({RowOperation::Kind::Update, from, to});
  return {};
}

Result<WalkStep> VersionRows::run(Node revision, Direction direction) {
  if (!begun_) {
    begin_cover();
  }
  WalkStep step;
  step.direction = direction;
  step.revision = data_.id(revision);
  if (direction == Direction::Upgrade) {
    TRY(go_up(step, revision));
    cover(revision);
  } else {
    TRY(go_down(step, revision));
    uncover(revision);
  }
  for (const RowOperation& operation : step.operations) {
    if (operation.kind != RowOperation::Kind::Insert) {
      step.from.push_back(operation.from);
    }
    if (operation.kind != RowOperation::Kind::Delete) {
      step.to.push_back(operation.to);
    }
  }
  std::ranges::sort(step.from);
  std::ranges::sort(step.to);
  step.heads = rows_;
  return step;
}

Result<void> VersionRows::go_up(WalkStep& step, Node revision) {
  const auto below = data_.normalized.of(revision);
  Node present = kNothing;
  std::size_t count = 0;
  for (const Node node : below) {
    if (has(data_.id(node))) {
      present = node;
      ++count;
    }
  }
  // No parent has a row: the revision starts a branch, or other rows cover its parents.
  if (count == 0) {
    return insert(step, data_.id(revision));
  }
  if (count > 1) {
    return merge(step, revision);
  }
  return update(step, data_.id(present), data_.id(revision));
}

// Several parents have rows: delete all but the last, and update that one to this revision. A parent that other rows cover has
// no row of its own.
Result<void> VersionRows::merge(WalkStep& step, Node revision) {
  const auto below = data_.normalized.of(revision);
  NodeList from(below.begin(), below.end());
  const auto in_others = [&](const std::string& row) {
    return std::ranges::none_of(below, [&](Node node) { return data_.id(node) == row; });
  };
  if (std::ranges::any_of(rows_, in_others) &&
      (by_search_ || std::ranges::any_of(below, [&](Node node) { return covered_above_[at(node)] > 0; }))) {
    TRY_ASSIGN(const NodeList others, rows_without(below));
    std::erase_if(from, [&](Node node) { return reaches(others, node); });
  }
  if (from.empty()) {
    return fail(row_error("every parent of " + quoted(data_.id(revision)) + " is covered by another row of the version table"));
  }
  for (std::size_t i = 0; i + 1 < from.size(); ++i) {
    TRY(remove(step, data_.id(from[i])));
  }
  return update(step, data_.id(from.back()), data_.id(revision));
}

Result<void> VersionRows::go_down(WalkStep& step, Node revision) {
  const std::string& id = data_.id(revision);
  const auto below = data_.normalized.of(revision);
  if (!has(id)) {
    return fail(row_error("the version table would hold no row for " + quoted(id) + " when it is undone"));
  }
  // A base revision: no parent needs a row.
  if (below.empty()) {
    return remove(step, id);
  }
  TRY_ASSIGN(const NodeList rows, rows_below(revision));
  if (rows.empty()) {
    return remove(step, id);
  }
  // A line: the row moves to the only parent.
  if (below.size() == 1) {
    return update(step, id, data_.id(below[0]));
  }
  for (std::size_t i = 0; i + 1 < rows.size(); ++i) {
    TRY(insert(step, data_.id(rows[i])));
  }
  return update(step, id, data_.id(rows.back()));
}

// The parents that need their own row once `revision` is taken back: those that no remaining row covers.
Result<NodeList> VersionRows::rows_below(Node revision) {
  const auto below = data_.normalized.of(revision);
  NodeList result(below.begin(), below.end());
  if (rows_.size() > 1) {
    NodeList kept;
    for (const Node node : result) {
      TRY_ASSIGN(const bool covered, covered_by_others(node, revision));
      if (!covered) {
        kept.push_back(node);
      }
    }
    result = std::move(kept);
  } else if (by_search_ || std::ranges::any_of(below, [&](Node node) { return covered_above_[at(node)] > 1; })) {
    // With a single row, a parent can only be covered by another parent of this revision.
    NodeList further;
    for (const Node node : below) {
      further.insert(further.end(), data_.normalized.of(node).begin(), data_.normalized.of(node).end());
    }
    std::erase_if(result, [&](Node node) { return reaches(further, node); });
  }
  return result;
}

Result<bool> VersionRows::covered_by_others(Node below, Node leaving) {
  if (!by_search_) {
    if (has(data_.id(below))) {
      return true;
    }
    if (covered_above_[at(below)] <= 1) {  // `leaving` itself is one of them
      return false;
    }
    if (data_.normalized.of(leaving).size() == 1) {
      return true;  // another child is covered, and it cannot be an ancestor of `leaving`
    }
    const NodeList self{leaving};
    for (const Node child : data_.all_next.of(below)) {
      if (child != leaving && covered_[at(child)] != 0 && leads_straight_to(child, below) && !reaches(self, child)) {
        return true;  // a direct child that is not an ancestor of `leaving` stays covered
      }
    }
  }
  const Node gone[] = {leaving};
  TRY_ASSIGN(const NodeList others, rows_without(gone));
  return reaches(others, below);
}

bool VersionRows::leads_straight_to(Node child, Node below) const {
  return std::ranges::find(data_.normalized.of(child), below) != data_.normalized.of(child).end();
}

// The revisions of all rows except `gone`.
Result<NodeList> VersionRows::rows_without(std::span<const Node> gone) const {
  RangeEnd others;
  std::ranges::copy_if(rows_, std::back_inserter(others.names), [&](const std::string& row) {
    return std::ranges::none_of(gone, [&](Node node) { return data_.id(node) == row; });
  });
  TRY_ASSIGN(NodeList nodes, symbols_.all(others));
  if (std::ranges::any_of(nodes, [](Node node) { return node < 0; })) {
    return fail(row_error("a row of the version table does not name a revision"));
  }
  return nodes;
}

// Whether `wanted` is one of `starts` or an ancestor of one. The search never goes below the level of `wanted`.
bool VersionRows::reaches(const NodeList& starts, Node wanted) {
  search_.look_for(wanted);
  return search_.found_below(starts);
}

void VersionRows::begin_cover() {
  begun_ = true;
  covered_ = data_.no_marks();
  covered_above_.assign(data_.size(), 0);
  for (const std::string& row : rows_) {
    const Node node = data_.owner_of(row);
    // An abbreviated or unknown row: the marks would be incomplete, so every question needs a search.
    if (node == kNothing) {
      by_search_ = true;
      return;
    }
    cover(node);
  }
}

void VersionRows::cover(Node node) {
  if (by_search_) {
    return;
  }
  stack_.assign(1, node);
  while (!stack_.empty()) {
    const Node one = stack_.back();
    stack_.pop_back();
    if (covered_[at(one)] != 0) {
      continue;
    }
    covered_[at(one)] = 1;
    for (const Node below : data_.normalized.of(one)) {
      ++covered_above_[at(below)];
      stack_.push_back(below);
    }
  }
}

void VersionRows::uncover(Node node) {
  // If a row above still covers it, nothing changes. Its parents stay covered, by their own new rows or by others.
  if (by_search_ || covered_[at(node)] == 0 || covered_above_[at(node)] > 0) {
    return;
  }
  covered_[at(node)] = 0;
  for (const Node below : data_.normalized.of(node)) {
    --covered_above_[at(below)];
  }
}

Result<WalkStep> VersionRows::stamp(const StampMove& move) {
  WalkStep step;
  step.direction = move.upgrade ? Direction::Upgrade : Direction::Downgrade;
  step.from = data_.ids(move.from);
  if (move.to >= 0) {
    step.to.push_back(data_.id(move.to));
  }
  const std::vector<std::string> from = step.from;
  std::ranges::sort(step.from);
  const auto missing = [&](const std::string& row) { return !has(row); };
  // Deletes a branch's row, inserts one for a new branch, or merges rows and moves them.
  if (!move.upgrade && move.branch_move) {
    TRY(remove(step, from[0]));
  } else if (move.upgrade && (move.branch_move || std::ranges::any_of(from, missing)) && missing(step.to[0])) {
    TRY(insert(step, step.to[0]));
  } else {
    if (from.empty()) {
      return fail(row_error("the version table already holds a row for " + quoted(step.to[0])));
    }
    for (std::size_t i = 0; i + 1 < from.size(); ++i) {
      TRY(remove(step, from[i]));
    }
    TRY(update(step, from.back(), step.to[0]));
  }
  step.heads = rows_;
  return step;
}

}  // namespace athanor
