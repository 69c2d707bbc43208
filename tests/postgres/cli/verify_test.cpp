// athanor verify: queries with expected results.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/cli/cli_scene.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Verify, ReportsQueriesWithUnexpectedResults) {
  CliScene scene;
  scene.database.run("CREATE TABLE t (id int, mail text)");
  scene.database.run("INSERT INTO t VALUES (1, 'secret@example.org'), (2, NULL)");
  scene.folder.write("verify/t.sql",
                     "-- Everybody has a mail.\nSELECT id FROM t WHERE mail IS NULL;\n-- expect: 2\nSELECT count(*) FROM t;\n"
                     "-- expect: x@example.org\nSELECT mail FROM t WHERE id = 1;\n-- expect: rows\nSELECT 1 FROM nowhere;\n");
  const Json failed = scene.json({"verify"});
  EXPECT_EQ(failed["exit_code"], 18) << failed;
  EXPECT_EQ(failed["error"]["code"], "verification-failed");
  EXPECT_EQ(failed["failed"], 3);
  EXPECT_EQ(failed["queries"][0]["name"], "Everybody has a mail.");
  EXPECT_EQ(failed["queries"][0]["found"], "1 row");
  EXPECT_EQ(failed["queries"][1]["passed"], true);
  EXPECT_EQ(failed["queries"][2]["found"], "another value");
  EXPECT_THAT(failed["queries"][3]["error"].get<std::string>(), HasSubstr("42P01"));
  EXPECT_THAT(failed.dump(), Not(HasSubstr("secret")));
  EXPECT_THAT(scene.run({"verify", "verify/t.sql", "--show-values"}).out, HasSubstr("found secret@example.org"));
  scene.folder.write("verify/t.sql", "-- expect: 2\nSELECT count(*) FROM t;\n");
  const auto passed = scene.run({"verify"});
  EXPECT_EQ(passed.exit_code, 0) << passed.err;
  EXPECT_THAT(passed.out, HasSubstr("1 query answers as expected."));
}

TEST(Verify, ChangesNothing) {
  CliScene scene;
  scene.database.run("CREATE TABLE t (id int)");
  scene.database.run("CREATE FUNCTION put() RETURNS int LANGUAGE sql AS 'INSERT INTO t VALUES (1) RETURNING id'");
  scene.folder.write("v.sql",
                     "-- expect: rows\nSELECT pg_catalog.set_config('transaction_read_only', 'off', true);\n"
                     "-- expect: rows\nSELECT put();\n"
                     "-- expect: rows\nWITH x AS (INSERT INTO t VALUES (2) RETURNING id) SELECT * FROM x;\n"
                     "-- expect: 0\nSELECT count(*) FROM t;\n");
  const Json answer = scene.json({"verify", "v.sql"});
  EXPECT_EQ(answer["exit_code"], 18);
  EXPECT_EQ(answer["queries"][1]["passed"], false) << answer;
  EXPECT_EQ(answer["queries"][2]["passed"], false) << answer;
  EXPECT_EQ(answer["queries"][3]["passed"], true) << answer;
  EXPECT_EQ(scene.database.connect().column("SELECT count(*)::text FROM t").front(), "0");
}

TEST(Verify, EndsAQueryThatTakesTooLong) {
  CliScene scene;
  scene.folder.write("v.sql", "-- expect: rows\nSELECT pg_sleep(30);\n-- expect: 1\nSELECT 1;\n");
  const Json answer = scene.json({"verify", "v.sql", "--timeout", "200ms"});
  EXPECT_EQ(answer["failed"], 1) << answer;
  EXPECT_THAT(answer["queries"][0]["error"].get<std::string>(), HasSubstr("57014"));
}

}  // namespace
TEST(Verify, CountsRowsWithoutFetchingThem) {
  CliScene scene;
  scene.folder.write("v.sql",
                     "SELECT generate_series(1, 3000000), repeat('x', 100);\n-- expect: rows\nSELECT generate_series(1, 7);\n"
                     "-- expect: UTF8\nSHOW server_encoding;\n");
  const Json answer = scene.json({"verify", "v.sql"});
  EXPECT_EQ(answer["exit_code"], 18) << answer;
  EXPECT_EQ(answer["queries"][0]["found"], "3000000 rows");
  EXPECT_EQ(answer["queries"][1]["passed"], true);
  EXPECT_EQ(answer["queries"][2]["passed"], true) << answer;
}

TEST(Verify, NamesTheQueryWhoseValueIsTooLarge) {
  CliScene scene;
  scene.folder.write("v.sql", "-- expect: 1\nSELECT 1;\nSELECT repeat('x', 70000000);\n");
  EXPECT_THAT(scene.run({"verify", "v.sql"}).err, HasSubstr("v.sql:3: "));
}

}  // namespace athanor::test
