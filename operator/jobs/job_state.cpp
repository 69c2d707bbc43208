#include "operator/jobs/job_state.hpp"

#include <algorithm>
#include <charconv>
#include <ctime>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kLongestText = 512;
constexpr std::chrono::seconds kPodIsDue{30};
constexpr std::size_t kHashDigits = 64;
constexpr std::int64_t kMostRevisions = 20'000;

const KubeObject& list_at(const KubeObject& object, const char* name) {
  static const KubeObject kNone = KubeObject::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : kNone;
}

// Returns the condition of this type if its status is `wanted`, otherwise nullptr.
const KubeObject* true_condition(const KubeObject& object, std::string_view type, std::string_view wanted = "True") {
  const auto* const status = part_of(object, "status");
  if (status == nullptr) {
    return nullptr;
  }
  for (const auto& condition : list_at(*status, "conditions")) {
    if (condition.is_object() && text_of(condition, "type") == type && text_of(condition, "status") == wanted) {
      return &condition;
    }
  }
  return nullptr;
}

std::string created(const KubeObject& object) {
  const auto* const metadata = part_of(object, "metadata");
  return metadata == nullptr ? std::string() : text_of(*metadata, "creationTimestamp");
}

// Returns `text` as one line of limited length: messages of the kubelet and the scheduler may quote the container runtime.
std::string tamed(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  if (text.size() > kLongestText) {
    text.resize(kLongestText);
    while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) {
      text.pop_back();
    }
    text += "...";
  }
  return text;
}

std::string reason_and_message(const KubeObject& object) {
  const std::string reason = text_of(object, "reason");
  const std::string message = text_of(object, "message");
  return tamed(reason + (reason.empty() || message.empty() ? "" : ": ") + message);
}

// Returns the state `state` ("waiting", "running", "terminated") of the container that runs the migration; nullptr when it is
// in another state.
const KubeObject* container_state(const KubeObject& pod, const char* state) {
  const auto* const status = part_of(pod, "status");
  if (status == nullptr) {
    return nullptr;
  }
  for (const auto& container : list_at(*status, "containerStatuses")) {
    const auto* const states = container.is_object() ? part_of(container, "state") : nullptr;
    if (states != nullptr && text_of(container, "name") == kJobContainer) {
      return part_of(*states, state);
    }
  }
  return nullptr;
}

std::string waits_for(const KubeObject& pod) {
  if (const auto* const unscheduled = true_condition(pod, "PodScheduled", "False")) {
    return reason_and_message(*unscheduled);
  }
  const auto* const status = part_of(pod, "status");
  if (status == nullptr) {
    return {};
  }
  for (const char* const list : {"initContainerStatuses", "containerStatuses"}) {
    for (const auto& container : list_at(*status, list)) {
      const auto* const state = container.is_object() ? part_of(container, "state") : nullptr;
      const auto* const waiting = state == nullptr ? nullptr : part_of(*state, "waiting");
      const std::string reason = waiting == nullptr ? std::string() : text_of(*waiting, "reason");
      if (!reason.empty() && reason != "ContainerCreating" && reason != "PodInitializing") {
        return reason_and_message(*waiting);
      }
    }
  }
  return {};
}

std::string progress_of(const KubeObject& job, const std::vector<KubeObject>& pods, WallTime now) {
  const auto* const metadata = part_of(job, "metadata");
  if (metadata != nullptr && metadata->contains("deletionTimestamp")) {
    return "it is being deleted";
  }
  if (pods.empty()) {
    const auto made = parse_iso8601(created(job));
    // A quota or an admission webhook may keep the Job's controller from creating a pod; nothing in the Job's status says so.
    const bool overdue = made && now - *made > kPodIsDue;
    return overdue ? "no pod was created for it; see the events of the Job" : std::string();
  }
  const auto newest = std::ranges::max_element(pods, {}, created);
  return waits_for(*newest);
}

// "exit code 137 (OOMKilled)", followed by the container runtime's message when the program did not even start.
std::string end_of(const KubeObject& terminated) {
  const std::string reason = text_of(terminated, "reason");
  std::string text = "exit code " + std::to_string(number_of(terminated, "exitCode"));
  text += reason.empty() || reason == "Error" ? "" : " (" + reason + ")";
  const bool never_ran = reason == "StartError" || reason == "ContainerCannotRun";
  return never_ran ? text + ": " + tamed(text_of(terminated, "message")) : text;
}

// Returns the termination of the newest pod that ended; nullptr when there is none. After a disruption a Job may have several
// pods.
const KubeObject* last_termination(const std::vector<KubeObject>& pods) {
  const KubeObject* last = nullptr;
  for (const auto& pod : pods) {
    if (container_state(pod, "terminated") != nullptr && (last == nullptr || created(pod) >= created(*last))) {
      last = &pod;
    }
  }
  return last == nullptr ? nullptr : container_state(*last, "terminated");
}

// When the Job's controller reported its end; nullopt while it runs.
std::optional<WallTime> ended_at(const KubeObject& job) {
  for (const char* const type : {"Complete", "Failed"}) {
    if (const auto* const condition = true_condition(job, type)) {
      return parse_iso8601(text_of(*condition, "lastTransitionTime"));
    }
  }
  return std::nullopt;
}

std::vector<std::string> texts_of(const KubeObject& list) {
  std::vector<std::string> texts;
  for (const auto& item : list) {
    if (item.is_string()) {
      texts.push_back(item.get<std::string>());
    }
  }
  return texts;
}

std::int64_t count_in(const std::string& text) {
  std::int64_t count = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), count);
  return read.ec == std::errc() && count >= 0 ? count : 0;
}

// Reads from the Job's metadata what it was created for.
void read_request(const KubeObject& job, JobState& state) {
  const auto* const metadata = part_of(job, "metadata");
  if (metadata == nullptr) {
    return;
  }
  state.name = text_of(*metadata, "name");
  state.uid = text_of(*metadata, "uid");
  state.created = parse_iso8601(text_of(*metadata, "creationTimestamp"));
  if (const auto* const labels = part_of(*metadata, "labels")) {
    state.attempt = text_of(*labels, kAttemptLabel);
  }
  if (const auto* const notes = part_of(*metadata, "annotations")) {
    state.plan_hash = text_of(*notes, kPlanAnnotation);
    state.declaration = text_of(*notes, kDeclarationAnnotation);
    state.work = text_of(*notes, kWorkAnnotation) == kPlanWork ? JobRequest::Work::Plan : JobRequest::Work::Migrate;
    state.generation = count_in(text_of(*notes, kGenerationAnnotation));
    state.revisions = count_in(text_of(*notes, kRevisionsAnnotation));
    const KubeObject from = KubeObject::parse(text_of(*notes, kFromAnnotation), nullptr, false);
    state.from = from.is_array() ? texts_of(from) : std::vector<std::string>();
  }
}

std::vector<std::string> tamed(std::vector<std::string> texts) {
  std::ranges::transform(texts, texts.begin(), [](std::string& text) { return tamed(std::move(text)); });
  return texts;
}

// Returns nullptr when the hash is malformed or the number of revisions implausible: the report comes from a pod, and its
// numbers must not make the operator allocate without limit.
std::shared_ptr<const Plan> reported_plan(const std::string& hash, const KubeObject& reported) {
  const auto plan = std::make_shared<Plan>();
  plan->hash = hash;
  const std::int64_t revisions = number_of(reported, "revisions");
  const bool hexadecimal =
      plan->hash.size() == kHashDigits && plan->hash.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!hexadecimal || revisions < 0 || revisions > kMostRevisions) {
    return nullptr;
  }
  if (text_of(reported, "direction") == direction_name(Direction::Downgrade)) {
    plan->operation = Direction::Downgrade;
  }
  PlannedRevision planned;
  planned.walk.direction = plan->operation;
  plan->revisions.assign(static_cast<std::size_t>(revisions), planned);
  auto next = plan->revisions.begin();
  for (const auto& first : list_at(reported, "first")) {
    if (next == plan->revisions.end() || !first.is_object()) {
      break;
    }
    next->walk.revision = tamed(text_of(first, "revision"));
    next->message = tamed(text_of(first, "message"));
    ++next;
  }
  plan->warnings = tamed(texts_of(list_at(reported, "warnings")));
  return plan;
}

LintSummary reported_lint(const KubeObject& reported) {
  LintSummary lint;
  lint.errors = std::max<std::int64_t>(number_of(reported, "errors"), 0);
  lint.warnings = std::max<std::int64_t>(number_of(reported, "warnings"), 0);
  lint.hints = std::max<std::int64_t>(number_of(reported, "hints"), 0);
  lint.findings = tamed(texts_of(list_at(reported, "findings")));
  return lint;
}

std::optional<Error> reported_error(const KubeObject& reported) {
  const std::string name = text_of(reported, "code");
  for (int number = 0; number <= static_cast<int>(ErrorCode::ApiInvalid); ++number) {
    const auto code = static_cast<ErrorCode>(number);
    if (error_name(code) != name) {
      continue;
    }
    Error error(code, tamed(text_of(reported, "message")));
    error.context = tamed(text_of(reported, "context"));
    error.hint = tamed(text_of(reported, "hint"));
    error.sqlstate = tamed(text_of(reported, "sqlstate"));
    const std::string retry = text_of(reported, "retry");
    if (retry == "transient") {
      error.retry = RetryClass::Transient;
    } else if (retry == "conflict") {
      error.retry = RetryClass::Conflict;
    } else if (retry == "terminal") {
      error.retry = RetryClass::Terminal;
    }
    return error;
  }
  return std::nullopt;
}

}  // namespace

bool has_ended(const KubeObject& job) {
  return true_condition(job, "Complete") != nullptr || true_condition(job, "Failed") != nullptr;
}

bool has_begun(const std::vector<KubeObject>& pods) {
  return std::ranges::any_of(pods, [](const KubeObject& pod) {
    const auto* const status = part_of(pod, "status");
    const std::string phase = status == nullptr ? std::string() : text_of(*status, "phase");
    // A pod in phase Unknown counts as well: its node cannot be reached and may still run it.
    return !phase.empty() && phase != "Pending";
  });
}

JobState job_state(const KubeObject& job, const std::vector<KubeObject>& pods, WallTime now) {
  JobState state;
  read_request(job, state);
  const KubeObject* const terminated = last_termination(pods);
  const auto* const failed = true_condition(job, "Failed");
  // A terminated pod alone does not end the Job: its controller may still create another pod (see failure_policy()).
  if (failed == nullptr && true_condition(job, "Complete") == nullptr) {
    state.kind = JobState::Kind::Running;
    state.begun = has_begun(pods);
    const auto* const metadata = part_of(job, "metadata");
    state.deleting = metadata != nullptr && metadata->contains("deletionTimestamp");
    state.message = progress_of(job, pods, now);
    return state;
  }
  state.kind = failed == nullptr ? JobState::Kind::Succeeded : JobState::Kind::Failed;
  state.ended = ended_at(job);
  if (terminated != nullptr) {
    state.report = read_report(text_of(*terminated, "message"));
  }
  if (failed != nullptr) {
    state.message = reason_and_message(*failed) + (terminated == nullptr ? "" : "; " + end_of(*terminated));
  }
  return state;
}

std::optional<JobReport> read_report(const std::string& message) {
  const KubeObject reported = KubeObject::parse(message, nullptr, false);
  if (!reported.is_object() || !reported.contains("success") || !reported["success"].is_boolean()) {
    return std::nullopt;
  }
  JobReport report;
  report.run_id = tamed(text_of(reported, "run_id"));
  if (const auto rows = reported.find("current_revision"); rows != reported.end() && rows->is_array()) {
    std::vector<std::string> heads = texts_of(*rows);
    std::ranges::sort(heads);
    // Athanor 0.1.0 in an image writes an empty list also when it never read the database, so an empty list after a failure
    // without a run says nothing.
    if (reported["success"].get<bool>() || !heads.empty() || !report.run_id.empty()) {
      report.current_heads = std::move(heads);
    }
  }
  if (const auto* const failed = part_of(reported, "failed")) {
    report.failed_revision = tamed(text_of(*failed, "revision"));
    report.failed_line = static_cast<int>(number_of(*failed, "line"));
    report.failed_statement = tamed(text_of(*failed, "statement"));
  }
  if (const auto* const error = part_of(reported, "error")) {
    report.error = reported_error(*error);
  }
  if (const auto* const plan = part_of(reported, "plan")) {
    report.plan = reported_plan(text_of(reported, "plan_hash"), *plan);
    report.destructive = tamed(texts_of(list_at(*plan, "destructive")));
  }
  if (const auto* const lint = part_of(reported, "lint")) {
    report.lint = reported_lint(*lint);
  }
  const auto ahead = reported.find("ahead");
  report.ahead = ahead != reported.end() && ahead->is_boolean() && ahead->get<bool>();
  return report;
}

}  // namespace athanor::controller
