#include "migrations/cli/entity_diagram.hpp"

#include <algorithm>

#include "migrations/cli/entity_model.hpp"
#include "migrations/schema/attributes.hpp"
#include "migrations/text/printable.hpp"

namespace athanor::cli {
namespace {

// Mermaid takes letters, digits and a few signs in the type and name of an attribute.
std::string word(std::string_view text) {
  std::string result;
  for (const char letter : text) {
    const bool plain = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                       (letter >= '0' && letter <= '9') || letter == '_' || letter == '(' || letter == ')' || letter == '[' ||
                       letter == ']';
    result += plain || static_cast<unsigned char>(letter) >= 0x80 ? letter : '_';
  }
  return result;
}

std::string quoted(std::string text) {
  text = printable(text, LineEnds::Escape);
  std::ranges::replace(text, '"', '\'');
  return '"' + text + '"';
}

// One row of the referenced table, or none where the columns may be NULL; any number of this one, or one where they are a key.
std::string relation_of(const EntityLink& link) {
  std::string label;
  for (const std::string& column : link.columns) {
    label += (label.empty() ? "" : ", ") + column;
  }
  return "  " + quoted(entity_text(link.from)) + (link.single ? " |o--" : " }o--") + (link.required ? "|| " : "o| ") +
         quoted(entity_text(link.to)) + " : " + quoted(label) + "\n";
}

}  // namespace

std::string mermaid_diagram(const schema::Catalog& catalog) {
  const auto entities = entities_of(catalog);
  std::string text = "erDiagram\n";
  for (const auto& [name, entity] : entities) {
    text += "  " + quoted(entity_text(name)) + " {\n";
    for (const schema::Fact* column : entity.columns) {
      const std::string keys = keys_of(entity, column->id.name);
      text += "    " + word(column->get(schema::attribute::kType)) + " " + word(column->id.name) +
              (keys.empty() ? "" : " " + keys) + "\n";
    }
    text += "  }\n";
  }
  for (const EntityLink& link : links_of(entities)) {
    text += relation_of(link);
  }
  return text;
}

}  // namespace athanor::cli
