#include "migrations/plan/row_condition.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_set>

namespace athanor {
namespace {

constexpr std::array<std::string_view, 7> kComparisons{"=", "<>", "<", ">", "<=", ">=", "!="};

// The columns of the table that an expression names.
struct Named {
  std::unordered_set<std::string_view> columns;
  bool row = false;
  bool twice = false;   // the same column twice, or a column and the whole row
  bool opaque = false;  // contains another condition, or a subquery that reads no other rows

  [[nodiscard]] bool any() const { return row || !columns.empty(); }

  void add_column(std::string_view column) { twice = !columns.insert(column).second || row || twice; }
  void add_row() {
    twice = any() || twice;
    row = true;
  }
};

// Whether a query gets its rows from tables or constants, and not only from the outer row.
bool refers_elsewhere(const TreeNode& query) {
  const TreeNode select = query["SelectStmt"];
  if (select["fromClause"] || select["valuesLists"]) {
    return true;
  }
  if (!select["targetList"] || select["whereClause"] || select["havingClause"] || select["limitCount"]) {
    return false;
  }
  for (std::uint32_t index = select.begin(); index < select.end(); ++index) {
    if (select.at(index).key() == "ColumnRef") {
      return false;
    }
  }
  return true;
}

bool is_condition(const TreeNode& node) {
  const std::string_view key = node.key();
  if (key == "A_Expr") {
    const std::string_view name = node["name"].first()["String"]["sval"].value();
    return (node["kind"].value() != "AEXPR_OP" && node["kind"].value() != "AEXPR_NULLIF") ||
           std::ranges::find(kComparisons, name) != kComparisons.end();
  }
  return key == "BoolExpr" || key == "NullTest" || key == "BooleanTest" || key == "CaseExpr";
}

// `outside`: not in a subquery, where unqualified names belong to the table. In a subquery only a column qualified with the
// table's name certainly does.
void add_reference(Named& named, const TreeNode& reference, std::string_view table, bool outside) {
  const TreeNode fields = reference["fields"];
  std::string_view qualifier;
  TreeNode last;
  std::size_t count = 0;
  for (TreeNode field = fields.first(); field; field = field.next(fields), ++count) {
    qualifier = field.next(fields) ? field["String"]["sval"].value() : qualifier;
    last = field;
  }
  const std::string_view column = last["String"]["sval"].value();
  if (count == 1 ? !outside : qualifier != table) {
    return;
  }
  if (last["A_Star"] || (count == 1 && column == table)) {
    named.add_row();
  } else {
    named.add_column(column);
  }
}

// Collects the names inside `expression`, excluding the node itself.
Named names_of(const TreeNode& expression, std::string_view table) {
  Named named;
  std::uint32_t subquery_end = 0;
  for (std::uint32_t index = expression.begin(); index < expression.end(); ++index) {
    const TreeNode node = expression.at(index);
    const bool outside = index >= subquery_end;
    if (node.key() == "ColumnRef") {
      add_reference(named, node, table, outside);
    } else if (node.key() == "subselect") {
      named.opaque = named.opaque || !refers_elsewhere(node);
      subquery_end = std::max(subquery_end, node.end());
    } else if (outside) {
      named.opaque = named.opaque || is_condition(node);
    }
  }
  return named;
}

bool compares(const TreeNode& comparison, std::string_view table) {
  // NULLIF and unary operators are no comparisons.
  if (comparison["kind"].value() == "AEXPR_NULLIF" || !comparison["lexpr"] || !comparison["rexpr"]) {
    return false;
  }
  const Named named = names_of(comparison, table);
  // `3 IN (3, id)` is always true: the column must be on the left.
  const bool names_column = comparison["kind"].value() == "AEXPR_IN" ? names_of(comparison["lexpr"], table).any() : named.any();
  return names_column && !named.twice && !named.opaque;
}

// EXISTS (…) and id IN (SELECT …).
bool looks_up(const TreeNode& link, std::string_view table) {
  if (link["subLinkType"].value() == "EXISTS_SUBLINK") {
    const TreeNode select = link["subselect"]["SelectStmt"];
    return select["fromClause"] && !select["groupClause"] && limits_rows(select["whereClause"], table);
  }
  const Named named = names_of(link, table);
  return names_of(link["testexpr"], table).any() && !named.twice && !named.opaque;
}

// A condition without AND, OR and NOT; whether it is negated makes no difference.
bool leaf_limits(const TreeNode& leaf, std::string_view table) {
  const std::string_view key = leaf.key();
  if (key == "CurrentOfExpr") {
    return true;
  }
  if (key == "A_Expr") {
    return compares(leaf, table);
  }
  if (key == "SubLink") {
    return looks_up(leaf, table);
  }
  if (key == "NullTest" || key == "BooleanTest") {
    const TreeNode tested = leaf["arg"].first();
    const bool column = tested.key() == "ColumnRef" || (key == "NullTest" && tested.key() == "A_Expr" && !is_condition(tested));
    const Named named = names_of(leaf["arg"], table);
    return column && named.any() && !named.row && !named.twice && !named.opaque;
  }
  if (key == "ColumnRef") {  // WHERE active
    Named named;
    add_reference(named, leaf, table, true);
    return !named.columns.empty();
  }
  return false;
}

// The operands of a condition as text, to detect that `id = 1 OR id <> 1` and `id IS NULL OR id IS NOT NULL` select every row.
std::string operands_of(const TreeNode& leaf) {
  std::string text(leaf.key());
  const auto add = [&text](const TreeNode& part) {
    for (std::uint32_t index = part.begin(); index < part.end(); ++index) {
      const TreeNode node = part.at(index);
      if (node.key() != "location") {
        text.append(node.key()).append("=").append(node.value()).append(";");
      }
    }
  };
  if (leaf.key() == "A_Expr") {
    add(leaf["lexpr"]);
    text += '|';
    add(leaf["rexpr"]);
  } else if (leaf.key() == "NullTest" || leaf.key() == "BooleanTest") {
    add(leaf["arg"]);
  } else {
    add(leaf);
  }
  return text;
}

class Condition {
 public:
  explicit Condition(std::string_view table) : table_(table) {}

  // `seen`: the operands of the other branches of the enclosing OR; null without one.
  bool limits(const TreeNode& holder, bool negated, std::unordered_set<std::string>* seen) {
    const TreeNode condition = holder.first();
    if (condition.key() != "BoolExpr") {
      return leaf_limits(condition, table_) && (seen == nullptr || seen->insert(operands_of(condition)).second);
    }
    const TreeNode args = condition["args"];
    const std::string_view kind = condition["boolop"].value();
    if (kind == "NOT_EXPR") {
      return limits(args.first(), !negated, seen);
    }
    const bool all = (kind == "OR_EXPR") != negated;  // NOT (a AND b) is NOT a OR NOT b
    std::unordered_set<std::string> branches;
    std::unordered_set<std::string>* const others = !all ? nullptr : seen != nullptr ? seen : &branches;
    for (TreeNode arg = args.first(); arg; arg = arg.next(args)) {
      if (limits(arg, negated, others) != all) {
        return !all;
      }
    }
    return all;
  }

 private:
  std::string_view table_;
};

}  // namespace

bool limits_rows(const TreeNode& holder, std::string_view table) {
  return holder && Condition(table).limits(holder, false, nullptr);
}

}  // namespace athanor
