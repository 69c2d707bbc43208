// `revision --autogenerate --phases expand,contract`: two revisions, each proven, and what stands in which.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::Json;
using testing::HasSubstr;
using testing::Not;

struct Phases : testing::Test, test::SchemaScene {
  Phases() {
    schema("CREATE TABLE a (id int PRIMARY KEY, name text, gone int); CREATE TYPE mood AS ENUM ('ok');");
    (void)generated();
    upgrade();
    database.run("INSERT INTO a VALUES (1, 'x', 1)");
  }
  [[nodiscard]] test::ProcessResult write() const {
    return run({"revision", "--autogenerate", "--phases", "expand,contract", "-m", "Change a table"});
  }
};

TEST_F(Phases, CutAChangeByWhatOldCodeSurvives) {
  schema(
      "CREATE TYPE mood AS ENUM ('ok', 'good');\n"
      "CREATE TABLE a (id int PRIMARY KEY, name text NOT NULL, added int, dated date NOT NULL DEFAULT now());\n"
      "CREATE TABLE b (id int PRIMARY KEY, a_id int REFERENCES a);\nCREATE INDEX a_name ON a (name);");
  const std::string before = database.schema_fingerprint();
  const Json told = json({"revision", "--autogenerate", "--phases", "expand,contract", "-m", "Change a table"});
  ASSERT_EQ(told["exit_code"], 0) << told.dump(2);
  const Json& expand = told["revisions"][0];
  const Json& contract = told["revisions"][1];
  EXPECT_EQ(expand["phase"], "expand");
  EXPECT_EQ(expand["labels"], Json::array({"expand"}));
  EXPECT_EQ(contract["labels"], Json::array({"contract"}));
  EXPECT_EQ(contract["depends_on"], Json::array({expand["revision"]}));
  EXPECT_EQ(contract["down_revision"], expand["down_revision"]) << "two branches";

  const std::string first = test::read_file(folder / expand["path"].get<std::string>());
  EXPECT_THAT(first, HasSubstr("ADD COLUMN added integer"));
  EXPECT_THAT(first, HasSubstr("ADD COLUMN dated date NOT NULL DEFAULT now()"));
  EXPECT_THAT(first, HasSubstr("CREATE TABLE public.b"));
  EXPECT_THAT(first, HasSubstr("ADD VALUE 'good'"));
  EXPECT_THAT(first, HasSubstr("a_name"));
  EXPECT_THAT(first, Not(HasSubstr("DROP COLUMN gone")));
  const std::string second = test::read_file(folder / contract["path"].get<std::string>());
  EXPECT_THAT(second, HasSubstr("DROP COLUMN gone"));
  EXPECT_THAT(second, HasSubstr("name_not_null"));

  // Old code works between the two, and both lead to what is desired and back.
  ASSERT_EQ(run({"upgrade", "expand@head"}).exit_code, 0);
  database.run("INSERT INTO a (id, name, gone) VALUES (2, NULL, 2); DELETE FROM a WHERE id = 2");
  ASSERT_EQ(run({"upgrade", "heads"}).exit_code, 0);
  const auto check = run({"check", "--drift"});
  EXPECT_EQ(check.exit_code, 0) << check.out << check.err;
  ASSERT_EQ(run({"downgrade", "contract@-1"}).exit_code, 0);
  ASSERT_EQ(run({"downgrade", "expand@-1"}).exit_code, 0);
  // Labels of an enum cannot be taken away in place: everything else is as it was.
  EXPECT_EQ(database.schema_fingerprint(), before);
}

TEST_F(Phases, GoOnOnTheirBranches) {
  schema("CREATE TABLE a (id int PRIMARY KEY, name text, more int); CREATE TYPE mood AS ENUM ('ok');");
  ASSERT_EQ(write().exit_code, 0);
  upgrade();
  schema("CREATE TABLE a (id int PRIMARY KEY, more int, most int); CREATE TYPE mood AS ENUM ('ok');");
  const auto again = write();
  ASSERT_EQ(again.exit_code, 0) << again.err;
  upgrade();
  expect_no_difference();
  const Json heads = json({"heads"});
  EXPECT_EQ(heads["heads"].size(), 2U) << heads.dump();
}

TEST_F(Phases, WriteOneRevisionWhereThereIsNoOtherPhase) {
  schema("CREATE TABLE a (id int PRIMARY KEY, name text, gone int, more int); CREATE TYPE mood AS ENUM ('ok');");
  const auto told = write();
  EXPECT_EQ(told.exit_code, 0) << told.err;
  EXPECT_THAT(told.out, HasSubstr("expand: safe for old application code"));
  EXPECT_THAT(told.out, Not(HasSubstr("contract:")));
}

TEST_F(Phases, RefuseWhatTheyCannotDo) {
  schema("CREATE TABLE a (id int PRIMARY KEY, label text, gone int); CREATE TYPE mood AS ENUM ('ok');");
  const auto before = files();
  const auto renamed = run({"revision", "--autogenerate", "--phases", "expand,contract", "-m", "Rename a column", "--rename",
                            "public.a.name=public.a.label"});
  EXPECT_EQ(renamed.exit_code, 2);
  EXPECT_THAT(renamed.err, HasSubstr("a rename fits neither phase"));
  EXPECT_EQ(run({"revision", "--autogenerate", "--phases", "expand", "-m", "Change a table"}).exit_code, 2);
  EXPECT_EQ(run({"revision", "--autogenerate", "--phases", "expand,contract", "--sql", "-m", "Change a table"}).exit_code, 2);
  EXPECT_EQ(files(), before);
}

struct Restriction {
  std::string name;
  std::string base;
  std::string desired;
};

class OfARestriction : public testing::TestWithParam<Restriction> {};

TEST_P(OfARestriction, AllIsContract) {
  test::SchemaScene scene;
  scene.schema(GetParam().base);
  (void)scene.generated();
  scene.upgrade();
  scene.schema(GetParam().desired);
  const Json told = scene.json({"revision", "--autogenerate", "--phases", "expand,contract", "-m", "Restrict the table"});
  ASSERT_EQ(told["exit_code"], 0) << told.dump(2);
  ASSERT_EQ(told["revisions"].size(), 1U) << told.dump(2);
  EXPECT_EQ(told["revisions"][0]["phase"], "contract");
}

INSTANTIATE_TEST_SUITE_P(
    Phases, OfARestriction,
    testing::Values(
        Restriction{"DropDefault", "CREATE TABLE t (id int, n text NOT NULL DEFAULT 'x');",
                    "CREATE TABLE t (id int, n text NOT NULL);"},
        Restriction{"IdentityAlways", "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY);",
                    "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY);"},
        Restriction{"Unique", "CREATE TABLE t (id int, n text);", "CREATE TABLE t (id int, n text UNIQUE);"},
        Restriction{"RowSecurity", "CREATE TABLE t (id int);",
                    "CREATE TABLE t (id int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;"},
        Restriction{"ForcedRowSecurity", "CREATE TABLE t (id int);",
                    "CREATE TABLE t (id int); ALTER TABLE t FORCE ROW LEVEL SECURITY;"},
        Restriction{"AlterPolicy", "CREATE TABLE t (id int); CREATE POLICY p ON t USING (true);",
                    "CREATE TABLE t (id int); CREATE POLICY p ON t USING (false);"},
        Restriction{"DropPolicy", "CREATE TABLE t (id int); CREATE POLICY p ON t USING (true);", "CREATE TABLE t (id int);"},
        Restriction{"RestrictivePolicy", "CREATE TABLE t (id int);",
                    "CREATE TABLE t (id int); CREATE POLICY p ON t AS RESTRICTIVE USING (false);"},
        Restriction{"Rule", "CREATE TABLE t (id int);",
                    "CREATE TABLE t (id int); CREATE RULE r AS ON INSERT TO t DO INSTEAD NOTHING;"},
        Restriction{"SequenceLimit", "CREATE SEQUENCE s;", "CREATE SEQUENCE s MAXVALUE 5;"},
        Restriction{"DropUnique", "CREATE TABLE t (id int, n text UNIQUE);", "CREATE TABLE t (id int, n text);"},
        Restriction{"DropUniqueIndex", "CREATE TABLE t (id int); CREATE UNIQUE INDEX i ON t (id);", "CREATE TABLE t (id int);"},
        Restriction{"SerialToIdentity", "CREATE TABLE t (id serial);",
                    "CREATE TABLE t (id int GENERATED BY DEFAULT AS IDENTITY);"},
        Restriction{"DropTrigger",
                    "CREATE TABLE t (id int); CREATE TRIGGER g BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION "
                    "suppress_redundant_updates_trigger();",
                    "CREATE TABLE t (id int);"},
        Restriction{"CheckOption", "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t WHERE id > 0;",
                    "CREATE TABLE t (id int); CREATE VIEW v AS SELECT id FROM t WHERE id > 0 WITH CHECK OPTION;"}),
    [](const auto& given) { return given.param.name; });

}  // namespace
}  // namespace athanor
