#include "migrations/schema/target_search_path.hpp"

#include "migrations/schema/sql_names.hpp"

namespace athanor::schema {

Result<std::string> target_search_path(ReadSession& target) {
  TRY_ASSIGN(const Rows rows,
             target.query("SELECT pg_catalog.current_setting('search_path'), n.nspname FROM (SELECT current_user AS name) AS u"
                          " LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname OPERATOR(pg_catalog.=) u.name"));
  std::string path = resolved_search_path(rows.text(0, 0), rows.text(0, 1));
  return path == "public" ? std::string() : path;
}

}  // namespace athanor::schema
