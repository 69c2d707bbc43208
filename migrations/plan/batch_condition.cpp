#include "migrations/plan/batch_condition.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "migrations/plan/statement_tree.hpp"

namespace athanor {
namespace {

using Index = std::uint32_t;
constexpr Index kNone = 0;  // the root, which is never a result

// Walks up from the placeholder. Each node is inside a wrapper: "whereClause": {"BoolExpr": {…}} or, in a list, {"BoolExpr":
// {…}}.
class ConditionWalk {
 public:
  explicit ConditionWalk(const StatementTree& tree) : root_(tree.root()), parents_(tree.entries().size(), kNone) {
    std::vector<Index> open;
    for (Index index = 0; index < parents_.size(); ++index) {
      while (!open.empty() && index >= tree.entries()[open.back()].end) {
        open.pop_back();
      }
      parents_[index] = open.empty() ? kNone : open.back();
      open.push_back(index);
    }
  }

  bool restricted_by(std::string_view column) {
    for (Index index = 1; index < parents_.size(); ++index) {
      if (key(index) == "ColumnRef") {
        const TreeNode fields = node(index)["fields"];
        const TreeNode only = fields.first();
        if (only["String"]["sval"].value() == column && !only.next(fields)) {
          return restricts(conjunct_owner(index)) && restricts_every_change();
        }
      }
    }
    return false;
  }

 private:
  [[nodiscard]] TreeNode node(Index index) const { return root_.at(index); }
  [[nodiscard]] std::string_view key(Index index) const { return node(index).key(); }
  [[nodiscard]] Index up(Index index) const { return parents_[index]; }

  // The statement whose rows all satisfy the condition at `index`, or kNone.
  [[nodiscard]] Index conjunct_owner(Index index) const {
    while (true) {
      const Index wrapper = up(index);
      if (key(wrapper) == "whereClause") {
        return up(wrapper);
      }
      // The condition of an outer join does not filter rows: it only decides which of them get NULLs.
      if (key(wrapper) == "quals" && key(up(wrapper)) == "JoinExpr") {
        return node(up(wrapper))["jointype"].value() == "JOIN_INNER" ? source_owner(up(wrapper)) : kNone;
      }
      const Index expression = up(up(wrapper));
      // Under OR or NOT, rows outside the range can pass.
      if (key(up(wrapper)) != "args" || key(expression) != "BoolExpr" || node(expression)["boolop"].value() != "AND_EXPR") {
        return kNone;
      }
      index = expression;
    }
  }

  // The statement that takes its rows from the item at `index` of its FROM or USING clause, or kNone.
  [[nodiscard]] Index source_owner(Index index) const {
    while (key(up(up(index))) == "JoinExpr") {
      const auto side = key(up(index));
      index = up(up(index));
      const auto type = node(index)["jointype"].value();
      // Only the preserved side of an outer join supplies the rows of the result.
      if (type != "JOIN_INNER" && !(type == "JOIN_LEFT" && side == "larg") && !(type == "JOIN_RIGHT" && side == "rarg")) {
        return kNone;
      }
    }
    const Index list = up(up(index));
    if (key(list) != "fromClause" && key(list) != "usingClause") {
      return kNone;
    }
    const Index owner = up(list);
    const bool has_target = key(owner) == "UpdateStmt" || key(owner) == "DeleteStmt";
    // A SELECT takes all its rows from FROM. UPDATE and DELETE have rows of their own, so a condition must connect the two.
    if (!has_target) {
      return owner;
    }
    const TreeNode target = node(owner)["relation"];
    const TreeNode alias = target["alias"];
    return compares_columns(node(owner)["whereClause"], {(alias ? alias["aliasname"] : target["relname"]).value()}) ? owner
                                                                                                                    : kNone;
  }

  // Whether the whole statement affects only rows that come from the statement at `index`.
  bool restricts(Index index) {
    while (index != kNone) {
      restricted_.push_back(index);
      const Index wrapper = up(index);
      const auto role = key(wrapper);
      if (key(index) == "larg" || key(index) == "rarg") {  // operands of UNION, INTERSECT or EXCEPT
        const auto operation = node(wrapper)["op"].value();
        // Rows of a UNION also come from the other side.
        const bool keeps = operation == "SETOP_INTERSECT" || (operation == "SETOP_EXCEPT" && key(index) == "larg");
        index = keeps ? wrapper : kNone;
      } else if (role == "stmt") {
        return key(index) == "UpdateStmt" || key(index) == "DeleteStmt" || key(index) == "InsertStmt";
      } else if (role == "selectStmt") {
        index = key(up(wrapper)) == "InsertStmt" ? up(wrapper) : kNone;
      } else if (role == "subselect") {
        index = compared_owner(up(wrapper));
      } else if (role == "subquery") {
        index = source_owner(up(wrapper));
      } else {
        return role == "ctequery" && common_table_restricts(up(wrapper));
      }
    }
    return false;
  }

  bool common_table_restricts(Index table) {
    // A recursive common table expression refers to itself.
    if (std::ranges::find(seen_, table) != seen_.end()) {
      return false;
    }
    seen_.push_back(table);
    const auto name = node(table)["ctename"].value();
    bool restricted = false;
    for (Index index = 1; index < parents_.size(); ++index) {
      const bool refers = key(index) == "RangeVar" && node(index)["relname"].value() == name && !node(index)["schemaname"];
      // Evaluate all of them, to record everything they restrict.
      restricted = (refers && restricts(source_owner(index))) || restricted;
    }
    return restricted;
  }

  // A data-modifying common table expression runs whether or not it is read, so each one must be restricted.
  [[nodiscard]] bool restricts_every_change() const {
    for (Index index = 1; index < parents_.size(); ++index) {
      const bool changes =
          (key(index) == "UpdateStmt" || key(index) == "DeleteStmt" || key(index) == "InsertStmt" || key(index) == "MergeStmt");
      if (changes && std::ranges::find(restricted_, index) == restricted_.end()) {
        return false;
      }
    }
    return true;
  }

  // The statement whose rows are compared with the subquery of the SubLink at `link`, or kNone.
  [[nodiscard]] Index compared_owner(Index link) const {
    const auto type = node(link)["subLinkType"].value();
    if (type == "ANY_SUBLINK") {
      const TreeNode names = node(link)["operName"];
      const bool equal = !names || is_equality(names);
      return equal && has_column(node(link)["testexpr"], {}) ? conjunct_owner(link) : kNone;
    }
    if (type == "EXISTS_SUBLINK") {
      const TreeNode select = node(link)["subselect"]["SelectStmt"];
      return compares_columns(select["whereClause"], names_of(select["fromClause"])) ? conjunct_owner(link) : kNone;
    }
    const Index comparison = up(up(link));
    const bool left = key(up(link)) == "lexpr";
    if ((type != "EXPR_SUBLINK" && type != "ARRAY_SUBLINK") || key(comparison) != "A_Expr") {
      return kNone;
    }
    const auto kind = node(comparison)["kind"].value();
    const bool equal = (kind == "AEXPR_OP" || kind == "AEXPR_OP_ANY") && is_equality(node(comparison)["name"]);
    return equal && has_column(node(comparison)[left ? "rexpr" : "lexpr"], {}) ? conjunct_owner(comparison) : kNone;
  }

  [[nodiscard]] static bool is_equality(const TreeNode& names) {
    TreeNode last = names.first();
    while (last && last.next(names)) {
      last = last.next(names);
    }
    return last["String"]["sval"].value() == "=";
  }

  // The names that can qualify columns of a FROM clause.
  [[nodiscard]] static std::vector<std::string_view> names_of(const TreeNode& from) {
    std::vector<std::string_view> names{""};
    for (Index index = from.begin(); from && index < from.end(); ++index) {
      const TreeNode item = from.at(index);
      if (const TreeNode alias = item["alias"]) {
        names.push_back(alias["aliasname"].value());
      } else if (item.key() == "RangeVar") {
        names.push_back(item["relname"].value());
      }
    }
    return names;
  }

  // Whether `expression` has a column; with names, a column qualified with none of them.
  [[nodiscard]] static bool has_column(const TreeNode& expression, const std::vector<std::string_view>& but) {
    for (Index index = expression.begin(); expression && index < expression.end(); ++index) {
      if (expression.at(index).key() == "ColumnRef") {
        const TreeNode fields = expression.at(index)["fields"];
        const TreeNode first = fields.first();
        const auto qualifier = first.next(fields) ? first["String"]["sval"].value() : std::string_view();
        if (but.empty() || std::ranges::find(but, qualifier) == but.end()) {
          return true;
        }
      }
    }
    return false;
  }

  // Whether a conjunct compares columns with columns; with names, one side must be of another table.
  [[nodiscard]] bool compares_columns(const TreeNode& where, const std::vector<std::string_view>& but) const {
    for (Index index = where.begin(); where && index < where.end(); ++index) {
      const TreeNode comparison = where.at(index);
      if (comparison.key() != "A_Expr" || conjunct_owner(index) != up(where.begin() - 1)) {
        continue;
      }
      const TreeNode left = comparison["lexpr"];
      const TreeNode right = comparison["rexpr"];
      if (has_column(left, {}) && has_column(right, {}) && (has_column(left, but) || has_column(right, but))) {
        return true;
      }
    }
    return false;
  }

  TreeNode root_;
  std::vector<Index> parents_;
  std::vector<Index> seen_;        // common table expressions
  std::vector<Index> restricted_;  // statements whose rows the condition limits
};

}  // namespace

bool restricts_rows(std::string_view sql, std::size_t place, std::size_t length) {
  std::string column = "athanor batch";
  // A column name that cannot appear in the statement takes the placeholder's place, so that it can be found in the tree.
  while (sql.find(column) != std::string_view::npos) {
    column += "_";
  }
  std::string text(sql);
  text.replace(place, length, "(\"" + column + "\")");
  const auto tree = StatementTree::of_sql(text);
  return !tree || ConditionWalk(*tree).restricted_by(column);
}

}  // namespace athanor
