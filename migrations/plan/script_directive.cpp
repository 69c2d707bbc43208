#include "migrations/plan/script_directive.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "migrations/plan/directive_lookalike.hpp"
#include "migrations/text/quoting.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor {
namespace {

constexpr std::string_view kPrefix = "-- athanor:";
constexpr std::array<std::string_view, 6> kDirectives{"upgrade", "downgrade", "step", "irreversible", "allow", "replaces"};
constexpr std::array<std::string_view, 7> kKnownNames{"upgrade", "downgrade", "step",    "irreversible",
                                                      "allow",   "note",      "replaces"};
constexpr std::array<std::string_view, 3> kSteps{"transaction", "autocommit", "batch"};
constexpr std::array<std::string_view, 6> kOptions{"table", "key", "size", "pause", "rate", "max-lag"};
constexpr std::int64_t kLargestBatch = 10'000'000;

Error malformed(std::string message, std::string hint) {
  return Error(ErrorCode::MalformedRevision, std::move(message)).advise(std::move(hint));
}

// The words of the line; blanks inside double quotes do not separate words.
std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t index = 0;
  while (index < line.size()) {
    if (is_sql_space(line[index])) {
      ++index;
      continue;
    }
    const std::size_t begin = index;
    bool quoted = false;
    while (index < line.size() && (quoted || !is_sql_space(line[index]))) {
      quoted = quoted != (line[index] == '"');
      ++index;
    }
    words.push_back(line.substr(begin, index - begin));
  }
  return words;
}

std::string_view after_words(std::string_view line) {
  std::size_t begin = 0;
  std::size_t end = line.size();
  while (begin < end && is_sql_space(line[begin])) {
    ++begin;
  }
  while (end > begin && is_sql_space(line[end - 1])) {
    --end;
  }
  return line.substr(begin, end - begin);
}

Result<std::int64_t> whole_number(std::string_view name, std::string_view value, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || number < least || number > most) {
    return fail(malformed("batch option " + std::string(name) + "=" + std::string(value) + " is not a whole number between " +
                              std::to_string(least) + " and " + std::to_string(most),
                          "write for example " + std::string(name) + "=5000"));
  }
  return number;
}

Result<std::chrono::milliseconds> duration(std::string_view name, std::string_view value) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(value.data() + value.size() - end));
  const std::int64_t factor = unit == "ms" ? 1 : unit == "s" ? 1'000 : unit == "m" ? 60'000 : 0;
  if (error != std::errc() || factor == 0 || number < 0 || number > 86'400'000 / factor) {
    return fail(malformed("batch option " + std::string(name) + "=" + std::string(value) + " is not a duration up to one day",
                          "write a whole number and a unit: 20ms, 5s or 1m"));
  }
  return std::chrono::milliseconds(number * factor);
}

// Whether the text is a name or dotted names, quoted or not.
bool is_name(std::string_view text, std::size_t parts) {
  SqlLexer lexer(text);
  for (std::size_t part = 1;; ++part) {
    const Token name = lexer.next();
    const bool named = name.kind == TokenKind::Word || name.kind == TokenKind::QuotedIdentifier;
    const Token dot = lexer.next();
    if (!named || part > parts) {
      return false;
    }
    if (dot.kind == TokenKind::End) {
      return true;
    }
    if (lexer.text(dot) != ".") {
      return false;
    }
  }
}

Result<void> set_option(BatchOptions& batch, std::string_view name, std::string_view value) {
  if (name == "table" || name == "key") {
    const bool table = name == "table";
    if (!is_name(value, table ? 3 : 1)) {
      return fail(malformed(
          "batch option " + std::string(name) + "=" + std::string(value) + " is not the name of a " +
              (table ? "table" : "column"),
          table ? "write table=users, table=app.users or table=\"Users\"" : "write one column: key=id or key=\"Id\""));
    }
    (table ? batch.table : batch.key) = table ? std::string(value) : identifier_name(value);
  } else if (name == "size") {
    TRY_ASSIGN(batch.size, whole_number(name, value, 1, kLargestBatch));
  } else if (name == "rate") {
    TRY_ASSIGN(batch.rate, whole_number(name, value, 0, 1'000'000'000));
  } else if (name == "pause") {
    TRY_ASSIGN(batch.pause, duration(name, value));
  } else if (name == "max-lag") {
    TRY_ASSIGN(batch.max_lag, duration(name, value));
  } else {
    return fail(malformed("unknown batch option \"" + std::string(name) + "\"", suggest(name, kOptions)));
  }
  return {};
}

Result<BatchOptions> batch_options(const std::vector<std::string_view>& words) {
  BatchOptions batch;
  std::vector<std::string_view> seen;
  for (std::size_t index = 2; index < words.size(); ++index) {
    const auto equals = words[index].find('=');
    if (equals == std::string_view::npos) {
      return fail(malformed("batch option \"" + std::string(words[index]) + "\" has no value",
                            "write name=value without spaces around '='"));
    }
    const auto name = words[index].substr(0, equals);
    if (std::find(seen.begin(), seen.end(), name) != seen.end()) {
      return fail(malformed("batch option " + std::string(name) + " is given twice", "keep one of them"));
    }
    seen.push_back(name);
    TRY(set_option(batch, name, words[index].substr(equals + 1)));
  }
  if (batch.table.empty() || batch.key.empty()) {
    return fail(malformed(std::string("a batch step needs ") + (batch.table.empty() ? "table=" : "key="),
                          "write '-- athanor:step batch table=users key=id': the table to walk over and its unique column"));
  }
  return batch;
}

Result<Directive> parse_step(const std::vector<std::string_view>& words) {
  Directive directive;
  directive.kind = Directive::Kind::Step;
  if (words.size() < 2) {
    return fail(malformed("the step directive has no kind",
                          "write '-- athanor:step transaction', 'autocommit' or 'batch table=… key=…'"));
  }
  const auto kind = std::find(kSteps.begin(), kSteps.end(), words[1]);
  if (kind == kSteps.end()) {
    return fail(malformed("unknown kind of step \"" + std::string(words[1]) + "\"", suggest(words[1], kSteps)));
  }
  directive.step = static_cast<StepKind>(kind - kSteps.begin());
  if (directive.step == StepKind::Batch) {
    TRY_ASSIGN(directive.batch, batch_options(words));
  } else if (words.size() > 2) {
    return fail(malformed("step " + std::string(*kind) + " takes no options, but \"" + std::string(words[2]) + "\" follows",
                          "only batch steps have options"));
  }
  return directive;
}

// `line` is the text after "allow".
Result<Directive> parse_allow(std::string_view line) {
  Directive directive;
  directive.kind = Directive::Kind::Allow;
  const std::string_view rest = after_words(line);
  const auto space = std::find_if(rest.begin(), rest.end(), is_sql_space);
  directive.rule = std::string(rest.begin(), space);
  directive.reason = after_words(rest.substr(directive.rule.size()));
  if (directive.reason.empty()) {
    return fail(malformed(
        directive.rule.empty() ? "the allow directive has no rule" : "the allow directive has no reason for " + directive.rule,
        "write '-- athanor:allow RULE' and the reason, for the next reviewer"));
  }
  return directive;
}

// `words` are "replaces", an id, and the SHA-256 of that revision's text.
Result<Directive> parse_replaces(const std::vector<std::string_view>& words) {
  constexpr std::size_t kDigits = 64;
  const bool whole = words.size() == 3 && words[2].size() == kDigits &&
                     words[2].find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!whole) {
    return fail(malformed("the replaces directive is not written as `athanor squash` writes it",
                          "write '-- athanor:replaces ID SHA256', or squash again"));
  }
  Directive directive;
  directive.kind = Directive::Kind::Replaces;
  directive.replaced = {std::string(words[1]), std::string(words[2])};
  return directive;
}

}  // namespace

std::string_view step_kind_name(StepKind kind) {
  return kSteps[static_cast<std::size_t>(kind)];
}

bool is_directive(std::string_view comment) {
  return comment.starts_with(kPrefix) && comment.size() > kPrefix.size() && !is_sql_space(comment[kPrefix.size()]) &&
         !is_note(comment);
}

Result<Directive> parse_directive(std::string_view comment) {
  if (!is_directive(comment)) {
    return fail(malformed("this comment is not a directive", "write '-- athanor:name'"));
  }
  const auto line = comment.substr(kPrefix.size());
  const auto words = words_of(line);
  const auto name = words.front();
  const auto known = std::find(kDirectives.begin(), kDirectives.end(), name);
  if (known == kDirectives.end()) {
    return fail(malformed("unknown directive \"athanor:" + std::string(name) + "\"", suggest(name, kKnownNames)));
  }
  Directive directive;
  directive.kind = static_cast<Directive::Kind>(known - kDirectives.begin());
  if (directive.kind == Directive::Kind::Step) {
    return parse_step(words);
  }
  if (directive.kind == Directive::Kind::Allow) {
    return parse_allow(line.substr(name.size()));
  }
  if (directive.kind == Directive::Kind::Replaces) {
    return parse_replaces(words);
  }
  if (directive.kind == Directive::Kind::Irreversible) {
    directive.reason = after_words(line.substr(name.size()));
    if (directive.reason.empty()) {
      return fail(malformed("the irreversible directive has no reason",
                            "write '-- athanor:irreversible' and the reason: it is shown when someone tries to downgrade"));
    }
  } else if (words.size() > 1) {
    return fail(malformed("directive " + std::string(name) + " takes no options, but \"" + std::string(words[1]) + "\" follows",
                          "write the step on its own line: '-- athanor:step autocommit'"));
  }
  return directive;
}

}  // namespace athanor
