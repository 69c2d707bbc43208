// Tables and their foreign keys as an entity diagram: as Mermaid, which GitHub and GitLab draw in a Markdown page, and as SVG,
// drawn here, for pages of white and of black.
//
// Threads: pure functions.
#pragma once

#include <string>

#include "migrations/schema/catalog.hpp"

namespace athanor::cli {

// Partitions are omitted: they are parts of their table.
[[nodiscard]] std::string mermaid_diagram(const schema::Catalog& catalog);
// The same schema gives the same text.
[[nodiscard]] std::string svg_diagram(const schema::Catalog& catalog);

}  // namespace athanor::cli
