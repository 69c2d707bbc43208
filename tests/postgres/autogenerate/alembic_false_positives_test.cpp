// Where Alembic's autogenerate sees a difference that is none, or drops what nobody wanted dropped: nothing is written here.
#include "tests/postgres/autogenerate/schema_scene.hpp"

namespace athanor {
namespace {

using test::SchemaScene;
using testing::HasSubstr;
using testing::Not;

// Models that were followed once differ no more.
void follow_models_twice(const std::string& models) {
  SchemaScene scene;
  scene.use_models();
  scene.models(models);
  scene.follow_desired();
  scene.expect_no_difference();
}

TEST(AlembicFalsePositives, RealAndFloat) {
  follow_models_twice(
      "Table('t', metadata, Column('a', REAL), Column('b', Float), Column('c', Float(24)), Column('d', Float(53)))\n");
}

TEST(AlembicFalsePositives, CharOfALength) {
  follow_models_twice(
      "Table('t', metadata, Column('a', CHAR(3)), Column('b', CHAR), Column('c', String(20)), Column('d', VARCHAR))\n");
}

TEST(AlembicFalsePositives, ArraysOfText) {
  follow_models_twice(
      "Table('t', metadata, Column('a', ARRAY(Text)), Column('b', ARRAY(String(5))), Column('c', ARRAY(Integer, "
      "dimensions=2)))\n");
}

TEST(AlembicFalsePositives, EnumInPublic) {
  follow_models_twice("Table('t', metadata, Column('a', Enum('x', 'y', name='letter', schema='public')))\n");
}

TEST(AlembicFalsePositives, ForeignKeyToAnExplicitPublic) {
  follow_models_twice(
      "Table('p', metadata, Column('id', Integer, primary_key=True), schema='public')\n"
      "Table('c', metadata, Column('p', ForeignKey('public.p.id')))\n");
}

TEST(AlembicFalsePositives, ExpressionsThatPostgresRewrites) {
  follow_models_twice(
      "Table('t', metadata, Column('a', Text, CheckConstraint(\"a IN ('x', 'y')\", name='c')), Column('n', Integer, "
      "server_default=text('1 + 1')), Index('i', text('lower(a)'), postgresql_where=text(\"a <> ''\")))\n");
}

TEST(AlembicFalsePositives, UniqueIndexAgainstConstraint) {
  follow_models_twice(
      "Table('t', metadata, Column('a', Integer), Column('b', Integer), UniqueConstraint('a', name='u'), Index('v', 'b', "
      "unique=True))\n");
}

TEST(AlembicFalsePositives, VolatileNullAndJsonDefaults) {
  follow_models_twice(
      "Table('t', metadata, Column('a', DateTime(timezone=True), server_default=func.now()), Column('b', Text, "
      "server_default=text('NULL')), Column('c', JSON, server_default=text(\"'{}'\")), Column('d', JSONB, "
      "server_default='{\"a\": 1}'), Column('e', UUID, server_default=text('gen_random_uuid()')))\n");
}

TEST(AlembicFalsePositives, IdentityComputedAndSequences) {
  follow_models_twice(
      "Table('t', metadata, Column('id', BigInteger, Identity(always=True), primary_key=True), Column('a', Integer), "
      "Column('b', "
      "Integer, Computed('a * 2')), Column('n', Integer, Sequence('n_seq'), server_default=Sequence('n_seq').next_value()))\n");
}

TEST(AlembicFalsePositives, PartitionChildrenAreNeverDropped) {
  SchemaScene scene;
  scene.use_models();
  const std::string parent =
      "Table('t', metadata, Column('id', Integer), Column('at', Date), postgresql_partition_by='RANGE (at)')\n";
  scene.models(parent);
  scene.follow_desired();
  scene.folder.write(
      "migrations/versions/aaaa00000001_partitions.sql",
      "-- Partitions\n--\n-- Revision: aaaa00000001\n-- Revises: " + scene.json({"heads"})["heads"][0].get<std::string>() +
          "\n\n-- athanor:upgrade\nCREATE TABLE t_2026 PARTITION OF t FOR VALUES FROM ('2026-01-01') TO "
          "('2027-01-01');\nCREATE TABLE t_rest PARTITION OF t DEFAULT;\nCREATE TABLE old (id int);\nCREATE TABLE "
          "old_child (x int) INHERITS (old);\n\n-- athanor:downgrade\nDROP TABLE t_2026, t_rest, old, old_child;\n");
  scene.upgrade();
  scene.models(parent + "Table('old', metadata, Column('id', Integer))\n");
  scene.expect_no_difference();
  scene.models(
      "Table('t', metadata, Column('id', Integer), Column('at', Date), Column('note', Text), "
      "postgresql_partition_by='RANGE (at)')\nTable('old', metadata, Column('id', Integer))\n");
  EXPECT_THAT(scene.follow_desired(), Not(HasSubstr("DROP TABLE public.t_2026")));
  EXPECT_TRUE(scene.database.has_relation("t_2026"));
}

TEST(AlembicFalsePositives, WhatModelsCannotSayStays) {
  SchemaScene scene;
  scene.use_models();
  const std::string model = "Table('t', metadata, Column('id', Integer), Column('v', Text))\n";
  scene.models(model);
  scene.follow_desired();
  scene.folder.write(
      "migrations/versions/aaaa00000001_more.sql",
      "-- More\n--\n-- Revision: aaaa00000001\n-- Revises: " + scene.json({"heads"})["heads"][0].get<std::string>() +
          "\n\n-- athanor:upgrade\nCREATE SCHEMA audit;\nCREATE VIEW ids AS SELECT id FROM t;\nCREATE FUNCTION one() RETURNS "
          "int "
          "LANGUAGE sql AS 'SELECT 1';\nALTER TABLE t ENABLE ROW LEVEL SECURITY;\nCREATE POLICY p ON t USING (true);\nALTER "
          "TABLE t "
          "ALTER v SET STORAGE EXTERNAL;\nCOMMENT ON VIEW ids IS 'kept';\nCREATE SEQUENCE numbers;\n\n-- "
          "athanor:downgrade\nSELECT 1;\n");
  scene.upgrade();
  scene.expect_no_difference();
  EXPECT_EQ(scene.run({"check"}).exit_code, 0);
  scene.models("Table('t', metadata, Column('id', BigInteger), Column('v', Text))\n");
  const auto revision = scene.follow_desired();
  EXPECT_THAT(revision, HasSubstr("CREATE VIEW public.ids"));
  EXPECT_EQ(scene.database.value("SELECT obj_description('ids'::regclass)"), "kept");
}

}  // namespace
}  // namespace athanor
