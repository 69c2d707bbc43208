// The CRD and the codec declare the same fields.
#include <gtest/gtest.h>

#include <filesystem>
#include <regex>
#include <set>

#include "migrations/revision/strict_yaml.hpp"
#include "operator/api/spec_codec.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

const std::string kSource = ATHANOR_SOURCE_DIR;

std::vector<YamlNode> documents(const std::string& path) {
  auto parsed = parse_yaml(test::read_file(path), path, {std::size_t{4} << 20U, 64});
  EXPECT_TRUE(parsed) << parsed.error().describe();
  return parsed.value_or(std::vector<YamlNode>());
}

const YamlNode* at(const YamlNode* node, std::initializer_list<std::string_view> path) {
  for (const auto key : path) {
    node = node == nullptr ? nullptr : node->find(key);
  }
  return node;
}

// Every name of a property below a schema.
void collect(const YamlNode& schema, std::set<std::string>& names) {
  if (const YamlNode* properties = schema.find("properties")) {
    for (const auto& property : properties->entries) {
      names.insert(property.key);
      collect(property.value, names);
    }
  }
  if (const YamlNode* items = schema.find("items")) {
    collect(*items, names);
  }
}

std::set<std::string> schema_names(std::string_view part) {
  const auto crd = documents(kSource + "/crds/athanor.dev_databasemigrations.yaml");
  const YamlNode* versions = crd.empty() ? nullptr : at(&crd.front(), {"spec", "versions"});
  std::set<std::string> names;
  if (versions != nullptr && !versions->items.empty()) {
    const YamlNode* schema = at(&versions->items.front(), {"schema", "openAPIV3Schema", "properties", part});
    if (schema != nullptr) {
      collect(*schema, names);
    }
  }
  return names;
}

// The names in calls like read_text(fields, "name", …), fields.choice("name", …), codec.maybe("name", …).
std::set<std::string> names_in_code(const std::vector<std::string>& files, const std::regex& call) {
  std::set<std::string> names;
  for (const auto& file : files) {
    const std::string text = test::read_file(kSource + "/operator/api/" + file);
    for (std::sregex_iterator match(text.begin(), text.end(), call), end; match != end; ++match) {
      names.insert((*match)[1]);
    }
  }
  return names;
}

TEST(Schema, EverySampleIsReadByTheCodec) {
  std::size_t read = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(kSource + "/deploy/samples")) {
    if (file.path().extension() != ".yaml") {
      continue;
    }
    for (const auto& document : documents(file.path())) {
      const YamlNode* kind = document.find("kind");
      if (kind == nullptr || kind->text != kDatabaseMigrationKind) {
        continue;
      }
      YamlFields fields(*document.find("spec"), file.path().filename(), "spec");
      DatabaseMigrationSpec spec;
      read_spec(fields, spec, Habitat::Cluster);
      const auto finished = fields.finish();
      EXPECT_TRUE(finished) << finished.error().describe();
      ++read;
    }
  }
  EXPECT_GE(read, 20U);
}

TEST(Schema, HasNoFieldOfTheSpecThatTheCodecDoesNotKnowAndTheOtherWayRound) {
  auto schema = schema_names("spec");
  const std::regex call(
      R"re((?:read_\w+\(\w+, |refuse\(|has\(|\.(?:text|required_text|choice|flag|integer|duration|mapping|mappings|node|has)\()"(\w+)")re");
  auto code = names_in_code({"spec_codec.cpp", "database_codec.cpp", "source_codec.cpp"}, call);
  for (const auto* const name : {"metadata", "spec", "labels", "annotations"}) {  // of podTemplate, which is kept as it is
    schema.erase(name);
  }
  for (const auto* const name : {"namespace", "labels", "annotations"}) {  // of metadata
    code.erase(name);
  }
  EXPECT_EQ(code, schema);
}

TEST(Schema, HasTheFieldsOfTheStatusThatTheOperatorWrites) {
  auto schema = schema_names("status");
  for (const auto* const name : {"type", "status", "reason", "lastTransitionTime"}) {  // of a condition
    schema.erase(name);
  }
  const std::regex call(R"re(codec\.(?:maybe|always|part|items|phase|conditions)\("(\w+)")re");
  EXPECT_EQ(names_in_code({"status_codec.cpp"}, call), schema);
}

}  // namespace
}  // namespace athanor::controller
