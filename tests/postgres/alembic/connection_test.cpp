// What a revision does with its connection: transactions of its own, questions whose answer the server can give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/postgres/alembic/import_fixture.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ImportedConnection : public AddedRevision {
 protected:
  void refused(std::string_view body, std::string_view reason) const {
    add(body);
    const ProcessResult result = scene_.import({"--json"});
    EXPECT_EQ(result.exit_code, 4) << body;
    EXPECT_THAT(result.out, HasSubstr(reason)) << body;
  }
};

TEST_F(ImportedConnection, ACommitEndsAStepWithAWarning) {
  // What comes behind a commit() is only kept by an env.py that commits once more.
  std::string environment = read_file(scene_.file("env.py"));
  const std::size_t last = environment.rfind("            context.run_migrations()\n");
  environment.insert(environment.find('\n', last) + 1, "            connection.commit()\n");
  write_file(scene_.file("env.py"), environment);
  add(R"py(def upgrade():
    op.create_table("p", sa.Column("n", sa.Text))
    op.get_bind().commit()
    op.execute("INSERT INTO p VALUES ('a')")
    op.get_bind().commit()
    with op.get_context().autocommit_block():
        op.create_index("pn", "p", ["n"], postgresql_concurrently=True)
    op.execute("INSERT INTO p VALUES ('b')")
)py");
  EXPECT_THAT(imported().at("warnings").dump(), HasSubstr("its commit() became the end of a step"));
  EXPECT_THAT(file(), HasSubstr(");\n\n-- athanor:step transaction\nINSERT INTO p VALUES ('a');\n\n"
                                "-- athanor:step autocommit\nCREATE INDEX CONCURRENTLY pn ON p (n);\n\n"
                                "-- athanor:step transaction\nINSERT INTO p VALUES ('b');\n"));
  same_through_both();
}

TEST_F(ImportedConnection, WhatIsRolledBackIsNotInTheFile) {
  add(R"py(def upgrade():
    bind = op.get_bind()
    op.execute("INSERT INTO team VALUES (1, 'stays')")
    nested = bind.begin_nested()
    op.execute("INSERT INTO team VALUES (2, 'goes')")
    nested.rollback()
    with bind.begin_nested():
        op.execute("INSERT INTO team VALUES (3, 'stays too')")
)py");
  EXPECT_THAT(imported().at("warnings").dump(), HasSubstr("uses a savepoint"));
  EXPECT_THAT(file(), Not(HasSubstr("goes")));
  same_through_both();
}

TEST_F(ImportedConnection, AnOrmSessionThatOnlyWritesIsRendered) {
  add(R"py(from sqlalchemy.orm import Session, declarative_base


class Team(declarative_base()):
    __tablename__ = "team"
    id = sa.Column(sa.Integer, primary_key=True)
    name = sa.Column(sa.Text)


def upgrade():
    session = Session(bind=op.get_bind())
    session.add_all([Team(id=1, name="it's"), Team(id=2, name="50%")])
    session.flush()
    session.execute(sa.update(Team).where(Team.id == 2).values(name="b"))
    session.commit()
    session.close()
)py");
  static_cast<void>(imported());
  same_through_both();
}

TEST_F(ImportedConnection, WhatOnlyADatabaseKnowsIsRefusedWithTheReason) {
  refused(
      "def upgrade():\n    import sqlalchemy.orm\n    sqlalchemy.orm.Session(bind=op.get_bind()).query(sa.text('1')).count()\n",
      "reads the result of a statement");
  refused(
      "def upgrade():\n    try:\n        op.get_bind().execute(sa.text('SELECT 1')).fetchone()\n"
      "    except Exception:\n        pass\n",
      "reads the result of a statement");
  refused("def upgrade():\n    op.get_bind().scalar(sa.text('SELECT current_schema()'))\n", "reads the result of a statement");
  refused("def upgrade():\n    op.get_bind().engine.connect()\n", "opens its own connection");
  refused("def upgrade():\n    sa.create_engine('postgresql+psycopg2://127.0.0.1:1/x').connect()\n",
          "opens its own connection");
  refused(
      "def upgrade():\n    n = op.get_bind().execute(sa.insert(sa.Table('team', sa.MetaData(), sa.Column('id', sa.Integer,"
      " primary_key=True), sa.Column('name', sa.Text))).values(name='x')).inserted_primary_key\n"
      "    op.execute('SELECT %s' % n[0])\n",
      "which only a database can give");
}

TEST_F(ImportedConnection, CheckfirstIsAskedOfTheServer) {
  constexpr std::string_view kBody = R"py(from sqlalchemy.dialects import postgresql

kind = postgresql.ENUM("a", "b", name="kind", create_type=False)
shared = sa.Table("shared", sa.MetaData(), sa.Column("k", kind, index=True), sa.Column("n", sa.Integer, comment="it's"))


def upgrade():
    kind.create(op.get_bind(), checkfirst=True)
    shared.create(op.get_bind(), checkfirst=True)
    sa.Table("gone", sa.MetaData()).drop(op.get_bind(), checkfirst=True)
    op.execute("INSERT INTO shared VALUES ('a', 1)")
)py";
  add(kBody);
  add(kBody, {}, "0badc0de2001", kAdded);
  static_cast<void>(imported());
  EXPECT_THAT(file(), HasSubstr("DROP TABLE IF EXISTS gone;"));
  same_through_both("0badc0de2001");
}

TEST_F(ImportedConnection, CreateAllMakesOnlyWhatIsMissing) {
  add(R"py(meta = sa.MetaData()
sa.Table("team", meta, sa.Column("id", sa.Integer, primary_key=True))
sa.Table("left_side", meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("team", sa.ForeignKey("team.id"), index=True))
sa.Table("right_side", meta, sa.Column("id", sa.Integer, primary_key=True), sa.Column("s", sa.Enum("x", name="side_kind")))


def upgrade():
    meta.create_all(op.get_bind())
)py");
  static_cast<void>(imported());
  same_through_both();
}

TEST_F(ImportedConnection, ATypeThatTwoRevisionsCreateIsCreatedOnceWithAWarning) {
  add("def upgrade():\n    op.create_table('t1', sa.Column('k', sa.Enum('a', name='twice')))\n");
  add("def upgrade():\n    op.create_table('t2', sa.Column('k', sa.Enum('a', name='twice')))\n", {}, "0badc0de2001", kAdded);
  EXPECT_THAT(imported().at("warnings").dump(), HasSubstr("creates the type twice, as 0badc0de2000 does"));
  same_through_both("0badc0de2001");
}

}  // namespace
}  // namespace athanor::test
