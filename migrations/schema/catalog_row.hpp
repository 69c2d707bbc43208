// One row of a catalog query, with typed access to its cells. A cell that is NULL or missing reads as empty, 0 or false.
//
// Threads: a view. Ownership: borrows the row.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "migrations/schema/catalog_text.hpp"
#include "migrations/session/session.hpp"

namespace athanor::schema {

class CatalogRow {
 public:
  explicit CatalogRow(const std::vector<Parameter>& cells) : cells_(cells) {}

  [[nodiscard]] const std::string& text(std::size_t column) const {
    static const std::string kNone;
    return has(column) ? *cells_[column] : kNone;
  }
  [[nodiscard]] bool has(std::size_t column) const { return column < cells_.size() && cells_[column].has_value(); }
  [[nodiscard]] bool flag(std::size_t column) const { return text(column) == "t"; }
  [[nodiscard]] Oid oid(std::size_t column) const { return oid_in(text(column)); }
  [[nodiscard]] int number(std::size_t column) const { return number_in(text(column)); }
  [[nodiscard]] char letter(std::size_t column) const { return has(column) && !text(column).empty() ? text(column)[0] : '\0'; }
  // A text array whose order has no meaning, sorted, as JSON; empty for NULL and for an empty array.
  [[nodiscard]] std::string list(std::size_t column) const {
    std::vector<std::string> elements = array_in(text(column));
    std::ranges::sort(elements);
    return elements.empty() ? std::string() : json_list(elements);
  }

 private:
  const std::vector<Parameter>& cells_;
};

}  // namespace athanor::schema
