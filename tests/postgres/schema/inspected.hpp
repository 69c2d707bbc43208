// A database and its inspected catalog, and helpers to print and compare facts.
//
// Threads: one thread. Ownership: an Inspected owns its database.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "migrations/postgres/connect.hpp"
#include "migrations/schema/attributes.hpp"
#include "migrations/schema/inspect.hpp"
#include "tests/support/postgres_fixture.hpp"

namespace athanor::schema {

// `column public.t.a {not_null: true, type: integer}`.
inline std::string line_of(const Fact& fact) {
  std::string line = describe(fact.id);
  if (!fact.id.grantee.empty()) {
    line += " to " + fact.id.grantee;
  }
  std::string attributes;
  for (const Attribute& attribute : fact.attributes) {
    attributes += (attributes.empty() ? "" : ", ") + std::string(attribute.name) + ": " + attribute.value;
  }
  return line + " {" + attributes + "}";
}

class Inspected {
 public:
  explicit Inspected(const std::string& sql = "") {
    if (!sql.empty()) {
      database.run(sql);
    }
  }

  Result<Catalog> try_inspect(const InspectOptions& options = {}, const std::string& url = "") {
    auto factory = postgres::PostgresFactory::create(url.empty() ? database.url() : url, {}).value();
    auto session = factory->open();
    if (!session) {
      return fail(session.error());
    }
    return inspect(**session, options);
  }
  Catalog look(const InspectOptions& options = {}) {
    auto catalog = try_inspect(options);
    if (!catalog) {
      throw std::runtime_error(catalog.error().describe());
    }
    return std::move(*catalog);
  }

  // 150018.
  int version() { return std::stoi(database.value("SHOW server_version_num")); }

  test::TestDatabase database{"inspect"};
};

// One line per fact, in order, without the schema public itself.
inline std::vector<std::string> lines_of(const Catalog& catalog) {
  std::vector<std::string> lines;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id != FactId{.kind = Kind::Schema, .name = "public"}) {
      lines.push_back(line_of(fact));
    }
  }
  return lines;
}
inline std::vector<std::string> lines_of(const Catalog& catalog, Kind kind) {
  std::vector<std::string> lines;
  for (const Fact& fact : catalog.facts()) {
    if (fact.id.kind == kind) {
      lines.push_back(line_of(fact));
    }
  }
  return lines;
}

// The dependencies of facts whose description begins with `from`, sorted: "view public.v -> column public.t.a".
inline std::vector<std::string> edges_from(const Catalog& catalog, std::string_view from) {
  std::vector<std::string> lines;
  for (const Edge& edge : catalog.edges()) {
    const std::string needs = describe(catalog.facts()[edge.from].id);
    if (needs.starts_with(from)) {
      lines.push_back(needs + " -> " + describe(catalog.facts()[edge.to].id));
    }
  }
  std::ranges::sort(lines);
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace athanor::schema
