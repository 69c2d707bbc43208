// Builds the graph from revisions: names, edges, order, heads, and every reason to refuse.
#include <algorithm>
#include <array>

#include "migrations/graph/graph_data.hpp"

namespace athanor {
namespace {

std::string where(const Revision& revision) {
  return revision.path.empty() ? "revision " + revision.id : revision.path;
}

std::string also_in(const Revision& revision) {
  return revision.path.empty() ? std::string() : " (" + revision.path + ")";
}

Result<void> check_revision(const Revision& revision) {
  if (revision.id.empty()) {
    return fail(Error(ErrorCode::InvalidRevisionId, "the revision id is empty")
                    .at(where(revision))
                    .advise("give the revision an id; `athanor revision` generates one"));
  }
  if (std::ranges::find(revision.down, revision.id) != revision.down.end()) {
    return fail(Error(ErrorCode::SelfLoop, "revision '" + revision.id + "' names itself as down_revision")
                    .at(where(revision))
                    .advise("use the id of its parent, or none if it is the first revision"));
  }
  if (std::ranges::find(revision.depends_on, revision.id) != revision.depends_on.end()) {
    return fail(Error(ErrorCode::DependencySelfLoop, "revision '" + revision.id + "' depends on itself")
                    .at(where(revision))
                    .advise("remove its own id from depends_on"));
  }
  if (const auto bad = revision.id.find_first_of("@-+:"); bad != std::string::npos) {
    return fail(Error(ErrorCode::InvalidRevisionId,
                      std::string("'") + revision.id[bad] + "' is not allowed in revision id '" + revision.id + "'")
                    .at(where(revision))
                    .advise("ids must not contain @ - + or :, which are operators in targets"));
  }
  return {};
}

class Builder {
 public:
  Builder(std::vector<Revision> revisions, Duplicates duplicates) : duplicates_(duplicates) {
    data_.revisions = std::move(revisions);
  }

  Result<GraphData> build() {
    for (const Revision& revision : data_.revisions) {
      TRY(check_revision(revision));
    }
    TRY(name_ids());
    // After the ids, because both share one namespace: the conflict is then reported at the label.
    TRY(name_labels());
    TRY(connect_down());
    TRY(connect_dependencies());
    TRY(put_in_order());
    normalize_dependencies();
    connect_next(data_.down, data_.next);
    connect_next(data_.all_down, data_.all_next);
    // Needs the children of both kinds of edges.
    find_ends();
    spread_labels(data_);
    return std::move(data_);
  }

 private:
  [[nodiscard]] Node count() const { return static_cast<Node>(data_.size()); }
  [[nodiscard]] const Revision& revision(Node node) const { return data_.revisions[at(node)]; }

  Result<void> name_ids() {
    data_.names.reserve(data_.size() * 2);
    data_.order.reserve(data_.size());
    data_.owner.resize(data_.size());
    data_.rank.resize(data_.size());
    for (Node node = 0; node < count(); ++node) {
      const auto [found, fresh] = data_.names.try_emplace(data_.id(node), node);
      if (fresh) {
        data_.rank[at(node)] = static_cast<Node>(data_.order.size());
        data_.order.push_back(node);
        continue;
      }
      const Revision& first = revision(found->second);
      if (duplicates_ == Duplicates::Refuse) {
        return fail(
            Error(ErrorCode::DuplicateRevision, "revision id '" + first.id + "' is used twice: already in " + where(first))
                .at(where(revision(node)))
                .advise("give one of the two files another id, or remove it"));
      }
      data_.warnings.push_back("revision id '" + first.id + "' is used twice" + also_in(first) +
                               "; the file loaded last is used" + also_in(revision(node)));
      data_.has_shadowed = true;
      // Like Alembic: the id keeps its first position, but the file loaded last owns it.
      data_.rank[at(node)] = data_.rank[at(found->second)];
      data_.order[at(data_.rank[at(node)])] = node;
      found->second = node;
    }
    for (Node node = 0; node < count(); ++node) {
      data_.owner[at(node)] = data_.order[at(data_.rank[at(node)])];
    }
    return {};
  }

  Result<void> name_labels() {
    for (Node node = 0; node < count(); ++node) {
      for (const std::string& label : revision(node).labels) {
        const auto [found, fresh] = data_.names.try_emplace(label, node);
        if (!fresh) {
          const Revision& other = revision(found->second);
          return fail(
              Error(ErrorCode::DuplicateLabel, "branch label '" + label + "' of revision '" + data_.id(node) +
                                                   (other.id == label ? "' is also the id of a revision"
                                                                      : "' is already used by revision '" + other.id + "'") +
                                                   also_in(other))
                  .at(where(revision(node)))
                  .advise("labels and ids share one namespace: choose another label"));
        }
        data_.labels.emplace_back(label, node);
      }
    }
    return {};
  }

  Result<void> connect_down() {
    data_.down.reserve(data_.size(), data_.size() + data_.size() / 8);
    for (Node node = 0; node < count(); ++node) {
      for (const std::string& parent : revision(node).down) {
        const Node found = data_.owner_of(parent);
        if (found == kNothing) {
          Error error(ErrorCode::MissingParent,
                      "revision '" + data_.id(node) + "' follows '" + parent + "', which " +
                          (data_.names.contains(parent) ? "is a branch label, not a revision id" : "has no revision file"));
          return fail(std::move(error)
                          .at(where(revision(node)))
                          .advise("restore the file of '" + parent + "', or correct down_revision"));
        }
        data_.down.add(found);
      }
      data_.down.close();
    }
    return {};
  }

  Result<void> connect_dependencies() {
    data_.depends.reserve(data_.size(), 0);
    data_.all_down.reserve(data_.size(), data_.down.size());
    for (Node node = 0; node < count(); ++node) {
      for (const Node parent : data_.down.of(node)) {
        data_.all_down.add_once(parent);
      }
      for (const std::string& name : revision(node).depends_on) {
        const auto found = data_.names.find(name);
        // Unlike down_revision, depends_on may be a label.
        if (found == data_.names.end()) {
          return fail(Error(ErrorCode::MissingDependency,
                            "revision '" + data_.id(node) + "' depends on '" + name + "', which is neither an id nor a label")
                          .at(where(revision(node)))
                          .advise("restore the file of '" + name + "', or correct depends_on"));
        }
        const Node dependency = data_.owner[at(found->second)];
        // check_revision() sees only ids; here a label of the revision itself is found.
        if (dependency == data_.owner[at(node)]) {
          return fail(
              Error(ErrorCode::DependencySelfLoop, "revision '" + data_.id(node) + "' depends on itself through '" + name + "'")
                  .at(where(revision(node)))
                  .advise("remove '" + name + "' from depends_on"));
        }
        data_.depends.add_once(dependency);
        data_.all_down.add_once(dependency);
      }
      data_.depends.close();
      data_.all_down.close();
    }
    return {};
  }

  // Depth-first search along `edges` with an explicit stack: a line of ten thousand revisions must not overflow the call stack.
  Result<void> sort_along(const Edges& edges, ErrorCode code) {
    struct Frame {
      Node node;
      std::size_t edge;
    };
    enum : unsigned char { Fresh, Open, Done };
    Marks state = data_.no_marks();
    std::vector<Frame> stack;
    data_.topological.clear();
    data_.topological.reserve(data_.size());
    for (Node root = 0; root < count(); ++root) {
      if (state[at(root)] != Fresh) {
        continue;
      }
      stack.push_back({root, 0});
      state[at(root)] = Open;
      while (!stack.empty()) {
        Frame& top = stack.back();
        const auto below = edges.of(top.node);
        if (top.edge == below.size()) {
          state[at(top.node)] = Done;
          data_.topological.push_back(top.node);
          stack.pop_back();
          continue;
        }
        const Node target = below[top.edge++];
        if (state[at(target)] == Open) {
          NodeList cycle;
          for (auto frame = stack.rbegin(); cycle.empty() || cycle.back() != target; ++frame) {
            cycle.push_back(frame->node);
          }
          return fail(cycle_error(code, cycle));
        }
        if (state[at(target)] == Fresh) {
          state[at(target)] = Open;
          stack.push_back({target, 0});
        }
      }
    }
    return {};
  }

  Error cycle_error(ErrorCode code, const NodeList& cycle) const {
    std::vector<std::string> names = data_.ids(cycle);
    std::ranges::reverse(names);
    const bool lines = code == ErrorCode::Cycle;
    return Error(code, std::string(lines ? "cycle in down_revision: " : "cycle in dependencies: ") + joined_ids(names))
        .at(where(revision(cycle.front())))
        .advise(lines ? "correct down_revision of one of them" : "remove one of their depends_on (or down_revision) entries");
  }

  Result<void> put_in_order() {
    // Check the version lines first and alone: a cycle there is reported as Cycle, with the correct hint.
    TRY(sort_along(data_.down, ErrorCode::Cycle));
    if (data_.depends.size() > 0) {
      TRY(sort_along(data_.all_down, ErrorCode::DependencyCycle));
    }
    // In topological order, every node below has its final level already.
    data_.level.assign(data_.size(), 0);
    for (const Node node : data_.topological) {
      for (const Node below : data_.all_down.of(node)) {
        data_.level[at(node)] = std::max(data_.level[at(node)], data_.level[at(below)] + 1);
      }
    }
    return {};
  }

  // Removes dependencies that an ancestor along the version line already has. Searches downwards from each revision, and no
  // lower than the lowest revision with that dependency.
  void normalize_dependencies() {
    std::vector<std::int32_t> lowest(data_.size(), INT32_MAX);  // level of the lowest revision that depends on a node
    for (Node node = 0; node < count(); ++node) {
      for (const Node dependency : data_.depends.of(node)) {
        lowest[at(dependency)] = std::min(lowest[at(dependency)], data_.level[at(node)]);
      }
    }
    data_.normalized.reserve(data_.size(), data_.all_down.size());
    std::vector<std::uint32_t> seen(data_.size(), 0);  // number of the last search that visited a node
    std::uint32_t search = 0;
    NodeList todo;
    for (Node node = 0; node < count(); ++node) {
      for (const Node parent : data_.down.of(node)) {
        data_.normalized.add_once(parent);
      }
      for (const Node dependency : data_.depends.of(node)) {
        todo.assign(data_.down.of(node).begin(), data_.down.of(node).end());
        if (!any_depends(todo, dependency, lowest[at(dependency)], seen, ++search)) {
          data_.normalized.add_once(dependency);
        }
      }
      data_.normalized.close();
    }
  }

  // Whether one of `todo`, or an ancestor along the version lines, has `dependency`.
  bool any_depends(NodeList& todo, Node dependency, std::int32_t lowest, std::vector<std::uint32_t>& seen,
                   std::uint32_t search) const {
    while (!todo.empty()) {
      const Node one = todo.back();
      todo.pop_back();
      if (seen[at(one)] == search || data_.level[at(one)] < lowest) {
        continue;
      }
      seen[at(one)] = search;
      if (std::ranges::find(data_.depends.of(one), dependency) != data_.depends.of(one).end()) {
        return true;
      }
      todo.insert(todo.end(), data_.down.of(one).begin(), data_.down.of(one).end());
    }
    return false;
  }

  // The reverse of `edges`, with children in load order. Leaves out a shadowed revision unless it has labels.
  void connect_next(const Edges& edges, Edges& next) const {
    std::vector<std::uint32_t> begin(data_.size() + 1, 0);
    const auto each = [&](const auto& use) {
      for (Node node = 0; node < count(); ++node) {
        if (data_.owner[at(node)] == node || !revision(node).labels.empty()) {
          for (const Node target : edges.of(node)) {
            use(target, data_.owner[at(node)]);
          }
        }
      }
    };
    // Counting sort by target: two passes over the edges, without a vector per node.
    each([&](Node target, Node) { ++begin[at(target) + 1]; });
    for (std::size_t i = 1; i < begin.size(); ++i) {
      begin[i] += begin[i - 1];
    }
    std::vector<std::uint32_t> end(begin.begin(), begin.end() - 1);
    NodeList children(begin.back());
    each([&](Node target, Node child) { children[end[at(target)]++] = child; });
    next.reserve(data_.size(), children.size());
    for (std::size_t node = 0; node < data_.size(); ++node) {
      for (std::uint32_t i = begin[node]; i < begin[node + 1]; ++i) {
        // Equal children are adjacent, except when a shadowed file and its owner name the same parent.
        if (data_.has_shadowed) {
          next.add_once(children[i]);
        } else if (i == begin[node] || children[i] != children[i - 1]) {
          next.add(children[i]);
        }
      }
      next.close();
    }
  }

  void find_ends() {
    for (Node node = 0; node < count(); ++node) {
      // As in Alembic, the id of a shadowed file stays among heads and bases.
      const bool shadowed = data_.owner[at(node)] != node;
      if (shadowed || data_.next.of(node).empty()) {
        data_.heads.push_back(data_.owner[at(node)]);
      }
      if (shadowed || data_.all_next.of(node).empty()) {
        data_.effective_heads.push_back(data_.owner[at(node)]);
      }
      if (data_.down.of(node).empty()) {
        data_.bases.push_back(data_.owner[at(node)]);
      }
    }
  }

  GraphData data_;
  Duplicates duplicates_;
};

}  // namespace

Result<GraphData> build_graph(std::vector<Revision> revisions, Duplicates duplicates) {
  return Builder(std::move(revisions), duplicates).build();
}

}  // namespace athanor
