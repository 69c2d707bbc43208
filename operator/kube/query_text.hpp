// The part of a request's path behind the question mark, put together piece by piece.
//
// Threads: plain value.
#pragma once

#include <string>
#include <string_view>

namespace athanor::controller {

class QueryText {
 public:
  void add(std::string_view name, std::string_view value);
  void add_unless_empty(std::string_view name, std::string_view value);
  // "?limit=500&labelSelector=team%3Dshop", or nothing.
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

}  // namespace athanor::controller
