// Judges the planner on pairs of schemas: reads lines "NAME<TAB>OLD.sql<TAB>NEW.sql" and answers each with
// "NAME<TAB>WAY<TAB>VERDICT<TAB>detail", for the way there and the way back.
//
// Verdicts: quiet; load (the server refuses one of the two files); refused (no plan, with a reason); apply; facts (the result
// differs); dump (pg_dump -s differs).
#include <fstream>
#include <iostream>
#include <sstream>

#include "tests/support/schema_pair.hpp"

namespace {

using athanor::schema::Style;
using athanor::test::SchemaPair;

std::string read(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string escaped(const std::string& text) {
  std::string line;
  for (const char letter : text) {
    line += letter == '\n' ? std::string("\\n") : std::string(1, letter == '\t' ? ' ' : letter);
  }
  return line;
}

std::string verdict_of(const std::string& trouble) {
  return trouble.empty()                         ? "quiet"
         : trouble.starts_with("no plan")        ? "refused"
         : trouble.starts_with("refused by the") ? "apply"
                                                 : "facts";
}

// Roles are of the server, not of a schema: those that a schema names are made, without any right.
bool make_missing_role(const std::string& message) {
  constexpr std::string_view kBefore = "role \"";
  const auto start = message.find(kBefore);
  const auto end = message.find("\" does not exist", start == std::string::npos ? 0 : start);
  if (start == std::string::npos || end == std::string::npos) {
    return false;
  }
  const std::string role = message.substr(start + kBefore.size(), end - start - kBefore.size());
  return athanor::test::Client(athanor::test::server_url()).attempt("CREATE ROLE \"" + role + "\"").empty();
}

void judge(const std::string& name, const std::string& from, const std::string& to, const std::string& way, Style style) {
  std::string verdict;
  std::string detail;
  try {
    SchemaPair pair(from, to);
    detail = pair.go(style);
    verdict = verdict_of(detail);
    if (detail.empty()) {
      detail = athanor::test::dump_difference(pair.database().url(), pair.wanted().url());
      if (!detail.empty()) {
        verdict = "dump";
        detail += "the plan:\n" + athanor::test::text_of(pair.plan());
      }
    }
  } catch (const std::exception& error) {
    if (make_missing_role(error.what())) {
      judge(name, from, to, way, style);
      return;
    }
    verdict = "load";
    detail = error.what();
  }
  std::cout << name << '\t' << way << '\t' << verdict << '\t' << escaped(detail) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  const Style style = argc > 1 && std::string(argv[1]) == "--plain" ? Style::Plain : Style::Online;
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto first = line.find('\t');
    const auto second = line.find('\t', first + 1);
    if (first == std::string::npos || second == std::string::npos) {
      continue;
    }
    const std::string name = line.substr(0, first);
    const std::string old_sql = read(line.substr(first + 1, second - first - 1));
    const std::string new_sql = read(line.substr(second + 1));
    judge(name, old_sql, new_sql, "there", style);
    judge(name, new_sql, old_sql, "back", style);
  }
  return 0;
}
