#include "migrations/plan/directive_lookalike.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>

#include "migrations/plan/comment_words.hpp"
#include "migrations/text/sql_lexer.hpp"
#include "migrations/text/suggestion.hpp"

namespace athanor {
namespace {

using Names = std::span<const std::string_view>;

constexpr std::array<std::string_view, 1> kOwnName{"athanor"};
constexpr std::array<std::string_view, 6> kOwnDirectives{"allow", "downgrade", "irreversible", "note", "step", "upgrade"};

// Words for a direction, and therefore a section.
constexpr std::array<std::string_view, 8> kUpward{"forward", "forwards", "redo",     "rollforward",
                                                  "up",      "upgrade",  "upgrades", "ups"};
constexpr std::array<std::string_view, 16> kDownward{"backout",  "backward", "backwards", "down",    "downgrade", "downgrades",
                                                     "downs",    "revert",   "reverse",   "reverts", "rollback",  "rollbacks",
                                                     "teardown", "undo",     "undos",     "unapply"};
// Single words that mark something other than a section.
constexpr std::array<std::string_view, 6> kOther{"autocommit",     "irreversible",        "notransaction",
                                                 "statementbegin", "statementbreakpoint", "statementend"};
// Phrases that mark something only as a whole.
constexpr std::array<std::string_view, 17> kPhrases{
    "begin statement",     "create above drop below", "disable ddl transaction", "disable transaction", "disable transactions",
    "tear down",           "end statement",           "no transaction",          "no transactions",     "roll back",
    "statement begin",     "statement breakpoint",    "statement end",           "step batch",          "step transaction",
    "without transaction", "without transactions"};
// Other words that a marker may contain, including words of grammar and of programming languages: "to undo:", "here starts the
// downgrade", "def downgrade():".
constexpr std::array<std::string_view, 60> kFillers{
    "above",     "apply",      "async",  "begin",    "beginning", "begins",  "below",   "block",  "case",        "class",
    "code",      "def",        "empty",  "end",      "ends",      "exports", "fn",      "follow", "following",   "follows",
    "for",       "from",       "func",   "function", "here",      "how",     "in",      "is",     "it",          "migrate",
    "migration", "migrations", "name",   "none",     "not",       "now",     "of",      "on",     "override",    "part",
    "path",      "protected",  "public", "required", "script",    "scripts", "section", "sql",    "start",       "starting",
    "starts",    "statements", "step",   "steps",    "stop",      "the",     "this",    "to",     "transaction", "void"};
constexpr std::array<std::string_view, 21> kTools{
    "alembic",   "athanor", "atlas",   "bun",     "dbdeploy", "dbmate",  "dbup",     "diesel", "evolutions", "flyway", "goose",
    "liquibase", "micrate", "migrate", "mybatis", "pgroll",   "rambler", "refinery", "sqitch", "sqlx",       "tern"};
constexpr std::array<std::string_view, 17> kSqlVerbs{"alter",  "call",    "comment", "create",   "delete", "do",
                                                     "drop",   "execute", "grant",   "insert",   "merge",  "refresh",
                                                     "revoke", "select",  "set",     "truncate", "update"};
constexpr std::array<std::string_view, 24> kSqlObjects{
    "column", "constraint", "database",     "domain", "extension", "from",      "function", "if",
    "index",  "into",       "materialized", "only",   "policy",    "procedure", "role",     "rule",
    "schema", "sequence",   "set",          "table",  "trigger",   "type",      "unique",   "view"};

bool among(std::string_view word, Names names) {
  return std::ranges::find(names, word) != names.end();
}

bool is_direction(std::string_view word) {
  return among(word, kUpward) || among(word, kDownward);
}

bool is_key(std::string_view word) {
  return is_direction(word) || among(word, kOther);
}

// Allows up to two missing, extra, wrong or swapped letters.
bool is_own_name(std::string_view word) {
  const std::size_t length = kOwnName.front().size();
  return word.size() + 2 >= length && word.size() <= length + 2 && !closest_name(word, kOwnName).empty();
}

// Only long words tolerate a typing error; "dawn" and "pup" are words in their own right.
bool is_nearly_a_directive(std::string_view word) {
  constexpr std::array<std::string_view, 4> kLong{"downgrade", "irreversible", "rollback", "upgrade"};
  return is_key(word) || among(word, kOwnDirectives) || (word.size() > 5 && !closest_name(word, kLong).empty());
}

// Punctuation that ends a heading, before its explanation begins. Punctuation inside a word ("up-to-date", "undo's") does not.
bool ends_heading(std::string_view gap) {
  if (gap.find_first_of(":;=(){}[]<>|#*!.~") != std::string_view::npos || gap.find("--") != std::string_view::npos) {
    return true;
  }
  return gap.find(" - ") != std::string_view::npos;
}

// "#123" after `gap`: the number of an issue or pull request.
bool is_issue(std::string_view gap, std::string_view word) {
  return gap.ends_with('#') && gap.find_first_of(":;=") == std::string_view::npos && !word.empty() &&
         word.find_first_not_of("0123456789") == std::string_view::npos;
}

struct Finding {
  bool own = false;    // meant as a directive of Athanor
  std::string marker;  // the word that identifies the directive
};

class MarkerSearch {
 public:
  MarkerSearch(CommentLine line, CommentPlace place) : line_(std::move(line)), place_(place) {
    join_spaced_letters();
    split_own_name();
  }

  [[nodiscard]] std::optional<Finding> find() const {
    if (const auto own = own_directive()) {
      return own;
    }
    // Inside a statement, only our own directives are plausible.
    if (place_ == CommentPlace::InStatement) {
      return std::nullopt;
    }
    if (const auto foreign = tool_directive()) {
      return foreign;
    }
    // A header's prose often mentions directions ("Undo the rename").
    if (place_ == CommentPlace::Header) {
      return std::nullopt;
    }
    if (const auto option = transaction_option()) {
      return option;
    }
    const auto heading = section_heading();
    return heading ? heading : commented_reversal();
  }

 private:
  [[nodiscard]] std::string_view word(std::size_t index) const {
    return index < line_.words.size() ? std::string_view(line_.words[index].text) : std::string_view();
  }

  // "D O W N" is one word.
  void join_spaced_letters() {
    std::string joined;
    for (std::size_t index = 0; index < line_.words.size(); ++index) {
      if (word(index).size() != 1 || (index > 0 && line_.words[index].gap != " ")) {
        return;
      }
      joined += word(index);
    }
    if (is_key(joined)) {
      line_.words.resize(1);
      line_.words[0].text = std::move(joined);
    }
  }

  // Splits "athanordowngrade" into two words. "athanors" is a misspelt name.
  void split_own_name() {
    const auto name = kOwnName.front();
    if (word(0).size() > name.size() && word(0).starts_with(name) &&
        (!is_own_name(word(0)) || is_nearly_a_directive(word(0).substr(name.size())))) {
      CommentWord rest{line_.words[0].text.substr(name.size()), ""};
      line_.words[0].text.resize(name.size());
      line_.words.insert(line_.words.begin() + 1, std::move(rest));
    }
  }

  // "athanor:…" with anything directly after the colon, or with a blank and then a word of ours ("athanor: the tool" is prose).
  // A misspelt name counts if a colon or one of our words follows it.
  [[nodiscard]] std::optional<Finding> own_directive() const {
    if (!is_own_name(word(0))) {
      return std::nullopt;
    }
    const auto gap = line_.gap_after(0);
    const bool exact = word(0) == kOwnName.front();
    const bool known = is_nearly_a_directive(word(1)) || (word(1).size() > 3 && !closest_name(word(1), kOwnDirectives).empty());
    const bool apart = gap == ": " || gap == " : ";
    const bool colon = (gap.starts_with(':') || (exact && gap.starts_with(" :"))) && (!apart || known || word(1).empty());
    const bool named = place_ != CommentPlace::Header && is_nearly_a_directive(word(1));
    return (colon && (exact || gap == ":")) || named ? std::optional(Finding{true, std::string(word(1))}) : std::nullopt;
  }

  // Forms that prose does not begin with: "+goose …", "@UNDO", "migrate:down", Liquibase's lines, sqitch's first line.
  [[nodiscard]] std::optional<Finding> tool_directive() const {
    const std::string_view first = word(0);
    const std::string_view before = line_.words[0].gap;
    const bool sigil = before.ends_with('+') || before.ends_with('@') || before.ends_with('!');
    if (sigil && (is_key(first) || among(first, kTools))) {
      return Finding{false, std::string(is_key(first) ? first : word(1))};
    }
    if (line_.gap_after(0) == ":" && (among(first, kTools) || (place_ != CommentPlace::Header && is_key(word(1))))) {
      return Finding{false, std::string(word(1))};
    }
    const bool liquibase =
        (first == "liquibase" && (word(1) == "formatted" || word(1) == "rollback")) ||
        (first == "changeset" && line_.gap_after(1) == ":") ||
        ((first == "preconditions" || first == "precondition") && word(1) == "on" && line_.gap_after(2).starts_with(':'));
    // "Revert shop:users from pg", and without a project "Revert users from pg".
    const bool of_sqitch = first == "deploy" || first == "revert" || first == "verify";
    const std::size_t count = line_.words.size();
    const bool sqitch =
        of_sqitch && place_ != CommentPlace::Header &&
        (line_.gap_after(1) == ":" || (count > 2 && word(count - 1) == "pg" &&
                                       (word(count - 2) == "from" || word(count - 2) == "to" || word(count - 2) == "on")));
    return liquibase || sqitch ? std::optional(Finding{false, std::string(first)}) : std::nullopt;
  }

  // "transaction:false", "executeInTransaction=false": dbmate, Flyway and others use these to run a file without a transaction.
  [[nodiscard]] std::optional<Finding> transaction_option() const {
    constexpr std::array<std::string_view, 6> kValues{"false", "no", "none", "off", "on", "true"};
    constexpr std::array<std::string_view, 4> kOptions{"atomic", "notransaction", "transaction", "transactional"};
    const std::size_t count = line_.words.size();
    if (count < 2 || count > 5 || !among(word(count - 1), kValues) || !among(word(count - 2), kOptions)) {
      return std::nullopt;
    }
    const bool assigned = line_.gap_after(count - 2).find_first_of(":=") != std::string_view::npos;
    return assigned ? std::optional(Finding{false, "transaction"}) : std::nullopt;
  }

  // "DOWN", "Down Migration", "start of rollback: drops users": only words of markers, up to the end of the line or heading.
  [[nodiscard]] std::optional<Finding> section_heading() const {
    constexpr std::size_t kLongestHeading = 6;
    const std::size_t count = line_.words.size();
    if (count == 1 && word(0).size() > 5 && is_nearly_a_directive(word(0))) {
      return Finding{false, std::string(word(0))};
    }
    std::string_view marker;
    std::size_t index = 0;
    const auto ends = [&] { return index >= count || (index > 0 && ends_heading(line_.gap_after(index - 1))); };
    while (index < count && index <= kLongestHeading && (marker.empty() || !ends())) {
      const std::string_view next = word(index);
      if (const std::size_t words = phrase_at(index); words > 0) {
        marker = marker.empty() ? next : marker;
        index += words;
      } else if (index > 0 && among(next, kTools) && line_.gap_after(index) == ":") {
        return std::nullopt;  // prose about a directive: "the section athanor:downgrade follows"
      } else if (is_key(next) || among(next, kFillers) || among(next, kTools) || (marker.empty() && is_numbering(index))) {
        marker = marker.empty() && is_key(next) ? next : marker;
        ++index;
      } else {
        break;
      }
    }
    const bool batch = word(0) == "step" && word(1) == "batch" && line_.gap_after(2) == "=";
    const bool names_issue = marker.starts_with("revert") && is_issue(line_.gap_after(index - 1), word(index));
    if (marker.empty() || index > kLongestHeading || names_issue || !(ends() || batch)) {
      return std::nullopt;
    }
    return Finding{false, std::string(marker)};
  }

  // The number of a heading: "1. down", "II) down", "part 2: down".
  [[nodiscard]] bool is_numbering(std::size_t index) const {
    constexpr std::array<std::string_view, 9> kRoman{"i", "ii", "iii", "iv", "ix", "v", "vi", "vii", "viii"};
    const std::string_view number = word(index);
    if (number.size() < 4 && number.find_first_not_of("0123456789") == std::string_view::npos) {
      return true;
    }
    const std::string_view after = line_.gap_after(index);
    return among(number, kRoman) && (after.starts_with('.') || after.starts_with(')') || after.starts_with(':'));
  }

  // The number of words from `index` on that form one of the phrases; 0: none.
  [[nodiscard]] std::size_t phrase_at(std::size_t index) const {
    for (const std::string_view phrase : kPhrases) {
      std::size_t words = 0;
      std::size_t at = 0;
      while (at < phrase.size()) {
        const std::size_t end = std::min(phrase.find(' ', at), phrase.size());
        if (word(index + words) != phrase.substr(at, end - at)) {
          break;
        }
        ++words;
        at = end + 1;
      }
      if (at > phrase.size()) {
        return words;
      }
    }
    return 0;
  }

  // "--rollback DROP TABLE users": Liquibase's form, or a downgrade in a comment that nothing would run.
  [[nodiscard]] std::optional<Finding> commented_reversal() const {
    const std::size_t verb = word(0) == "roll" && word(1) == "back" ? 2 : 1;
    const bool reversal = verb == 2 || among(word(0), kDownward);
    if (!reversal || !among(word(verb), kSqlVerbs)) {
      return std::nullopt;
    }
    const bool sql = among(word(verb + 1), kSqlObjects) || line_.tail.find(';') != std::string::npos;
    return sql ? std::optional(Finding{false, std::string(word(0))}) : std::nullopt;
  }

  CommentLine line_;
  CommentPlace place_;
};

std::string advice(std::string_view marker) {
  if (marker == "note") {
    return "put '-- athanor:note' in front of the comment";
  }
  if (marker == "allow") {
    return "write '-- athanor:allow RULE' and the reason";
  }
  std::string right = "remove it";
  constexpr std::array<std::string_view, 2> kSections{"downgrade", "upgrade"};
  if (among(marker, kDownward) || marker == "back" || marker == "tear" || closest_name(marker, kSections) == "downgrade") {
    right = "write '-- athanor:downgrade' on a line of its own where the downgrade begins";
  } else if (among(marker, kUpward) || closest_name(marker, kSections) == "upgrade") {
    right = "write '-- athanor:upgrade' on a line of its own where the upgrade begins";
  } else if (marker.starts_with("irr")) {
    right = "write '-- athanor:irreversible' and the reason";
  } else if (marker == "autocommit" || marker == "disable" || marker.ends_with("transaction") ||
             marker.ends_with("transactions") || marker == "no") {
    right = "write '-- athanor:step autocommit' above statements that run outside a transaction";
  } else if (marker.starts_with("statement") || marker == "begin" || marker == "end") {
    right = "remove it: Athanor finds the end of a statement without it";
  } else if (marker == "step" || marker == "batch") {
    right = "write '-- athanor:step transaction', 'autocommit' or 'batch table=… key=…'";
  }
  return right + "; begin an ordinary comment with '-- athanor:note'";
}

// The beginning of the comment, for the message.
std::string shown(std::string_view comment) {
  constexpr std::size_t kLongest = 60;
  std::string text(comment.substr(0, comment.find_first_of("\r\n")));
  if (text.size() > kLongest) {
    std::size_t end = kLongest;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
      --end;
    }
    text.resize(end);
    text += "…";
  }
  return text;
}

Error refusal(const Finding& finding, std::string_view comment) {
  if (finding.own) {
    const bool known = is_nearly_a_directive(finding.marker);
    return Error(ErrorCode::MalformedRevision, "this comment looks like a directive but is not valid as one")
        .advise(known ? advice(finding.marker)
                      : "write '-- athanor:name' with exactly one space before 'athanor' and none after the colon; begin an "
                        "ordinary comment with '-- athanor:note'");
  }
  return Error(ErrorCode::MalformedRevision, "\"" + shown(comment) + "\" looks like a directive but is only a comment")
      .advise(advice(finding.marker));
}

}  // namespace

bool is_note(std::string_view comment) {
  for (const std::string_view form : {"-- athanor:note", "/* athanor:note"}) {
    if (comment.starts_with(form)) {
      return comment.size() == form.size() || is_sql_space(comment[form.size()]);
    }
  }
  return false;
}

std::optional<Error> directive_lookalike(std::string_view comment, CommentPlace place) {
  if (is_note(comment)) {
    return std::nullopt;
  }
  for (auto& line : comment_lines(comment)) {
    if (const auto finding = MarkerSearch(std::move(line), place).find()) {
      return refusal(*finding, comment);
    }
  }
  return std::nullopt;
}

}  // namespace athanor
