#include <gmock/gmock.h>

#include "migrations/schema/desired_schema.hpp"
#include "tests/postgres/scratch/scratch_scene.hpp"

namespace athanor::schema {
namespace {

using test::ScratchScene;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;
using Kind = SchemaSource::Kind;

// Loads what the test writes, on the server of the run.
struct LoadScene : ScratchScene {
  LoadScene() {
    use_running_server();
    load.folder = folder.string();
    load.models.folder = folder.string();
    load.models.sys_path = {folder.string()};
    load.models.environment = inherited_environment();
    load.environment = inherited_environment();
    load.python.flag = test::python_with_alembic();
    load.python.path = "/usr/bin:/bin";
  }
  Result<LoadedSchema> loaded(const SchemaSource& source) {
    const auto scratch = server();
    const SchemaCache cache(folder / "cache", clock);
    return SchemaLoader(*scratch, cache, load, stop.token()).load(source);
  }
  Result<LoadedSchema> file(const std::string& text) {
    return loaded({.kind = Kind::Files, .files = {folder.write("schema.sql", text)}});
  }
  std::string refused(const std::string& text) {
    const auto schema = file(text);
    return schema ? "accepted" : schema.error().describe() + " | " + schema.error().hint;
  }
  LoadSettings load;
};

TEST(DesiredSchema, IsWhatTheServerMakesOfTheFile) {
  LoadScene scene;
  const auto schema = scene.file("CREATE TABLE public.orders (id bigint PRIMARY KEY, total numeric(10,2) DEFAULT 0.0);\n");
  ASSERT_TRUE(schema) << schema.error().describe();
  const Fact* total =
      schema->catalog.find({.kind = athanor::schema::Kind::Column, .schema = "public", .parent = "orders", .name = "total"});
  ASSERT_NE(total, nullptr);
  EXPECT_EQ(total->get("type"), "numeric(10,2)");
  EXPECT_FALSE(schema->cached);
}

TEST(DesiredSchema, IsLoadedOnceUntilTheFileChanges) {
  LoadScene scene;
  const auto first = scene.file("CREATE TABLE a (id int);");
  ASSERT_TRUE(first);
  const auto again = scene.file("CREATE TABLE a (id int);");
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->cached);
  EXPECT_EQ(again->catalog.fingerprint(), first->catalog.fingerprint());
  const auto changed = scene.file("CREATE TABLE a (id bigint);");
  ASSERT_TRUE(changed);
  EXPECT_FALSE(changed->cached);
  EXPECT_NE(changed->catalog.fingerprint(), first->catalog.fingerprint());
  scene.load.inspect.exclude_tables = {"public.b"};
  EXPECT_FALSE(scene.file("CREATE TABLE a (id bigint);")->cached);
}

TEST(DesiredSchema, NamesFileAndLineOfWhatTheServerRefuses) {
  LoadScene scene;
  EXPECT_THAT(scene.refused("CREATE TABLE a (id int);\n\nCREATE TABLE b (\n  id int,\n  a_id int REFERENCES nowhere\n);\n"),
              HasSubstr("schema.sql:3: relation \"nowhere\" does not exist (SQLSTATE 42P01)"));
  EXPECT_THAT(scene.refused("CREATE TABLE a (\n  id int,\n  x no_such_type\n);\n"),
              HasSubstr("schema.sql:3: type \"no_such_type\" does not exist"));
  EXPECT_THAT(
      scene.refused("CREATE EXTENSION no_such_extension;\n"),
      AllOf(HasSubstr("install the extension `no_such_extension`"), HasSubstr("point scratch_url at a server that has it")));
}

TEST(DesiredSchema, LoadsWhatCannotRunInATransactionAndBodiesBeforeTheirTables) {
  LoadScene scene;
  const auto schema = scene.file(
      "CREATE FUNCTION total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM later';\n"
      "CREATE TABLE later (id int);\nCREATE INDEX CONCURRENTLY later_idx ON later (id);\n"
      "CREATE TYPE e AS ENUM ('a');\nALTER TYPE e ADD VALUE 'b';\nCREATE TABLE t (e e DEFAULT 'b');\n");
  ASSERT_TRUE(schema) << schema.error().describe();
  EXPECT_TRUE(schema->warnings.empty());
}

TEST(DesiredSchema, WarnsOfBodiesThatDoNotCheck) {
  LoadScene scene;
  const auto schema = scene.file("CREATE FUNCTION broken() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM nowhere';\n");
  ASSERT_TRUE(schema) << schema.error().describe();
  ASSERT_EQ(schema->warnings.size(), 1U);
  EXPECT_EQ(schema->warnings[0], "function broken(): relation \"nowhere\" does not exist");
}

TEST(DesiredSchema, ReadsADumpOfItselfAsTheSame) {
  LoadScene scene;
  test::TestDatabase database;
  database.run(
      "CREATE SCHEMA shop; CREATE TYPE shop.state AS ENUM ('new', 'paid'); CREATE TABLE shop.orders (id bigint GENERATED "
      "ALWAYS "
      "AS IDENTITY PRIMARY KEY, state shop.state DEFAULT 'new', note text CHECK (note <> ''));"
      "CREATE VIEW shop.paid AS SELECT id FROM shop.orders WHERE state = 'paid';"
      "CREATE INDEX ON shop.orders (state) WHERE note IS NOT NULL; COMMENT ON TABLE shop.orders IS 'it''s';");
  const auto dump = test::run_process({"pg_dump", "-s", database.url()});
  ASSERT_EQ(dump.exit_code, 0) << dump.err;
  const auto written = scene.file(dump.out);
  ASSERT_TRUE(written) << written.error().describe();
  const auto live = scene.loaded({.kind = Kind::Database, .url = database.url()});
  ASSERT_TRUE(live) << live.error().describe();
  EXPECT_EQ(written->catalog.fingerprint(), live->catalog.fingerprint());
}

TEST(DesiredSchema, IsWhatACommandMakes) {
  LoadScene scene;
  const std::string script = scene.folder.write(
      "fill.sh", "#!/bin/sh\ntest -f fill.sh || exit 9\npsql -q -d \"$ATHANOR_SCRATCH_URL\" -c 'CREATE TABLE made (id int)'\n");
  std::filesystem::permissions(script, std::filesystem::perms(0755));
  const auto schema = scene.loaded({.kind = Kind::Command, .command = "sh './fill.sh'"});
  ASSERT_TRUE(schema) << schema.error().describe();
  EXPECT_NE(schema->catalog.find({.kind = athanor::schema::Kind::Table, .schema = "public", .name = "made"}), nullptr);

  const auto failed = scene.loaded({.kind = Kind::Command, .command = "sh -c 'echo first >&2; echo broken >&2; exit 3'"});
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("ended with exit code 3: broken"));
  const auto nothing = scene.loaded({.kind = Kind::Command, .command = "true"});
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message, HasSubstr("left the scratch database empty"));
}

TEST(DesiredSchema, IsWhatModelsSay) {
  LoadScene scene;
  scene.folder.write("shop.py",
                     "from sqlmodel import Field, SQLModel\nclass Hero(SQLModel, table=True):\n    __table_args__ = {'schema': "
                     "'shop'}\n    id: int = Field(primary_key=True)\n    name: str = Field(max_length=20)\n");
  const SchemaSource source{.kind = Kind::Models, .models = {"shop:SQLModel.metadata"}};
  const auto schema = scene.loaded(source);
  ASSERT_TRUE(schema) << schema.error().describe();
  const Fact* name =
      schema->catalog.find({.kind = athanor::schema::Kind::Column, .schema = "shop", .parent = "hero", .name = "name"});
  ASSERT_NE(name, nullptr);
  EXPECT_EQ(name->get("type"), "character varying(20)");
  EXPECT_TRUE(scene.loaded(source)->cached);
}

TEST(DesiredSchema, PutsUnqualifiedNamesWhereTheSearchPathSays) {
  LoadScene scene;
  scene.load.search_path = "shop, public";
  const auto schema = scene.file("CREATE TABLE a (id int);");
  ASSERT_TRUE(schema) << schema.error().describe();
  EXPECT_NE(schema->catalog.find({.kind = athanor::schema::Kind::Table, .schema = "shop", .name = "a"}), nullptr);
}

TEST(DesiredSchema, ProvidesTheRolesItNamesOnAThrowawayServer) {
  LoadScene scene;
  scene.settings.url.clear();
  scene.load.inspect.owners = true;
  scene.load.inspect.privileges = true;
  const auto schema = scene.file(
      "CREATE ROLE app LOGIN;\nCREATE TABLE a (id int);\nALTER TABLE a OWNER TO shop_owner;\nGRANT SELECT ON a TO app, "
      "reporting;\n"
      "CREATE POLICY p ON a TO auditor USING (true);\n");
  ASSERT_TRUE(schema) << schema.error().describe();
  const Fact* owner = schema->catalog.find(
      {.kind = athanor::schema::Kind::Owner, .subject = athanor::schema::Kind::Table, .schema = "public", .name = "a"});
  ASSERT_NE(owner, nullptr);
  EXPECT_EQ(owner->get("role"), "shop_owner");
}

TEST(DesiredSchema, SaysThatNothingIsConfigured) {
  LoadScene scene;
  const auto schema = scene.loaded({});
  ASSERT_FALSE(schema);
  EXPECT_EQ(schema.error().code, ErrorCode::Configuration);
  EXPECT_THAT(schema.error().hint, HasSubstr("desired_schema: db/schema.sql"));
}

}  // namespace
}  // namespace athanor::schema
