#include <gtest/gtest.h>

#include "migrations/config/configuration.hpp"

namespace athanor {
namespace {

using Kind = schema::SchemaSource::Kind;
using Texts = std::vector<std::string>;

SchemaConfiguration read(const std::string& text, const std::string& section = {}) {
  auto configuration = parse_configuration(text, "athanor.yaml", "/srv/shop", section);
  EXPECT_TRUE(configuration) << configuration.error().describe();
  return configuration ? configuration->schema : SchemaConfiguration{};
}

std::string refused(const std::string& text) {
  const auto configuration = parse_configuration(text, "athanor.yaml", "/srv/shop");
  return configuration ? "accepted" : configuration.error().describe() + " | " + configuration.error().hint;
}

TEST(SchemaFields, ReadsWhatTheSchemaIsToBe) {
  EXPECT_EQ(read("timezone: UTC\n").desired.kind, Kind::None);
  const auto file = read("desired_schema: db/schema.sql\n");
  EXPECT_EQ(file.desired.kind, Kind::Files);
  EXPECT_EQ(file.desired.files, Texts{"/srv/shop/db/schema.sql"});
  EXPECT_EQ(read("desired_schema: [a.sql, '%(here)s/b']\n").desired.files, (Texts{"/srv/shop/a.sql", "/srv/shop/b"}));
  EXPECT_EQ(read("desired_schema: shop.models:Base.metadata\n").desired.kind, Kind::Models);
  EXPECT_EQ(read("models: shop.models:Base.metadata\n").desired.models, Texts{"shop.models:Base.metadata"});
  EXPECT_EQ(read("models: [a:m, b:m]\n").desired.models, (Texts{"a:m", "b:m"}));
  const auto command = read("desired_schema:\n  command: python manage.py migrate\n");
  EXPECT_EQ(command.desired.kind, Kind::Command);
  EXPECT_EQ(command.desired.command, "python manage.py migrate");
  EXPECT_EQ(read("desired_schema: postgresql://localhost/other\n").desired.kind, Kind::Database);
  EXPECT_EQ(read("desired_schema: {database_url: 'host=x dbname=y'}\n").desired.url, "host=x dbname=y");
}

TEST(SchemaFields, AnEnvironmentNamesAnotherSource) {
  const std::string text =
      "models: a:m\nenvironments:\n  ci: {desired_schema: db, scratch_url: 'postgresql://scratch/postgres'}\n";
  EXPECT_EQ(read(text).desired.kind, Kind::Models);
  EXPECT_EQ(read(text, "ci").desired.files, Texts{"/srv/shop/db"});
  EXPECT_EQ(read(text, "ci").scratch_url, "postgresql://scratch/postgres");
}

TEST(SchemaFields, ReadsHowModelsAreImportedAndWhatIsCompared) {
  const auto schema = read(
      "prepend_sys_path: [., src]\npython: .venv/bin/python\nscratch_on_target: true\nscratch_keep: 30s\ncheck_drift: true\n"
      "compare:\n  exclude_tables: ['audit.*']\n  privileges: true\n");
  EXPECT_EQ(schema.sys_path, (Texts{"/srv/shop", "/srv/shop/src"}));
  EXPECT_EQ(schema.python, "/srv/shop/.venv/bin/python");
  EXPECT_EQ(read("python: python3.11\n").python, "python3.11");
  EXPECT_TRUE(schema.scratch_on_target);
  EXPECT_TRUE(schema.check_drift);
  EXPECT_EQ(schema.scratch_keep, std::chrono::seconds(30));
  EXPECT_EQ(schema.compare.exclude_tables, Texts{"audit.*"});
  EXPECT_TRUE(schema.compare.privileges);
  EXPECT_FALSE(schema.compare.owners);
}

TEST(SchemaFields, RefusesWithFileLineAndWayOut) {
  EXPECT_EQ(refused("timezone: UTC\nmodels: shop.models\n"),
            "athanor.yaml:2: field `models`: does not name a metadata object | write package.module:metadata, for example "
            "shop.models:SQLModel.metadata");
  EXPECT_EQ(refused("models: a:m\ndesired_schema: x.sql\n"),
            "athanor.yaml:1: field `models`: is a second source of the desired schema | keep one of `models` and "
            "`desired_schema`");
  EXPECT_EQ(refused("desired_schema:\n  files: x.sql\n  command: make\n"),
            "athanor.yaml:3: field `desired_schema.command`: is a second source of the desired schema | keep one of files, "
            "models, command, database_url");
  EXPECT_EQ(refused("desired_schema: {modles: 'a:m'}\n"),
            "athanor.yaml:1: field `desired_schema.modles`: unknown field | did you mean `models`?");
  EXPECT_EQ(refused("compare: {schema: [a]}\n"),
            "athanor.yaml:1: field `compare.schema`: unknown field | did you mean `schemas`?");
  EXPECT_EQ(refused("compare: {tables: [a, '']}\n"),
            "athanor.yaml:1: field `compare.tables`: has an empty pattern, which matches nothing | ");
  EXPECT_EQ(refused("desired_schema: ''\n"),
            "athanor.yaml:1: field `desired_schema`: is empty | name a SQL file or a folder of SQL files");
}

}  // namespace
}  // namespace athanor
