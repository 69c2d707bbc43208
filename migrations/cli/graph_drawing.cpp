#include "migrations/cli/graph_drawing.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <unordered_set>

#include "migrations/cli/xml_text.hpp"

namespace athanor::cli {
namespace {

constexpr std::size_t kRowHeight = 26;
constexpr std::size_t kLaneWidth = 18;
constexpr std::size_t kMargin = 20;
constexpr std::size_t kRadius = 5;
constexpr std::array<std::string_view, 6> kLaneColors{"#2563eb", "#c2410c", "#15803d", "#7e22ce", "#0f766e", "#be185d"};

std::string escaped_dot(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::size_t x_of(std::size_t lane) {
  return kMargin + lane * kLaneWidth;
}
std::size_t y_of(std::size_t row) {
  return kMargin + row * kRowHeight;
}

std::string point(std::size_t x, std::size_t y) {
  return std::to_string(x) + ' ' + std::to_string(y);
}

// A curve within one row height from (x1, y1) to (x2, y2).
std::string bend(std::size_t x1, std::size_t y1, std::size_t x2, std::size_t y2) {
  const std::size_t middle = (y1 + y2) / 2;
  return " C " + point(x1, middle) + ", " + point(x2, middle) + ", " + point(x2, y2);
}

std::string path_of(const GraphLayout& layout, const GraphLayout::Edge& edge) {
  const std::size_t x1 = x_of(layout.nodes[edge.child].lane);
  const std::size_t x2 = x_of(layout.nodes[edge.parent].lane);
  const std::size_t lane = x_of(edge.lane);
  const std::size_t y1 = y_of(edge.child);
  const std::size_t y2 = y_of(edge.parent);
  std::string path = "M " + point(x1, y1);
  if (edge.parent <= edge.child || edge.parent == edge.child + 1) {
    return path + (x1 == x2 ? " L " + point(x2, y2) : bend(x1, y1, x2, y2));
  }
  if (lane != x1) {
    path += bend(x1, y1, lane, y1 + kRowHeight);
  }
  path += " L " + point(lane, lane == x2 ? y2 : y2 - kRowHeight);
  return lane == x2 ? path : path + bend(lane, y2 - kRowHeight, x2, y2);
}

std::string svg_edge(const GraphLayout& layout, const GraphLayout::Edge& edge) {
  std::string out = "<path class=\"";
  out += edge.dependency ? "dependency" : "line";
  out += "\" stroke=\"";
  out += edge.dependency ? std::string_view("#6b7280") : kLaneColors[edge.lane % kLaneColors.size()];
  return out + "\" d=\"" + path_of(layout, edge) + "\"/>\n";
}

std::string svg_row(const RevisionGraph& graph, const GraphLayout& layout, std::size_t row, bool head) {
  const GraphLayout::Node& node = layout.nodes[row];
  const Revision& revision = *graph.find(node.id);
  const std::size_t text_x = x_of(layout.lanes) + kLaneWidth / 2;
  const std::string y = std::to_string(y_of(row) + 4);
  std::string out = "<g><title>" + escaped_xml(revision.path) + "</title>";
  out += "<circle class=\"";
  out += head ? "head" : "revision";
  out += "\" cx=\"" + std::to_string(x_of(node.lane)) + "\" cy=\"" + std::to_string(y_of(row)) + "\" r=\"" +
         std::to_string(head ? kRadius + 2 : kRadius) + "\" stroke=\"" +
         std::string(kLaneColors[node.lane % kLaneColors.size()]) + "\"/>";
  out += "<text x=\"" + std::to_string(text_x) + "\" y=\"" + y + "\"><tspan class=\"";
  out += head ? "id head-id" : "id";
  out += "\">" + escaped_xml(node.id) + "</tspan>";
  for (const std::string& label : revision.labels) {
    out += " <tspan class=\"label\">[" + escaped_xml(label) + "]</tspan>";
  }
  if (head) {
    out += " <tspan class=\"head-id\">head</tspan>";
  }
  return out + " <tspan>" + escaped_xml(revision.message) + "</tspan></text></g>\n";
}

// The length of the longest row's text in bytes, as an estimate of its width.
std::size_t longest_text(const RevisionGraph& graph) {
  std::size_t longest = 20;
  for (const Revision& revision : graph.revisions()) {
    std::size_t length = revision.id.size() + revision.message.size() + 8;
    for (const std::string& label : revision.labels) {
      length += label.size() + 3;
    }
    longest = std::max(longest, length);
  }
  return longest;
}

constexpr std::string_view kStyle =
    "<style>text{font:13px ui-sans-serif,system-ui,sans-serif;fill:#1f2937}.id{font-family:ui-monospace,monospace}"
    ".head-id{font-weight:bold;fill:#b91c1c}.label{fill:#0e7490;font-weight:bold}path{fill:none;stroke-width:2}"
    ".dependency{stroke-dasharray:4 4;stroke-width:1.5}circle{fill:#fff;stroke-width:2.5}"
    "circle.head{fill:#fecaca;stroke:#b91c1c}</style>\n";

}  // namespace

std::string draw_svg(const RevisionGraph& graph) {
  const GraphLayout layout = lay_out(graph);
  const auto head_ids = graph.heads();
  const std::unordered_set<std::string> heads(head_ids.begin(), head_ids.end());
  const std::string width = std::to_string(x_of(layout.lanes) + kMargin + longest_text(graph) * 8);
  const std::string height = std::to_string(2 * kMargin + (layout.nodes.empty() ? 0 : layout.nodes.size() - 1) * kRowHeight);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                    "\" viewBox=\"0 0 " + width + " " + height + "\" role=\"img\" aria-label=\"Revision graph\">\n";
  out += kStyle;
  out += "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  for (const GraphLayout::Edge& edge : layout.edges) {
    out += svg_edge(layout, edge);
  }
  for (std::size_t row = 0; row < layout.nodes.size(); ++row) {
    out += svg_row(graph, layout, row, heads.contains(layout.nodes[row].id));
  }
  return out + "</svg>\n";
}

std::string draw_dot(const RevisionGraph& graph) {
  const auto head_ids = graph.heads();
  const std::unordered_set<std::string> heads(head_ids.begin(), head_ids.end());
  std::string out = "digraph revisions {\n  rankdir=BT;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n";
  for (const Revision& revision : graph.revisions()) {
    const std::string id = escaped_dot(revision.id);
    out += "  \"" + id + "\" [label=\"" + id + "\\n" + escaped_dot(revision.message);
    for (const std::string& label : revision.labels) {
      out += "\\n[" + escaped_dot(label) + "]";
    }
    out += heads.contains(revision.id) ? "\", penwidth=2, color=\"#b91c1c\"];\n" : "\"];\n";
  }
  for (const Revision& revision : graph.revisions()) {
    for (const std::string& parent : revision.down) {
      out += "  \"" + escaped_dot(revision.id) + "\" -> \"" + escaped_dot(parent) + "\";\n";
    }
    for (const std::string& dependency : graph.dependencies(revision.id)) {
      out += "  \"" + escaped_dot(revision.id) + "\" -> \"" + escaped_dot(dependency) + "\" [style=dashed];\n";
    }
  }
  return out + "}\n";
}

}  // namespace athanor::cli
