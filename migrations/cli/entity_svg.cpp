// The entity diagram as SVG, drawn here: the same schema gives the same text.
//
// Tables stand in columns from left to right: a table is to the right of those it refers to, so arrows point left, to what must
// be there first. A column that grows too high goes on beside itself. In a column, tables are ordered by where those they refer
// to stand.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>

#include "migrations/cli/entity_diagram.hpp"
#include "migrations/cli/entity_model.hpp"
#include "migrations/cli/xml_text.hpp"
#include "migrations/schema/attributes.hpp"

namespace athanor::cli {
namespace {

constexpr int kRow = 18;
constexpr int kTitle = 26;
constexpr int kLetter = 7;  // of a monospaced font of 12 pixels, a little more than that
constexpr int kPadding = 10;
constexpr int kGapAcross = 70;
constexpr int kGapDown = 24;
constexpr int kMargin = 20;
constexpr int kLeastHeight = 900;  // of a column before it goes on beside itself
constexpr std::size_t kLongestName = 48;

struct Box {
  EntityName name;
  const Entity* entity = nullptr;
  std::size_t layer = 0;
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};
using Boxes = std::map<EntityName, Box>;

std::size_t letters_in(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

// A long name ends in an ellipsis.
std::string shown(std::string_view text) {
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if ((static_cast<unsigned char>(text[at]) & 0xC0U) != 0x80U && ++letters > kLongestName) {
      return escaped_xml(text.substr(0, at)) + "…";
    }
  }
  return escaped_xml(text);
}

int width_of(std::string_view text) {
  return static_cast<int>(std::min(letters_in(text), kLongestName + 1)) * kLetter;
}

std::string type_of(const schema::Fact& column) {
  return std::string(column.get(schema::attribute::kType));
}

Boxes measured(const std::map<EntityName, Entity>& entities) {
  Boxes boxes;
  for (const auto& [name, entity] : entities) {
    Box box{name, &entity};
    int widest = width_of(entity_text(name)) + kLetter * 2;
    for (const schema::Fact* const column : entity.columns) {
      const std::string keys = keys_of(entity, column->id.name);
      widest = std::max(widest, width_of(column->id.name) + width_of(type_of(*column)) + width_of(keys) + 4 * kLetter);
    }
    box.width = widest + 2 * kPadding;
    box.height = kTitle + static_cast<int>(entity.columns.size()) * kRow + kPadding / 2;
    boxes.emplace(name, box);
  }
  return boxes;
}

// How far to the right a table stands: one further than everything it refers to. Where keys go in a circle, the one that would
// close it does not count; which that is follows from the names.
class Layers {
 public:
  Layers(Boxes& boxes, const std::vector<EntityLink>& links) : boxes_(boxes) {
    for (const EntityLink& link : links) {
      if (link.from != link.to && boxes.contains(link.to)) {
        targets_[link.from].insert(link.to);
      }
    }
  }
  void assign() {
    for (auto& [name, box] : boxes_) {
      visit(name);
    }
  }

 private:
  // Without recursion: a chain of keys may be as long as the schema is large.
  void visit(const EntityName& start) {
    std::vector<std::pair<EntityName, std::set<EntityName>::const_iterator>> path;
    const auto enter = [&](const EntityName& name) {
      open_.insert(name);
      path.emplace_back(name, targets_[name].begin());
    };
    if (done_.contains(start)) {
      return;
    }
    enter(start);
    while (!path.empty()) {
      auto& [name, next] = path.back();
      Box& box = boxes_.at(name);
      if (next == targets_[name].end()) {
        open_.erase(name);
        done_.insert(name);
        path.pop_back();
        continue;
      }
      const EntityName& target = *next;
      if (open_.contains(target)) {
        ++next;
      } else if (done_.contains(target)) {
        box.layer = std::max(box.layer, boxes_.at(target).layer + 1);
        ++next;
      } else {
        enter(target);  // and come back to it
      }
    }
  }

  Boxes& boxes_;
  std::map<EntityName, std::set<EntityName>> targets_;
  std::set<EntityName> open_;
  std::set<EntityName> done_;
};

int highest_column(const Boxes& boxes) {
  double area = 0;
  for (const auto& [name, box] : boxes) {
    area += static_cast<double>(box.width + kGapAcross) * (box.height + kGapDown);
  }
  return std::max(kLeastHeight, static_cast<int>(std::sqrt(area)));
}

// Where the middle of those lies that a table refers to; far down for one that refers to nothing.
double pull_of(const Box& box, const Boxes& boxes, const std::vector<EntityLink>& links) {
  double sum = 0;
  int count = 0;
  for (const EntityLink& link : links) {
    const auto target = boxes.find(link.to);
    if (link.from == box.name && target != boxes.end() && target->second.layer < box.layer) {
      sum += target->second.y + target->second.height / 2.0;
      ++count;
    }
  }
  return count == 0 ? 1e9 : sum / count;
}

struct Size {
  int width = 0;
  int height = 0;
};

Size place(Boxes& boxes, const std::vector<EntityLink>& links) {
  std::map<std::size_t, std::vector<Box*>> layers;
  for (auto& [name, box] : boxes) {
    layers[box.layer].push_back(&box);
  }
  // The links of each table, so that a large schema is not searched for each of its tables.
  std::map<EntityName, std::vector<EntityLink>> own;
  for (const EntityLink& link : links) {
    own[link.from].push_back(link);
  }
  const int highest = highest_column(boxes);
  Size size{kMargin, 2 * kMargin};
  for (auto& [layer, column] : layers) {
    std::map<const Box*, double> pulls;
    for (const Box* const box : column) {
      pulls[box] = pull_of(*box, boxes, own[box->name]);
    }
    std::ranges::stable_sort(column, {}, [&](const Box* box) { return pulls.at(box); });
    int y = kMargin;
    int widest = 0;
    for (Box* const box : column) {
      if (y > kMargin && y + box->height > highest) {
        size.width += widest + kGapAcross;
        y = kMargin;
        widest = 0;
      }
      box->x = size.width;
      box->y = y;
      y += box->height + kGapDown;
      widest = std::max(widest, box->width);
      size.height = std::max(size.height, y - kGapDown + kMargin);
    }
    size.width += widest + kGapAcross;
  }
  size.width += kMargin - (layers.empty() ? 0 : kGapAcross);
  return size;
}

std::string attributes(std::initializer_list<std::pair<const char*, int>> values) {
  std::string text;
  for (const auto& [name, value] : values) {
    text += std::string(" ") + name + "=\"" + std::to_string(value) + "\"";
  }
  return text;
}

// The middle of a column's row; that of the title for a column that is not there.
int row_of(const Box& box, const std::string& column) {
  const auto found = std::ranges::find(box.entity->columns, column,
                                       [](const schema::Fact* fact) -> const std::string& { return fact->id.name; });
  if (found == box.entity->columns.end()) {
    return box.y + kTitle / 2;
  }
  return box.y + kTitle + static_cast<int>(found - box.entity->columns.begin()) * kRow + kRow / 2;
}

std::string draw_link(const EntityLink& link, const Boxes& boxes) {
  const Box& from = boxes.at(link.from);
  const Box& to = boxes.at(link.to);
  const int y1 = row_of(from, link.columns.empty() ? std::string() : link.columns.front());
  const int y2 = to.y + kTitle / 2;
  // To a table on the left an arrow leaves on the left and arrives on the right; else it goes round the right side of both.
  const bool left = to.x + to.width < from.x;
  const int x1 = left ? from.x : from.x + from.width;
  const int x2 = to.x + to.width;
  const int bend = left ? (x1 - x2) / 2 : kGapAcross / 2;
  const auto pair = [](int x, int y) { return std::to_string(x) + " " + std::to_string(y); };
  const std::string path = "M " + pair(x1, y1) + " C " + pair(left ? x1 - bend : std::max(x1, x2) + bend, y1) + ", " +
                           pair(left ? x2 + bend : std::max(x1, x2) + bend, y2) + ", " + pair(x2, y2);
  std::string columns;
  for (const std::string& column : link.columns) {
    columns += (columns.empty() ? "" : ", ") + column;
  }
  return std::string("<path class=\"") + (link.required ? "key" : "key optional") + "\" marker-end=\"url(#one)\"" +
         (link.single ? "" : " marker-start=\"url(#many)\"") + " d=\"" + path + "\"><title>" + shown(entity_text(link.from)) +
         " (" + shown(columns) + ") refers to " + shown(entity_text(link.to)) + "</title></path>\n";
}

std::string draw_box(const Box& box) {
  const Entity& entity = *box.entity;
  std::string out = "<g><rect class=\"table\" rx=\"4\"" +
                    attributes({{"x", box.x}, {"y", box.y}, {"width", box.width}, {"height", box.height}}) + "/>";
  out += "<text class=\"name\"" + attributes({{"x", box.x + kPadding}, {"y", box.y + 17}}) + ">" +
         shown(entity_text(box.name)) + "</text>";
  out += "<path class=\"rule\" d=\"M " + std::to_string(box.x) + " " + std::to_string(box.y + kTitle - 2) + " h " +
         std::to_string(box.width) + "\"/>\n";
  for (const schema::Fact* const column : entity.columns) {
    const int y = row_of(box, column->id.name) + 4;
    const std::string keys = keys_of(entity, column->id.name);
    out += std::string("<text class=\"") + (entity.primary.contains(column->id.name) ? "column primary" : "column") + "\"" +
           attributes({{"x", box.x + kPadding}, {"y", y}}) + ">" + shown(column->id.name) + "</text>";
    out += "<text class=\"type\"" + attributes({{"x", box.x + box.width - kPadding}, {"y", y}}) + ">" +
           (keys.empty() ? "" : "<tspan class=\"keys\">" + keys + "</tspan> ") + shown(type_of(*column)) +
           (entity.required.contains(column->id.name) ? "" : "<tspan class=\"keys\">?</tspan>") + "</text>\n";
  }
  return out + "</g>\n";
}

// Greys that both a white and a black page let read; nothing is painted behind them.
constexpr std::string_view kStyle =
    "<style>text{font:12px "
    "ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#6b7280}.name{font-weight:bold;fill:#3b82f6}"
    ".primary{font-weight:bold}.type{text-anchor:end;fill:#8b919b}.keys{fill:#d97706}.table{fill:#808080;fill-opacity:.08;"
    "stroke:#8b919b}.rule{stroke:#8b919b;fill:none}.key{stroke:#3b82f6;fill:none;stroke-width:1.5}.optional{stroke-dasharray:5 "
    "3}"
    "marker path{fill:none;stroke:#3b82f6;stroke-width:1.5}</style>\n";
constexpr std::string_view kMarkers =
    "<defs><marker id=\"one\" viewBox=\"0 0 10 10\" refX=\"9\" refY=\"5\" markerWidth=\"9\" markerHeight=\"9\" "
    "orient=\"auto\"><path d=\"M 1 1 L 9 5 L 1 9\"/></marker><marker id=\"many\" viewBox=\"0 0 10 10\" refX=\"1\" refY=\"5\" "
    "markerWidth=\"9\" markerHeight=\"9\" orient=\"auto\"><path d=\"M 1 1 L 9 5 M 1 5 L 9 5 M 1 9 L 9 5\"/></marker></defs>\n";

}  // namespace

std::string svg_diagram(const schema::Catalog& catalog) {
  const auto entities = entities_of(catalog);
  std::vector<EntityLink> links = links_of(entities);
  std::erase_if(links, [&](const EntityLink& link) { return !entities.contains(link.to); });
  Boxes boxes = measured(entities);
  Layers(boxes, links).assign();
  const Size size = place(boxes, links);
  const std::string width = std::to_string(size.width);
  const std::string height = std::to_string(size.height);
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + width + "\" height=\"" + height +
                    "\" viewBox=\"0 0 " + width + " " + height + "\" role=\"img\" aria-label=\"Entity diagram\">\n";
  out += kStyle;
  out += kMarkers;
  for (const EntityLink& link : links) {
    out += draw_link(link, boxes);
  }
  for (const auto& [name, box] : boxes) {
    out += draw_box(box);
  }
  return out + "</svg>\n";
}

}  // namespace athanor::cli
