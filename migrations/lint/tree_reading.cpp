#include "migrations/lint/tree_reading.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "migrations/text/quoting.hpp"

namespace athanor {
namespace {

struct TypeSpelling {
  std::string_view inside;
  std::string_view written;
};
constexpr std::array kSpellings{
    TypeSpelling{"int2", "smallint"},
    TypeSpelling{"int4", "integer"},
    TypeSpelling{"int8", "bigint"},
    TypeSpelling{"bool", "boolean"},
    TypeSpelling{"bpchar", "char"},
    TypeSpelling{"float4", "real"},
    TypeSpelling{"float8", "double precision"},
};

}  // namespace

std::string QualifiedName::sql() const {
  return qualified_name(schema, name);
}

std::string TypeWords::sql() const {
  const auto known = std::ranges::find(kSpellings, name, &TypeSpelling::inside);
  const bool plain = name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
  std::string text = !schema.empty()             ? qualified_name(schema, name)
                     : known != kSpellings.end() ? std::string(known->written)
                     : plain                     ? name  // keywords among them are types of the server's
                                                 : quote_identifier(name);
  for (std::size_t index = 0; index < modifiers.size(); ++index) {
    text += index == 0 ? "(" : ",";
    text += std::to_string(modifiers[index]);
  }
  text += modifiers.empty() ? "" : ")";
  return array ? text + "[]" : text;
}

std::vector<TreeNode> items_of(const TreeNode& list) {
  std::vector<TreeNode> items;
  for (TreeNode item = list ? list.first() : TreeNode(); item; item = item.next(list)) {
    items.push_back(item);
  }
  return items;
}

bool is_set(const TreeNode& flag) {
  return flag.value() == "true";
}

std::string string_in(const TreeNode& node) {
  return node["String"]["sval"].text();
}

std::vector<std::string> strings_in(const TreeNode& list) {
  std::vector<std::string> strings;
  for (const TreeNode& item : items_of(list)) {
    strings.push_back(string_in(item));
  }
  return strings;
}

int number_in(const TreeNode& node, int otherwise) {
  const TreeNode constant = node["A_Const"]["ival"];
  const TreeNode integer = constant ? constant : node["Integer"];
  if (!integer) {
    return otherwise;
  }
  const std::string_view digits = integer["ival"].value();
  int number = 0;  // libpg_query omits zeros
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

QualifiedName relation_in(const TreeNode& relation) {
  QualifiedName name{relation["schemaname"].text(), relation["relname"].text()};
  if (name.schema == "public") {
    name.schema.clear();
  }
  return name;
}

QualifiedName name_in(const TreeNode& strings) {
  std::vector<std::string> parts = strings_in(strings);
  QualifiedName name;
  if (!parts.empty()) {
    name.name = std::move(parts.back());
  }
  if (parts.size() > 1 && parts[parts.size() - 2] != "public") {
    name.schema = std::move(parts[parts.size() - 2]);
  }
  return name;
}

QualifiedName owner_in(const TreeNode& strings) {
  const std::vector<std::string> parts = strings_in(strings);
  if (parts.size() < 2) {
    return {};
  }
  QualifiedName table{parts.size() > 2 ? parts[parts.size() - 3] : std::string(), parts[parts.size() - 2]};
  table.schema = table.schema == "public" ? std::string() : table.schema;
  return table;
}

TypeWords type_in(const TreeNode& type) {
  TypeWords words;
  const QualifiedName name = name_in(type["names"]);
  words.schema = name.schema == "pg_catalog" ? std::string() : name.schema;
  words.name = name.name;
  words.array = static_cast<bool>(type["arrayBounds"]);
  for (const TreeNode& modifier : items_of(type["typmods"])) {
    words.modifiers.push_back(number_in(modifier, -1));
  }
  return words;
}

TreeNode option_in(const TreeNode& options, std::string_view name) {
  for (const TreeNode& item : items_of(options)) {
    if (item["DefElem"]["defname"].value() == name) {
      return item["DefElem"];
    }
  }
  return {};
}

bool option_is_on(const TreeNode& options, std::string_view name) {
  const TreeNode option = option_in(options, name);
  if (!option) {
    return false;
  }
  const TreeNode value = option["arg"];
  if (!value) {
    return true;
  }
  const std::string_view word = value["String"] ? value["String"]["sval"].value() : value["Boolean"]["boolval"].value();
  const bool number = static_cast<bool>(value["Integer"]);
  return number ? number_in(value, 0) != 0 : !(word.empty() || word == "false" || word == "off" || word == "0" || word == "no");
}

std::set<std::string> columns_in(const TreeNode& expression) {
  std::set<std::string> columns;
  for (std::uint32_t index = expression.begin(); index < expression.end(); ++index) {
    const TreeNode node = expression.at(index);
    if (node.key() != "ColumnRef") {
      continue;
    }
    if (const auto fields = items_of(node["fields"]); !fields.empty()) {
      columns.insert(string_in(fields.back()));
    }
  }
  columns.erase("");  // the whole row
  return columns;
}

std::string column_list(const std::vector<std::string>& columns) {
  std::string text;
  for (const std::string& column : columns) {
    text += text.empty() ? "" : ", ";
    text += quote_identifier(column);
  }
  return text;
}

int location_of(const TreeNode& node) {
  if (!node) {
    return -1;
  }
  const TreeNode own = node["location"] ? node["location"] : node.first()["location"];
  int location = -1;
  const std::string_view digits = own.value();
  std::from_chars(digits.data(), digits.data() + digits.size(), location);
  return location;
}

}  // namespace athanor
