#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

TEST(Check, TellsWhenTheModelsAreAhead) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  scene.schema("CREATE TABLE a (id bigint); CREATE TABLE b (id int);");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 14);
  EXPECT_THAT(check.out, HasSubstr("models ahead: + table"));
  EXPECT_THAT(check.err, HasSubstr("athanor revision --autogenerate"));
  const Json json = scene.json({"check"});
  EXPECT_EQ(json["exit_code"], 14);
  EXPECT_EQ(json["error"]["code"], "models-ahead");
  EXPECT_EQ(json["models_ahead"].size(), 2U);
  EXPECT_EQ(json["drift"], nullptr);
}

TEST(Check, TellsPendingRevisionsBeforeAnythingElse) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  ASSERT_NE(scene.generated(), "");
  EXPECT_EQ(scene.run({"check"}).exit_code, 6);
}

TEST(Check, FindsDriftWhenAskedOrConfigured) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  scene.database.run("ALTER TABLE a ADD COLUMN by_hand text");
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  const auto drift = scene.run({"check", "--drift"});
  EXPECT_EQ(drift.exit_code, 15);
  EXPECT_THAT(drift.out, HasSubstr("drift: + column"));
  scene.configure("desired_schema: schema.sql\ncheck_drift: true\n");
  EXPECT_EQ(scene.json({"check"})["error"]["code"], "drifted");
}

TEST(Check, IsSilentAboutSchemasWithoutADesiredOne) {
  SchemaScene scene;
  scene.configure("");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_EQ(check.out, "No revision is pending.\n");
}

TEST(Check, LoadsNothingTheSecondTime) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  ASSERT_EQ(scene.run({"check"}).exit_code, 0);
  // A scratch server that cannot be reached is not missed.
  scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_url: postgresql://nobody@127.0.0.1:1/none\n");
  const auto check = scene.run({"check"});
  EXPECT_EQ(check.exit_code, 0) << check.err;
  scene.schema("CREATE TABLE a (id int, v text);");
  EXPECT_NE(scene.run({"check"}).exit_code, 0);
}

TEST(Check, NamesTheScratchServerThatCannotBeHad) {
  SchemaScene scene;
  scene.schema("CREATE TABLE a (id int);");
  for (const std::string url : {"postgresql://nobody@127.0.0.1:1/none", "foo"}) {
    scene.folder.write("athanor.yaml", "desired_schema: schema.sql\nscratch_url: " + url + "\n");
    const auto check = scene.run({"check"});
    EXPECT_EQ(check.exit_code, 16) << check.err;
    EXPECT_THAT(check.err, HasSubstr("the server of scratch_url: "));
    EXPECT_THAT(check.err, Not(HasSubstr("DATABASE_URL")));
  }
}

TEST(Drift, PrintsStatementsBothWays) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
  scene.database.run("CREATE INDEX by_hand ON a (id)");
  const auto drift = scene.run({"drift"});
  EXPECT_EQ(drift.exit_code, 15);
  EXPECT_THAT(drift.out, HasSubstr("drift: + index"));
  EXPECT_THAT(drift.out, HasSubstr("-- Undoes the drift:"));
  EXPECT_THAT(drift.out, HasSubstr("DROP INDEX CONCURRENTLY public.by_hand"));
  EXPECT_THAT(drift.out, HasSubstr("CREATE INDEX CONCURRENTLY by_hand"));
  EXPECT_EQ(scene.run({"drift", "--exclude-table", "a"}).exit_code, 0);
}

TEST(Drift, ComparesWithWhatIsAppliedNotWithWhatIsPending) {
  SchemaScene scene;
  scene.follow("CREATE TABLE a (id int);");
  scene.schema("CREATE TABLE a (id int); CREATE TABLE b (id int);");
  ASSERT_NE(scene.generated(), "");
  EXPECT_EQ(scene.run({"drift"}).exit_code, 0);
}

}  // namespace
}  // namespace athanor
