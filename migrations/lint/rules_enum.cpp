// Rules about values of enums.
#include "migrations/lint/rules.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::rule {
namespace {

constexpr int kUsableInNewType = 17;

}  // namespace

// Finds 'value' in any later statement of the transaction. An unrelated string with the same text is rare, and the message
// names it.
void enum_add_use_same_transaction(StatementCheck& check) {
  const auto& added = check.facts().values_added(check.transaction_number());
  const TreeNode& node = check.view().node();
  if (added.empty() || !check.in_transaction() || check.view().is("AlterEnumStmt")) {
    return;
  }
  for (std::uint32_t index = node.begin(); index < node.end(); ++index) {
    const TreeNode string = node.at(index)["sval"]["sval"];
    const auto used = string ? added.find(string.text()) : added.end();
    const bool usable = used != added.end() && used->second.type_is_new && check.postgres() >= kUsableInNewType;
    if (used != added.end() && !usable) {
      check.report({.message = "a value that this transaction added to enum " + used->second.type.sql() +
                               " cannot be used before it commits: the statement fails",
                    .fix = check.unit().plain ? "commit after ALTER TYPE … ADD VALUE"
                                              : "put '-- athanor:step transaction' on a line of its own above the statement",
                    .at = node.at(index)});
      return;
    }
  }
}

void enum_order(StatementCheck& check) {
  const TreeNode& node = check.view().node();
  if (!check.view().is("AlterEnumStmt") || !node["newVal"] || node["oldVal"] || node["newValNeighbor"]) {
    return;
  }
  check.report({.message = "without BEFORE or AFTER the value sorts last, and databases that got values in a different order "
                           "sort them differently",
                .fix = "ALTER TYPE " + name_in(node["typeName"]).sql() + " ADD VALUE … AFTER …;"});
}

}  // namespace athanor::rule
