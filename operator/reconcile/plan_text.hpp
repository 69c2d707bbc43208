// Renders a plan as text for approvers: every statement in order of execution, with destructive ones marked.
//
// A status lists only the first twenty destructive steps. An approver must be able to read the whole plan, and may have no
// access to the source. So the text is published in the resource's namespace, in pages, under the hash that an approval names.
// Characters that a terminal would interpret or that reorder text are escaped, because the text is untrusted.
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

// Returns pages of at most `most_bytes`; a page starts with a statement if that fits. `hash`: the hash that an approval names.
[[nodiscard]] std::vector<std::string> plan_pages(const Plan& plan, const std::string& hash, std::size_t most_bytes);

struct PublishedPlan {
  std::string command;  // a command that prints the text
  std::string sha256;   // digest of what it prints
};

class PlanTexts {
 public:
  virtual ~PlanTexts() = default;
  // Publishes the text of this plan, and removes the texts of the resource's other plans. Does nothing when this was done
  // already.
  [[nodiscard]] virtual Result<PublishedPlan> publish(const DatabaseMigration& resource, const Plan& plan,
                                                      const std::string& hash) = 0;
  // Removes the texts of all plans of the resource.
  virtual void remove(const DatabaseMigration& resource) = 0;
};

}  // namespace athanor::controller
