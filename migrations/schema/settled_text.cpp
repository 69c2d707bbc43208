#include "migrations/schema/settled_text.hpp"

#include <algorithm>
#include <optional>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/render.hpp"

namespace athanor::schema {
namespace {

constexpr std::string_view kArray = "(ARRAY[";
constexpr std::string_view kTextCast = ")::text";
constexpr std::string_view kVaryingCast = "'::character varying)::text";

// The position of the bracket that closes the one at `open`, ignoring quoted text.
std::optional<std::size_t> closing(std::string_view text, std::size_t open) {
  int depth = 0;
  char quote = 0;
  for (std::size_t place = open; place < text.size(); ++place) {
    const char letter = text[place];
    if (quote != 0) {
      quote = letter == quote ? '\0' : quote;
    } else if (letter == '\'' || letter == '"') {
      quote = letter;
    } else if (letter == '(' || letter == '[') {
      ++depth;
    } else if ((letter == ')' || letter == ']') && --depth == 0) {
      return place;
    }
  }
  return std::nullopt;
}

// "::character varying(20)[]" at this position: the type without the array's brackets, and where it ends.
struct ArrayCast {
  std::string type;
  std::size_t end = 0;
};
std::optional<ArrayCast> array_cast_at(std::string_view text, std::size_t place) {
  if (text.substr(place, 2) != "::") {
    return std::nullopt;
  }
  std::size_t end = place + 2;
  while (end < text.size() && text.substr(end, 2) != "[]") {
    const char letter = text[end];
    const bool part = (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
                      (letter >= '0' && letter <= '9') || letter == '_' || letter == ' ' || letter == '.' || letter == '"';
    if (!part) {
      return std::nullopt;
    }
    ++end;
  }
  if (end >= text.size()) {
    return std::nullopt;
  }
  return ArrayCast{std::string(text.substr(place + 2, end - place - 2)), end + 2};
}

// (ARRAY[a, b])::text[] → ARRAY[(a)::text, (b)::text]
std::string distribute_casts(std::string text) {
  for (std::size_t start = text.find(kArray); start != std::string::npos; start = text.find(kArray, start + 1)) {
    const auto outer = closing(text, start);
    const auto inner = closing(text, start + kArray.size() - 1);
    if (!outer || !inner || *inner + 1 != *outer) {
      continue;
    }
    const auto cast = array_cast_at(text, *outer + 1);
    if (!cast) {
      continue;
    }
    Names elements;
    const std::size_t first = start + kArray.size();
    for (const std::string& element : split_top_level(std::string_view(text).substr(first, *inner - first))) {
      elements.push_back('(' + element + ")::" + cast->type);
    }
    text = text.substr(0, start) + "ARRAY[" + join(elements) + ']' + text.substr(cast->end);
  }
  return text;
}

// The server prints the columns of CREATE STATISTICS by their position in the table, which must not count as a difference.
std::string sort_columns(const std::string& definition) {
  const auto on = definition.find(" ON ");
  const auto from = definition.rfind(" FROM ");
  if (on == std::string::npos || from == std::string::npos || from < on) {
    return definition;
  }
  Names columns = split_top_level(std::string_view(definition).substr(on + 4, from - on - 4));
  std::ranges::sort(columns);
  return definition.substr(0, on + 4) + join(columns) + definition.substr(from);
}

// The opening parenthesis of "(x)::text" that ends at `end`.
std::optional<std::size_t> cast_before(std::string_view text, std::size_t end) {
  if (end < kTextCast.size() || text.substr(end - kTextCast.size(), kTextCast.size()) != kTextCast) {
    return std::nullopt;
  }
  int depth = 0;
  for (std::size_t place = end - kTextCast.size() + 1; place-- > 0;) {
    if (text[place] == ')') {
      ++depth;
    } else if (text[place] == '(' && --depth == 0) {
      return place;
    } else if (text[place] == '\'' || text[place] == '"') {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

// ('a'::character varying)::text, … without the outer casts; empty if an element has another form.
std::optional<Names> varying_elements(std::string_view elements) {
  Names plain;
  for (const std::string& element : split_top_level(elements)) {
    if (!element.starts_with("('") || !element.ends_with(kVaryingCast)) {
      return std::nullopt;
    }
    plain.push_back(element.substr(1, element.size() - 1 - kTextCast.size()));
  }
  return plain;
}

}  // namespace

void settle_text(Fact& fact) {
  if (fact.id.kind == Kind::Routine || fact.id.kind == Kind::Aggregate || fact.id.subject != Kind::None) {
    return;
  }
  for (Attribute& entry : fact.attributes) {
    if (entry.value.find(kArray) != std::string::npos) {
      entry.value = distribute_casts(std::move(entry.value));
    }
    if (fact.id.kind == Kind::Statistics && entry.name == attribute::kDefinition) {
      entry.value = sort_columns(entry.value);
    }
  }
}

std::string as_written(std::string_view expression) {
  std::string text(expression);
  for (const std::string_view comparison : {std::string_view(" = ANY (ARRAY["), std::string_view(" <> ALL (ARRAY[")}) {
    for (std::size_t place = text.find(comparison); place != std::string::npos; place = text.find(comparison, place + 1)) {
      const auto left = cast_before(text, place);
      const std::size_t bracket = place + comparison.size() - 1;
      const auto close = closing(text, bracket);
      const auto elements =
          close ? varying_elements(std::string_view(text).substr(bracket + 1, *close - bracket - 1)) : std::nullopt;
      if (!left || !elements) {
        continue;
      }
      const std::string compared = text.substr(*left, place - *left - (kTextCast.size() - 1));
      text = text.substr(0, *left) + compared + std::string(comparison) + join(*elements) + text.substr(*close);
    }
  }
  return text;
}

}  // namespace athanor::schema
