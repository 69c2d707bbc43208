// What SQL text names outside of its own database: roles, and schemas of a search_path.
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

// Schemas that must be there before anything can go into them; not "$user", public and the system's.
[[nodiscard]] std::vector<std::string> search_path_schemas(std::string_view search_path);

}  // namespace athanor::schema
