// Tables that join, leave or follow their parents, and tables that become unlogged: each pair converges both ways in both
// styles.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/schema_pair.hpp"

namespace athanor::test {
namespace {

using schema::DataLoss;
using schema::Style;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

std::vector<std::string> converged(const std::string& from, const std::string& to) {
  SchemaPair plain(from, to);
  EXPECT_EQ(plain.converge(Style::Plain), "");
  SchemaPair pair(from, to);
  EXPECT_EQ(pair.converge(Style::Online), "");
  EXPECT_EQ(pair.go(Style::Online), "");
  return pair.statements();
}

TEST(SchemaInheritance, GivesAPartitionTheNewColumnOfItsParentBeforeItsBoundsChange) {
  const auto schema = [](const std::string& columns, const std::string& to) {
    return "CREATE TABLE ev (id int, at date" + columns + ") PARTITION BY RANGE (at);" +
           "CREATE TABLE ev1 PARTITION OF ev FOR VALUES FROM ('2020-01-01') TO ('" + to + "');";
  };
  EXPECT_THAT(converged(schema("", "2021-01-01"), schema(", x text NOT NULL DEFAULT 'a'", "2022-01-01")),
              ElementsAre(HasSubstr("ALTER TABLE public.ev ADD COLUMN x"), HasSubstr("DETACH PARTITION public.ev1"),
                          HasSubstr("ATTACH PARTITION public.ev1")));
  converged(schema(", x int", "2021-01-01"), schema(", x bigint", "2022-01-01"));
  converged(schema(", x int CONSTRAINT c CHECK (x > 0)", "2021-01-01"),
            schema(", x int NOT NULL, y int CONSTRAINT d CHECK (y > 0)", "2022-01-01"));
}

TEST(SchemaInheritance, MovesBoundsBelowAParentOfAParentThatGetsAColumn) {
  const auto schema = [](const std::string& columns, const std::string& to) {
    return "CREATE TABLE t (a int, b int" + columns + ") PARTITION BY RANGE (a);" +
           "CREATE TABLE m PARTITION OF t FOR VALUES FROM (0) TO (10) PARTITION BY RANGE (b);" +
           "CREATE TABLE l PARTITION OF m FOR VALUES FROM (0) TO (" + to + ");";
  };
  converged(schema("", "5"), schema(", x text", "6"));
}

TEST(SchemaInheritance, KeepsTheIndexesOfThePartitionsThatStay) {
  const std::string table =
      "CREATE TABLE m (a int, b int) PARTITION BY LIST (a); CREATE TABLE p1 PARTITION OF m FOR VALUES IN (55);";
  const std::string index = "CREATE INDEX m_b ON m (b);";
  SchemaPair pair(table + "CREATE TABLE d PARTITION OF m FOR VALUES IN (2);" + index, table + index);
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_THAT(pair.statements(), ElementsAre("DROP TABLE public.d"));
  ASSERT_EQ(pair.go_back(Style::Online), "");
}

TEST(SchemaInheritance, DropsTheCheckThatConcurrentDetachingLeaves) {
  const std::string parent = "CREATE TABLE f (a int, b text) PARTITION BY LIST (lower(b));";
  converged(parent + "CREATE TABLE f1 PARTITION OF f FOR VALUES IN ('a');", parent + "CREATE TABLE f1 (a int, b text);");
}

TEST(SchemaInheritance, MakesATypedTableAPartition) {
  const std::string parent = "CREATE TYPE comp AS (c1 int, c2 text); CREATE TABLE f (c1 int, c2 text) PARTITION BY LIST (c2);";
  converged(parent + "CREATE TABLE f1 OF comp;", parent + "CREATE TABLE f1 PARTITION OF f FOR VALUES IN ('a');");
}

TEST(SchemaInheritance, AttachesATableToAParentThatChangesAsWell) {
  converged("CREATE TABLE t (id int, at int) PARTITION BY RANGE (at); CREATE TABLE t1 (id bigint, at int, b text);",
            "CREATE TABLE t (id int NOT NULL, at int, c int DEFAULT 4, CONSTRAINT pos CHECK (id > 0)) PARTITION BY RANGE (at);"
            "CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (9);");
}

TEST(SchemaInheritance, DetachesAllPartitionsWhoseBoundsChangeBeforeItAttachesOne) {
  const auto schema = [](const std::string& border) {
    return "CREATE TABLE t (a int) PARTITION BY RANGE (a); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (" + border +
           "); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (" + border + ") TO (20);";
  };
  converged(schema("5"), schema("9"));
}

TEST(SchemaInheritance, NeverDropsAColumnThatBecomesInherited) {
  const std::string parent = "CREATE TABLE p (a int);";
  const auto statements = converged(parent + "CREATE TABLE c (a int, b int);", parent + "CREATE TABLE c (b int) INHERITS (p);");
  EXPECT_THAT(statements, ElementsAre("ALTER TABLE public.c INHERIT public.p"));
}

TEST(SchemaInheritance, SeesNoDifferenceInAChildThatWasAttached) {
  const std::string parent = "CREATE TABLE p (a int NOT NULL DEFAULT 4, CONSTRAINT positive CHECK (a > 0));";
  SchemaPair pair(parent +
                      "CREATE TABLE c (a int NOT NULL DEFAULT 4, b int, CONSTRAINT positive CHECK (a > 0));"
                      "ALTER TABLE c INHERIT p;",
                  parent + "CREATE TABLE c (b int) INHERITS (p);");
  EXPECT_EQ(pair.converge(), "");
  EXPECT_TRUE(pair.plan().empty()) << text_of(pair.plan());
}

TEST(SchemaInheritance, MakesAChildThatDeclaresItsInheritedColumnsAgain) {
  const std::string schema =
      "CREATE TABLE p (a varchar(9) COLLATE \"C\", CONSTRAINT k CHECK (a <> ''));"
      "CREATE TABLE c (a varchar(9) COLLATE \"C\", b int, CONSTRAINT k CHECK (a <> '')) INHERITS (p);";
  SchemaPair pair("", schema);
  ASSERT_EQ(pair.go(Style::Online), "");
  EXPECT_EQ(dump_difference(pair.database().url(), pair.wanted().url()), "");
}

TEST(SchemaInheritance, AddsASecondParentAndLeavesTheFirstAlone) {
  const std::string parents = "CREATE TABLE p (a int); CREATE TABLE q (a int, z int);";
  EXPECT_THAT(converged(parents + "CREATE TABLE c (b int) INHERITS (p);", parents + "CREATE TABLE c (b int) INHERITS (p, q);"),
              ElementsAre("ALTER TABLE public.c ADD COLUMN z integer", "ALTER TABLE public.c INHERIT public.q"));
  converged(parents + "CREATE TABLE c (b int) INHERITS (p, q);", parents + "CREATE TABLE c (b int) INHERITS (q, p);");
}

TEST(SchemaInheritance, DropsTheColumnsOfAParentThatIsLeft) {
  const std::string parent = "CREATE TABLE p (a int, k int);";
  EXPECT_THAT(converged(parent + "CREATE TABLE c (b int) INHERITS (p);", parent + "CREATE TABLE c (k int, b int);"),
              ElementsAre("ALTER TABLE public.c NO INHERIT public.p", "ALTER TABLE public.c DROP COLUMN a"));
}

TEST(SchemaInheritance, ChangesTheDefaultThatComesFromAParentWhenTheParentChanges) {
  converged("CREATE TABLE p1 (f3 int); CREATE TABLE p2 (id bigserial NOT NULL); CREATE TABLE t (f1 int) INHERITS (p2);",
            "CREATE TABLE p1 (id bigserial NOT NULL); CREATE TABLE t (f1 int) INHERITS (p1);");
  converged("CREATE TABLE p (a int DEFAULT 5, b int DEFAULT 6, c int DEFAULT 7); CREATE TABLE t () INHERITS (p);",
            "CREATE TABLE p (a int DEFAULT 5, b int DEFAULT 6); CREATE TABLE t (a int, b int DEFAULT 6, c int DEFAULT 8);");
}

TEST(SchemaInheritance, DropsAColumnFromChildrenThatDeclareItAsWell) {
  const std::string attached = "CREATE TABLE c (a int, k int, b int); ALTER TABLE c INHERIT p;";
  const std::string deeper = "CREATE TABLE d (a int) INHERITS (c);";
  converged("CREATE TABLE p (a int, k int);" + attached + deeper,
            "CREATE TABLE p (k int); CREATE TABLE c (b int) INHERITS (p); CREATE TABLE d () INHERITS (c);");
  // One child keeps it as its own, the other does not.
  converged("CREATE TABLE p (a int, k int); CREATE TABLE c () INHERITS (p); CREATE TABLE e () INHERITS (p);",
            "CREATE TABLE p (k int); CREATE TABLE c (a int) INHERITS (p); CREATE TABLE e () INHERITS (p);");
}

TEST(SchemaInheritance, DropsACheckFromChildrenThatDeclareItAsWell) {
  const std::string check = "CONSTRAINT k CHECK (a > 0)";
  converged("CREATE TABLE p (a int, " + check + "); CREATE TABLE c (a int, " + check + "); ALTER TABLE c INHERIT p;",
            "CREATE TABLE p (a int); CREATE TABLE c () INHERITS (p);");
  converged("CREATE TABLE p (a int, " + check + "); CREATE TABLE c (a int, " + check + "); ALTER TABLE c INHERIT p;",
            "CREATE TABLE p (a int); CREATE TABLE c (" + check + ") INHERITS (p);");
}

TEST(SchemaInheritance, ChangesHowATableIsPartitionedAndKeepsTheRowsOfPartitionsThatStay) {
  const std::string columns = "CREATE TABLE p (id int, region text, at date) PARTITION BY ";
  const std::string from = columns + "LIST (region); CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('eu');";
  const std::string to =
      columns + "RANGE (at); CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');";
  SchemaPair pair(from, to);
  pair.database().run("INSERT INTO p VALUES (1, 'eu', '2020-05-05')");
  ASSERT_EQ(pair.converge(), "");
  EXPECT_EQ(pair.database().value("SELECT count(*) FROM p"), "1");
  for (const auto& step : pair.plan().steps) {
    for (const auto& statement : step.statements) {
      EXPECT_EQ(statement.loss, DataLoss::None) << statement.sql;
    }
  }
  converged(from, to);
  converged(from, columns + "HASH (id); CREATE TABLE h PARTITION OF p FOR VALUES WITH (modulus 1, remainder 0);");
  converged(from,
            "CREATE TABLE p (id bigint NOT NULL, at date, x text) PARTITION BY RANGE (at);"
            "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');");
}

TEST(SchemaPersistence, FollowsForeignKeys) {
  const auto schema = [](const std::string& kind) {
    return "CREATE " + kind + " TABLE t (a int PRIMARY KEY, self int REFERENCES t); CREATE " + kind +
           " TABLE u (a int PRIMARY KEY REFERENCES t); CREATE " + kind + " TABLE a (a int REFERENCES u);";
  };
  EXPECT_THAT(converged(schema(""), schema("UNLOGGED")),
              ElementsAre("ALTER TABLE public.a SET UNLOGGED", "ALTER TABLE public.u SET UNLOGGED",
                          "ALTER TABLE public.t SET UNLOGGED"));
  EXPECT_THAT(
      converged(schema("UNLOGGED"), schema("")),
      ElementsAre("ALTER TABLE public.t SET LOGGED", "ALTER TABLE public.u SET LOGGED", "ALTER TABLE public.a SET LOGGED"));
}

TEST(SchemaPersistence, RecreatesOneForeignKeyOfACircle) {
  const auto schema = [](const std::string& kind) {
    return "CREATE " + kind + " TABLE t (a int PRIMARY KEY, b int); CREATE " + kind +
           " TABLE u (a int PRIMARY KEY, b int CONSTRAINT to_t REFERENCES t);"
           "ALTER TABLE t ADD CONSTRAINT to_u FOREIGN KEY (b) REFERENCES u;";
  };
  converged(schema(""), schema("UNLOGGED"));
}

TEST(SchemaPersistence, AddsAForeignKeyToATableThatBecomesLogged) {
  converged("CREATE UNLOGGED TABLE t (a int PRIMARY KEY); CREATE TABLE b (a int);",
            "CREATE TABLE t (a int PRIMARY KEY); CREATE TABLE b (a int REFERENCES t);");
}

TEST(SchemaPublication, ReplacesTheEntryOfATableWhoseColumnChanges) {
  const auto schema = [](const std::string& type, const std::string& condition) {
    return "CREATE TABLE t (id int PRIMARY KEY, v " + type + "); CREATE TABLE o (id int PRIMARY KEY); CREATE PUBLICATION " +
           "\"Pub\" FOR TABLE o, t (id, v) WHERE (" + condition + ");";
  };
  SchemaPair version(schema("int", "v > 1"), schema("int", "v > 1"));
  if (version.before().server_version < 150000) {
    GTEST_SKIP() << "publications have conditions from PostgreSQL 15 on";
  }
  const auto statements = converged(schema("int", "v > 1"), schema("bigint", "v > 1"));
  EXPECT_THAT(statements, IsSupersetOf({HasSubstr("ALTER PUBLICATION \"Pub\" DROP TABLE public.t"),
                                        HasSubstr("ALTER TABLE public.t ALTER COLUMN v TYPE bigint")}));
  EXPECT_THAT(statements, Not(Contains(HasSubstr("DROP PUBLICATION"))));
  converged(schema("int", "v > 1"), schema("bigint", "v > 2"));
  const auto enums = [](const std::string& labels) {
    return "CREATE TYPE e AS ENUM (" + labels +
           "); CREATE TABLE t (id int, s e, PRIMARY KEY (id, s)); CREATE PUBLICATION p "
           "FOR TABLE t (id, s);";
  };
  converged(enums("'a', 'b'"), enums("'b'"));
}

}  // namespace
}  // namespace athanor::test
