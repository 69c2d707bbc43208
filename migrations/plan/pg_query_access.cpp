#include "migrations/plan/pg_query_access.hpp"

#include <pg_query.h>

#include <mutex>

namespace athanor {
namespace {

void set_up_thread() {
  thread_local bool ready = false;
  if (ready) {
    return;
  }
  static std::mutex first_calls;
  const std::lock_guard guard(first_calls);
  pg_query_init();
  ready = true;
}

}  // namespace

std::optional<std::vector<ScannedStatement>> scan_statements(const std::string& text) {
  set_up_thread();
  const PgQuerySplitResult result = pg_query_split_with_scanner(text.c_str());
  std::optional<std::vector<ScannedStatement>> found;
  if (result.error == nullptr) {
    found.emplace();
    found->reserve(static_cast<std::size_t>(result.n_stmts));
    for (int index = 0; index < result.n_stmts; ++index) {
      const auto begin = static_cast<std::size_t>(result.stmts[index]->stmt_location);
      found->push_back({begin, begin + static_cast<std::size_t>(result.stmts[index]->stmt_len)});
    }
  }
  pg_query_free_split_result(result);
  return found;
}

bool can_parse(const std::string& text) {
  set_up_thread();
  const PgQuerySplitResult result = pg_query_split_with_parser(text.c_str());
  const bool accepted = result.error == nullptr;
  pg_query_free_split_result(result);
  return accepted;
}

std::optional<std::string> parse_tree(const std::string& text) {
  set_up_thread();
  const PgQueryParseResult result = pg_query_parse(text.c_str());
  std::optional<std::string> tree;
  if (result.error == nullptr && result.parse_tree != nullptr) {
    tree.emplace(result.parse_tree);
  }
  pg_query_free_parse_result(result);
  return tree;
}

std::optional<std::string> parse_procedure(const std::string& statement) {
  set_up_thread();
  const PgQueryPlpgsqlParseResult result = pg_query_parse_plpgsql(statement.c_str());
  std::optional<std::string> tree;
  if (result.error == nullptr && result.plpgsql_funcs != nullptr) {
    tree.emplace(result.plpgsql_funcs);
  }
  pg_query_free_plpgsql_parse_result(result);
  return tree;
}

}  // namespace athanor
