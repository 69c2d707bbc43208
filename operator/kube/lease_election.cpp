#include "operator/kube/lease_election.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>

#include "operator/kube/micro_time.hpp"

namespace athanor::controller {
namespace {

constexpr int kReleaseAttempts = 3;
constexpr std::int64_t kLongestDuration = 3'600;  // seconds; a mistyped duration must not block the Lease forever

const KubeObject& spec_of(const KubeObject& lease) {
  static const KubeObject kNone = KubeObject::object();
  if (!lease.is_object()) {
    return kNone;
  }
  const auto found = lease.find("spec");
  return found != lease.end() && found->is_object() ? *found : kNone;
}

std::string holder_of(const KubeObject& lease) {
  const KubeObject& spec = spec_of(lease);
  const auto found = spec.find("holderIdentity");
  return found != spec.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::int64_t number_of(const KubeObject& lease, const char* field) {
  const KubeObject& spec = spec_of(lease);
  const auto found = spec.find(field);
  return found != spec.end() && found->is_number_integer() ? found->get<std::int64_t>() : 0;
}

std::int64_t whole_seconds(milliseconds duration) {
  return std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(duration).count(), 1);
}

}  // namespace

LeaseElection::LeaseElection(KubeClient& client, Clock& clock, LeaseOptions options, Callbacks callbacks, const Log& log)
    : client_(client),
      clock_(clock),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      log_(log.with({{"lease", options_.name_space + "/" + options_.name}, {"identity", options_.identity}})),
      random_(static_cast<std::minstd_rand::result_type>(options_.seed + 1)) {}

void LeaseElection::run(const StopToken& stop, const std::function<void()>& release_when) {
  acquire(stop);
  if (stop.requested() && !leading_) {
    return;
  }
  log_.info("leading");
  if (callbacks_.started_leading) {
    callbacks_.started_leading();
  }
  if (!hold_in_time(stop)) {
    return;
  }
  // Read before stop_leading() clears it. After a lost Lease there is nothing to release.
  const bool still_leading = leading();
  stop_leading(still_leading ? "stopping, lease will be released when running work has ended" : "leadership lost");
  if (still_leading) {
    finish_work(release_when);
    release();
  }
}

void LeaseElection::acquire(const StopToken& stop) {
  while (!stop.requested()) {
    if (attempt()) {
      leading_ = true;
      return;
    }
    clock_.wait(next_pause(), stop);
  }
}

void LeaseElection::stop_leading(const char* why) {
  leading_ = false;
  log_.info(why);
  if (callbacks_.stopped_leading) {
    callbacks_.stopped_leading();
  }
}

// Holds the Lease while a second thread watches the renew deadline, because a renewal may hang longer than that. Returns false
// when the deadline passed and stopped_leading has been called.
bool LeaseElection::hold_in_time(const StopToken& stop) {
  std::mutex mutex;
  std::condition_variable ended;
  bool over = false;
  bool reported = false;
  std::thread watch([&] {
    std::unique_lock lock(mutex);
    while (!over && leading()) {
      ended.wait_for(lock, time_left());  // each renewal extends the time left, hence the loop
    }
    if (!over) {
      // Under the mutex, so that a loss cannot be reported after hold() has ended.
      reported = true;
      stop_leading("leadership lost");
    }
  });
  hold(stop);
  {
    const std::lock_guard lock(mutex);
    over = true;
  }
  ended.notify_all();
  watch.join();
  return !reported;
}

// The time until the renew deadline, at least one millisecond.
milliseconds LeaseElection::time_left() const {
  const SteadyTime until(SteadyTime::duration(valid_until_.load()));
  return std::max(std::chrono::ceil<milliseconds>(until - clock_.steady_now()), milliseconds(1));
}

// Returns when stopped, when another holds the Lease, or when the renew deadline has passed.
void LeaseElection::hold(const StopToken& stop) {
  while (!stop.requested() && leading()) {
    // Never sleep past the renew deadline, so that its end is noticed on time.
    if (!clock_.wait(std::clamp(next_pause(), milliseconds(1), time_left()), stop)) {
      return;
    }
    // A failed attempt alone does not end leadership: the server may be unreachable for a moment, and nobody may take over
    // before `duration`. A Lease seen with another holder does.
    if (!leading() || (!attempt() && held_by_another())) {
      valid_until_ = 0;
      return;
    }
  }
}

// Keeps renewing while the caller's running work ends.
void LeaseElection::finish_work(const std::function<void()>& release_when) {
  if (!release_when) {
    return;
  }
  StopSource ended;
  // leading_ is false here, so attempt() takes the path of a read followed by an update. Renewing matters: until the running
  // work has ended, no other replica may start the same work.
  std::thread work([&] {
    release_when();
    ended.request();
  });
  while (clock_.wait(next_pause(), ended.token())) {
    static_cast<void>(attempt());
    if (held_by_another()) {
      break;  // lost while draining: there is nothing left to renew
    }
  }
  work.join();
}

void LeaseElection::release() {
  for (int attempts = 0; attempts < kReleaseAttempts; ++attempts) {
    // The update carries the observed resourceVersion. If another replica took the Lease meanwhile, the server answers 409 and
    // its claim stays intact.
    if (holder_of(observed_.lease) == options_.identity) {
      KubeObject lease = observed_.lease;
      const std::string now = micro_time(clock_.wall_now());
      lease["spec"]["holderIdentity"] = "";
      // As client-go does: a client that ignores the empty holder waits one second only.
      lease["spec"]["leaseDurationSeconds"] = 1;
      lease["spec"]["renewTime"] = now;
      lease["spec"]["acquireTime"] = now;
      const Result<KubeObject> released = client_.replace(kube::kLeases, options_.name_space, options_.name, lease);
      if (released) {
        log_.info("lease released");
        return;
      }
      log_.warn("failed to release lease", error_fields(released.error()));
    }
    Result<KubeObject> current = client_.get(kube::kLeases, options_.name_space, options_.name);
    if (!current || holder_of(*current) != options_.identity) {
      return;  // it will expire, or another replica holds it
    }
    observe(std::move(*current));
  }
}

// Makes one attempt to acquire or renew the Lease.
bool LeaseElection::attempt() {
  const SteadyTime sent = clock_.steady_now();
  const std::string now = micro_time(clock_.wall_now());
  // The common case is one request: update the Lease as last seen. A conflict falls through to a fresh read.
  if (leading_ && renew(now)) {
    set_valid_since(sent);
    return true;
  }
  Result<KubeObject> current = client_.get(kube::kLeases, options_.name_space, options_.name);
  if (!current && current.error().code != ErrorCode::ApiNotFound) {
    log_.warn("failed to read lease", error_fields(current.error()));
    return false;
  }
  // Validity counts from before the first request of the attempt. The server may have stored the renewal at any moment after
  // that, so this errs on the safe side.
  const bool got = current ? (observe(std::move(*current)), !held_by_another() && take_over(now)) : create(now);
  if (got) {
    set_valid_since(sent);
  }
  return got;
}

bool LeaseElection::renew(const std::string& now) {
  if (holder_of(observed_.lease) != options_.identity) {
    return false;
  }
  // If anyone changed the Lease since, even only a label, the server answers 409, and attempt() reads it again.
  KubeObject lease = observed_.lease;
  lease["spec"]["renewTime"] = now;
  lease["spec"]["leaseDurationSeconds"] = whole_seconds(options_.duration);
  Result<KubeObject> renewed = client_.replace(kube::kLeases, options_.name_space, options_.name, lease);
  if (renewed) {
    observe(std::move(*renewed));
  }
  return renewed.has_value();
}

bool LeaseElection::create(const std::string& now) {
  const KubeObject lease{{"apiVersion", kube::kLeases.api_version()},
                         {"kind", kube::kLeases.kind},
                         {"metadata", {{"name", options_.name}, {"namespace", options_.name_space}}},
                         {"spec",
                          {{"holderIdentity", options_.identity},
                           {"leaseDurationSeconds", whole_seconds(options_.duration)},
                           {"acquireTime", now},
                           {"renewTime", now},
                           {"leaseTransitions", 0}}}};
  Result<KubeObject> created = client_.create(kube::kLeases, options_.name_space, lease);
  if (!created) {
    // 409: another candidate created it first.
    if (created.error().code != ErrorCode::ApiConflict) {
      log_.warn("failed to create lease", error_fields(created.error()));
    }
    return false;
  }
  observe(std::move(*created));
  return true;
}

bool LeaseElection::take_over(const std::string& now) {
  KubeObject lease = observed_.lease;
  KubeObject& spec = lease["spec"];
  if (holder_of(observed_.lease) != options_.identity) {
    // A restarted replica that takes back its own Lease is not a transition.
    spec["leaseTransitions"] = number_of(observed_.lease, "leaseTransitions") + 1;
    spec["acquireTime"] = now;
  }
  spec["holderIdentity"] = options_.identity;
  spec["leaseDurationSeconds"] = whole_seconds(options_.duration);
  spec["renewTime"] = now;
  Result<KubeObject> taken = client_.replace(kube::kLeases, options_.name_space, options_.name, lease);
  if (!taken) {
    // Two candidates may see the same expired Lease. Both send the resourceVersion they read, and the server accepts only the
    // first.
    if (taken.error().code != ErrorCode::ApiConflict) {
      log_.warn("failed to update lease", error_fields(taken.error()));
    }
    return false;
  }
  observe(std::move(*taken));
  return true;
}

void LeaseElection::observe(KubeObject lease) {
  // Compare only the spec: an edited label is not a renewal. The time of the change is ours, because the clocks of two nodes
  // may differ by more than the whole lease duration.
  const bool changed = observed_.lease.is_null() || spec_of(observed_.lease) != spec_of(lease);
  observed_.lease = std::move(lease);
  if (changed) {
    observed_.at = clock_.steady_now();
  }
  if (const std::string holder = holder_of(observed_.lease); !holder.empty() && holder != leader_) {
    leader_ = holder;
    if (callbacks_.leader_changed) {
      callbacks_.leader_changed(leader_);
    }
  }
}

// Uses the duration written by the holder, whose configuration may differ from ours.
bool LeaseElection::held_by_another() const {
  const std::string holder = holder_of(observed_.lease);
  if (holder.empty() || holder == options_.identity) {
    return false;
  }
  const std::int64_t written = std::min(number_of(observed_.lease, "leaseDurationSeconds"), kLongestDuration);
  const milliseconds duration = written > 0 ? std::chrono::seconds(written) : options_.duration;
  return clock_.steady_now() < observed_.at + duration;
}

void LeaseElection::set_valid_since(SteadyTime sent) {
  valid_until_ = (sent + options_.renew_deadline).time_since_epoch().count();
}

milliseconds LeaseElection::next_pause() {
  // As in client-go: with jitter, candidates that wait for the same Lease do not all retry at the same moment.
  const double jitter = std::uniform_real_distribution<double>(1.0, 1.2)(random_);
  return milliseconds(static_cast<milliseconds::rep>(static_cast<double>(options_.retry.count()) * jitter));
}

}  // namespace athanor::controller
