#include "migrations/cli/schema_report.hpp"

#include <algorithm>
#include <string_view>

#include "migrations/schema/fact.hpp"
#include "migrations/text/printable.hpp"
#include "migrations/text/sql_comment.hpp"

namespace athanor::cli {
namespace {

using schema::DataLoss;

constexpr std::string_view kRed = "\x1b[31;1m";
constexpr std::string_view kGreen = "\x1b[32m";
constexpr std::string_view kYellow = "\x1b[33m";
constexpr std::string_view kPlain = "\x1b[0m";

std::string_view loss_words(DataLoss loss) {
  switch (loss) {
    case DataLoss::None:
      break;
    case DataLoss::Possible:
      return "values may be rejected or changed";
    case DataLoss::Certain:
      return "data is lost";
  }
  return "";
}

std::string_view loss_name(DataLoss loss) {
  return loss == DataLoss::None ? "none" : loss == DataLoss::Possible ? "possible" : "certain";
}

std::string_view color_of(const schema::SummaryLine& line) {
  if (line.loss == DataLoss::Certain) {
    return kRed;
  }
  return line.sign == '+' ? kGreen : line.sign == '-' ? kRed : kYellow;
}

// SQL for the reader to move out of the comment. A directive in a comment of its own would be taken for a misspelt one, and the
// revision refused.
void add_remedy(std::string& text, const std::vector<std::string>& remedy) {
  constexpr std::string_view kDirective = "-- athanor:";
  for (const std::string& line : remedy) {
    const bool directive = line.starts_with(kDirective);
    text += sql_comment("  " + (directive ? "Begin the step with the line: " + line.substr(3) : line));
  }
}

std::string join_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += (text.empty() ? "" : "\n") + line;
  }
  return text;
}

void add_statement(std::string& text, const schema::PlannedStatement& statement) {
  if (statement.loss == DataLoss::Certain) {
    text += sql_comment("Destructive: data is lost.");
  }
  if (!statement.note.empty()) {
    text += sql_comment(statement.note);
  }
  for (const std::string& warning : statement.warnings) {
    text += sql_comment(warning);
  }
  add_remedy(text, statement.remedy);
  text += statement.sql + ";\n";
}

}  // namespace

void print_summary(Output& output, const schema::ChangePlan& plan) {
  for (const schema::SummaryLine& line : plan.summary) {
    std::string text = std::string(1, line.sign) + " " + line.text;
    if (const std::string_view loss = loss_words(line.loss); !loss.empty()) {
      text += "  (" + std::string(loss) + ")";
    }
    if (output.style().color && !output.json()) {
      output.text(std::string(color_of(line)) + printable(text, LineEnds::Escape) + std::string(kPlain) + "\n");
    } else {
      output.line(printable(text, LineEnds::Escape));
    }
  }
}

void warn_of_rows(Output& output, const schema::ChangePlan& plan) {
  for (const schema::PlannedStep& step : plan.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      for (const std::string& warning : statement.warnings) {
        output.warn(printable(warning, LineEnds::Escape));
      }
      for (const std::string& line : statement.remedy) {
        output.note(printable(line, LineEnds::Escape));
      }
    }
  }
}

std::string section_text(const schema::ChangePlan& plan) {
  std::string text;
  bool autocommit = false;  // a section begins with a transaction step
  bool first = true;
  for (const schema::PlannedStep& step : plan.steps) {
    if (step.statements.empty()) {
      continue;
    }
    // An autocommit directive applies to each statement separately; two successive transactions need a directive between them.
    if (step.autocommit != autocommit || (!first && !step.autocommit)) {
      text += (text.empty() ? "" : "\n") + std::string("-- athanor:step ") + (step.autocommit ? "autocommit" : "transaction") +
              "\n";
    }
    autocommit = step.autocommit;
    first = false;
    for (const schema::PlannedStatement& statement : step.statements) {
      add_statement(text, statement);
    }
  }
  return text;
}

std::string script_text(schema::ChangePlan plan) {
  constexpr std::string_view kLocal = "SET LOCAL ";
  for (schema::PlannedStep& step : plan.steps) {
    for (schema::PlannedStatement& statement : step.statements) {
      if (statement.sql.starts_with(kLocal)) {
        statement.sql = "SET " + statement.sql.substr(kLocal.size());
      }
    }
  }
  return section_text(plan);
}

Json plan_json(const schema::ChangePlan& plan) {
  Json summary = Json::array();
  for (const schema::SummaryLine& line : plan.summary) {
    summary.push_back({{"change", line.sign == '+'   ? "add"
                                  : line.sign == '-' ? "remove"
                                                     : "change"},
                       {"kind", kind_name(line.subject.kind)},
                       {"object", describe(line.subject)},
                       {"text", line.text},
                       {"data_loss", loss_name(line.loss)}});
  }
  Json statements = Json::array();
  std::size_t number = 0;
  for (const schema::PlannedStep& step : plan.steps) {
    for (const schema::PlannedStatement& statement : step.statements) {
      statements.push_back({{"step", number},
                            {"autocommit", step.autocommit},
                            {"sql", statement.sql},
                            {"object", describe(statement.subject)},
                            {"data_loss", loss_name(statement.loss)},
                            {"rewrites", statement.rewrites},
                            {"old_code_survives", statement.expand},
                            {"note", statement.note},
                            {"warning", join_lines(statement.warnings)},
                            {"remedy", join_lines(statement.remedy)}});
    }
    ++number;
  }
  return {{"summary", std::move(summary)}, {"statements", std::move(statements)}};
}

Json catalog_json(const schema::Catalog& catalog) {
  Json facts = Json::array();
  for (const schema::Fact& fact : catalog.facts()) {
    Json one = Json::object();
    one["kind"] = kind_name(fact.id.kind);
    if (fact.id.subject != schema::Kind::None) {
      one["subject"] = kind_name(fact.id.subject);
    }
    for (const auto& [name, value] : {std::pair("schema", &fact.id.schema), std::pair("parent", &fact.id.parent),
                                      std::pair("name", &fact.id.name), std::pair("arguments", &fact.id.arguments),
                                      std::pair("grantee", &fact.id.grantee), std::pair("column", &fact.id.column)}) {
      if (!value->empty()) {
        one[name] = *value;
      }
    }
    for (const schema::Attribute& attribute : fact.attributes) {
      one["attributes"][std::string(attribute.name)] = attribute.value;
    }
    facts.push_back(std::move(one));
  }
  return {{"server_version", catalog.server_version},
          {"fingerprint", catalog.fingerprint()},
          {"facts", std::move(facts)},
          {"unmodelled", catalog.unmodelled}};
}

void warn_unmodelled(Output& output, const schema::Catalog& catalog) {
  for (const auto& [kind, names] : catalog.unmodelled) {
    output.warn(std::to_string(names.size()) + " " + kind + (names.size() == 1 ? " is" : "s are") +
                " not compared: " + names.front() + (names.size() > 1 ? " and others" : ""));
  }
}

bool loses_data(const schema::ChangePlan& plan) {
  return std::ranges::any_of(plan.steps, [](const schema::PlannedStep& step) {
    return std::ranges::any_of(step.statements,
                               [](const schema::PlannedStatement& statement) { return statement.loss == DataLoss::Certain; });
  });
}

std::string count_changes(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " change" : " changes");
}

}  // namespace athanor::cli
