// Resolves the end of a walk: an absolute target, or one counted from the current heads or from a named revision.
//
// Threads: functions over the immutable graph.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/graph/graph_symbols.hpp"

namespace athanor {

// [branch@][symbol](+|-)N at the beginning of a target; text after the number is ignored, as in Alembic.
struct RelativeTarget {
  std::optional<std::string> branch;
  std::optional<std::string> symbol;
  std::string text;        // the sign and number as typed: "+2"
  std::int64_t steps = 0;  // saturates; no graph is that long
};
[[nodiscard]] std::optional<RelativeTarget> relative_target(std::string_view target);

// The revisions that an upgrade leads to. Contains kNothing or kBase where a walk left the graph.
[[nodiscard]] Result<NodeList> upgrade_targets(const Symbols& symbols, const RangeEnd& current, const RangeEnd& target,
                                               bool strict);

struct DowngradeTarget {
  std::optional<std::string> branch;
  Node node = kNothing;  // kNothing or kBase: take back everything
};
// Alembic's warning is added to `warnings`: counting down from several heads.
[[nodiscard]] Result<DowngradeTarget> downgrade_target(const Symbols& symbols, const RangeEnd& current, std::string_view target,
                                                       bool strict, std::vector<std::string>& warnings);

}  // namespace athanor
