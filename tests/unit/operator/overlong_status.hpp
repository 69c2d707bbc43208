// A status in which every text and every list exceeds its limit, to prove that it is shortened before the API server would
// reject it.
//
// Threads: any; plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "operator/api/status_fields.hpp"

namespace athanor::controller::sketch {

// Visits the list of status fields, so a new field is filled as well.
class Overfill {
 public:
  template <class T>
  using Of = T;

  static std::string much(std::size_t bytes = 9'000) {
    std::string text = "x";  // shifts the two-byte characters, so that even limits fall inside one
    while (text.size() < bytes) {
      text += "\u00e9";
    }
    return text;
  }
  void text(const char* /*name*/, std::string& value, status::Length /*limit*/) { value = much(); }
  void time(const char* /*name*/, std::string& value) { value = "2026-11-21T02:10:00+00:00"; }
  void maybe(const char* /*name*/, std::int64_t& value) { value = 7; }
  void always(const char* /*name*/, std::int64_t& value) { value = 7; }
  void always(const char* /*name*/, bool& value) { value = true; }
  void known(const char* /*name*/, std::optional<std::int64_t>& value) { value = 7; }
  void phase(const char* /*name*/, Phase& value) { value = Phase::Retrying; }
  void maybe(const char* /*name*/, std::vector<std::string>& values, status::Items limit, status::Length of_each) {
    values.assign(limit.count + 1, much(of_each.bytes + 1));
  }
  void always(const char* name, std::vector<std::string>& values, status::Items limit, status::Length of_each) {
    maybe(name, values, limit, of_each);
  }
  template <class T>
  void part(const char* /*name*/, std::optional<T>& value) {
    status::fields(*this, value.emplace());
  }
  template <class T>
  void items(const char* /*name*/, std::vector<T>& values, status::Items limit) {
    values.resize(limit.count + 1);
    for (auto& value : values) {
      status::fields(*this, value);
    }
  }
  void conditions(const char* /*name*/, Conditions& values) {
    for (int type = 0; type <= static_cast<int>(ConditionType::SourceUnavailable); ++type) {
      Condition condition;
      condition.type = static_cast<ConditionType>(type);
      condition.reason = Reason::InternalError;
      condition.message = much();
      set_condition(values, std::move(condition), "2026-11-21T02:10:00+00:00");
    }
  }
};

inline DatabaseMigrationStatus overlong_status() {
  DatabaseMigrationStatus status;
  Overfill filler;
  status::fields(filler, status);
  return status;
}

}  // namespace athanor::controller::sketch
