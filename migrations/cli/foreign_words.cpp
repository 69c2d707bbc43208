#include "migrations/cli/foreign_words.hpp"

#include <algorithm>
#include <array>

#include "migrations/text/letter_case.hpp"

namespace athanor::cli {
namespace {

struct Meaning {
  std::string_view word;  // '_' and '-' are equivalent
  std::string_view hint;
};

constexpr std::string_view kUp = "did you mean `athanor upgrade head`?";
constexpr std::string_view kDown = "did you mean `athanor downgrade -1`?";
constexpr std::string_view kNew = "did you mean `athanor revision -m \"…\"`?";
constexpr std::string_view kTables =
    "did you mean `athanor ensure_version`? The first upgrade creates the version table; create the database itself with "
    "CREATE DATABASE";
constexpr std::string_view kSeeStatus = "did you mean `athanor status`? `athanor history` lists the files";
constexpr std::string_view kAutogenerate = "did you mean `athanor revision --autogenerate -m \"…\"`?";

// Verbs of Rails, Django, Flask-Migrate, Prisma, Knex, golang-migrate, goose, dbmate, Flyway, Liquibase, sqitch and Atlas.
constexpr std::array kVerbs{
    Meaning{"migrate", kUp},
    Meaning{"up", kUp},
    Meaning{"latest", kUp},
    Meaning{"apply", kUp},
    Meaning{"deploy", kUp},
    Meaning{"update", kUp},
    Meaning{"run", kUp},
    Meaning{"sync", kUp},
    Meaning{"upgrade-head", kUp},
    Meaning{"up-by-one", "did you mean `athanor upgrade +1`?"},
    Meaning{"down", kDown},
    Meaning{"rollback", kDown},
    Meaning{"roll-back", kDown},
    Meaning{"undo", kDown},
    Meaning{"revert", kDown},
    Meaning{"redo", "did you mean `athanor downgrade -1`, then `athanor upgrade +1`?"},
    Meaning{"reset", "did you mean `athanor downgrade base`?"},
    Meaning{"drop", "did you mean `athanor downgrade base`? A database is dropped with DROP DATABASE"},
    Meaning{"clean", "did you mean `athanor downgrade base`?"},
    Meaning{"goto",
            "did you mean `athanor upgrade REVISION` or `athanor downgrade REVISION`? `athanor plan to REVISION` shows which"},
    Meaning{"to",
            "did you mean `athanor upgrade REVISION` or `athanor downgrade REVISION`? `athanor plan to REVISION` shows which"},
    Meaning{"init-db", kTables},
    Meaning{"initdb", kTables},
    Meaning{"db-init", kTables},
    Meaning{"createdb", kTables},
    Meaning{"create-db", kTables},
    Meaning{"setup", "did you mean `athanor init`, which starts a project?"},
    Meaning{"new", kNew},
    Meaning{"create", kNew},
    Meaning{"generate", kNew},
    Meaning{"gen", kNew},
    Meaning{"make", kNew},
    Meaning{"add", kNew},
    Meaning{"makemigrations", kAutogenerate},
    Meaning{"make-migration", kNew},
    Meaning{"migration", kNew},
    Meaning{"autogenerate", kAutogenerate},
    Meaning{"dry-run", "did you mean `athanor plan upgrade head --show-sql`?"},
    Meaning{"sql", "did you mean `athanor upgrade head --sql`?"},
    Meaning{"sqlmigrate", "did you mean `athanor upgrade head --sql`?"},
    Meaning{"script", "did you mean `athanor upgrade head --sql`?"},
    Meaning{"list", "did you mean `athanor history`?"},
    Meaning{"ls", "did you mean `athanor history`?"},
    Meaning{"log", "did you mean `athanor history`? `athanor status` shows what was applied when"},
    Meaning{"showmigrations", kSeeStatus},
    Meaning{"info", kSeeStatus},
    Meaning{"state", kSeeStatus},
    Meaning{"pending", "did you mean `athanor check`?"},
    Meaning{"validate", "did you mean `athanor check`? `athanor upgrade --verify` compares checksums"},
    Meaning{"lint", "did you mean `athanor check`?"},
    Meaning{"baseline", "did you mean `athanor stamp head`?"},
    Meaning{"resolve", "did you mean `athanor repair`?"},
    Meaning{"fix", "did you mean `athanor repair`?"},
    Meaning{"force", "did you mean `athanor stamp --purge REVISION`?"},
    Meaning{"unlock",
            "there is nothing to unlock: the lock ends with the session that holds it; `athanor status` shows that session"},
    Meaning{"dump", "did you mean `athanor backup`?"},
    Meaning{"db", "omit it: `athanor upgrade head`, `athanor status`, …"},
};

constexpr std::string_view kNamesDatabase =
    "set DATABASE_URL in the environment: every user of a machine can read the arguments of its processes";
constexpr std::string_view kNeedsNoWord = "omit it: Athanor asks no questions";
constexpr std::string_view kCounts = "write the count as the target: `athanor upgrade +2`, `athanor downgrade -2`";
constexpr std::string_view kTargetIsOperand = "write the target after the command: `athanor upgrade head`";

constexpr std::array kFlags{
    Meaning{"dry-run", ""},  // its meaning depends on the verb
    Meaning{"dryrun", ""},
    Meaning{"dry", ""},
    Meaning{"simulate", ""},
    Meaning{"what-if", ""},
    Meaning{"preview", ""},
    Meaning{"pretend", ""},
    Meaning{"url", kNamesDatabase},
    Meaning{"database-url", kNamesDatabase},
    Meaning{"db-url", kNamesDatabase},
    Meaning{"dsn", kNamesDatabase},
    Meaning{"database", kNamesDatabase},
    Meaning{"db", kNamesDatabase},
    Meaning{"password", kNamesDatabase},
    Meaning{"yes", kNeedsNoWord},
    Meaning{"force", kNeedsNoWord},
    Meaning{"no-input", kNeedsNoWord},
    Meaning{"auto-approve", kNeedsNoWord},
    Meaning{"steps", kCounts},
    Meaning{"step", kCounts},
    Meaning{"count", kCounts},
    Meaning{"target", kTargetIsOperand},
    Meaning{"to", kTargetIsOperand},
    Meaning{"dir", "did you mean `--migrations DIR`?"},
    Meaning{"directory", "did you mean `--migrations DIR`?"},
    Meaning{"path", "did you mean `--migrations DIR`?"},
    Meaning{"source", "did you mean `--migrations DIR`?"},
    Meaning{"env", "did you mean `-n SECTION`, an entry of `environments:` in athanor.yaml?"},
    Meaning{"environment", "did you mean `-n SECTION`, an entry of `environments:` in athanor.yaml?"},
    Meaning{"schema", "did you mean `-x search_path=NAME`?"},
};

bool same(std::string_view typed, std::string_view word) {
  return std::ranges::equal(typed, word, [](char a, char b) {
    const char lower = lower_ascii(a);
    return (lower == '_' ? '-' : lower) == b;
  });
}

template <std::size_t Count>
const Meaning* find_word(const std::array<Meaning, Count>& words, std::string_view typed) {
  const auto found = std::ranges::find_if(words, [&](const Meaning& one) { return same(typed, one.word); });
  return found == words.end() ? nullptr : &*found;
}

}  // namespace

std::optional<std::string> hint_for_verb(std::string_view word) {
  const Meaning* found = find_word(kVerbs, word);
  if (const std::size_t colon = word.rfind(':'); found == nullptr && colon != std::string_view::npos) {
    found = find_word(kVerbs, word.substr(colon + 1));
  }
  return found == nullptr ? std::nullopt : std::optional<std::string>(found->hint);
}

std::optional<std::string> hint_for_flag(std::string_view flag, std::string_view verb) {
  const std::string_view name = flag.substr(std::min(flag.find_first_not_of('-'), flag.size()));
  const Meaning* const found = find_word(kFlags, name);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (found->hint.empty()) {
    const bool planned = verb == "upgrade" || verb == "downgrade" || verb == "stamp";
    return "did you mean `athanor plan " + std::string(planned ? verb : "upgrade") + " TARGET --show-sql`?";
  }
  return std::string(found->hint);
}

}  // namespace athanor::cli
