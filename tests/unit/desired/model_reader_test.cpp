#include "migrations/models/model_reader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "migrations/base/process.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

struct Models {
  test::TempFolder folder;
  ModelSettings settings;

  explicit Models(std::string target) {
    settings.targets = {std::move(target)};
    settings.python = test::python_with_alembic();
    settings.folder = folder.string();
    settings.sys_path = {folder.string()};
    settings.server_major = 15;
    settings.environment = inherited_environment();
  }
  Result<ModelSchema> read() const { return read_models(settings, StopToken()); }
  std::string statements() const {
    const auto schema = read();
    if (!schema) {
      return "error: " + schema.error().describe() + " | " + schema.error().hint;
    }
    std::string text;
    for (const std::string& statement : schema->statements) {
      text += statement + ";\n";
    }
    return text;
  }
};

constexpr const char* kHero =
    "from typing import Optional\nfrom sqlmodel import Field, SQLModel\n\n\nclass Hero(SQLModel, table=True):\n"
    "    id: Optional[int] = Field(default=None, primary_key=True)\n    name: str = Field(index=True)\n";

TEST(ReadModels, WritesASQLModelAsSql) {
  const Models models("shop.models:SQLModel.metadata");
  models.folder.write("shop/__init__.py", "print('noise on standard output')\n");
  models.folder.write("shop/models.py", kHero);
  EXPECT_EQ(models.statements(),
            "CREATE TABLE hero (\n\tid SERIAL NOT NULL, \n\tname VARCHAR NOT NULL, \n\tPRIMARY KEY (id)\n);\n"
            "CREATE INDEX ix_hero_name ON hero (name);\n");
}

TEST(ReadModels, WritesEventsEnumsSchemasSequencesCommentsAndSeveralMetadata) {
  Models models("m:first");
  models.settings.targets = {"m:first", "m:second"};
  models.folder.write("m.py", R"(
import enum
from sqlalchemy import DDL, Column, Enum, Integer, MetaData, Sequence, Table, Text, CheckConstraint, event, text

class Color(enum.Enum):
    red = "red"
    blue = "blue"

first = MetaData(schema="shop")
second = MetaData()
number = Sequence("number", metadata=first)
orders = Table("orders", first, Column("id", Integer, number, primary_key=True), Column("color", Enum(Color, name="color", inherit_schema=True)),
               Column("note", Text, comment="what they said", server_default=text("'100% ok'")), CheckConstraint("note <> '%'", name="no_percent"))
event.listen(orders, "after_create", DDL("CREATE VIEW shop.totals AS SELECT 1 AS one WHERE 'a' LIKE 'a%%'"))

@event.listens_for(second, "after_create")
def make(target, connection, **_kw):
    connection.execute(text("CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'"))
    connection.exec_driver_sql("CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'")

Table("plain", second, Column("id", Integer, primary_key=True), Column("color", Enum(Color, name="color", schema="shop")))
)");
  const std::string text = models.statements();
  EXPECT_THAT(text, StartsWith("CREATE SCHEMA IF NOT EXISTS shop;\n"));
  EXPECT_THAT(text, HasSubstr("CREATE SEQUENCE shop.number"));
  EXPECT_THAT(text, HasSubstr("CREATE TYPE shop.color AS ENUM ('red', 'blue')"));
  EXPECT_EQ(text.find("CREATE TYPE shop.color"), text.rfind("CREATE TYPE shop.color"));
  EXPECT_THAT(text, HasSubstr("DEFAULT '100% ok'"));
  EXPECT_THAT(text, HasSubstr("CHECK (note <> '%')"));
  EXPECT_THAT(text, HasSubstr("COMMENT ON COLUMN shop.orders.note IS 'what they said'"));
  EXPECT_THAT(text, HasSubstr("WHERE 'a' LIKE 'a%'"));
  EXPECT_THAT(text, HasSubstr("CREATE FUNCTION one()"));
  EXPECT_THAT(text, HasSubstr("CREATE FUNCTION two()"));
}

TEST(ReadModels, WritesForTheVersionOfTheServer) {
  Models models("m:metadata");
  models.folder.write("m.py",
                      "from sqlalchemy import *\nmetadata = MetaData()\nTable('t', metadata, Column('a', Integer), Column('b', "
                      "Integer, Computed('a * 2')), Column('c', Text, server_default='a\\\\b'))\n");
  EXPECT_THAT(models.statements(), HasSubstr("GENERATED ALWAYS AS (a * 2) STORED"));
  EXPECT_THAT(models.statements(), HasSubstr("DEFAULT 'a\\b'"));
}

TEST(ReadModels, SaysWhichModuleIsMissingAndWhereItLooked) {
  const Models models("shop.models:SQLModel.metadata");
  const std::string text = models.statements();
  EXPECT_THAT(text, HasSubstr("no Python module `shop` in: " + models.folder.string()));
  EXPECT_THAT(text, HasSubstr("set prepend_sys_path in athanor.yaml to the folder that contains `shop`"));
}

TEST(ReadModels, SaysWhichLibraryIsMissingAndWhoImportsIt) {
  const Models models("m:metadata");
  models.folder.write("m.py", "import sqlalchemy\nimport no_such_library\n");
  const std::string text = models.statements();
  EXPECT_THAT(text, StartsWith("error: m.py:2: importing `m` needs the module `no_such_library`"));
  EXPECT_THAT(text, HasSubstr("--python"));
}

TEST(ReadModels, SaysThatAModelLacksTableTrue) {
  const Models models("m:SQLModel.metadata");
  models.folder.write("m.py", "from sqlmodel import SQLModel\n\nclass Hero(SQLModel):\n    id: int\n");
  EXPECT_EQ(models.statements(),
            "error: `m:SQLModel.metadata` has no table: m.Hero has no `table=True` | write class Hero(SQLModel, table=True)");
}

TEST(ReadModels, SaysThatNoModelIsImported) {
  const Models models("app:metadata");
  models.folder.write("app.py", "from sqlalchemy import MetaData\nmetadata = MetaData()\n");
  EXPECT_EQ(models.statements(),
            "error: `app:metadata` has no table: the modules with the models are not imported | import them in app, or name a "
            "module that imports them all");
}

TEST(ReadModels, DoesNotTakeTheCatalogsOfSqlalchemyForModels) {
  const Models models("app:metadata");
  models.folder.write("app.py",
                      "from sqlalchemy import MetaData\nfrom sqlalchemy.dialects.postgresql import *\n"
                      "from sqlalchemy.dialects.postgresql import pg_catalog\nmetadata = MetaData()\n");
  EXPECT_THAT(models.statements(),
              StartsWith("error: `app:metadata` has no table: the modules with the models are not imported"));
}

TEST(ReadModels, SaysWhatTheNameIsWhenItIsNoMetadata) {
  const Models models("m:SQLModel");
  models.folder.write("m.py", kHero);
  EXPECT_EQ(models.statements(), "error: `m:SQLModel` is the class `SQLModel`, not a MetaData | write m:SQLModel.metadata");
  Models other("m:engine");
  other.folder.write("m.py", std::string(kHero) + "engine = 5\n");
  EXPECT_EQ(other.statements(), "error: `m:engine` is of type int, not a MetaData | use m:SQLModel.metadata");
  other.settings.targets = {"m:metadta"};
  EXPECT_EQ(other.statements(), "error: `m` has no `metadta` | use m:SQLModel.metadata");
}

TEST(ReadModels, SaysWhereTheModelsAreBroken) {
  const Models models("m:metadata");
  models.folder.write("m.py", "import sqlalchemy\n\n\nx = 1 / 0\n");
  EXPECT_THAT(models.statements(), StartsWith("error: m.py:4: importing `m` failed: ZeroDivisionError: division by zero"));
  models.folder.write("m.py", "x = (\n");
  EXPECT_THAT(models.statements(), StartsWith("error: m.py:1: importing `m` failed: SyntaxError"));
}

TEST(ReadModels, AnswersTheSameWhileNothingChanges) {
  Models models("shop.models:SQLModel.metadata");
  models.folder.write("shop/__init__.py", "import os\nos.environ.get('SHOP_MODE')\nopen('names.txt').read()\n");
  models.folder.write("names.txt", "a");
  models.folder.write("shop/models.py", kHero);
  const auto schema = models.read();
  ASSERT_TRUE(schema) << schema.error().describe();
  const std::string kept = keep_model_schema(*schema);
  const auto& environment = models.settings.environment;
  const auto same = unchanged_model_schema(kept, environment);
  ASSERT_TRUE(same);
  EXPECT_EQ(same->statements, schema->statements);

  auto other = environment;
  other.emplace_back("SHOP_MODE=full");
  EXPECT_FALSE(unchanged_model_schema(kept, other));
  models.folder.write("names.txt", "b");
  EXPECT_FALSE(unchanged_model_schema(kept, environment));
  models.folder.write("names.txt", "a");
  EXPECT_TRUE(unchanged_model_schema(kept, environment));
  models.folder.write("shop/more.py", "");
  EXPECT_FALSE(unchanged_model_schema(kept, environment));
  EXPECT_FALSE(unchanged_model_schema("{}", environment));
  EXPECT_FALSE(unchanged_model_schema("", environment));
}

TEST(FindPython, TakesTheFirstThereIs) {
  const test::TempFolder folder;
  const auto program = [&](const std::string& path) {
    const std::string made = folder.write(path, "#!/bin/sh\n");
    std::filesystem::permissions(made, std::filesystem::perms(0755));
    return made;
  };
  PythonSearch search;
  search.path = folder / "bin";
  search.folder = folder / "project";
  EXPECT_FALSE(find_python(search));
  const auto on_path = program("bin/python3");
  EXPECT_EQ(find_python(search).value(), on_path);
  const auto beside = program("project/.venv/bin/python");
  EXPECT_EQ(find_python(search).value(), beside);
  const auto active = program("venv/bin/python");
  search.virtual_environment = folder / "venv";
  EXPECT_EQ(find_python(search).value(), active);
  search.configured = "python3.12";
  EXPECT_EQ(find_python(search).value(), "python3.12");
  search.flag = "/opt/python";
  EXPECT_EQ(find_python(search).value(), "/opt/python");
}

}  // namespace
}  // namespace athanor
