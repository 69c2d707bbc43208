// The CRD and the codec declare the same fields.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include "migrations/revision/strict_yaml.hpp"
#include "operator/api/spec_codec.hpp"
#include "operator/api/status_limits.hpp"
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

struct Property {
  std::string type;  // as status_fields() tells it
  std::size_t max_length = 0;
  std::size_t max_items = 0;
  bool has_enum = false;
};

std::string text_at(const YamlNode& node, std::string_view key) {
  const YamlNode* found = node.find(key);
  return found == nullptr ? std::string() : found->text;
}

std::size_t number_at(const YamlNode& node, std::string_view key) {
  const std::string text = text_at(node, key);
  return text.empty() ? 0 : std::stoul(text);
}

Property property_of(const YamlNode& schema) {
  Property property{text_at(schema, "type"), number_at(schema, "maxLength"), number_at(schema, "maxItems"),
                    schema.find("enum") != nullptr};
  if (const YamlNode* items = schema.find("items"); items != nullptr && text_at(*items, "type") != "object") {
    property.type = text_at(*items, "type") + "[]";
    property.max_length = number_at(*items, "maxLength");
  } else if (text_at(schema, "format") == "date-time") {
    property.type = "date-time";
  }
  return property;
}

void collect(const YamlNode& schema, const std::string& path, std::map<std::string, Property>& found) {
  if (const YamlNode* properties = schema.find("properties")) {
    for (const auto& property : properties->entries) {
      const std::string name = path + "." + property.key;
      found.emplace(name, property_of(property.value));
      collect(property.value, name, found);
    }
  }
  if (const YamlNode* items = schema.find("items")) {
    collect(*items, path + "[]", found);
  }
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

// By path, as "status.history[].time".
std::map<std::string, Property> properties_of(std::string_view part) {
  const auto crd = documents(kSource + "/crds/athanor.dev_databasemigrations.yaml");
  const YamlNode* versions = crd.empty() ? nullptr : at(&crd.front(), {"spec", "versions"});
  std::map<std::string, Property> found;
  if (versions != nullptr && !versions->items.empty()) {
    const YamlNode* schema = at(&versions->items.front(), {"schema", "openAPIV3Schema", "properties", part});
    if (schema != nullptr) {
      collect(*schema, std::string(part), found);
    }
  }
  return found;
}

TEST(Schema, HasTheFieldsOfTheStatusThatTheOperatorWritesWithTheirTypes) {
  std::map<std::string, std::string> schema;
  for (const auto& [path, property] : properties_of("status")) {
    schema.emplace(path, property.type);
  }
  std::map<std::string, std::string> code;
  for (const auto& field : status_fields()) {
    code.emplace("status." + field.path, field.type);
  }
  EXPECT_EQ(code, schema);
}

TEST(Schema, TakesEveryStatusAsItIsCut) {
  const auto schema = properties_of("status");
  for (const auto& field : status_fields()) {
    const auto found = schema.find("status." + field.path);
    ASSERT_NE(found, schema.end()) << field.path;
    const Property& property = found->second;
    if (field.max_items > 0) {
      EXPECT_GT(property.max_items, 0U) << field.path << " has no maxItems";
      EXPECT_LE(field.max_items, property.max_items) << field.path;
    }
    if (field.max_length > 0 && !property.has_enum) {
      EXPECT_GT(property.max_length, 0U) << field.path << " has no maxLength";
      EXPECT_LE(field.max_length, property.max_length) << field.path;
    }
  }
}

}  // namespace
}  // namespace athanor::controller
