#include "operator/cluster/resource_wait.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "migrations/text/duration.hpp"
#include "migrations/text/foreign_message.hpp"
#include "operator/api/spec_codec.hpp"

namespace athanor::controller {
namespace {

struct Readiness {
  enum class State : std::uint8_t { Ready, Stalled, NotYet };
  State state = State::NotYet;
  std::string detail;
};

Readiness judge(const KubeObject& object) {
  const DatabaseMigration resource = readable_part(object);
  const DatabaseMigrationStatus& status = resource.status;
  if (resource.metadata.deleting) {
    return {Readiness::State::NotYet, "it is being deleted"};
  }
  if (status.observed_generation != resource.metadata.generation) {
    return {Readiness::State::NotYet,
            "no operator has observed generation " + std::to_string(resource.metadata.generation) + " yet"};
  }
  const Condition* const ready = find_condition(status.conditions, ConditionType::Ready);
  if (ready == nullptr) {
    return {Readiness::State::NotYet, "its status has no Ready condition"};
  }
  const std::string state = std::string(reason_name(ready->reason)) + ": " + fit_for_message(ready->message);
  if (is_true(status.conditions, ConditionType::Stalled)) {
    return {Readiness::State::Stalled, state};
  }
  return {ready->status == ConditionStatus::True ? Readiness::State::Ready : Readiness::State::NotYet, state};
}

bool is_worth_asking_again(const Error& error) {
  return error.code == ErrorCode::ApiNotFound || error.code == ErrorCode::ApiUnreachable ||
         error.code == ErrorCode::ApiThrottled;
}

}  // namespace

Result<std::string> wait_for_resource(KubeReader& reader, Clock& clock, const ResourceWait& wait,
                                      const std::function<void(const std::string&)>& report, const StopToken& stop) {
  const std::string what = "DatabaseMigration " + wait.key.text();
  const SteadyTime deadline = clock.steady_now() + wait.timeout;
  std::string last;
  for (;;) {
    const auto object = reader.get(kube::kDatabaseMigrations, wait.key.name_space, wait.key.name);
    if (stop.requested()) {
      return fail(Error(ErrorCode::Interrupted, "stopped while waiting for " + what));
    }
    if (!object && !is_worth_asking_again(object.error())) {
      return fail(object.error());
    }
    const Readiness observed =
        object ? judge(*object)
               : Readiness{Readiness::State::NotYet,
                           object.error().code == ErrorCode::ApiNotFound ? "it does not exist yet" : object.error().describe()};
    if (observed.state == Readiness::State::Ready) {
      return observed.detail;
    }
    if (observed.state == Readiness::State::Stalled) {
      return fail(Error(ErrorCode::NotUpToDate, what + " is stalled: " + observed.detail));
    }
    const auto left = std::chrono::duration_cast<milliseconds>(deadline - clock.steady_now());
    if (left.count() <= 0) {
      const bool answered = object || object.error().code == ErrorCode::ApiNotFound;
      return fail(Error(answered ? ErrorCode::NotUpToDate : object.error().code,
                        what + " is not ready after " + format_duration(wait.timeout) + ": " + observed.detail));
    }
    if (observed.detail != std::exchange(last, observed.detail)) {
      report("waiting for " + what + ": " + observed.detail);
    }
    clock.wait(std::min(wait.interval, left), stop);
  }
}

}  // namespace athanor::controller
