#include "operator/kube/object_stream.hpp"

#include <utility>

#include "operator/kube/api_status.hpp"

namespace athanor::controller {
namespace {

using nlohmann::json;

std::string text_at(const json& object, const char* outer, const char* inner) {
  if (const auto found = object.find(outer); found != object.end() && found->is_object()) {
    if (const auto text = found->find(inner); text != found->end() && text->is_string()) {
      return text->get<std::string>();
    }
  }
  return {};
}

void set_type(json& object, const ResourceType& type) {
  // The items of a list carry no apiVersion and kind; emplace() keeps those that an object has.
  object.emplace("apiVersion", type.api_version());
  object.emplace("kind", type.kind);
}

bool ends_initial_events(const json& object) {
  const auto metadata = object.find("metadata");
  return metadata != object.end() && text_at(*metadata, "annotations", "k8s.io/initial-events-end") == "true";
}

WatchEvent unknown_event(json object) {
  WatchEvent event;
  event.kind = WatchEvent::Kind::Unknown;
  event.object = std::move(object);
  return event;
}

}  // namespace

Result<ListPage> read_list_page(std::string_view body, const ResourceType& type, const KubeReader::ObjectHandler& on_object) {
  using Event = json::parse_event_t;
  bool in_items = false;
  const auto take = [&](int depth, Event event, json& parsed) {
    if (depth == 1 && event == Event::key) {
      in_items = parsed == "items";
    } else if (depth == 2 && event == Event::object_end && in_items) {
      set_type(parsed, type);
      on_object(std::move(parsed));
      return false;  // drop it from the parsed page: a page of 500 large objects would otherwise be in memory twice
    }
    return true;
  };
  const json page = json::parse(body, take, false);
  if (page.is_discarded() || !page.is_object()) {
    return fail(ErrorCode::ApiUnreachable, "the API server did not return a list");
  }
  ListPage read;
  read.resource_version = text_at(page, "metadata", "resourceVersion");
  read.continue_token = text_at(page, "metadata", "continue");
  return read;
}

Result<WatchEvent> read_watch_line(std::string_view line, const ResourceType& type, const std::string& what) {
  json parsed = json::parse(line, nullptr, false);
  if (!parsed.is_object()) {
    return unknown_event(nullptr);
  }
  const auto kind = parsed.find("type");
  const auto object = parsed.find("object");
  if (kind == parsed.end() || !kind->is_string() || object == parsed.end() || !object->is_object()) {
    return unknown_event(nullptr);
  }
  const std::string& name = kind->get_ref<const std::string&>();
  if (name == "ERROR") {
    // Once a watch has started with status 200, the server can report a failure, such as 410, only as an event.
    return fail(status_error(*object, {what, false, true}));
  }
  WatchEvent event;
  if (name == "ADDED") {
    event.kind = WatchEvent::Kind::Added;
  } else if (name == "MODIFIED") {
    event.kind = WatchEvent::Kind::Modified;
  } else if (name == "DELETED") {
    event.kind = WatchEvent::Kind::Deleted;
  } else if (name == "BOOKMARK") {
    event.kind = WatchEvent::Kind::Bookmark;
    event.initial_end = ends_initial_events(*object);
  } else {
    // Not an error: a newer server may send other types of events. The caller decides what an unknown one means.
    return unknown_event(json{{"type", name.substr(0, 64)}});
  }
  event.object = std::move(*object);
  set_type(event.object, type);
  return event;
}

}  // namespace athanor::controller
