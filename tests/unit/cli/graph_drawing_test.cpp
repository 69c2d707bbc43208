#include "migrations/cli/graph_drawing.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace athanor::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Revision revision(std::string id, std::vector<std::string> down, std::vector<std::string> depends_on = {},
                  std::vector<std::string> labels = {}, std::string message = "m") {
  Revision made;
  made.id = std::move(id);
  made.down = std::move(down);
  made.depends_on = std::move(depends_on);
  made.labels = std::move(labels);
  made.message = std::move(message);
  made.path = made.id + ".sql";
  return made;
}

RevisionGraph graph_of(std::vector<Revision> revisions) {
  auto graph = RevisionGraph::build(std::move(revisions));
  EXPECT_TRUE(graph) << graph.error().message;
  return std::move(*graph);
}

const GraphLayout::Edge* edge(const GraphLayout& layout, const std::string& child, const std::string& parent) {
  const auto found = std::ranges::find_if(layout.edges, [&](const GraphLayout::Edge& one) {
    return layout.nodes[one.child].id == child && layout.nodes[one.parent].id == parent;
  });
  return found == layout.edges.end() ? nullptr : &*found;
}

// No line may run through a revision it does not belong to.
void expect_no_collision(const GraphLayout& layout) {
  for (const GraphLayout::Edge& one : layout.edges) {
    for (std::size_t row = one.child + 1; row < one.parent; ++row) {
      EXPECT_NE(layout.nodes[row].lane, one.lane)
          << layout.nodes[one.child].id << " -> " << layout.nodes[one.parent].id << " crosses " << layout.nodes[row].id;
    }
  }
}

TEST(GraphLayout, KeepsALineInOneLane) {
  const GraphLayout layout = lay_out(graph_of({revision("a", {}), revision("b", {"a"}), revision("c", {"b"})}));
  ASSERT_EQ(layout.nodes.size(), 3U);
  EXPECT_EQ(layout.nodes[0].id, "c");
  EXPECT_EQ(layout.lanes, 1U);
}

TEST(GraphLayout, GivesBranchesLanesThatNoOtherRevisionStandsIn) {
  const auto graph = graph_of({revision("a", {}), revision("b", {"a"}), revision("c", {"a"}), revision("d", {"b"}),
                               revision("e", {"c"}), revision("m", {"d", "e"}), revision("n", {"m"})});
  const GraphLayout layout = lay_out(graph);
  EXPECT_EQ(layout.lanes, 2U);
  EXPECT_EQ(layout.edges.size(), 7U);
  expect_no_collision(layout);
  EXPECT_NE(edge(layout, "m", "d"), nullptr);
  EXPECT_NE(edge(layout, "m", "e"), nullptr);
}

TEST(GraphLayout, MarksDependencies) {
  const auto graph = graph_of({revision("a", {}), revision("b", {"a"}), revision("x", {}, {"b"}), revision("y", {"x"})});
  const GraphLayout layout = lay_out(graph);
  const GraphLayout::Edge* dependency = edge(layout, "x", "b");
  ASSERT_NE(dependency, nullptr);
  EXPECT_TRUE(dependency->dependency);
  EXPECT_FALSE(edge(layout, "y", "x")->dependency);
  expect_no_collision(layout);
}

TEST(GraphLayout, LaysNoDependencyOverALine) {
  const auto graph = graph_of({revision("a", {}), revision("b", {"a"}), revision("c", {"b"}), revision("d", {"a"}),
                               revision("e", {"d"}, {"a"}), revision("f", {"c"}, {"a"})});
  const GraphLayout layout = lay_out(graph);
  for (const GraphLayout::Edge& dashed : layout.edges) {
    for (const GraphLayout::Edge& line : layout.edges) {
      if (dashed.dependency && !line.dependency && dashed.lane == line.lane) {
        EXPECT_TRUE(dashed.parent <= line.child || line.parent <= dashed.child)
            << "lane " << dashed.lane << ": " << layout.nodes[dashed.child].id << " and " << layout.nodes[line.child].id;
      }
    }
  }
  expect_no_collision(layout);
}

TEST(GraphLayout, StaysNarrowAndFastForALongHistoryWithManyBranches) {
  std::vector<Revision> revisions{revision("r0", {})};
  std::string trunk = "r0";
  for (int i = 1; i <= 300; ++i) {
    const std::string n = std::to_string(i);
    revisions.push_back(revision("left" + n, {trunk}));
    revisions.push_back(revision("right" + n, {trunk}));
    revisions.push_back(revision("join" + n, {"left" + n, "right" + n}));
    trunk = "join" + n;
  }
  const GraphLayout layout = lay_out(graph_of(std::move(revisions)));
  EXPECT_LE(layout.lanes, 3U);
  expect_no_collision(layout);
}

TEST(GraphDrawing, ShowsHeadsLabelsAndDashedDependencies) {
  const auto graph = graph_of({revision("a", {}, {}, {"core"}, "Start"), revision("b", {}, {"a"}, {"billing"}, "Invoices")});
  const std::string svg = draw_svg(graph);
  EXPECT_TRUE(svg.starts_with("<svg xmlns="));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("[billing]"));
  EXPECT_THAT(svg, HasSubstr("class=\"dependency\""));
  EXPECT_THAT(svg, HasSubstr("class=\"head\""));
  const std::string dot = draw_dot(graph);
  EXPECT_THAT(dot, HasSubstr("\"b\" -> \"a\" [style=dashed];"));
  EXPECT_THAT(dot, HasSubstr("[billing]"));
}

TEST(GraphDrawing, EscapesTextOfRevisions) {
  const auto graph = graph_of({revision("a", {}, {}, {}, "<script>alert(\"1\")</script> & \x01 more")});
  const std::string svg = draw_svg(graph);
  EXPECT_THAT(svg, Not(HasSubstr("<script>")));
  EXPECT_THAT(svg, HasSubstr("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp;"));
  EXPECT_THAT(svg, Not(HasSubstr("\x01")));
  const std::string dot = draw_dot(graph_of({revision("a", {}, {}, {}, "say \"hi\" \\ there")}));
  EXPECT_THAT(dot, HasSubstr("say \\\"hi\\\" \\\\ there"));
}

TEST(GraphDrawing, DrawsAnEmptyGraph) {
  const auto graph = graph_of({});
  EXPECT_THAT(draw_svg(graph), HasSubstr("</svg>"));
  EXPECT_EQ(draw_dot(graph).find("->"), std::string::npos);
}

}  // namespace
}  // namespace athanor::cli
