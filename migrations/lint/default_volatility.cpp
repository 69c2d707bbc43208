#include "migrations/lint/default_volatility.hpp"

#include <algorithm>
#include <array>

#include "migrations/plan/known_functions.hpp"

namespace athanor {
namespace {

// Functions with pg_proc.provolatile = 'v' that are common in defaults.
constexpr std::array<std::string_view, 23> kVolatile{
    "clock_timestamp", "currval",          "gen_random_bytes",   "gen_random_uuid",  "gen_salt",
    "lastval",         "nextval",          "pg_current_xact_id", "pg_notify",        "pg_sleep",
    "random",          "random_normal",    "set_config",         "setseed",          "setval",
    "timeofday",       "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4",
    "uuidv7",          "array_sample",     "array_shuffle"};
// Known, not volatile, and without arguments: with arguments it is another function.
constexpr std::array<std::string_view, 3> kWithoutArguments{"now", "transaction_timestamp", "statement_timestamp"};

bool is_one_of(const std::string& name, const auto& names) {
  return std::ranges::find(names, name) != names.end();
}

DefaultVolatility::Kind kind_of(const TreeNode& call, const QualifiedName& name, const KnownSchema& facts) {
  using enum DefaultVolatility::Kind;
  const bool of_server = name.schema.empty() || name.schema == "pg_catalog";
  if (of_server && is_one_of(name.name, kVolatile)) {
    return Volatile;
  }
  if (of_server && is_one_of(name.name, kWithoutArguments)) {
    return call["args"] ? Unknown : Fixed;
  }
  if (const auto declared = facts.function(name)) {
    return *declared == athanor::Volatility::Volatile ? Volatile : Fixed;
  }
  return of_server && is_known_function(name.name) ? Fixed : Unknown;
}

}  // namespace

DefaultVolatility default_volatility(const TreeNode& expression, const KnownSchema& facts) {
  DefaultVolatility found;
  for (std::uint32_t index = expression.begin(); index < expression.end(); ++index) {
    const TreeNode node = expression.at(index);
    if (node.key() != "FuncCall") {
      continue;
    }
    const QualifiedName name = name_in(node["funcname"]);
    const auto kind = kind_of(node, name, facts);
    if (kind == DefaultVolatility::Kind::Volatile) {
      return {kind, name.sql()};
    }
    if (kind == DefaultVolatility::Kind::Unknown) {
      found = {kind, name.sql()};
    }
  }
  return found;
}

}  // namespace athanor
