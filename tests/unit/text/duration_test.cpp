#include "migrations/text/duration.hpp"

#include <gtest/gtest.h>

namespace athanor {
namespace {

using std::chrono::milliseconds;

TEST(Duration, ReadsNumbersWithUnits) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("2s").value(), milliseconds(2'000));
  EXPECT_EQ(parse_duration("10m").value(), milliseconds(600'000));
  EXPECT_EQ(parse_duration("1h").value(), milliseconds(3'600'000));
  EXPECT_EQ(parse_duration("1h30m").value(), milliseconds(5'400'000));
  EXPECT_EQ(parse_duration("0").value(), milliseconds(0));
  EXPECT_EQ(parse_duration("0s").value(), milliseconds(0));
}

TEST(Duration, NamesTheUnitsOfABareNumber) {
  const auto bare = parse_duration("30");
  ASSERT_FALSE(bare);
  EXPECT_EQ(bare.error().message, "the duration has no unit");
  EXPECT_EQ(bare.error().hint, "add the unit: 30ms, 30s or 30m");
}

TEST(Duration, RefusesEverythingElse) {
  for (const auto* text : {"", " 2s", "2 s", "2s ", "-2s", "+2s", "s", "2x", "2S", "1.5s", "1m1h", "1s1s", "s2", "2s3",
                           "99999999999999999999s", "9223372036854775807h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(Duration, ReadsBackWhatItWrites) {
  EXPECT_EQ(format_duration(milliseconds(90'000)), "1m30s");
  EXPECT_EQ(format_duration(milliseconds(0)), "0");
  for (const std::int64_t count : {1LL, 999LL, 1'000LL, 61'001LL, 3'600'000LL, 86'400'000LL, 90'061'001LL}) {
    EXPECT_EQ(parse_duration(format_duration(milliseconds(count))).value(), milliseconds(count));
  }
}

TEST(Size, ReadsBytesAndBinaryUnits) {
  EXPECT_EQ(parse_size("4096").value(), 4096U);
  EXPECT_EQ(parse_size("64KiB").value(), 65'536U);
  EXPECT_EQ(parse_size("16MiB").value(), 16U << 20U);
  for (const auto* text : {"", "64KB", "64 KiB", "-1", "KiB", "99999999999999GiB"}) {
    EXPECT_FALSE(parse_size(text)) << text;
  }
}

}  // namespace
}  // namespace athanor
