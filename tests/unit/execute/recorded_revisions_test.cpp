// Revisions that only the ledger knows, and what is applied according to both.
#include "migrations/execute/recorded_revisions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/execute/descent.hpp"

namespace athanor {
namespace {

using ::testing::ElementsAre;

std::string file_text(const std::string& id, const std::string& revises, const std::string& labels = "") {
  return "-- Change\n--\n-- Revision: " + id + "\n-- Revises: " + revises + "\n-- Labels: " + labels +
         "\n\n-- athanor:upgrade\n-- athanor:downgrade\n";
}

// f1 <- f2.
class RecordedRevisions : public testing::Test {
 protected:
  static std::vector<MemorySource::File> texts() {
    return {{"f1.sql", file_text("f1", "")}, {"f2.sql", file_text("f2", "f1", "payments")}};
  }
  static RevisionGraph graph_of(const MemorySource& source) { return RevisionGraph::build(source.list().value()).value(); }
  void record(const std::string& id, const std::string& parents, const std::string& depends_on = "") {
    rows.rows.push_back({id, parents, depends_on, "", "", "2026-11-21T02:10:00+00:00", "anna", "sum"});
  }
  [[nodiscard]] RecordedLineage trace(const std::vector<std::string>& heads) const {
    return trace_lineage(rows, files, heads).value();
  }
  static std::vector<std::string> ids_of(const RecordedLineage& lineage) {
    std::vector<std::string> ids;
    for (const RecordedRevision& each : lineage.revisions) {
      ids.push_back(each.revision.id);
    }
    return ids;
  }

  MemorySource source{texts()};
  RevisionGraph files = graph_of(source);
  Rows rows;
};

TEST_F(RecordedRevisions, EndWhereTheFilesBegin) {
  record("b2", "f2");
  record("f2", "f1");
  EXPECT_THAT(ids_of(trace({"b2"})), ElementsAre("b2"));
}

TEST_F(RecordedRevisions, IncludeDependencies) {
  record("b2", "f2", "d1");
  record("d1", "f1");
  EXPECT_THAT(ids_of(trace({"b2"})), ElementsAre("b2", "d1"));
}

TEST_F(RecordedRevisions, NameOnceWhatNobodyKnows) {
  record("b2", "gone");
  record("b3", "gone");
  const RecordedLineage lineage = trace({"b2", "b3"});
  EXPECT_THAT(lineage.missing, ElementsAre("gone"));
}

TEST_F(RecordedRevisions, LeaveALabelToTheFileThatHasIt) {
  RecordedRevision recorded;
  recorded.revision.id = "b2";
  recorded.revision.path = "ledger/b2.sql";
  recorded.revision.down = {"f2"};
  recorded.revision.labels = {"payments", "billing"};
  const RecordedSource both(std::make_unique<MemorySource>(texts()), {recorded});
  const auto listed = both.list();
  ASSERT_TRUE(listed) << listed.error().describe();
  EXPECT_THAT(listed->back().labels, ElementsAre("billing"));
}

TEST_F(RecordedRevisions, CountAParentAsAppliedThatTheLedgerHasNoRowOf) {
  record("b2", "gone");
  Observation database;
  database.current_heads = {"b2"};
  EXPECT_EQ(find_applied("gone", database, trace({"b2"}), files).answer, Descent::Answer::Applied);
}

TEST_F(RecordedRevisions, CountWhatIsBelowADependencyInTheFilesAsApplied) {
  record("b2", "", "f2");
  Observation database;
  database.current_heads = {"b2"};
  EXPECT_EQ(find_applied("f1", database, trace({"b2"}), files).answer, Descent::Answer::Applied);
}

}  // namespace
}  // namespace athanor
