#include <gtest/gtest.h>

#include <set>
#include <thread>

#include "migrations/base/advice.hpp"
#include "migrations/base/clock.hpp"
#include "migrations/base/ids.hpp"
#include "migrations/base/result.hpp"
#include "migrations/base/sha256.hpp"
#include "migrations/base/stop.hpp"
#include "migrations/base/timestamp.hpp"
#include "migrations/base/utf8.hpp"

namespace athanor {
namespace {

TEST(Sha256, AnswersThePublishedTestVectors) {
  EXPECT_EQ(sha256_hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(sha256_hex(std::string(1'000'000, 'a')), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, DoesNotDependOnHowTheTextIsCut) {
  Sha256 hash;
  hash.update("ab");
  hash.update("");
  hash.update("c");
  EXPECT_EQ(hash.finish(), sha256_hex("abc"));
}

TEST(Ids, AreHexadecimalAndDiffer) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = new_revision_id();
    EXPECT_EQ(id.size(), 12U);
    EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string::npos);
    seen.insert(id);
  }
  EXPECT_EQ(seen.size(), 1000U);
}

TEST(ErrorCode, HasAUniqueNameAndADocumentedExitCodeEach) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(ErrorCode::ApiInvalid); ++i) {
    const auto code = static_cast<ErrorCode>(i);
    EXPECT_TRUE(names.insert(error_name(code)).second) << error_name(code) << " stands twice, or a row is missing";
    EXPECT_GE(exit_code(code), 1);
    EXPECT_LE(exit_code(code), 18);
  }
}

TEST(Error, DescribesPlaceMessageAndSqlstateInOneLine) {
  const Error error =
      Error(ErrorCode::StatementFailed, "relation exists").at("a.sql:4").with_sqlstate("42P07").advise("drop it");
  EXPECT_EQ(error.describe(), "a.sql:4: relation exists (SQLSTATE 42P07)");
  EXPECT_EQ(Error(ErrorCode::Usage, "what").describe(), "what");
}

Result<int> passes_on(const Result<int>& inner) {
  TRY_ASSIGN(const int value, Result<int>(inner));
  return value + 1;
}

TEST(Result, PassesErrorsUpUnchanged) {
  EXPECT_EQ(passes_on(1).value(), 2);
  EXPECT_EQ(passes_on(fail(ErrorCode::Cycle, "round")).error().code, ErrorCode::Cycle);
}

TEST(StopSource, RisesFromGracefulToNowAndNoFurther) {
  StopSource source;
  const StopToken token = source.token();
  EXPECT_FALSE(token.requested());
  source.request();
  EXPECT_EQ(token.level(), StopLevel::Graceful);
  source.request();
  source.request();
  EXPECT_EQ(token.level(), StopLevel::Now);
  source.request(StopLevel::Graceful);
  EXPECT_EQ(token.level(), StopLevel::Now);
  EXPECT_FALSE(StopToken().requested());
}

TEST(StopSource, IsAsUrgentAsTheOneItListensToOnceItIsRequestedItself) {
  StopSource process;
  StopSource work(process.token());
  process.request();
  EXPECT_FALSE(work.token().requested());
  work.request();
  EXPECT_EQ(work.token().level(), StopLevel::Graceful);
  process.request();
  EXPECT_EQ(work.token().level(), StopLevel::Now);
}

TEST(SystemClock, WakesUpWhenAStopIsRequested) {
  SystemClock clock;
  StopSource source;
  const auto start = clock.steady_now();
  std::thread stopper([&] { source.request(); });
  EXPECT_FALSE(clock.wait(std::chrono::minutes(1), source.token()));
  stopper.join();
  EXPECT_LT(clock.steady_now() - start, std::chrono::seconds(30));
  EXPECT_TRUE(clock.wait(milliseconds(1), StopToken()));
}

TEST(Clock, WritesInstantsInUtc) {
  EXPECT_EQ(format_iso8601(WallTime(std::chrono::seconds(1'795'226'400))), "2026-11-21T02:00:00+00:00");
}

TEST(Clock, ReadsATimeWithAnOffsetOfZeroOrWithZAndNothingElse) {
  const WallTime time(std::chrono::seconds(1'795'226'400));
  EXPECT_EQ(parse_iso8601("2026-11-21T02:00:00+00:00"), time);
  EXPECT_EQ(parse_iso8601("2026-11-21T02:00:00Z"), time);
  for (const auto* const text :
       {"", "Z", "2026-11-21", "2026-11-21T02:00:00", "2026-11-21T02:00:00+01:00", "2026-11-21T02:00:00Zz",
        "9999-12-31T23:59:59Z", "1500-01-01T00:00:00Z", "0000-01-01T00:00:00Z"}) {
    EXPECT_EQ(parse_iso8601(text), std::nullopt) << text;
  }
}

TEST(Utf8, IsCutBetweenCharactersAndNotLongerThanAsked) {
  const std::string text = "aé€😀";  // of 1, 2, 3 and 4 bytes
  const std::vector<std::string> cuts{"", "a", "a", "aé", "aé", "aé", "aé€", "aé€", "aé€", "aé€", text, text};
  for (std::size_t bytes = 0; bytes < cuts.size(); ++bytes) {
    EXPECT_EQ(cut_at_character(text, bytes), cuts[bytes]) << bytes;
  }
  EXPECT_GE(cut_at_character(std::string(100, '\x80'), 50).size(), 47U);  // no text at all: there is no boundary
}

TEST(Utf8, HasAReplacementCharacterForEveryMalformedByte) {
  EXPECT_EQ(well_formed("aé€😀"), "aé€😀");
  EXPECT_EQ(well_formed("a\xC3"), "a\uFFFD");
  EXPECT_EQ(well_formed("\xC3(\xC0\xAF"), "\uFFFD(\uFFFD\uFFFD");
  EXPECT_EQ(well_formed("\xED\xA0\x80z"), "\uFFFD\uFFFD\uFFFDz");  // a surrogate
}

TEST(ShortDigest, IsTheFirstHalfOfTheDigestOfTheText) {
  const ShortDigest digest = sha256_short("abc");
  const auto* const bytes = reinterpret_cast<const unsigned char*>(digest.data());
  EXPECT_EQ(bytes[0], 0xba);
  EXPECT_EQ(bytes[15], 0x23);
  EXPECT_NE(digest, sha256_short("abd"));
}

TEST(Advice, JoinsHintsWithoutAFullStopBetween) {
  EXPECT_EQ(join_advice("", "run again"), "run again");
  EXPECT_EQ(join_advice("look first", "run again"), "look first; run again");
  EXPECT_EQ(join_advice("Perhaps you meant to reference the column.", "run again"),
            "Perhaps you meant to reference the column; run again");
}

TEST(Rfc3339, IsReadWithFractionsAndOffsets) {
  const auto expected = std::chrono::system_clock::from_time_t(1'795'226'400);
  for (const char* text : {"2026-11-21T02:00:00Z", "2026-11-21T02:00:00.123456789Z", "2026-11-21T02:00:00,5Z",
                           "2026-11-21T04:00:00+02:00", "2026-11-20T20:30:00.5-05:30", "2026-11-21t02:00:00z"}) {
    EXPECT_EQ(parse_rfc3339(text), expected) << text;
  }
  for (const char* text :
       {"", "2026-11-21", "2026-11-21T02:00:00", "2026-11-21T02:00:00+2", "2026-11-21T02:00:00Zx", "2026-11-21T02:00:00.Z",
        "2026-11-21T02:00:00+0a:00", "2026-11-21T02:00:00+24:00", "2026-11-21T02:00:00+01:60", "2026-02-30T02:00:00", "soon"}) {
    EXPECT_EQ(parse_rfc3339(text), std::nullopt) << text;
  }
}

TEST(Rfc3339, BeyondTheLastTimeIsTheLastTime) {
  EXPECT_EQ(parse_rfc3339("2262-01-01T00:00:00Z"), WallTime::max());
  EXPECT_EQ(parse_rfc3339("9999-12-31T23:59:59.9+14:00"), WallTime::max());
  EXPECT_EQ(parse_rfc3339("9999-99-31T23:59:59Z"), std::nullopt);
  EXPECT_EQ(parse_rfc3339("99999-12-31T23:59:59Z"), std::nullopt);
}

}  // namespace
}  // namespace athanor
