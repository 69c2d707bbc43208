// The commands that need no database, as a user runs them: the real program on a small project, its whole output compared with
// tests/golden/cli/<case>.txt. ATHANOR_ACCEPT=1 rewrites the files, and then the tests are reported as skipped.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

struct Case {
  std::string name;
  std::vector<std::string> arguments;
};

// Names the test in GoogleTest's list instead of its bytes.
void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

std::string header(const std::string& message, const std::string& id, const std::string& revises, const std::string& labels,
                   const std::string& depends_on) {
  return "-- " + message + "\n--\n-- Revision: " + id + "\n-- Revises: " + revises +
         "\n-- Created: 2026-11-21T02:10:00+00:00\n-- Labels: " + labels + "\n-- Depends-On: " + depends_on + "\n\n";
}

// A line, a branch with a label, a merge, a second base that depends on the line, and one Alembic file.
void write_project(const test::TempFolder& folder) {
  const std::string body = "-- athanor:upgrade\nSELECT 1;\n\n-- athanor:downgrade\nSELECT 2;\n";
  folder.write("migrations/versions/1a00_users.sql", header("Create users", "1a00", "", "core", "") +
                                                         "-- athanor:upgrade\nCREATE TABLE users (id bigint PRIMARY KEY);\n\n"
                                                         "-- athanor:downgrade\nDROP TABLE users;\n");
  folder.write("migrations/versions/1b00_email.sql",
               header("Add email to users", "1b00", "1a00", "", "") +
                   "-- athanor:upgrade\nALTER TABLE users ADD COLUMN email text;\n\n-- athanor:step autocommit\n"
                   "CREATE INDEX CONCURRENTLY users_email_idx ON users (email);\n\n"
                   "-- athanor:downgrade\nALTER TABLE users DROP COLUMN email;\n");
  folder.write("migrations/versions/1c00_login.sql", header("Add login & password <hash>", "1c00", "1a00", "", "") + body);
  folder.write("migrations/versions/1d00_merge.sql", header("Join email and login", "1d00", "1b00, 1c00", "", "") + body);
  folder.write("migrations/versions/2a00_invoices.sql", header("Create invoices", "2a00", "", "billing", "1b00") + body);
  folder.write("migrations/versions/2b00_numbers.sql",
               header("Number invoices", "2b00", "2a00", "", "") +
                   "-- athanor:upgrade\nDELETE FROM invoices;\n-- athanor:irreversible numbers are lost\n");
}

class GoldenCommand : public ::testing::TestWithParam<Case> {};

TEST_P(GoldenCommand, PrintsWhatItPrinted) {
  const test::TempFolder folder;
  write_project(folder);
  std::vector<std::string> words{test::athanor_binary()};
  words.insert(words.end(), GetParam().arguments.begin(), GetParam().arguments.end());
  const auto result = test::run_process(words, {.directory = folder.string()});
  const std::string seen = "exit code " + std::to_string(result.exit_code) + "\n--- standard output\n" + result.out +
                           "--- standard error\n" + result.err;
  const std::string file = std::string(ATHANOR_SOURCE_DIR) + "/tests/golden/cli/" + GetParam().name + ".txt";
  if (std::getenv("ATHANOR_ACCEPT") != nullptr) {
    test::write_file(file, seen);
    GTEST_SKIP() << "accepted: " << file;
  }
  EXPECT_EQ(seen, test::read_file(file)) << "ATHANOR_ACCEPT=1 accepts the new output";
}

INSTANTIATE_TEST_SUITE_P(
    , GoldenCommand,
    ::testing::Values(
        Case{"heads", {"heads"}}, Case{"heads_verbose", {"heads", "-v"}},
        Case{"heads_resolved", {"heads", "--resolve-dependencies"}}, Case{"heads_json", {"heads", "--json"}},
        Case{"branches", {"branches"}}, Case{"branches_verbose", {"branches", "-v"}}, Case{"history", {"history"}},
        Case{"history_range", {"history", "-r", "1a00:1b00"}}, Case{"history_verbose", {"history", "-v", "-r", "2a00:"}},
        Case{"history_json", {"history", "--json", "-r", ":1b00"}}, Case{"history_bad_range", {"history", "-r", "1a00"}},
        Case{"show_merge", {"show", "1d00"}}, Case{"show_json", {"show", "billing@head", "--json"}},
        Case{"show_unknown", {"show", "ffff"}}, Case{"show_ambiguous", {"show", "1"}}, Case{"graph", {"graph"}},
        Case{"graph_json", {"graph", "--json"}}, Case{"graph_dot", {"graph", "--dot"}}, Case{"graph_svg", {"graph", "--svg"}},
        Case{"plan_upgrade", {"plan", "upgrade", "heads", "--from", "1a00"}},
        Case{"plan_upgrade_json", {"plan", "upgrade", "heads", "--from", "1b00,1c00", "--json"}},
        Case{"plan_downgrade_json", {"plan", "downgrade", "-1", "--from", "1d00", "--json"}},
        Case{"plan_stamp_json", {"plan", "stamp", "1d00", "2b00", "--from", "base", "--json"}},
        Case{"plan_several_heads_json", {"plan", "upgrade", "head", "--from", "base", "--json"}},
        Case{"plan_nothing", {"plan", "upgrade", "1b00", "--from", "1d00"}},
        Case{"plan_sql", {"plan", "upgrade", "1b00", "--from", "base", "--show-sql"}},
        Case{"plan_sql_json", {"plan", "upgrade", "1b00", "--from", "base", "--show-sql", "--json"}},
        Case{"plan_destructive", {"plan", "downgrade", "base", "--from", "1b00", "--show-sql"}},
        Case{"plan_destructive_json", {"plan", "downgrade", "base", "--from", "1b00", "--show-sql", "--json"}},
        Case{"plan_irreversible", {"plan", "downgrade", "billing@base", "--from", "2b00", "--show-sql"}},
        Case{"plan_unknown_row", {"plan", "upgrade", "heads", "--from", "eeee"}},
        Case{"upgrade_sql", {"upgrade", "1a00:1d00", "--sql"}}, Case{"upgrade_sql_from_base", {"upgrade", "1b00", "--sql"}},
        Case{"downgrade_sql", {"downgrade", "1d00:1a00", "--sql"}},
        Case{"downgrade_sql_needs_range", {"downgrade", "base", "--sql"}}, Case{"stamp_sql", {"stamp", "1a00:1b00", "--sql"}},
        Case{"ensure_version_sql", {"ensure_version", "--sql"}}, Case{"upgrade_without_database", {"upgrade", "heads"}},
        Case{"upgrade_without_database_json", {"upgrade", "heads", "--json"}},
        Case{"upgrade_range_without_sql", {"upgrade", "1a00:1b00"}}, Case{"help_upgrade", {"help", "upgrade"}},
        Case{"no_command", {}}, Case{"misspelt_flag_json", {"heads", "--resolve-dependecies", "--json"}}),
    [](const auto& parameter) { return parameter.param.name; });

}  // namespace
}  // namespace athanor
