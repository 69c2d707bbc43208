// env.py runs first, as Alembic would run it, whatever it is like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/postgres/alembic/import_fixture.hpp"

namespace athanor::test {
namespace {

using ::testing::HasSubstr;

class ImportedEnvironment : public AddedRevision {
 protected:
  void env_py(const std::string& text) const { write_file(scene_.file("env.py"), text); }
};

TEST_F(ImportedEnvironment, RunsBeforeTheRevisionsAreLoaded) {
  std::filesystem::create_directories(scene_.file("src/shop"));
  write_file(scene_.file("src/shop/__init__.py"), "TABLE = 'from_the_project'\n");
  env_py(
      "import os\nimport sys\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'src'))\nos.environ['WIDTH'] = '7'\n" +
      read_file(scene_.file("env.py")));
  add("def upgrade():\n    op.create_table(shop.TABLE, sa.Column('n', sa.String(int(os.environ['WIDTH']))))\n",
      "import os\nimport shop\n");
  static_cast<void>(imported());
  same_through_both();
}

// An env.py that only works online, in a coroutine, and has an argument for every upgrade().
TEST_F(ImportedEnvironment, NeedsNoOfflineBranch) {
  env_py(R"py(import asyncio
import os

from alembic import context
from sqlalchemy import create_engine, pool


def migrate(connection):
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations(tenant="acme")


async def run():
    engine = create_engine(os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg2://", 1), poolclass=pool.NullPool)
    with engine.connect() as connection:
        migrate(connection)
        connection.commit()


if context.is_offline_mode():
    raise NotImplementedError("offline")
asyncio.run(run())
)py");
  for (const auto& entry : std::filesystem::directory_iterator(scene_.file("versions"))) {
    std::filesystem::remove_all(entry.path());
  }
  scene_.add_version(kAdded, "None",
                     "def upgrade(tenant):\n    op.execute('CREATE TABLE %s (n int)' % tenant)\n\n\n"
                     "def downgrade(tenant):\n    op.drop_table(tenant)\n");
  static_cast<void>(imported());
  EXPECT_THAT(file(), HasSubstr("CREATE TABLE acme (n int);"));
  same_through_both();
}

TEST_F(ImportedEnvironment, OfARevisionIsNotOffline) {
  add("def upgrade():\n    if context.is_offline_mode():\n        op.execute('SELECT 1')\n    else:\n"
      "        op.execute('CREATE TABLE online (n int)')\n",
      "from alembic import context\n");
  static_cast<void>(imported());
  same_through_both();
}

TEST_F(ImportedEnvironment, OfFlaskMigrateIsItsApplication) {
  const std::string shop = scene_.file("shop");
  std::filesystem::create_directories(shop);
  write_file(shop + "/app.py",
             "from flask import Flask\nfrom flask_migrate import Migrate\nfrom flask_sqlalchemy import SQLAlchemy\n\n"
             "app = Flask(__name__)\napp.config['SQLALCHEMY_DATABASE_URI'] = 'postgresql+psycopg2://localhost/any'\n"
             "db = SQLAlchemy(app)\nMigrate(app, db)\n");
  ProcessOptions options;
  options.directory = shop;
  options.environment = {{"FLASK_APP", std::nullopt}, {"PYTHONDONTWRITEBYTECODE", "1"}};
  ASSERT_EQ(run_process({python_with_alembic(), "-m", "flask", "--app", "app", "db", "init"}, options).exit_code, 0);
  write_file(
      shop + "/migrations/versions/f1.py",
      "import sqlalchemy as sa\nfrom alembic import op\nfrom app import db\n\nrevision = 'f1'\ndown_revision = None\n\n\n"
      "def upgrade():\n    assert db\n    op.create_table('t', sa.Column('n', sa.Integer))\n\n\n"
      "def downgrade():\n    op.drop_table('t')\n");
  int number = 0;
  for (const std::vector<std::string>& flags : {std::vector<std::string>{}, {"--flask", "app"}, {"--flask", "app:app"}}) {
    std::vector<std::string> words{athanor_binary(), "import",
                                   "alembic",        shop + "/migrations",
                                   "--python",       python_with_alembic(),
                                   "--output",       shop + "/out" + std::to_string(number)};
    words.insert(words.end(), flags.begin(), flags.end());
    const ProcessResult result = run_process(words, options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_THAT(read_file(shop + "/out" + std::to_string(number++) + "/f1.sql"), HasSubstr("CREATE TABLE t"));
  }
  std::filesystem::remove(shop + "/app.py");
  const ProcessResult without =
      run_process({athanor_binary(), "import", "alembic", shop + "/migrations", "--python", python_with_alembic()}, options);
  EXPECT_EQ(without.exit_code, 4);
  EXPECT_THAT(without.err, HasSubstr("--flask"));
}

TEST_F(ImportedEnvironment, MayHaveIdsLongerThanAlembicsColumn) {
  const std::string id = "0002_add_customer_loyalty_programme_tables";
  add("def upgrade():\n    op.execute('ALTER TABLE alembic_version ALTER COLUMN version_num TYPE varchar(255)')\n");
  add("def upgrade():\n    op.create_table('p', sa.Column('id', sa.Integer))\n", {}, id, kAdded);
  static_cast<void>(imported());
  same_through_both(id);
  TestDatabase narrow("narrow");
  scene_.succeed(Tool::Alembic, narrow, {"upgrade", std::string(kFirst)});
  const ProcessResult refused = scene_.run(Tool::Athanor, narrow, {"upgrade", id});
  EXPECT_NE(refused.exit_code, 0);
  EXPECT_THAT(refused.err, HasSubstr("holds 32 characters, and revision " + id + " has 42; nothing was applied"));
  EXPECT_THAT(refused.err, HasSubstr("ALTER COLUMN version_num TYPE varchar(255)"));
}

}  // namespace
}  // namespace athanor::test
