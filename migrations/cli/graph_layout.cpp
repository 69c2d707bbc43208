#include <algorithm>
#include <unordered_map>
#include <utility>

#include "migrations/cli/graph_drawing.hpp"

#include "migrations/graph/history.hpp"

namespace athanor::cli {
namespace {

// Assigns lanes in one pass from the newest revision down. A lane leads to a revision further down. A revision takes the first
// lane that leads to it; its first parent continues in that lane, others get their own.
class ConnectionAllocator {
 public:
  explicit ConnectionAllocator(const RevisionGraph& graph) : graph_(graph), order_(full_history(graph)) {
    for (std::size_t row = 0; row < order_.size(); ++row) {
      row_of_.emplace(order_[row], row);
    }
  }

  GraphLayout run() {
    for (std::size_t row = 0; row < order_.size(); ++row) {
      place(row);
    }
    layout_.lanes = lanes_.size();
    return std::move(layout_);
  }

 private:
  // The revision that a lane leads to. A parent line and a dependency never share a lane, because a dashed line would be hidden
  // under a solid one.
  struct Connection {
    bool taken = false;
    std::size_t row = 0;
    bool dependency = false;
    bool operator==(const Connection&) const = default;
  };

  // lanes_.size() if there is none.
  [[nodiscard]] std::size_t lane_to(const Connection& goal) const {
    return static_cast<std::size_t>(std::ranges::find(lanes_, goal) - lanes_.begin());
  }

  std::size_t take(const Connection& goal) {
    const auto found = std::ranges::find(lanes_, false, &Connection::taken);
    const auto lane = static_cast<std::size_t>(found - lanes_.begin());
    if (found == lanes_.end()) {
      lanes_.push_back(goal);
    } else {
      *found = goal;
    }
    return lane;
  }

  void place(std::size_t row) {
    std::size_t lane = lane_to({true, row, false});
    if (lane == lanes_.size()) {
      lane = take({true, row, false});
    }
    for (Connection& one : lanes_) {  // lanes that lead here end here
      if (one.taken && one.row == row) {
        one = {};
      }
    }
    layout_.nodes.push_back({order_[row], lane});
    lanes_[lane] = {true, row, false};  // reserved, so that a second parent does not take it before the first
    bool first = true;
    for (const std::string& parent : graph_.find(order_[row])->down) {
      connect(row, parent, false, std::exchange(first, false));
    }
    if (first) {
      lanes_[lane] = {};
    }
    for (const std::string& dependency : graph_.dependencies(order_[row])) {
      connect(row, dependency, true, false);
    }
  }

  // `straight`: continue in the child's lane.
  void connect(std::size_t row, const std::string& parent, bool dependency, bool straight) {
    const auto found = row_of_.find(parent);
    if (found == row_of_.end()) {
      return;
    }
    const std::size_t target = found->second;
    const std::size_t own = layout_.nodes[row].lane;
    if (target < row) {  // drawn upwards, across the lanes: rare, and only for dependencies
      layout_.edges.push_back({row, target, layout_.nodes[target].lane, dependency});
      return;
    }
    const Connection goal{true, target, dependency};
    std::size_t lane = own;
    if (straight) {
      lanes_[lane] = goal;
    } else if (lane = lane_to(goal); lane == lanes_.size()) {
      lane = take(goal);
    }
    layout_.edges.push_back({row, target, lane, dependency});
  }

  const RevisionGraph& graph_;
  std::vector<std::string> order_;
  std::unordered_map<std::string, std::size_t> row_of_;
  std::vector<Connection> lanes_;
  GraphLayout layout_;
};

}  // namespace

GraphLayout lay_out(const RevisionGraph& graph) {
  return ConnectionAllocator(graph).run();
}

}  // namespace athanor::cli
