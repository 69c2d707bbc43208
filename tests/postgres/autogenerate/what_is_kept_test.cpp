// What a revision must not lose on its way: grants of what it makes again, values, the place of a sequence.
#include <algorithm>

#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

class WhatIsKept : public testing::Test {
 protected:
  // A revision by hand, applied.
  void revise(const std::string& upgrade) const {
    const auto before = scene_.files();
    ASSERT_EQ(scene_.run({"revision", "-m", "By hand"}).exit_code, 0);
    for (const std::string& file : scene_.files()) {
      if (!before.contains(file)) {
        std::string text = test::read_file(file);
        text.resize(text.find("-- athanor:upgrade"));
        scene_.folder.write("migrations/versions/" + std::filesystem::path(file).filename().string(),
                            text + "-- athanor:upgrade\n" + upgrade + "\n\n-- athanor:irreversible by hand\n");
      }
    }
    scene_.upgrade();
  }
  [[nodiscard]] std::string privileges() {
    return scene_.database.value(
        "SELECT (SELECT relacl::text FROM pg_class WHERE relname = 's') || (SELECT proacl::text FROM pg_proc WHERE proname = "
        "'f')");
  }

  SchemaScene scene_;
};

TEST_F(WhatIsKept, GrantsOfAViewAndAFunctionThatAreMadeAgain) {
  scene_.follow(
      "CREATE TABLE c (a varchar(9)); CREATE VIEW s AS SELECT a FROM c;"
      " CREATE FUNCTION f(m int) RETURNS SETOF int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';");
  revise(
      "GRANT SELECT ON s TO pg_monitor; REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC; GRANT EXECUTE ON FUNCTION f(int) TO"
      " pg_monitor;");
  const std::string before = privileges();
  ASSERT_THAT(before, HasSubstr("pg_monitor"));
  scene_.follow(
      "CREATE TABLE c (a text); CREATE VIEW s AS SELECT a FROM c;"
      " CREATE FUNCTION f(m int) RETURNS SETOF bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT 1::bigint';");
  EXPECT_EQ(privileges(), before);
  ASSERT_EQ(scene_.run({"downgrade", "-1"}).exit_code, 0);
  EXPECT_EQ(privileges(), before);
}

TEST_F(WhatIsKept, GrantsThatTheDesiredSchemaDoesNotNameAreLeftAlone) {
  scene_.follow("CREATE TABLE c (a int);");
  revise("GRANT SELECT ON c TO pg_monitor;");
  scene_.expect_no_difference();
  EXPECT_THAT(scene_.follow("CREATE TABLE c (a int, b int); GRANT DELETE ON c TO pg_monitor;"),
              AllOf(Not(HasSubstr("GRANT")), Not(HasSubstr("REVOKE"))));
}

TEST_F(WhatIsKept, GrantsOfARenamedTable) {
  scene_.follow("CREATE TABLE c (a int);");
  revise("GRANT SELECT ON c TO pg_monitor;");
  EXPECT_THAT(scene_.follow("-- renamed from c\nCREATE TABLE d (a int);"), Not(HasSubstr("REVOKE")));
  EXPECT_THAT(scene_.database.value("SELECT relacl::text FROM pg_class WHERE relname = 'd'"), HasSubstr("pg_monitor"));
}

TEST_F(WhatIsKept, TheProofWithRowsWhereAForeignKeyIsDeferred) {
  const std::string schema =
      "CREATE TABLE p (id int PRIMARY KEY);"
      " CREATE TABLE k (id int PRIMARY KEY, p int NOT NULL REFERENCES p DEFERRABLE INITIALLY DEFERRED);";
  scene_.follow(schema);
  scene_.follow(schema + "CREATE TABLE z (i int);");
}

TEST_F(WhatIsKept, ValuesOfAGeneratedColumnThatBecomesPlainWhileItsBaseChanges) {
  scene_.follow("CREATE TABLE t (a int, g int GENERATED ALWAYS AS (a * 2) STORED);");
  scene_.database.run("INSERT INTO t (a) VALUES (1)");
  const std::string revision = scene_.follow("CREATE TABLE t (a bigint, g int);");
  EXPECT_THAT(revision.substr(0, revision.find("-- athanor:downgrade")), Not(HasSubstr("DROP COLUMN")));
  EXPECT_EQ(scene_.database.value("SELECT g FROM t"), "2");
}

TEST_F(WhatIsKept, TheNumbersOfAKeyThatBecomesAnIdentityColumn) {
  scene_.follow("CREATE TABLE u (id int PRIMARY KEY);");
  scene_.database.run("INSERT INTO u VALUES (1), (2), (3)");
  scene_.follow("CREATE TABLE u (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY);");
  scene_.database.run("INSERT INTO u DEFAULT VALUES");
  EXPECT_EQ(scene_.database.value("SELECT max(id) FROM u"), "4");
}

TEST_F(WhatIsKept, TheNumbersOfAKeyThatBecomesSerial) {
  scene_.follow("CREATE TABLE u (id int PRIMARY KEY);");
  scene_.database.run("INSERT INTO u VALUES (7)");
  scene_.follow("CREATE TABLE u (id serial PRIMARY KEY);");
  scene_.database.run("INSERT INTO u DEFAULT VALUES");
  EXPECT_EQ(scene_.database.value("SELECT max(id) FROM u"), "8");
}

TEST_F(WhatIsKept, ABodyWhoseFileHasTheLineEndsOfWindows) {
  scene_.follow("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$\r\nBEGIN\r\n  RETURN 1;\r\nEND\r\n$$;\r\n");
  scene_.expect_no_difference();
}

}  // namespace
}  // namespace athanor
