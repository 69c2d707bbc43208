#include "operator/api/cron_schedule.hpp"

#include <gtest/gtest.h>

namespace athanor::controller {
namespace {

using namespace std::chrono_literals;

WallTime utc(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
  return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) +
         std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second);
}

std::string next(const char* schedule, WallTime from, const char* zone = "UTC") {
  const auto parsed = CronSchedule::parse(schedule);
  const auto loaded = TimeZone::load(zone);
  if (!parsed || !loaded) {
    return "error";
  }
  const auto time = parsed->next(from, *loaded);
  return time ? format_iso8601(*time) : "never";
}

TEST(CronSchedule, FindsTheNextFiring) {
  const WallTime saturday = utc(2026, 11, 21, 8, 15, 30);
  EXPECT_EQ(next("* * * * *", saturday), "2026-11-21T08:16:00+00:00");
  EXPECT_EQ(next("0 2 * * *", saturday), "2026-11-22T02:00:00+00:00");
  EXPECT_EQ(next("15 8 * * *", utc(2026, 11, 21, 8, 15)), "2026-11-21T08:15:00+00:00");
  EXPECT_EQ(next("0 2 * * MON", saturday), "2026-11-23T02:00:00+00:00");
  EXPECT_EQ(next("*/20 9-17 * * mon-fri", saturday), "2026-11-23T09:00:00+00:00");
  EXPECT_EQ(next("30 4 1 JAN *", saturday), "2027-01-01T04:30:00+00:00");
  EXPECT_EQ(next("0 0 29 2 *", saturday), "2028-02-29T00:00:00+00:00");
  EXPECT_EQ(next("0 0 * * 7", saturday), "2026-11-22T00:00:00+00:00");
  EXPECT_EQ(next("5,50 8 * * *", saturday), "2026-11-21T08:50:00+00:00");
}

TEST(CronSchedule, TakesEitherDayWhenBothAreRestricted) {
  EXPECT_EQ(next("0 0 13 * FRI", utc(2026, 11, 21, 0, 0)), "2026-11-27T00:00:00+00:00");
  EXPECT_EQ(next("0 0 23 * FRI", utc(2026, 11, 21, 0, 0)), "2026-11-23T00:00:00+00:00");
}

TEST(CronSchedule, FollowsTheClockOfItsZone) {
  EXPECT_EQ(next("0 2 * * *", utc(2026, 11, 21, 8, 0), "Europe/Zurich"), "2026-11-22T01:00:00+00:00");
  EXPECT_EQ(next("0 2 * * *", utc(2026, 7, 21, 8, 0), "Europe/Zurich"), "2026-07-22T00:00:00+00:00");
  EXPECT_EQ(next("0 9 * * *", utc(2026, 11, 21, 8, 0), "Asia/Kolkata"), "2026-11-22T03:30:00+00:00");
}

TEST(CronSchedule, PassesOverALocalTimeThatDoesNotExist) {
  // The night of 28 March 2027: 02:00 becomes 03:00.
  EXPECT_EQ(next("30 2 * * *", utc(2027, 3, 28, 0, 0), "Europe/Zurich"), "2027-03-29T00:30:00+00:00");
}

TEST(CronSchedule, SaysNeverForADayThatNeverComes) {
  EXPECT_EQ(next("0 0 30 2 *", utc(2026, 11, 21, 0, 0)), "never");
}

TEST(CronSchedule, FindsTheLastFiringWithinReach) {
  const auto schedule = CronSchedule::parse("0 2 * * *").value();
  const TimeZone zone;
  EXPECT_EQ(schedule.last(utc(2026, 11, 21, 3, 30), 2h, zone), utc(2026, 11, 21, 2, 0));
  EXPECT_EQ(schedule.last(utc(2026, 11, 21, 5, 30), 2h, zone), std::nullopt);
}

TEST(CronSchedule, TakesAStepAsLargeAsItsField) {
  EXPECT_EQ(next("*/59 * * * *", utc(2026, 11, 21, 8, 15)), "2026-11-21T08:59:00+00:00");
  EXPECT_EQ(next("0 0 */31 * *", utc(2026, 11, 21, 8, 15)), "2026-12-01T00:00:00+00:00");
}

TEST(CronSchedule, RefusesWhatCronWouldNotRead) {
  for (const auto* const text :
       {"", "* * * *", "* * * * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "a * * * *",
        "*/0 * * * *", "1/2147483647 * * * *", "*/60 * * * *", "* * */32 * *", "*/99999999999 * * * *", "*/-1 * * * *",
        "5-1 * * * *", "1, * * * *", "-1 * * * *", "@daily"}) {
    const auto parsed = CronSchedule::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_NE(parsed.error().hint, "") << text;
  }
}

TEST(CronSchedule, KnowsDaysThatNeverCome) {
  const auto ever = [](const char* text) { return CronSchedule::parse(text)->ever_fires(); };
  EXPECT_FALSE(ever("0 3 30 2 *"));
  EXPECT_FALSE(ever("0 3 31 2,4,6,9,11 *"));
  EXPECT_TRUE(ever("0 3 29 2 *"));
  EXPECT_TRUE(ever("0 3 30 2 MON"));  // either day is enough
  EXPECT_TRUE(ever("0 3 * 2 *"));
}

}  // namespace
}  // namespace athanor::controller
