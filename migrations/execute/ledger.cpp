#include "migrations/execute/ledger.hpp"

#include "migrations/text/quoting.hpp"

namespace athanor {

Ledger::Ledger(const std::string& schema)
    : schema_(quote_identifier(schema)), catalog_(qualified_name(schema, "catalog")), history_(schema), steps_(schema) {}

void Ledger::set_version_table(const std::string& version_table) {
  history_.set_version_table(version_table);
  steps_.set_version_table(version_table);
}

std::string Ledger::create_schema() const {
  return "CREATE SCHEMA IF NOT EXISTS " + schema_;
}

}  // namespace athanor
