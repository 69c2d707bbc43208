// Builds the query string of a request.
//
// Threads: plain value.
#pragma once

#include <string>
#include <string_view>

namespace athanor::controller {

class QueryText {
 public:
  // Appends a parameter; the value is percent-encoded, the name is not.
  void add(std::string_view name, std::string_view value);
  // Does nothing for an empty value.
  void add_unless_empty(std::string_view name, std::string_view value);
  // "?limit=500&labelSelector=team%3Dshop"; empty without parameters.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace athanor::controller
