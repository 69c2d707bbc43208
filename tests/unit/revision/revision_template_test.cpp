#include "migrations/revision/revision_template.hpp"

#include <gtest/gtest.h>

#include <chrono>

#include "migrations/revision/file_template.hpp"
#include "migrations/revision/native_header.hpp"
#include "migrations/text/time_zone.hpp"

namespace athanor {
namespace {

WallTime at(std::int64_t epoch) {
  return WallTime(std::chrono::seconds(epoch));
}

FileNameParts parts() {
  return {.rev = "8c1f0a2b7d3e",
          .slug = "add_email",
          .epoch = 1795227005,
          .year = 2026,
          .month = 11,
          .day = 3,
          .hour = 2,
          .minute = 10,
          .second = 5};
}

// Expected values are what Python's re, str.lower and % gave.
TEST(Slug, JoinsWordsAsAlembicDoes) {
  EXPECT_EQ(make_slug("Add email to users", 40), "add_email_to_users");
  EXPECT_EQ(make_slug("  Fix: user's  e-mail (again)!", 40), "fix_user_s_e_mail_again");
  EXPECT_EQ(make_slug("_private _ thing", 40), "_private___thing");
  EXPECT_EQ(make_slug("Füge GRÖSSE hinzu", 40), "füge_grösse_hinzu");
  EXPECT_EQ(make_slug("日本 語", 40), "日本_語");
  EXPECT_EQ(make_slug("!!!", 40), "");
}

TEST(Slug, IsCutAtAWord) {
  EXPECT_EQ(make_slug("this is a really long message that goes on and on", 40), "this_is_a_really_long_message_that_goes_");
  EXPECT_EQ(make_slug("abcdefgh", 4), "abcd_");
  EXPECT_EQ(make_slug("ab_cdefgh", 5), "ab_");
  EXPECT_EQ(make_slug("abcde", 5), "abcde");
}

TEST(FileTemplate, FormatsTokensAsPythonDoes) {
  const auto rendered = [](std::string_view text) { return render_file_name(text, parts()).value(); };
  EXPECT_EQ(rendered("%(rev)s_%(slug)s"), "8c1f0a2b7d3e_add_email");
  EXPECT_EQ(rendered("%(year)d_%(month).2d_%(day).2d_%(hour).2d%(minute).2d-%(rev)s"), "2026_11_03_0210-8c1f0a2b7d3e");
  EXPECT_EQ(rendered("%(epoch)s%(second)02d"), "179522700505");
  EXPECT_EQ(rendered("%(day)5.2d|%(day)05.2d|%(day)-4d|%(day)+d"), "   03|00003|3   |+3");
  EXPECT_EQ(rendered("%(rev).4s-%(slug)12s"), "8c1f-   add_email");
  EXPECT_EQ(rendered("%(year)d/%(month).2d/%(rev)s"), "2026/11/8c1f0a2b7d3e");
  EXPECT_EQ(rendered("100%%_%(rev)s"), "100%_8c1f0a2b7d3e");
}

TEST(FileTemplate, RefusesWhatItCannotRender) {
  const auto refused = [](std::string_view text) {
    const auto name = render_file_name(text, parts());
    return name ? "accepted " + *name : name.error().message;
  };
  EXPECT_EQ(refused("%(slgu)s"), "unknown token `%(slgu)`");
  EXPECT_EQ(refused("%(rev)d"), "`%(rev)` is text, not a number: use s");
  EXPECT_EQ(refused("%(rev)"), "`%(rev)` needs a conversion: s or d");
  EXPECT_EQ(refused("%(rev)q"), "`%(rev)` needs a conversion: s or d");
  EXPECT_EQ(refused("%(day)999999999999999999999d"), "`%(day)` asks for more than 64 characters");
  EXPECT_EQ(refused("%s"), "a `%` that does not begin a token");
  EXPECT_EQ(refused("50%"), "a `%` that does not begin a token");
  EXPECT_EQ(refused("%%(rev)s"), "`%%(` would put a percent sign into the name");
  EXPECT_EQ(refused(""), "`file_template` produces an empty name");
  EXPECT_EQ(refused("a//b"), "`file_template` produces an empty name");
}

TEST(FileTemplate, KeepsNamesInsideTheLocation) {
  for (const auto* text : {"../%(rev)s", "/tmp/%(rev)s", "a/../../%(rev)s", "..", "%(rev)s/.."}) {
    const auto name = render_file_name(text, parts());
    ASSERT_FALSE(name) << text;
    EXPECT_EQ(name.error().code, ErrorCode::PathEscape) << text;
  }
  EXPECT_TRUE(render_file_name("a..b_%(rev)s", parts()));
}

TEST(FileTemplate, RefusesNamesThatListingPassesOver) {
  EXPECT_FALSE(check_file_template("_%(rev)s"));
  EXPECT_FALSE(check_file_template(".%(rev)s"));
  EXPECT_FALSE(check_file_template(".x/%(rev)s"));
  EXPECT_TRUE(check_file_template("%(year)d/%(rev)s_%(slug)s"));
}

TEST(TimeZone, KnowsSummerAndWinter) {
  const auto zone = TimeZone::load("Europe/Zurich");
  ASSERT_TRUE(zone);
  EXPECT_EQ(format_iso8601(zone->local(at(1795227000))), "2026-11-21T03:10:00+01:00");
  EXPECT_EQ(format_iso8601(zone->local(at(1782872400))), "2026-07-01T04:20:00+02:00");
  EXPECT_EQ(format_iso8601(zone->local(at(1774745999))), "2026-03-29T01:59:59+01:00");
  EXPECT_EQ(format_iso8601(zone->local(at(1774746000))), "2026-03-29T03:00:00+02:00");
  EXPECT_EQ(format_iso8601(zone->local(at(1792889999))), "2026-10-25T02:59:59+02:00");
  EXPECT_EQ(format_iso8601(zone->local(at(1792890000))), "2026-10-25T02:00:00+01:00");
  EXPECT_EQ(format_iso8601(zone->local(at(4087616400))), "2099-07-13T11:00:00+02:00");
}

TEST(TimeZone, KnowsTheSouthAndOddOffsets) {
  EXPECT_EQ(format_iso8601(TimeZone::load("Australia/Sydney")->local(at(1795227000))), "2026-11-21T13:10:00+11:00");
  EXPECT_EQ(format_iso8601(TimeZone::load("Asia/Kathmandu")->local(at(1795227000))), "2026-11-21T07:55:00+05:45");
  EXPECT_EQ(format_iso8601(TimeZone::load("America/St_Johns")->local(at(1795227000))), "2026-11-20T22:40:00-03:30");
}

TEST(TimeZone, IsUtcByDefaultAndInCapitalsWhenNeeded) {
  EXPECT_EQ(format_iso8601(TimeZone::load("")->local(at(1795227000))), "2026-11-21T02:10:00+00:00");
  EXPECT_EQ(format_iso8601(TimeZone::load("utc")->local(at(1795227000))), "2026-11-21T02:10:00+00:00");
  EXPECT_EQ(format_iso8601(TimeZone::load("est5edt")->local(at(1795227000))), "2026-11-20T21:10:00-05:00");
  EXPECT_EQ(format_iso8601(TimeZone().local(at(-1))), "1969-12-31T23:59:59+00:00");
}

TEST(TimeZone, RefusesUnknownAndWanderingNames) {
  for (const auto* name :
       {"Europe/Zurihc", "../../etc/passwd", "/etc/localtime", "Europe/../Europe/Zurich", "Europe", "tzdata.zi"}) {
    const auto zone = TimeZone::load(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().message, std::string("unknown time zone `") + name + "`");
  }
}

TEST(RevisionMessage, RefusesWordsThatSayNothing) {
  for (const auto* message : {"migration", "Migrations", "changes",       "Change.",       "UPDATE",
                              "updates",   "fix",        "Fixes!",        "wip",           "temp",
                              "tmp",       "test",       "misc",          "stuff",         "new revision",
                              "schema",    "revision",   "empty message", "update schema", "  some   changes ",
                              "fix 2",     "..."}) {
    EXPECT_TRUE(is_generic_message(message)) << message;
  }
  for (const auto* message : {"add email to users", "fix the total of orders", "update prices", "drop tmp_orders", "größe"}) {
    EXPECT_FALSE(is_generic_message(message)) << message;
    EXPECT_TRUE(check_message(message)) << message;
  }
  const auto refused = check_message("changes");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "the message `changes` does not say what the revision changes");
  EXPECT_EQ(check_message("  ").error().message, "a revision needs a message");
}

TEST(NewRevision, IsNamedByTheTemplateInTheConfiguredZone) {
  RevisionNaming naming;
  naming.timezone = "Australia/Sydney";
  naming.file_template = "%(year)d/%(day).2d_%(hour).2d_%(rev)s_%(slug)s";
  const auto file = name_new_revision(naming, "versions/", "8c1f0a2b7d3e", "Add email to users", at(1795227000));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->path, "versions/2026/21_13_8c1f0a2b7d3e_add_email_to_users.sql");
  EXPECT_EQ(file->created, "2026-11-21T13:10:00+11:00");
}

TEST(NewRevision, RefusesBadIdsAndTemplates) {
  RevisionNaming naming;
  EXPECT_EQ(name_new_revision(naming, "v", "a-b", "x", at(0)).error().code, ErrorCode::InvalidRevisionId);
  naming.file_template = "../%(rev)s";
  EXPECT_EQ(name_new_revision(naming, "v", "ab", "x", at(0)).error().code, ErrorCode::PathEscape);
  naming.file_template = "%(rev)s";
  naming.timezone = "Nowhere/Land";
  EXPECT_EQ(name_new_revision(naming, "v", "ab", "x", at(0)).error().code, ErrorCode::Configuration);
}

Revision header() {
  Revision revision;
  revision.id = "8c1f0a2b7d3e";
  revision.down = {"1975ea83b712", "2086fb94c823"};
  revision.labels = {"billing"};
  revision.message = "Add email to users";
  revision.created = "2026-11-21T02:10:00+00:00";
  return revision;
}

TEST(NewRevision, IsWrittenAsTheSpecificationSays) {
  EXPECT_EQ(render_native_revision(header(),
                                   {"ALTER TABLE users ADD COLUMN email text;", "ALTER TABLE users DROP COLUMN email;\n", ""})
                .value(),
            "-- Add email to users\n"
            "--\n"
            "-- Revision: 8c1f0a2b7d3e\n"
            "-- Revises: 1975ea83b712, 2086fb94c823\n"
            "-- Created: 2026-11-21T02:10:00+00:00\n"
            "-- Labels: billing\n"
            "-- Depends-On:\n"
            "\n"
            "-- athanor:upgrade\n"
            "ALTER TABLE users ADD COLUMN email text;\n"
            "\n"
            "-- athanor:downgrade\n"
            "ALTER TABLE users DROP COLUMN email;\n");
}

TEST(NewRevision, ExplainsEmptySections) {
  const auto text = render_native_revision(header(), {}).value();
  EXPECT_NE(text.find("-- athanor:upgrade\n-- SQL that takes the schema from its parent to this revision.\n"),
            std::string::npos);
  EXPECT_NE(text.find("-- athanor:downgrade\n-- SQL that takes it back.\n"), std::string::npos);
  const auto final = render_native_revision(header(), {"DROP TABLE t;", "", "the data is gone"}).value();
  EXPECT_NE(final.find("\n-- athanor:irreversible the data is gone\n"), std::string::npos);
  EXPECT_EQ(final.find("athanor:downgrade"), std::string::npos);
}

TEST(NewRevision, ReadsBackAsItWasWritten) {
  const auto text = render_native_revision(header(), {}).value();
  const auto read = parse_native_header(text, true, "x.sql");
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)->id, header().id);
  EXPECT_EQ((*read)->down, header().down);
  EXPECT_EQ((*read)->labels, header().labels);
  EXPECT_EQ((*read)->message, header().message);
  EXPECT_EQ((*read)->created, header().created);
}

TEST(NewRevision, RefusesMessagesThatWouldChangeTheHeader) {
  auto revision = header();
  for (const auto* message : {"Revises: abc", "two\nlines", "Revision: x", "athanor:upgrade now"}) {
    revision.message = message;
    EXPECT_FALSE(render_native_revision(revision, {})) << message;
  }
  revision.message = "Note: a colon is fine";
  EXPECT_TRUE(render_native_revision(revision, {}));
}

}  // namespace
}  // namespace athanor
