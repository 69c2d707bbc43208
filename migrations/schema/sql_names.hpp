// Finds names in SQL text that do not belong to its own database: roles, and schemas of a search_path.
//
// Threads: pure functions.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

struct NamedRoles {
  std::set<std::string> named{};
  std::set<std::string> created{};
};

// Adds the roles that a statement names and those that it creates, as far as the parser understands it.
void collect_roles(std::string_view statement, NamedRoles& roles);

// Adds the schemas that a statement creates.
void collect_schemas(std::string_view statement, std::set<std::string>& created);

// The names of a search_path in order, quoted and separated by commas, "$user" as `user` or left out where `user` is empty.
[[nodiscard]] std::string resolved_search_path(std::string_view search_path, const std::string& user);

// The schemas of a search_path that must exist before objects can be created in them: without "$user", public and system
// schemas.
[[nodiscard]] std::vector<std::string> search_path_schemas(std::string_view search_path);

}  // namespace athanor::schema
