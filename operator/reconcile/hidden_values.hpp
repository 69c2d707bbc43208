// The values that a resource had read for it, which nobody may be shown.
//
// A `…From` field may name any key of any Secret of its namespace, and any file below a secret root. Whoever may write a
// resource may not be allowed to read Secrets, and would only have to give a key out as the name of a host, a database or a
// user, and read the message of the failure. So what was read is replaced wherever it stands by itself in a text that leaves a
// reconcile: as a whole, and of a URL each of its parts.
//
// Not hidden is what the resource itself says, because who reads the message can read that, and libpq's own words.
//
// Threads: a plain value. Secrets: holds them, in memory, as long as the reconcile lasts.
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
  // `resource`: what it declares is no secret.
  explicit HiddenValues(const DatabaseMigration& resource);

  void add(const std::string& value);
  // A URL, or keywords and values: each part of it.
  void add_url(const std::string& url);

  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] std::string hide(std::string text) const;
  [[nodiscard]] Error hide(Error error) const;
  [[nodiscard]] Blocker hide(Blocker blocker) const;

 private:
  void keep(std::string value);

  std::vector<std::string> declared_;
  std::vector<std::string> values_;  // the longest first
};

}  // namespace athanor::controller
