// Lists and watches as the API server writes them, taken apart object by object.
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

// Only one object of the page exists as a value at any time. Items of built-in types come without kind and apiVersion; they are
// filled in.
[[nodiscard]] Result<ListPage> read_list_page(std::string_view body, const ResourceType& type,
                                              const KubeReader::ObjectHandler& on_object);

// One line of a watch. A line that is no event is an event of kind Unknown without an object; an ERROR of the server is an
// Error, ApiExpired when the history is gone.
[[nodiscard]] Result<WatchEvent> read_watch_line(std::string_view line, const ResourceType& type, const std::string& what);

}  // namespace athanor::controller
