// Removes secret values, which a resource had read for it, from texts.
//
// A `…From` field may name any key of any Secret of its namespace, and any file below a secret root. An author of a resource
// who may not read Secrets could use a key as the name of a host, a database or a user, and read it in the error message. So
// every value that was read is replaced where it occurs as a separate word in a text that leaves a reconcile: as a whole, and
// for a URL each of its parts.
//
// Values in the resource itself are not hidden, because anyone who reads the message can read the resource, and neither are
// libpq's own words.
//
// Threads: plain value. Secrets: keeps them in memory for the duration of the reconcile.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "migrations/base/error.hpp"
#include "migrations/session/blocker.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

class HiddenValues {
 public:
  static constexpr std::string_view kShown = "(hidden)";

  HiddenValues() = default;
  // `resource`: the values it declares are not hidden.
  explicit HiddenValues(const DatabaseMigration& resource);

  // Hides this value and each of its lines.
  void add(const std::string& value);
  // Hides a password or token, even within a word.
  void add_password(const std::string& value);
  // Hides a URL, or a string of keywords and values, and each of its parts.
  void add_url(const std::string& url);

  [[nodiscard]] bool empty() const { return values_.empty(); }
  // Return the argument with every hidden value replaced by kShown.
  [[nodiscard]] std::string hide(std::string text) const;
  [[nodiscard]] Error hide(Error error) const;
  [[nodiscard]] Blocker hide(Blocker blocker) const;

 private:
  void keep(std::string value, bool anywhere = false);

  std::vector<std::string> declared_;
  struct Value {
    std::string text;
    bool anywhere = false;  // also within a word
  };
  std::vector<Value> values_;  // the longest first
};

}  // namespace athanor::controller
