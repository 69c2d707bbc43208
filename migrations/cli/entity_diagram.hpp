// Draws tables and their foreign keys as a Mermaid entity diagram, which GitHub and GitLab render in Markdown.
//
// Threads: pure function.
#pragma once

#include <string>

#include "migrations/schema/catalog.hpp"

namespace athanor::cli {

// Partitions are omitted: they are parts of their table.
[[nodiscard]] std::string mermaid_diagram(const schema::Catalog& catalog);

}  // namespace athanor::cli
