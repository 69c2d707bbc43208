#include "operator/api/status_codec.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

namespace athanor::controller {
namespace {

constexpr std::size_t kMaxDepth = 32;
constexpr const char* kSpecHashAnnotation = "athanor.dev/spec-hash";

void put(Json& json, const char* name, const std::string& value) {
  if (!value.empty()) {
    json[name] = value;
  }
}
void put(Json& json, const char* name, std::int64_t value) {
  if (value != 0) {
    json[name] = value;
  }
}
void put(Json& json, const char* name, const std::vector<std::string>& value) {
  if (!value.empty()) {
    json[name] = value;
  }
}

std::string text_of(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}
std::int64_t number_of(const Json& json, const char* name, std::int64_t otherwise = 0) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_integer() ? found->get<std::int64_t>() : otherwise;
}
std::vector<std::string> texts_of(const Json& json, const char* name) {
  std::vector<std::string> texts;
  if (const auto found = json.find(name); found != json.end() && found->is_array()) {
    for (const auto& item : *found) {
      if (item.is_string()) {
        texts.push_back(item.get<std::string>());
      }
    }
  }
  return texts;
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

Json plan_to_json(const PlanStatus& plan) {
  Json json = Json::object();
  put(json, "hash", plan.hash);
  put(json, "direction", plan.direction);
  json["revisions"] = plan.revisions;
  put(json, "summary", plan.summary);
  put(json, "warnings", plan.warnings);
  return json;
}

Json error_to_json(const ErrorStatus& error) {
  Json json = Json::object();
  put(json, "code", error.code);
  put(json, "message", error.message);
  put(json, "hint", error.hint);
  put(json, "sqlState", error.sqlstate);
  put(json, "revision", error.revision);
  put(json, "line", error.line);
  put(json, "statement", error.statement);
  put(json, "time", error.time);
  for (const auto& blocker : error.blockers) {
    Json item = Json::object();
    item["pid"] = blocker.pid;
    put(item, "application", blocker.application);
    put(item, "user", blocker.user);
    put(item, "since", blocker.since);
    put(item, "query", blocker.query);
    json["blockers"].push_back(std::move(item));
  }
  return json;
}

ErrorStatus error_from_json(const Json& json) {
  ErrorStatus error;
  error.code = text_of(json, "code");
  error.message = text_of(json, "message");
  error.hint = text_of(json, "hint");
  error.sqlstate = text_of(json, "sqlState");
  error.revision = text_of(json, "revision");
  error.line = number_of(json, "line");
  error.statement = text_of(json, "statement");
  error.time = text_of(json, "time");
  each_object(json, "blockers", [&error](const Json& item) {
    error.blockers.push_back({number_of(item, "pid"), text_of(item, "application"), text_of(item, "user"),
                              text_of(item, "since"), text_of(item, "query")});
  });
  return error;
}

Json history_to_json(const HistoryStatus& entry) {
  Json json = Json::object();
  put(json, "time", entry.time);
  put(json, "direction", entry.direction);
  put(json, "from", entry.from);
  put(json, "to", entry.to);
  json["revisions"] = entry.revisions;
  json["durationMilliseconds"] = entry.duration_ms;
  put(json, "outcome", entry.outcome);
  put(json, "runID", entry.run_id);
  return json;
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
  for (const Phase phase :
       {Phase::Ready, Phase::Migrating, Phase::Waiting, Phase::Retrying, Phase::Stalled, Phase::Suspended, Phase::Planned}) {
    if (phase_name(phase) == name) {
      return phase;
    }
  }
  return Phase::Pending;
}

bool is_plain_scalar(const std::string& text) {
  constexpr std::string_view kFirst = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/";
  constexpr std::string_view kRest = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-@+";
  constexpr std::array<std::string_view, 10> kWords{"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"};
  if (text.empty() || kFirst.find(text[0]) == std::string_view::npos || text.find_first_not_of(kRest) != std::string::npos) {
    return false;
  }
  std::string lower = text;
  std::ranges::transform(lower, lower.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::ranges::find(kWords, lower) == kWords.end();
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

// `hanging`: the first line stands after "- " already.
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
  Json json = Json::object();
  json["observedGeneration"] = status.observed_generation;
  json["phase"] = phase_name(status.phase);
  json["currentRevisions"] = status.current_revisions;
  put(json, "targetRevision", status.target_revision);
  put(json, "resolvedRevisions", status.resolved_revisions);
  json["pendingCount"] = status.pending_count;
  put(json, "pendingRevisions", status.pending_revisions);
  if (status.plan) {
    json["plan"] = plan_to_json(*status.plan);
  }
  if (status.progress) {
    Json progress = Json::object();
    progress["done"] = status.progress->done;
    progress["total"] = status.progress->total;
    put(progress, "revision", status.progress->revision);
    put(progress, "rows", status.progress->rows);
    json["progress"] = std::move(progress);
  }
  if (status.last_error) {
    json["lastError"] = error_to_json(*status.last_error);
  }
  put(json, "failures", status.failures);
  put(json, "nextRetry", status.next_retry);
  for (const auto& entry : status.history) {
    json["history"].push_back(history_to_json(entry));
  }
  json["conditions"] = Json::array();
  for (const auto& condition : status.conditions) {
    json["conditions"].push_back(condition_to_json(condition));
  }
  return json;
}

DatabaseMigrationStatus status_from_json(const Json& json) {
  DatabaseMigrationStatus status;
  status.observed_generation = number_of(json, "observedGeneration", -1);
  status.phase = phase_of(text_of(json, "phase"));
  status.current_revisions = texts_of(json, "currentRevisions");
  status.target_revision = text_of(json, "targetRevision");
  status.resolved_revisions = texts_of(json, "resolvedRevisions");
  status.pending_count = number_of(json, "pendingCount");
  status.pending_revisions = texts_of(json, "pendingRevisions");
  if (const Json* plan = object_of(json, "plan")) {
    status.plan = PlanStatus{text_of(*plan, "hash"), text_of(*plan, "direction"), number_of(*plan, "revisions"),
                             texts_of(*plan, "summary"), texts_of(*plan, "warnings")};
  }
  if (const Json* progress = object_of(json, "progress")) {
    status.progress = ProgressStatus{number_of(*progress, "done"), number_of(*progress, "total"),
                                     text_of(*progress, "revision"), number_of(*progress, "rows")};
  }
  if (const Json* error = object_of(json, "lastError")) {
    status.last_error = error_from_json(*error);
  }
  status.failures = number_of(json, "failures");
  status.next_retry = text_of(json, "nextRetry");
  each_object(json, "history", [&status](const Json& item) {
    status.history.push_back({text_of(item, "time"), text_of(item, "direction"), text_of(item, "from"), text_of(item, "to"),
                              number_of(item, "revisions"), number_of(item, "durationMilliseconds"), text_of(item, "outcome"),
                              text_of(item, "runID")});
  });
  each_object(json, "conditions", [&status](const Json& item) { condition_from_json(item, status.conditions); });
  return status;
}

std::string stored_to_yaml(const StoredResource& stored) {
  Json json = Json::object();
  json["apiVersion"] = kApiVersion;
  json["kind"] = kDatabaseMigrationKind;
  json["metadata"] = {{"name", stored.key.name}, {"namespace", stored.key.name_space}, {"generation", stored.generation}};
  json["metadata"]["annotations"] = {{kSpecHashAnnotation, stored.spec_hash}};
  json["status"] = status_to_json(stored.status);
  return "# Written by athanor-operator: what it found, never what it reads to decide what was applied.\n" + json_to_yaml(json);
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
