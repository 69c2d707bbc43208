// The effect of a change of type on existing rows.
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "migrations/schema/render.hpp"
#include "migrations/schema/rules_columns.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

struct TypeName {
  std::string base;
  std::vector<int> modifiers{};
  bool array = false;
};

// "numeric(10,2)[]", "timestamp(3) with time zone".
TypeName parse_type(std::string_view text) {
  TypeName type;
  while (text.ends_with("[]")) {
    type.array = true;
    text.remove_suffix(2);
  }
  const auto open = text.find('(');
  const auto close = text.find(')', open == std::string_view::npos ? 0 : open);
  if (open == std::string_view::npos || close == std::string_view::npos) {
    type.base = text;
    return type;
  }
  for (const std::string& part : split_top_level(text.substr(open + 1, close - open - 1))) {
    int value = 0;
    std::from_chars(part.data(), part.data() + part.size(), value);
    type.modifiers.push_back(value);
  }
  type.base = std::string(text.substr(0, open)) + std::string(text.substr(close + 1));
  return type;
}

constexpr std::array<std::string_view, 3> kTexts{"text", "character varying", "character"};
constexpr std::array<std::string_view, 6> kNumbers{"smallint", "integer", "bigint", "numeric", "real", "double precision"};
constexpr std::array<std::string_view, 4> kMoments{"date", "timestamp without time zone", "timestamp with time zone",
                                                   "time without time zone"};

template <class Set>
std::optional<std::size_t> place(const Set& set, std::string_view name) {
  const auto found = std::ranges::find(set, name);
  return found == set.end() ? std::nullopt : std::optional(static_cast<std::size_t>(found - set.begin()));
}

bool widens_modifiers(const TypeName& from, const TypeName& to) {
  if (to.modifiers.empty()) {
    return true;
  }
  if (from.modifiers.empty()) {
    return false;
  }
  if (from.base == "numeric") {
    const auto scale = [](const TypeName& type) { return type.modifiers.size() > 1 ? type.modifiers[1] : 0; };
    return to.modifiers[0] >= from.modifiers[0] && scale(from) == scale(to);
  }
  return to.modifiers[0] >= from.modifiers[0];
}

TypeChange same_base(const TypeName& from, const TypeName& to) {
  // character(n) pads and bit(n) has an exact length, so every value is rewritten.
  const bool exact = from.base == "character" || from.base == "bit";
  const bool widens = widens_modifiers(from, to);
  return {.rewrites = exact || !widens, .loss = widens ? DataLoss::None : DataLoss::Possible};
}

TypeChange between_texts(const TypeName& from, const TypeName& to) {
  const bool widens = to.modifiers.empty() || (!from.modifiers.empty() && to.modifiers[0] >= from.modifiers[0]);
  const bool padded = from.base == "character" || to.base == "character";
  return {.rewrites = padded || !widens, .loss = widens && to.base != "character" ? DataLoss::None : DataLoss::Possible};
}

TypeChange between_numbers(std::size_t from, std::size_t to, const TypeName& target) {
  const bool whole = from <= 2 && to <= 2;
  const bool widens = (whole && to > from) || (from <= 2 && to == 3 && target.modifiers.empty());
  return {.rewrites = true, .loss = widens ? DataLoss::None : DataLoss::Possible};
}

}  // namespace

TypeChange type_change(std::string_view column, std::string_view from_text, std::string_view to_text) {
  const TypeName from = parse_type(from_text);
  const TypeName to = parse_type(to_text);
  const std::string name = quote_identifier(column);
  if (from.array == to.array) {
    if (from.base == to.base && from_text != to_text) {
      return same_base(from, to);
    }
    if (place(kTexts, from.base) && place(kTexts, to.base)) {
      TypeChange change = between_texts(from, to);
      change.rewrites = change.rewrites || from.array;
      return change;
    }
    if (place(kNumbers, from.base) && place(kNumbers, to.base)) {
      return between_numbers(*place(kNumbers, from.base), *place(kNumbers, to.base), to);
    }
  }
  const bool to_plain_text = !to.array && place(kTexts, to.base);
  if (to_plain_text || (!from.array && !to.array && place(kMoments, from.base) && place(kMoments, to.base))) {
    const bool safe = to_plain_text && to.modifiers.empty() && to.base != "character";
    return {.rewrites = true, .loss = safe ? DataLoss::None : DataLoss::Possible};
  }
  const bool direct = place(kTexts, from.base) || (from.base == "integer" && to.base == "boolean") ||
                      (from.base == "boolean" && to.base == "integer") || (from.base == "jsonb" && to.base == "json") ||
                      (from.base == "json" && to.base == "jsonb");
  const std::string through = direct && from.array == to.array ? "" : from.array && to.array ? "::text[]" : "::text";
  return {.rewrites = true, .loss = DataLoss::Possible, .using_expression = name + through + "::" + std::string(to_text)};
}

bool default_rewrites(std::string_view expression) {
  // A constant, with or without a cast. A reg* cast looks up a name, so it is not constant.
  if (expression.starts_with('\'')) {
    std::size_t end = 1;
    while (end < expression.size() && (expression[end] != '\'' || expression.substr(end, 2) == "''")) {
      end += expression[end] == '\'' ? 2U : 1U;
    }
    const std::string_view rest = expression.substr(std::min(end + 1, expression.size()));
    return !rest.empty() && (!rest.starts_with("::") || rest.find("::reg") != std::string_view::npos);
  }
  if (expression.empty() || expression == "true" || expression == "false" || expression.starts_with("NULL")) {
    return false;
  }
  if (expression.find_first_not_of("0123456789.-()") == std::string_view::npos) {
    return false;
  }
  // Stable functions are evaluated once per statement, so the value is stored in pg_attribute.attmissingval.
  return !(expression == "now()" || expression == "CURRENT_TIMESTAMP" || expression == "CURRENT_DATE" ||
           expression == "CURRENT_USER" || expression == "LOCALTIMESTAMP");
}

}  // namespace athanor::schema
