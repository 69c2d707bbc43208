// The CRD and the codec declare the same fields.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "migrations/text/strict_yaml.hpp"
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
  bool former = false;  // kept under the name it had, for stored objects
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
                    schema.find("enum") != nullptr, text_at(schema, "description").starts_with("Former name of ")};
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
      read_spec(fields, spec, OperatorMode::Cluster);
      const auto finished = fields.finish();
      EXPECT_TRUE(finished) << finished.error().describe();
      ++read;
    }
  }
  EXPECT_GE(read, 20U);
}

class Crd {
 public:
  Crd() : documents_(documents(kSource + "/crds/athanor.dev_databasemigrations.yaml")) {
    const YamlNode* versions = documents_.empty() ? nullptr : at(&documents_.front(), {"spec", "versions"});
    if (versions != nullptr && !versions->items.empty()) {
      properties_ = at(&versions->items.front(), {"schema", "openAPIV3Schema", "properties"});
    }
  }
  [[nodiscard]] const YamlNode* schema(std::string_view part) const {
    return properties_ == nullptr ? nullptr : properties_->find(part);
  }
  // By path, as "status.history[].completionTime".
  [[nodiscard]] std::map<std::string, Property> properties_of(std::string_view part) const {
    std::map<std::string, Property> found;
    if (const YamlNode* found_schema = schema(part)) {
      collect(*found_schema, std::string(part), found);
    }
    return found;
  }

 private:
  std::vector<YamlNode> documents_;
  const YamlNode* properties_ = nullptr;
};

// A value that fits the schema: with every field, or only with those that lead to `path`.
YamlNode value_of(const YamlNode& schema, const std::string& here, const std::string& path) {
  YamlNode value;
  const std::string type = text_at(schema, "type");
  const YamlNode* choices = schema.find("enum");
  if (type == "object") {
    value.kind = YamlNode::Kind::Mapping;
    const YamlNode* properties = schema.find("properties");
    for (const auto& property : properties == nullptr ? std::vector<YamlEntry>() : properties->entries) {
      const std::string name = here + "." + property.key;
      if (path.empty() || path == name || path.starts_with(name + ".") || path.starts_with(name + "[]")) {
        value.entries.push_back({property.key, 1, 1, value_of(property.value, name, path)});
      }
    }
  } else if (type == "array") {
    value.kind = YamlNode::Kind::Sequence;
    value.items.push_back(value_of(*schema.find("items"), here + "[]", path));
  } else {
    value.kind = YamlNode::Kind::Scalar;
    value.quoted = type == "string";
    value.text = type == "integer" ? "1" : type == "boolean" ? "true" : choices != nullptr ? choices->items.front().text : "1h";
  }
  return value;
}

// What the codec asks of such a document, and what it says.
std::string read_with(const YamlNode& value, std::set<std::string>& asked) {
  YamlFields fields(value, "m.yaml", "spec");
  fields.record_asked(asked);
  DatabaseMigrationSpec spec;
  read_spec(fields, spec, OperatorMode::Cluster);
  const auto finished = fields.finish();
  return finished ? std::string() : finished.error().message;
}

TEST(Schema, HasTheFieldsOfTheSpecThatTheCodecKnowsAndNoOthers) {
  const Crd crd;
  const YamlNode* schema = crd.schema("spec");
  ASSERT_NE(schema, nullptr);
  std::set<std::string> asked;
  (void)read_with(value_of(*schema, "spec", ""), asked);
  std::set<std::string> declared;
  for (const auto& [path, property] : crd.properties_of("spec")) {
    if (path.starts_with("spec.execution.podTemplate.") || path.starts_with("spec.execution.job.")) {  // kept as JSON
      continue;
    }
    declared.insert(path);
    const std::string said = read_with(value_of(*schema, "spec", path), asked);
    EXPECT_EQ(said.find("unknown field"), std::string::npos) << path << ": " << said;
    EXPECT_EQ(said.find("`" + path + "`: expected"), std::string::npos) << path << ": " << said;
  }
  EXPECT_EQ(asked.erase("spec.verify"), 1U) << "it is supported by now";
  EXPECT_EQ(asked, declared);
}

TEST(Schema, HasTheFieldsOfTheStatusThatTheOperatorWritesWithTheirTypes) {
  std::map<std::string, std::string> schema;
  for (const auto& [path, property] : Crd().properties_of("status")) {
    // A field that was renamed stays in the schema, so that a server does not drop it from stored objects.
    if (!property.former) {
      schema.emplace(path, property.type);
    }
  }
  std::map<std::string, std::string> code;
  for (const auto& field : status_fields()) {
    code.emplace("status." + field.path, field.type);
  }
  EXPECT_EQ(code, schema);
}

TEST(Schema, TakesEveryStatusAsItIsCut) {
  const auto schema = Crd().properties_of("status");
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
