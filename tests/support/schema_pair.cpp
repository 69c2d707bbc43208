#include "tests/support/schema_pair.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <stdexcept>

#include "migrations/postgres/connect.hpp"
#include "tests/support/client_folder.hpp"

namespace athanor::test {
namespace {

std::string line_of(const schema::Fact& fact) {
  std::string line = describe(fact.id) + (fact.id.grantee.empty() ? "" : " to " + fact.id.grantee) + " {";
  for (const schema::Attribute& entry : fact.attributes) {
    line += std::string(entry.name) + ": " + entry.value + "; ";
  }
  return line + "}";
}

std::vector<std::string> lines_of(const schema::Catalog& catalog) {
  std::vector<std::string> lines;
  for (const schema::Fact& fact : catalog.facts()) {
    lines.push_back(line_of(fact));
  }
  std::ranges::sort(lines);
  return lines;
}

std::string only_in(const std::vector<std::string>& left, const std::vector<std::string>& right, const char* sign) {
  std::vector<std::string> only;
  std::ranges::set_difference(left, right, std::back_inserter(only));
  std::string text;
  for (const std::string& line : only) {
    text += sign + line + '\n';
  }
  return text;
}

std::vector<std::string> dump(const std::string& url) {
  const std::string command = client_folder() + "/pg_dump -s --no-owner -d '" + url + "' 2>&1";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::vector<std::string> lines;
  std::string line;
  for (int letter = std::fgetc(pipe.get()); letter != EOF; letter = std::fgetc(pipe.get())) {
    if (letter != '\n') {
      line += static_cast<char>(letter);
      continue;
    }
    if (!line.starts_with("--") && !line.starts_with("\\") && !line.empty()) {
      if (line.ends_with(',')) {
        line.pop_back();
      }
      lines.push_back(line);
    }
    line.clear();
  }
  std::ranges::sort(lines);
  return lines;
}

}  // namespace

schema::InspectOptions every_kind() {
  schema::InspectOptions options;
  options.owners = true;
  options.privileges = true;
  options.default_privileges = true;
  options.publications = true;
  return options;
}

schema::Catalog catalog_of(const std::string& url, const schema::InspectOptions& options) {
  auto factory = postgres::PostgresFactory::create(url, {}).value();
  auto session = factory->open();
  if (!session) {
    throw std::runtime_error(session.error().describe());
  }
  auto catalog = inspect(**session, options);
  if (!catalog) {
    throw std::runtime_error(catalog.error().describe());
  }
  return std::move(*catalog);
}

void apply(Client& client, const schema::ChangePlan& plan) {
  for (const schema::PlannedStep& step : plan.steps) {
    if (!step.autocommit) {
      client.run("BEGIN");
    }
    for (const schema::PlannedStatement& statement : step.statements) {
      try {
        client.run(statement.sql);
      } catch (const std::exception& error) {
        if (!step.autocommit) {
          client.run("ROLLBACK");
        }
        throw std::runtime_error(std::string(error.what()) + "\n  in: " + statement.sql);
      }
    }
    if (!step.autocommit) {
      client.run("COMMIT");
    }
  }
}

std::string text_of(const schema::ChangePlan& plan) {
  std::string text;
  for (const schema::PlannedStep& step : plan.steps) {
    text += step.autocommit ? "-- autocommit\n" : "-- transaction\n";
    for (const schema::PlannedStatement& statement : step.statements) {
      text += statement.sql + ";\n";
    }
  }
  return text;
}

std::string difference_of(const schema::Catalog& got, const schema::Catalog& wanted) {
  if (got.fingerprint() == wanted.fingerprint()) {
    return {};
  }
  const auto left = lines_of(got);
  const auto right = lines_of(wanted);
  return only_in(left, right, "got    ") + only_in(right, left, "wanted ");
}

std::string dump_difference(const std::string& got_url, const std::string& wanted_url) {
  const auto left = dump(got_url);
  const auto right = dump(wanted_url);
  return only_in(left, right, "got    ") + only_in(right, left, "wanted ");
}

SchemaPair::SchemaPair(const std::string& from, const std::string& to, schema::InspectOptions options)
    : options_(std::move(options)) {
  old_database_.run(from);
  new_database_.run(to);
  before_ = catalog_of(old_database_.url(), options_);
  after_ = catalog_of(new_database_.url(), options_);
}

std::string SchemaPair::move(const schema::Catalog& target, schema::Style style) {
  const schema::Catalog current = catalog_of(old_database_.url(), options_);
  auto plan = plan_changes(current, target, {.style = style});
  if (!plan) {
    return "no plan: " + plan.error().describe();
  }
  plan_ = std::move(*plan);
  Client client = old_database_.connect();
  client.run("SET search_path = ''; SET client_min_messages = warning");
  try {
    apply(client, plan_);
  } catch (const std::exception& error) {
    return std::string("refused by the server: ") + error.what() + "\nthe plan:\n" + text_of(plan_);
  }
  const schema::Catalog reached = catalog_of(old_database_.url(), options_);
  const std::string difference = difference_of(reached, target);
  if (!difference.empty()) {
    return "differs:\n" + difference + "the plan:\n" + text_of(plan_);
  }
  const auto second = plan_changes(reached, target, {.style = style});
  return second && second->empty() ? std::string() : "the second plan is not empty";
}

std::string SchemaPair::go(schema::Style style) {
  return move(*after_, style);
}

std::string SchemaPair::go_back(schema::Style style) {
  return move(*before_, style);
}

std::string SchemaPair::converge(schema::Style style) {
  const std::string there = go(style);
  if (!there.empty()) {
    return "there: " + there;
  }
  schema::ChangePlan forward = plan_;
  const std::string back = go_back(style);
  plan_ = std::move(forward);
  return back.empty() ? back : "back: " + back;
}

std::vector<std::string> SchemaPair::statements() const {
  std::vector<std::string> all;
  for (const schema::PlannedStep& step : plan_.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      all.push_back(statement.sql);
    }
  }
  return all;
}

}  // namespace athanor::test
