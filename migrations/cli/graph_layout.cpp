#include <algorithm>
#include <unordered_map>

#include "migrations/cli/graph_drawing.hpp"

namespace athanor::cli {
namespace {

// One pass from the newest revision down. A lane waits for a revision: the one its line leads to. A revision takes the first
// lane that waits for it; its first parent goes on in that lane, others get lanes of their own.
class LaneAllocator {
 public:
  explicit LaneAllocator(const RevisionGraph& graph) : graph_(graph), order_(graph.history()) {
    for (std::size_t row = 0; row < order_.size(); ++row) {
      row_of_.emplace(order_[row], row);
    }
  }

  GraphLayout run() {
    for (std::size_t row = 0; row < order_.size(); ++row) {
      place(row);
    }
    layout_.lanes = waiting_.size();
    return std::move(layout_);
  }

 private:
  static constexpr std::size_t kFree = static_cast<std::size_t>(-1);

  std::size_t lane_waiting_for(std::size_t row) {
    const auto found = std::ranges::find(waiting_, row);
    return static_cast<std::size_t>(found - waiting_.begin());
  }

  std::size_t free_lane() {
    const std::size_t lane = lane_waiting_for(kFree);
    if (lane == waiting_.size()) {
      waiting_.push_back(kFree);
    }
    return lane;
  }

  void place(std::size_t row) {
    std::size_t lane = lane_waiting_for(row);
    if (lane == waiting_.size()) {
      lane = free_lane();
    }
    std::ranges::replace(waiting_, row, kFree);
    layout_.nodes.push_back({order_[row], lane});
    waiting_[lane] = row;  // held, so that a second parent does not take it before the first
    bool straight = true;
    for (const std::string& parent : graph_.find(order_[row])->down) {
      connect(row, parent, straight ? lane : kFree, false);
      straight = false;
    }
    if (straight) {
      waiting_[lane] = kFree;
    }
    for (const std::string& dependency : graph_.dependencies(order_[row])) {
      connect(row, dependency, kFree, true);
    }
  }

  void connect(std::size_t row, const std::string& parent, std::size_t lane, bool dependency) {
    const auto found = row_of_.find(parent);
    if (found == row_of_.end()) {
      return;
    }
    const std::size_t target = found->second;
    if (target < row) {  // drawn upwards, over the lanes: rare, and only for dependencies
      layout_.edges.push_back({row, target, layout_.nodes[target].lane, dependency});
      return;
    }
    if (lane == kFree) {
      lane = lane_waiting_for(target);
      if (lane == waiting_.size()) {
        lane = free_lane();
      }
    }
    waiting_[lane] = target;
    layout_.edges.push_back({row, target, lane, dependency});
  }

  const RevisionGraph& graph_;
  std::vector<std::string> order_;
  std::unordered_map<std::string, std::size_t> row_of_;
  std::vector<std::size_t> waiting_;  // per lane: the row it leads to
  GraphLayout layout_;
};

}  // namespace

GraphLayout lay_out(const RevisionGraph& graph) {
  return LaneAllocator(graph).run();
}

}  // namespace athanor::cli
