#include "tests/fuzz/fuzz_targets.hpp"

#include <cstdio>
#include <cstdlib>
#include <string>

#include "migrations/graph/history.hpp"
#include "migrations/graph/walk.hpp"
#include "migrations/plan/script.hpp"
#include "migrations/plan/script_comments.hpp"
#include "migrations/plan/script_directive.hpp"
#include "migrations/plan/statement.hpp"
#include "migrations/revision/alembic_header.hpp"
#include "migrations/revision/native_header.hpp"
#include "migrations/text/strict_yaml.hpp"
#include "migrations/text/text_encoding.hpp"

namespace athanor::test {
namespace {

void promise(bool kept, const char* what) {
  if (!kept) {
    std::fprintf(stderr, "broken promise: %s\n", what);
    std::abort();
  }
}

// Files are checked to be text before anything else reads them.
bool is_text(std::string_view input) {
  return !find_non_text(input);
}

// What a part of the file already decides, the whole file must not decide otherwise.
void header(std::string_view text, Result<std::optional<Revision>> (*parse)(std::string_view, bool, const std::string&)) {
  const auto whole = parse(text, true, "file");
  promise(!whole || whole->has_value() || parse != parse_native_header, "a whole native header is a revision or an error");
  for (const std::size_t size : {text.size() / 2, text.size()}) {
    const auto part = parse(text.substr(0, size), false, "file");
    if (part && *part && whole && *whole) {
      promise((*part)->id == (*whole)->id && (*part)->down == (*whole)->down, "a header does not depend on what follows it");
    }
  }
}

Revision revision(std::string id, std::vector<std::string> down, std::vector<std::string> labels = {},
                  std::vector<std::string> depends_on = {}) {
  Revision made;
  made.path = id + ".sql";
  made.id = std::move(id);
  made.down = std::move(down);
  made.labels = std::move(labels);
  made.depends_on = std::move(depends_on);
  return made;
}

const RevisionGraph& graph() {
  static const RevisionGraph built = std::move(
      *RevisionGraph::build({revision("aaa1", {}), revision("aab2", {"aaa1"}, {"left"}), revision("abc3", {"aaa1"}, {"right"}),
                             revision("b4", {"aab2", "abc3"}), revision("c5", {}, {"other"}, {"b4"}), revision("d6", {"c5"}),
                             revision("d7", {"c5"}), revision("e8", {"b4"})}));
  return built;
}

void walk(const Result<Walk>& walked) {
  if (walked) {
    for (const auto& step : walked->steps) {
      promise(!step.revision || graph().find(*step.revision) != nullptr, "a walk leads over revisions of the graph");
    }
  } else {
    promise(!walked.error().message.empty(), "an error says what is wrong");
  }
}

void statement(const SqlStatement& found) {
  for (const bool transactional : {true, false}) {
    const auto checked = check_statement(found, transactional);
    promise(checked || !checked.error().message.empty(), "a refusal says why");
  }
  promise(sanitise_sql(found.sql, 80).size() <= 80, "what is shown of a statement is short");
  static_cast<void>(recovery_probe(found.sql));
  static_cast<void>(destroyed_by(found.sql));
}

}  // namespace

void fuzz_headers(std::string_view input) {
  if (is_text(input)) {
    header(input, parse_native_header);
    header(input, parse_alembic_header);
  }
}

void fuzz_yaml(std::string_view input) {
  const auto parsed = parse_yaml(input, "file.yaml");
  promise(parsed || !parsed.error().message.empty(), "an error says what is wrong");
}

void fuzz_targets(std::string_view input) {
  static const std::vector<std::vector<std::string>> currents{{}, {"aaa1"}, {"aab2"}, {"aab2", "abc3"}, {"b4"}, {"d6", "d7"}};
  if (input.empty()) {
    return;
  }
  const auto& current = currents[static_cast<unsigned char>(input.front()) % currents.size()];
  const std::string_view target = input.substr(1);
  walk(upgrade_walk(graph(), current, target));
  walk(downgrade_walk(graph(), current, target));
  walk(stamp_walk(graph(), current, {std::string(target)}));
  for (const auto direction : {Direction::Upgrade, Direction::Downgrade, Direction::Stamp}) {
    static_cast<void>(offline_walk(graph(), direction, target));
  }
  static_cast<void>(graph().resolve(target, current));
  const auto colon = target.find(':');
  static_cast<void>(history_range(graph(), target.substr(0, colon),
                                  colon == std::string_view::npos ? target : target.substr(colon + 1), current));
}

void fuzz_splitter(std::string_view input) {
  const auto split = split_statements(input);
  if (!split) {
    promise(split.error().context.starts_with("line ") || !split.error().context.empty(), "an error has its line");
    return;
  }
  const char* end = input.data();
  for (const auto& found : *split) {
    promise(!found.sql.empty() && found.sql.data() >= end, "statements are parts of the text, in its order");
    end = found.sql.data() + found.sql.size();
    const auto again = split_statements(found.sql);
    promise(again && again->size() == 1 && again->front().sql == found.sql, "a statement is one statement");
    statement(found);
  }
  promise(end <= input.data() + input.size(), "statements lie in the text");
}

void fuzz_directives(std::string_view input) {
  if (!is_text(input)) {
    return;
  }
  const std::string head = "-- Fuzzed\n-- Revision: ab12\n\n";
  const auto script = parse_script(revision("ab12", {}), head + std::string(input));
  promise(script || !script.error().message.empty(), "an error says what is wrong");
  const std::string noted = with_notes(input);
  ScriptComments comments(noted, false);
  while (const auto comment = comments.next()) {
    const auto text = comments.text(*comment);
    const bool real = comment->token.kind == TokenKind::LineComment || comment->token.kind == TokenKind::BlockComment;
    promise(!real || (!is_directive(text) && !directive_lookalike(text, comment->place)), "a note is no directive");
  }
}

}  // namespace athanor::test
