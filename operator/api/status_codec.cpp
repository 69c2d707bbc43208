#include "operator/api/status_codec.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <utility>

#include "migrations/text/letter_case.hpp"
#include "operator/api/status_fields.hpp"

namespace athanor::controller {
namespace {

using status::Items;
using status::Length;

constexpr std::size_t kMaxDepth = 32;
constexpr const char* kSpecHashAnnotation = "athanor.dev/spec-hash";

// Renamed fields: the current name, and the name in objects and state files written by older versions.
constexpr std::array<std::pair<std::string_view, const char*>, 9> kFormerNames{{{"approvalHash", "hash"},
                                                                                {"approvalHash", "planHash"},
                                                                                {"approvalTime", "approvedAt"},
                                                                                {"completionTime", "time"},
                                                                                {"failureTime", "time"},
                                                                                {"firstSeenTime", "checkedAt"},
                                                                                {"nextRetryTime", "nextRetry"},
                                                                                {"startTime", "startedAt"},
                                                                                {"transactionStartTime", "since"}}};

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::int64_t number_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}
const Json* object_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_object() ? &*found : nullptr;
}
template <class Read>
void each_object(const Json& json, const char* name, Read read) {
  if (const auto found = json.find(name); found != json.end() && found->is_array()) {
    for (const auto& item : *found) {
      if (item.is_object()) {
        read(item);
      }
    }
  }
}

Json condition_to_json(const Condition& condition) {
  Json json = Json::object();
  json["type"] = condition_type_name(condition.type);
  json["status"] = condition_status_name(condition.status);
  json["reason"] = reason_name(condition.reason);
  json["message"] = condition.message;
  json["lastTransitionTime"] = condition.last_transition_time;
  json["observedGeneration"] = condition.observed_generation;
  return json;
}

void condition_from_json(const Json& json, Conditions& conditions) {
  const auto type = condition_type_of(text_of(json, "type"));
  const auto reason = reason_of(text_of(json, "reason"));
  if (!type || !reason) {
    return;
  }
  Condition condition;
  condition.type = *type;
  condition.reason = *reason;
  const std::string status = text_of(json, "status");
  condition.status = status == "True"    ? ConditionStatus::True
                     : status == "False" ? ConditionStatus::False
                                         : ConditionStatus::Unknown;
  condition.message = text_of(json, "message");
  condition.observed_generation = number_of(json, "observedGeneration");
  set_condition(conditions, std::move(condition), text_of(json, "lastTransitionTime"));
}

Phase phase_of(const std::string& name) {
  for (const Phase phase : {Phase::Ready, Phase::Planning, Phase::Migrating, Phase::Waiting, Phase::Retrying, Phase::Stalled,
                            Phase::Suspended, Phase::Planned}) {
    if (phase_name(phase) == name) {
      return phase;
    }
  }
  return Phase::Pending;
}

// FieldWriter and FieldReader visit the list in status_fields.hpp.
class FieldWriter {
 public:
  template <class T>
  using Of = const T;

  // These omit empty and zero values.
  void text(const char* name, const std::string& value, Length /*limit*/) { put(name, value, !value.empty()); }
  void time(const char* name, const std::string& value) { put(name, value, !value.empty()); }
  void maybe(const char* name, std::int64_t value) { put(name, value, value != 0); }
  void maybe(const char* name, const std::vector<std::string>& value, Items /*limit*/, Length /*of_each*/) {
    put(name, value, !value.empty());
  }
  void always(const char* name, const std::vector<std::string>& value, Items /*limit*/, Length /*of_each*/) {
    put(name, value, true);
  }
  void known(const char* name, const std::optional<std::int64_t>& value) { put(name, value.value_or(0), value.has_value()); }
  void always(const char* name, std::int64_t value) { put(name, value, true); }
  void always(const char* name, bool value) { put(name, value, true); }
  void phase(const char* name, Phase value) { json_[name] = phase_name(value); }
  template <class T>
  void part(const char* name, const std::optional<T>& value) {
    if (value) {
      json_[name] = of(*value);
    }
  }
  template <class T>
  void items(const char* name, const std::vector<T>& values, Items /*limit*/) {
    for (const auto& value : values) {
      json_[name].push_back(of(value));
    }
  }
  void conditions(const char* name, const Conditions& values) {
    json_[name] = Json::array();
    for (const auto& value : values) {
      json_[name].push_back(condition_to_json(value));
    }
  }

  template <class T>
  static Json of(const T& value) {
    FieldWriter writer;
    status::fields(writer, value);
    return std::move(writer.json_);
  }

 private:
  template <class T>
  void put(const char* name, const T& value, bool wanted) {
    if (wanted) {
      json_[name] = value;
    }
  }
  Json json_ = Json::object();
};

// Fields that are missing or of another type keep their current value.
class FieldReader {
 public:
  template <class T>
  using Of = T;

  void text(const char* name, std::string& value, Length /*limit*/) { time(name, value); }
  void time(const char* name, std::string& value) {
    if (const auto found = json_.find(name); found != json_.end() && found->is_string()) {
      value = found->get<std::string>();
      return;
    }
    for (const auto& [now, former] : kFormerNames) {
      if (const auto found = json_.find(former); now == name && found != json_.end() && found->is_string()) {
        value = found->get<std::string>();
        former_ = true;
      }
    }
  }
  void maybe(const char* name, std::int64_t& value) {
    if (const auto found = json_.find(name); found != json_.end() && found->is_number_integer()) {
      value = found->get<std::int64_t>();
    }
  }
  void always(const char* name, std::int64_t& value) { maybe(name, value); }
  void known(const char* name, std::optional<std::int64_t>& value) {
    if (const auto found = json_.find(name); found != json_.end() && found->is_number_integer()) {
      value = found->get<std::int64_t>();
    }
  }
  void always(const char* name, bool& value) {
    if (const auto found = json_.find(name); found != json_.end() && found->is_boolean()) {
      value = found->get<bool>();
    }
  }
  void maybe(const char* name, std::vector<std::string>& value, Items /*limit*/, Length /*of_each*/) {
    if (const auto found = json_.find(name); found != json_.end() && found->is_array()) {
      for (const auto& item : *found) {
        if (item.is_string()) {
          value.push_back(item.get<std::string>());
        }
      }
    }
  }
  void always(const char* name, std::vector<std::string>& value, Items limit, Length of_each) {
    maybe(name, value, limit, of_each);
  }
  void phase(const char* name, Phase& value) { value = phase_of(text_of(json_, name)); }
  template <class T>
  void part(const char* name, std::optional<T>& value) {
    if (const Json* found = object_of(json_, name)) {
      value = of<T>(*found, former_);
    }
  }
  template <class T>
  void items(const char* name, std::vector<T>& values, Items /*limit*/) {
    each_object(json_, name, [&](const Json& item) { values.push_back(of<T>(item, former_)); });
  }
  void conditions(const char* name, Conditions& values) {
    each_object(json_, name, [&values](const Json& item) { condition_from_json(item, values); });
  }

  // `former` becomes true when a value was found under a former name.
  template <class T>
  static T of(const Json& json, bool& former) {
    FieldReader reader(json, former);
    T value;
    status::fields(reader, value);
    return value;
  }

 private:
  FieldReader(const Json& json, bool& former) : json_(json), former_(former) {}
  const Json& json_;
  bool& former_;
};

bool is_plain_scalar(const std::string& text) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/";
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-@+";
  constexpr std::array<std::string_view, 10> kWords{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"};
  if (text.empty() || kFirst.find(text[0]) == std::string_view::npos || text.find_first_not_of(kRest) != std::string::npos) {
    return false;
  }
  return std::ranges::find(kWords, lowered(text)) == kWords.end();
}

// A JSON string is a YAML double-quoted string.
std::string scalar(const Json& json) {
  if (json.is_string()) {
    const auto& text = json.get_ref<const std::string&>();
    return is_plain_scalar(text) ? text : json.dump(-1, ' ', false, Json::error_handler_t::replace);
  }
  return json.dump();
}

bool is_block(const Json& json) {
  return json.is_structured() && !json.empty();
}

// `hanging`: the first line continues a line that starts with "- ".
void append_yaml(std::string& yaml, const Json& json, std::size_t indent, bool hanging) {
  const std::string margin(indent, ' ');
  const auto begin_line = [&] {
    if (!hanging) {
      yaml += margin;
    }
    hanging = false;
  };
  if (json.is_object()) {
    for (const auto& [name, value] : json.items()) {
      begin_line();
      yaml += scalar(Json(name));
      if (is_block(value)) {
        yaml += ":\n";
        append_yaml(yaml, value, indent + 2, false);
      } else {
        yaml += ": " + scalar(value) + "\n";
      }
    }
    return;
  }
  for (const auto& value : json) {
    begin_line();
    yaml += "- ";
    if (is_block(value)) {
      append_yaml(yaml, value, indent + 2, true);
    } else {
      yaml += scalar(value) + "\n";
    }
  }
}

Json json_of_yaml(const YAML::Node& node, std::size_t depth) {
  if (depth > kMaxDepth) {
    return nullptr;
  }
  if (node.IsMap()) {
    Json json = Json::object();
    for (const auto& item : node) {
      json[item.first.Scalar()] = json_of_yaml(item.second, depth + 1);
    }
    return json;
  }
  if (node.IsSequence()) {
    Json json = Json::array();
    for (const auto& item : node) {
      json.push_back(json_of_yaml(item, depth + 1));
    }
    return json;
  }
  std::int64_t number = 0;
  if (node.IsScalar() && node.Tag() == "?" && YAML::convert<std::int64_t>::decode(node, number)) {
    return number;
  }
  return node.IsScalar() ? Json(node.Scalar()) : Json(nullptr);
}

}  // namespace

std::string_view phase_name(Phase phase) {
  switch (phase) {
    case Phase::Pending:
      break;
    case Phase::Ready:
      return "Ready";
    case Phase::Planning:
      return "Planning";
    case Phase::Migrating:
      return "Migrating";
    case Phase::Waiting:
      return "Waiting";
    case Phase::Retrying:
      return "Retrying";
    case Phase::Stalled:
      return "Stalled";
    case Phase::Suspended:
      return "Suspended";
    case Phase::Planned:
      return "Planned";
  }
  return "Pending";
}

Json status_to_json(const DatabaseMigrationStatus& status) {
  return FieldWriter::of(status);
}

DatabaseMigrationStatus status_from_json(const Json& json) {
  bool former = false;
  auto status = FieldReader::of<DatabaseMigrationStatus>(json, former);
  if (former) {
    // An unchanged status is not written again, so this one would keep its former names. Force a write.
    status.observed_generation = -1;
  }
  return status;
}

std::string stored_to_yaml(const StoredResource& stored) {
  Json json = Json::object();
  json["apiVersion"] = kApiVersion;
  json["kind"] = kDatabaseMigrationKind;
  json["metadata"] = {{"name", stored.key.name}, {"namespace", stored.key.name_space}, {"generation", stored.generation}};
  json["metadata"]["annotations"] = {{kSpecHashAnnotation, stored.spec_hash}};
  json["status"] = status_to_json(stored.status);
  return "# Written by athanor-operator to report what it observed. It never reads this file to decide what has been "
         "applied.\n" +
         json_to_yaml(json);
}

Result<StoredResource> stored_from_yaml(std::string_view text) {
  try {
    const Json json = json_of_yaml(YAML::Load(std::string(text)), 0);
    const Json* metadata = json.is_object() ? object_of(json, "metadata") : nullptr;
    const Json* status = json.is_object() ? object_of(json, "status") : nullptr;
    if (metadata == nullptr || status == nullptr) {
      return fail(ErrorCode::Io, "not a state file");
    }
    StoredResource stored;
    stored.key = {text_of(*metadata, "namespace"), text_of(*metadata, "name")};
    stored.generation = number_of(*metadata, "generation");
    if (const Json* annotations = object_of(*metadata, "annotations")) {
      stored.spec_hash = text_of(*annotations, kSpecHashAnnotation);
    }
    stored.status = status_from_json(*status);
    return stored;
  } catch (const std::exception&) {  // yaml-cpp and nlohmann both throw
    return fail(ErrorCode::Io, "not a state file");
  }
}

std::string json_to_yaml(const Json& json) {
  std::string yaml;
  if (is_block(json)) {
    append_yaml(yaml, json, 0, false);
  } else {
    yaml = scalar(json) + "\n";
  }
  return yaml;
}

}  // namespace athanor::controller
