#include "migrations/execute/part_checksums.hpp"

#include <gtest/gtest.h>

#include "migrations/execute/half_applied.hpp"

namespace athanor {
namespace {

using Part = UnfinishedStep::Part;

RevisionScript script(const std::string& up) {
  Revision revision;
  revision.id = "q1";
  revision.path = "q1.sql";
  auto parsed = parse_script(revision, "-- Revision q1\n--\n-- Revision: q1\n-- Revises:\n\n-- athanor:upgrade\n" + up);
  EXPECT_TRUE(parsed) << parsed.error().describe();
  return std::move(*parsed);
}

constexpr const char* kHead = "CREATE TABLE q (i int);\n-- athanor:step autocommit\nVACUUM q;\n";
constexpr int kFirstLine = 7;

// The rows that a run left which stopped behind the first VACUUM.
std::vector<Part> rows_of(const RevisionScript& ran) {
  const PartChecksums checksums(ran.checksum, ran.upgrade);
  return {{0, 0, "complete", checksums.of(0, 0)}, {1, 0, "done", checksums.of(1, 0)}};
}

std::optional<int> change(const std::vector<Part>& rows, const std::string& up) {
  const RevisionScript now = script(up);
  return PartChecksums(now.checksum, now.upgrade).changed_at(rows);
}

class PartChecksumsTest : public testing::Test {
 protected:
  RevisionScript ran_ = script(std::string(kHead) + "ANALYZE nosuch;\n");
  std::vector<Part> rows_ = rows_of(ran_);
};

TEST_F(PartChecksumsTest, AcceptAnyCorrectionBehindWhatRan) {
  for (const std::string rest : {"ANALYZE q;\n", "", "-- athanor:step transaction\nSELECT 1;\n",
                                 "ANALYZE q;\n-- athanor:step batch table=q key=i\nUPDATE q SET i = i WHERE {batch};\n"}) {
    EXPECT_EQ(change(rows_, kHead + rest), std::nullopt) << rest;
  }
}

TEST_F(PartChecksumsTest, AcceptCommentsBetweenWhatRan) {
  EXPECT_EQ(change(rows_, "-- a remark\nCREATE TABLE q (i int);\n\n-- athanor:step autocommit\nVACUUM q;\n"), std::nullopt);
}

TEST_F(PartChecksumsTest, NameTheLineFromWhichOnWhatRanDiffers) {
  EXPECT_EQ(change(rows_, "CREATE TABLE q (i bigint);\n-- athanor:step autocommit\nVACUUM q;\n"), kFirstLine);
  EXPECT_EQ(change(rows_, "CREATE TABLE q (i int);\n-- athanor:step autocommit\nVACUUM FULL q;\n"), kFirstLine + 2);
  EXPECT_EQ(change(rows_, "CREATE TABLE q (i int);\nSELECT 1;\n-- athanor:step autocommit\nVACUUM q;\n"), kFirstLine);
  EXPECT_EQ(change(rows_, "CREATE TABLE q (i int);\n-- athanor:step autocommit\nANALYZE q;\nVACUUM q;\n"), kFirstLine + 2);
  EXPECT_TRUE(change(rows_, "CREATE TABLE q (i int);\n")) << "a part that ran is gone";
}

TEST_F(PartChecksumsTest, NameTheStatementBehindTheLastOneThatIsTheSame) {
  const RevisionScript ran = script(std::string(kHead) + "ANALYZE q;\n");
  std::vector<Part> rows = rows_of(ran);
  rows.push_back({1, 1, "done", PartChecksums(ran.checksum, ran.upgrade).of(1, 1)});
  EXPECT_EQ(change(rows, kHead + std::string("ANALYZE VERBOSE q;\n")), kFirstLine + 3);
}

TEST_F(PartChecksumsTest, AcceptAnyChangeOfABatchStepThatFinishedNoBatch) {
  const RevisionScript ran = script("-- athanor:step batch table=q key=i\nUPDATE q SET i = i WHERE {batch};\n");
  const std::vector<Part> rows{{0, 0, "begun", PartChecksums(ran.checksum, ran.upgrade).of(0, 0)}};
  EXPECT_EQ(change(rows, "-- athanor:step batch table=q key=j\nUPDATE q SET i = 2 WHERE {batch};\n"), std::nullopt);
}

TEST_F(PartChecksumsTest, KnowAStepByItsKindToo) {
  EXPECT_TRUE(change(rows_, "-- athanor:step autocommit\nCREATE TABLE q (i int);\n-- athanor:step autocommit\nVACUUM q;\n"));
}

TEST_F(PartChecksumsTest, CoverTableAndKeyOfABatchAndNotItsPace) {
  const std::string batch = "UPDATE q SET i = i WHERE {batch};\n";
  const RevisionScript ran = script("-- athanor:step batch table=q key=i size=10\n" + batch);
  const std::vector<Part> rows{{0, 0, "running", PartChecksums(ran.checksum, ran.upgrade).of(0, 0)}};
  EXPECT_EQ(change(rows, "-- athanor:step batch table=q key=i size=99 pause=1s\n" + batch), std::nullopt);
  EXPECT_TRUE(change(rows, "-- athanor:step batch table=q key=j size=10\n" + batch));
  EXPECT_TRUE(change(rows, "-- athanor:step batch table=q key=i size=10\nDELETE FROM q WHERE {batch};\n"));
}

TEST_F(PartChecksumsTest, TakeTheWholeFileAsItWasForGranted) {
  std::vector<Part> rows = rows_;
  rows[0].checksum = ran_.checksum + ":of another splitter";
  EXPECT_EQ(PartChecksums(ran_.checksum, ran_.upgrade).changed_at(rows), std::nullopt);
}

TEST_F(PartChecksumsTest, JudgeRowsOfTheFirstReleaseByTheWholeFile) {
  std::vector<Part> rows = rows_;
  rows[0].checksum = rows[1].checksum = ran_.checksum;
  EXPECT_EQ(PartChecksums(ran_.checksum, ran_.upgrade).changed_at(rows), std::nullopt);
  EXPECT_EQ(change(rows, std::string(kHead) + "ANALYZE q;\n"), 0);
}

HalfApplied half_of(const RevisionScript& of, int step, int statement, bool intent = false) {
  UnfinishedStep open;
  open.revision = "q1";
  open.step = step;
  open.statement = statement;
  open.intent = intent;
  return half_applied(open, &of.upgrade);
}

TEST(HalfApplied, CountsStepsAndStatementsAndNamesTheNextLine) {
  const RevisionScript of = script(std::string(kHead) + "ANALYZE q;\n-- athanor:step transaction\nSELECT 1;\n");
  const HalfApplied inside = half_of(of, 1, 1);
  EXPECT_EQ(describe_half_applied(inside), "revision q1 is half-applied: 1 of 3 steps done, and 1 of 2 statements of step 2");
  EXPECT_EQ(inside.next_line, kFirstLine + 3);
  const HalfApplied between = half_of(of, 1, 2);
  EXPECT_EQ(describe_half_applied(between), "revision q1 is half-applied: 2 of 3 steps done");
  EXPECT_EQ(between.next_line, kFirstLine + 5);
  EXPECT_EQ(half_of(of, 3, 0).next_line, 0) << "only the version row is left";
}

TEST(HalfApplied, SaysWhichStatementsEndIsNotKnown) {
  const RevisionScript of = script(kHead);
  EXPECT_EQ(describe_half_applied(half_of(of, 1, 0, true)),
            "revision q1 is half-applied: 1 of 2 steps done, and 0 of 1 statements of step 2; whether statement 1 of it took "
            "effect is unknown");
}

TEST(HalfApplied, CountsWhatIsDoneWithoutTheFile) {
  UnfinishedStep open;
  open.revision = "q1";
  open.direction = Direction::Downgrade;
  open.step = 1;
  open.cursor = "7";
  open.rows = 5'000;
  EXPECT_EQ(describe_half_applied(half_applied(open, nullptr)),
            "the downgrade of revision q1 is half-applied: 1 step done, and about 5000 rows of step 2");
}

}  // namespace
}  // namespace athanor
