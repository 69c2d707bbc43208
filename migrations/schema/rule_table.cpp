#include <algorithm>
#include <array>

#include "migrations/schema/rule.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kKinds = static_cast<std::size_t>(Kind::DefaultPrivilege) + 1;

std::array<const Rule*, kKinds> collect() {
  std::array<const Rule*, kKinds> table{};
  for (const std::span<const Rule> family : {namespace_rules(), type_rules(), sequence_rules(), table_rules(), column_rules(),
                                             default_rules(), constraint_rules(), index_rules(), routine_rules(), view_rules(),
                                             trigger_rules(), foreign_rules(), publication_rules(), metadata_rules()}) {
    for (const Rule& rule : family) {
      table.at(static_cast<std::size_t>(rule.kind)) = &rule;
    }
  }
  return table;
}

}  // namespace

const Rule* find_rule(Kind kind) {
  static const std::array<const Rule*, kKinds> kTable = collect();
  return kTable.at(static_cast<std::size_t>(kind));
}

}  // namespace athanor::schema
