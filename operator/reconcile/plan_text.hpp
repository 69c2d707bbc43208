// A plan as text for whoever approves it: every statement, in the order they run, the destructive ones marked.
//
// A status holds the first twenty destructive steps; an approver must be able to read all of it, and may have no access to the
// source. So the text is published where the resource is, in pages, under the hash that an approval names. Characters that
// a terminal would act on, or that reorder text, are shown as escapes: the text is somebody else's.
//
// Threads: pure functions; implementations of PlanTexts are safe from any thread.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "migrations/base/result.hpp"
#include "migrations/plan/plan.hpp"
#include "operator/api/database_migration.hpp"

namespace athanor::controller {

// Pages of at most `most_bytes`, a page begins with a statement where one fits. `hash`: what an approval names.
[[nodiscard]] std::vector<std::string> plan_pages(const Plan& plan, const std::string& hash, std::size_t most_bytes);

struct PublishedPlan {
  std::string command;  // that prints it
  std::string sha256;   // of what it prints
};

class PlanTexts {
 public:
  virtual ~PlanTexts() = default;
  // Makes the text of this plan readable, and removes what is there of other plans of the resource. Does nothing when that is
  // so.
  [[nodiscard]] virtual Result<PublishedPlan> publish(const DatabaseMigration& resource, const Plan& plan,
                                                      const std::string& hash) = 0;
  // Removes what is there of any plan of the resource.
  virtual void remove(const DatabaseMigration& resource) = 0;
};

}  // namespace athanor::controller
