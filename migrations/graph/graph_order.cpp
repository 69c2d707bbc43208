// Orders a walk as Alembic does: it follows one line down as far as possible. A revision that another line still needs waits,
// and the walk continues on the first line that needs it. Alembic stores the ancestors of every line as a set and rebuilds the
// sets at each branch. Here a count per revision says how many open revisions are above it, which makes the walk linear.
#include <algorithm>

#include "migrations/graph/graph_data.hpp"

namespace athanor {
namespace {

class Order {
 public:
  Order(const GraphData& data, Marks todo) : data_(data), todo_(std::move(todo)) {}

  Result<NodeList> run(const NodeList& heads) {
    begin(heads);
    std::size_t here = 0;
    while (!lines_.empty()) {
      const Node candidate = lines_[here];
      // A candidate that another line still needs waits: continue on that line.
      if (open_above_[at(candidate)] > 0) {
        here = first_line_above(candidate, here);
      } else {
        here = emit(candidate, here);
      }
    }
    // Revisions are left that no head leads to: the range crosses branches.
    if (std::ranges::find(todo_, 1) != todo_.end()) {
      const Node left = static_cast<Node>(std::ranges::find(todo_, 1) - todo_.begin());
      return fail(Error(ErrorCode::InvalidTarget, "revision '" + data_.id(left) + "' cannot be reached from the requested end")
                      .advise("use a range along one branch, or 'heads'"));
    }
    return std::move(output_);
  }

 private:
  void begin(const NodeList& heads) {
    is_line_ = data_.no_marks();
    for (const Node head : heads) {
      if (head >= 0 && todo_[at(head)] != 0 && is_line_[at(head)] == 0) {
        is_line_[at(head)] = 1;
        lines_.push_back(head);
      }
    }
    // Load order decides which line comes first.
    std::ranges::sort(lines_, {}, [&](Node node) { return data_.rank[at(node)]; });
    open_ = data_.no_marks();
    data_.reach(data_.normalized, lines_, open_);
    open_above_.assign(data_.size(), 0);
    for (Node node = 0; node < static_cast<Node>(data_.size()); ++node) {
      if (open_[at(node)] != 0) {
        for (const Node below : data_.normalized.of(node)) {
          ++open_above_[at(below)];
        }
      }
    }
  }

  // Outputs `candidate` and replaces it by its parents; returns the line to continue with.
  std::size_t emit(Node candidate, std::size_t here) {
    output_.push_back(candidate);
    todo_[at(candidate)] = 0;
    is_line_[at(candidate)] = 0;
    bool placed = false;
    for (const Node below : data_.normalized.of(candidate)) {
      if (todo_[at(below)] == 0 || is_line_[at(below)] != 0) {
        continue;
      }
      is_line_[at(below)] = 1;
      if (placed) {
        lines_.push_back(below);
      } else {
        lines_[here] = below;
        placed = true;
      }
    }
    close(candidate);
    if (!placed) {
      lines_.erase(lines_.begin() + static_cast<std::ptrdiff_t>(here));
      // Like Alembic: continue with the line before.
      here = here > 0 ? here - 1 : 0;
    }
    return here;
  }

  // `node` is no longer on a line: closes it, and every revision that only it kept open.
  void close(Node node) {
    stack_.assign(1, node);
    while (!stack_.empty()) {
      const Node one = stack_.back();
      stack_.pop_back();
      open_[at(one)] = 0;
      for (const Node below : data_.normalized.of(one)) {
        if (--open_above_[at(below)] == 0 && open_[at(below)] != 0 && is_line_[at(below)] == 0) {
          stack_.push_back(below);
        }
      }
    }
  }

  // The first line from which `candidate` can be reached. One exists, because something open is above it.
  std::size_t first_line_above(Node candidate, std::size_t here) {
    above_.look_for(candidate);
    for (std::size_t line = 0; line < lines_.size(); ++line) {
      if (line != here && above_.found_below({&lines_[line], 1})) {
        return line;
      }
    }
    return here;
  }

  const GraphData& data_;
  Marks todo_;
  NodeList output_;
  NodeList lines_;  // the current revision of each line
  Marks is_line_;
  Marks open_;                            // revisions on lines, and all their ancestors
  std::vector<std::int32_t> open_above_;  // number of children in open_
  AncestorSearch above_{data_};
  NodeList stack_;
};

}  // namespace

Result<NodeList> order_newest_first(const GraphData& data, Marks todo, const NodeList& heads) {
  return Order(data, std::move(todo)).run(heads);
}

}  // namespace athanor
