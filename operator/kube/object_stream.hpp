// Parses list and watch responses of the API server, one object at a time.
//
// Threads: pure functions.
#pragma once

#include <string>
#include <string_view>

#include "operator/kube/api_client.hpp"

namespace athanor::controller {

struct ListPage {
  std::string resource_version;
  std::string continue_token;  // empty: the last page
};

// Calls `on_object` for each item of one page; at most one item is held as a JSON value at a time. kind and apiVersion, which
// the server leaves out of the items of built-in types, are filled in. Error: ApiUnreachable when the body is not a list.
[[nodiscard]] Result<ListPage> read_list_page(std::string_view body, const ResourceType& type,
                                              const KubeReader::ObjectHandler& on_object);

// Parses one line of a watch. A line that is not a watch event yields kind Unknown with a null object. An ERROR event is
// returned as an Error: ApiExpired when the resourceVersion is too old. `what` names the request in errors.
[[nodiscard]] Result<WatchEvent> read_watch_line(std::string_view line, const ResourceType& type, const std::string& what);

}  // namespace athanor::controller
