#include "migrations/text/quoting.hpp"

#include <algorithm>
#include <array>

#include "migrations/text/sql_lexer.hpp"

namespace athanor {
namespace {

// Keywords that need quotes as the name of a table, column or function: those of PostgreSQL 15 (pg_get_keywords() except the
// unreserved ones), plus those added in 16 to 18. A test compares them with the server's. Sorted.
constexpr auto kKeywords = std::to_array<std::string_view>({"all",
                                                            "analyse",
                                                            "analyze",
                                                            "and",
                                                            "any",
                                                            "array",
                                                            "as",
                                                            "asc",
                                                            "asymmetric",
                                                            "authorization",
                                                            "between",
                                                            "bigint",
                                                            "binary",
                                                            "bit",
                                                            "boolean",
                                                            "both",
                                                            "case",
                                                            "cast",
                                                            "char",
                                                            "character",
                                                            "check",
                                                            "coalesce",
                                                            "collate",
                                                            "collation",
                                                            "column",
                                                            "concurrently",
                                                            "constraint",
                                                            "create",
                                                            "cross",
                                                            "current_catalog",
                                                            "current_date",
                                                            "current_role",
                                                            "current_schema",
                                                            "current_time",
                                                            "current_timestamp",
                                                            "current_user",
                                                            "dec",
                                                            "decimal",
                                                            "default",
                                                            "deferrable",
                                                            "desc",
                                                            "distinct",
                                                            "do",
                                                            "else",
                                                            "end",
                                                            "except",
                                                            "exists",
                                                            "extract",
                                                            "false",
                                                            "fetch",
                                                            "float",
                                                            "for",
                                                            "foreign",
                                                            "freeze",
                                                            "from",
                                                            "full",
                                                            "grant",
                                                            "greatest",
                                                            "group",
                                                            "grouping",
                                                            "having",
                                                            "ilike",
                                                            "in",
                                                            "initially",
                                                            "inner",
                                                            "inout",
                                                            "int",
                                                            "integer",
                                                            "intersect",
                                                            "interval",
                                                            "into",
                                                            "is",
                                                            "isnull",
                                                            "join",
                                                            "json",
                                                            "json_array",
                                                            "json_arrayagg",
                                                            "json_exists",
                                                            "json_object",
                                                            "json_objectagg",
                                                            "json_query",
                                                            "json_scalar",
                                                            "json_serialize",
                                                            "json_table",
                                                            "json_value",
                                                            "lateral",
                                                            "leading",
                                                            "least",
                                                            "left",
                                                            "like",
                                                            "limit",
                                                            "localtime",
                                                            "localtimestamp",
                                                            "merge_action",
                                                            "national",
                                                            "natural",
                                                            "nchar",
                                                            "none",
                                                            "normalize",
                                                            "not",
                                                            "notnull",
                                                            "null",
                                                            "nullif",
                                                            "numeric",
                                                            "offset",
                                                            "on",
                                                            "only",
                                                            "or",
                                                            "order",
                                                            "out",
                                                            "outer",
                                                            "overlaps",
                                                            "overlay",
                                                            "placing",
                                                            "position",
                                                            "precision",
                                                            "primary",
                                                            "real",
                                                            "references",
                                                            "returning",
                                                            "right",
                                                            "row",
                                                            "select",
                                                            "session_user",
                                                            "setof",
                                                            "similar",
                                                            "smallint",
                                                            "some",
                                                            "substring",
                                                            "symmetric",
                                                            "system_user",
                                                            "table",
                                                            "tablesample",
                                                            "then",
                                                            "time",
                                                            "timestamp",
                                                            "to",
                                                            "trailing",
                                                            "treat",
                                                            "trim",
                                                            "true",
                                                            "union",
                                                            "unique",
                                                            "user",
                                                            "using",
                                                            "values",
                                                            "varchar",
                                                            "variadic",
                                                            "verbose",
                                                            "when",
                                                            "where",
                                                            "window",
                                                            "with",
                                                            "xmlattributes",
                                                            "xmlconcat",
                                                            "xmlelement",
                                                            "xmlexists",
                                                            "xmlforest",
                                                            "xmlnamespaces",
                                                            "xmlparse",
                                                            "xmlpi",
                                                            "xmlroot",
                                                            "xmlserialize",
                                                            "xmltable"});
static_assert(std::is_sorted(kKeywords.begin(), kKeywords.end()));

bool is_plain(std::string_view name) {
  if (name.empty() || !((name.front() >= 'a' && name.front() <= 'z') || name.front() == '_')) {
    return false;
  }
  const bool plain = std::all_of(name.begin(), name.end(), [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '_';
  });
  return plain && !std::binary_search(kKeywords.begin(), kKeywords.end(), name);
}

void append_doubled(std::string& out, std::string_view text, std::string_view doubled) {
  for (const char letter : text) {
    out += letter;
    if (doubled.find(letter) != std::string_view::npos) {
      out += letter;
    }
  }
}

}  // namespace

std::string quote_identifier(std::string_view name) {
  if (is_plain(name)) {
    return std::string(name);
  }
  std::string quoted = "\"";
  append_doubled(quoted, name, "\"");
  return quoted += '"';
}

std::string identifier_name(std::string_view token) {
  const auto open = token.find('"');
  std::string name;
  if (open == std::string_view::npos) {
    name.assign(token);
    std::transform(name.begin(), name.end(), name.begin(), lower_ascii);
    return name;
  }
  const auto inner = token.substr(open + 1, token.size() - open - 2);
  for (std::size_t index = 0; index < inner.size(); ++index) {
    name += inner[index];
    if (inner[index] == '"') {
      ++index;
    }
  }
  return name;
}

std::string quote_literal(std::string_view text) {
  const bool escapes = text.find('\\') != std::string_view::npos;
  std::string quoted = escapes ? "E'" : "'";
  append_doubled(quoted, text, escapes ? "'\\" : "'");
  return quoted += '\'';
}

std::string qualified_name(std::string_view schema, std::string_view table) {
  return schema.empty() ? quote_identifier(table) : quote_identifier(schema) + "." + quote_identifier(table);
}

}  // namespace athanor
