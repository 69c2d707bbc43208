#include "migrations/plan/custom_settings.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace athanor {
namespace {

std::vector<std::string> names_in(const std::string& upgrade) {
  Revision revision;
  revision.id = "ab12";
  revision.path = "ab12.sql";
  const auto script = parse_script(revision, "-- m\n--\n-- Revision: ab12\n-- Revises:\n\n-- athanor:upgrade\n" + upgrade);
  EXPECT_TRUE(script) << script.error().describe();
  return script ? custom_settings(script->upgrade) : std::vector<std::string>{};
}

using Names = std::vector<std::string>;

TEST(CustomSettings, AreFoundWhereTheTextNamesThem) {
  EXPECT_EQ(names_in("SET my.tenant = 'a'; SET SESSION \"My\".Other TO 'b'; set local app.x.y = 1;"),
            (Names{"app.x.y", "my.other", "my.tenant"}));
  EXPECT_EQ(names_in("SELECT set_config('my.a', 'x', false), pg_catalog.set_config($$My.b$$, 'y', false);"),
            (Names{"my.a", "my.b"}));
  EXPECT_EQ(names_in("DO $$ BEGIN PERFORM set_config('my.a', 'x', false); SET my.b = 'y'; END $$;"), (Names{"my.a", "my.b"}));
}

TEST(CustomSettings, AreFoundInTimeLinearInTheText) {
  constexpr int kDepth = 20'000;
  std::string opening;
  std::string closing;
  for (int i = 0; i < kDepth; ++i) {
    opening += "$t" + std::to_string(kDepth - i) + "$";
    closing += "$t" + std::to_string(i + 1) + "$";
  }
  const std::string nested = opening + "SET my.a = 1;" + closing;
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(names_in("SET my.b = 1; DO " + nested + ";"), Names{"my.b"});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
}

TEST(CustomSettings, AreNoColumnsAndNoSettingsOfTheServer) {
  EXPECT_EQ(names_in("SET search_path = a.b; UPDATE t SET a = b.c; SELECT set_config('work_mem', 'x.y', false);"), Names{});
  EXPECT_EQ(names_in("SELECT 'set my.a';"), Names{});
}

}  // namespace
}  // namespace athanor
