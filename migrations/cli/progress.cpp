#include "migrations/cli/progress.hpp"

#include <algorithm>

#include "migrations/cli/plan_listing.hpp"

namespace athanor::cli {
namespace {

constexpr milliseconds kReminderInterval{5'000};
constexpr milliseconds kRedrawInterval{50};
constexpr std::size_t kBarWidth = 24;
constexpr std::size_t kFewRevisions = 200;

std::string blockers_text(const std::vector<Blocker>& blockers) {
  std::string text;
  for (const Blocker& blocker : blockers) {
    text += text.empty() ? "" : "; ";
    text += blocker_text(blocker);
  }
  return text.empty() ? "an unknown session" : text;
}

// Cuts UTF-8 text to `columns` characters, not bytes.
std::string clipped(const std::string& text, std::size_t columns) {
  std::size_t characters = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0U) == 0x80U) {
      continue;
    }
    if (characters++ == columns) {
      return text.substr(0, i);
    }
  }
  return text;
}

std::string count_noun(const Plan& plan) {
  const std::string noun = plan.operation == Direction::Stamp ? "row change" : "revision";
  return plan.revisions.size() == 1 ? noun : noun + "s";
}

std::string name_of(const PlannedRevision& revision) {
  std::string name = revision.walk.revision.value_or("stamp");
  if (!revision.message.empty()) {
    name += ", " + revision.message;
  }
  return name;
}

}  // namespace

std::string duration_text(milliseconds duration) {
  const auto count = duration.count();
  if (count < 1'000) {
    return std::to_string(count) + " ms";
  }
  if (count < 60'000) {
    return std::to_string(count / 1'000) + "." + std::to_string(count % 1'000 / 100) + " s";
  }
  return std::to_string(count / 60'000) + " min " + std::to_string(count % 60'000 / 1'000) + " s";
}

std::string blocker_text(const Blocker& blocker) {
  std::string details;
  const auto add = [&](const std::string& part) {
    if (!part.empty()) {
      details += details.empty() ? "" : ", ";
      details += part;
    }
  };
  add(blocker.application);
  add(blocker.client.empty() ? blocker.user : blocker.user + "@" + blocker.client);
  add(blocker.state);
  add(blocker.since.empty() ? blocker.since : "since " + blocker.since);
  add(blocker.query);
  // A prepared transaction has no process.
  std::string text = blocker.pid == 0 ? "a prepared transaction" : "pid " + std::to_string(blocker.pid);
  return details.empty() ? text : text + " (" + details + ")";
}

void LineProgress::say(const std::string& line) {
  output_.note(line);
}

bool LineProgress::time_to_remind() {
  const SteadyTime now = clock_.steady_now();
  if (reminded_ && now - last_reminder_ < kReminderInterval) {
    return false;
  }
  reminded_ = true;
  last_reminder_ = now;
  return true;
}

void LineProgress::run_started(const Plan& plan) {
  if (output_.style().verbose) {
    say("Plan " + plan.hash + ": " + std::to_string(plan.revisions.size()) + " " + count_noun(plan) + " from " +
        join_revisions(plan.from) + " to " + join_revisions(plan.to));
  }
}

void LineProgress::waiting_for_lock(const std::vector<Blocker>& holders, milliseconds waited) {
  if (time_to_remind()) {
    say("Waiting for the migration lock, held by " + blockers_text(holders) + " (" + duration_text(waited) + ")");
  }
}

void LineProgress::batch_progress(const PlannedRevision& revision, std::int64_t rows, milliseconds elapsed) {
  if (time_to_remind()) {
    say("Running batches of " + name_of(revision) + ": " + std::to_string(rows) + " rows (" + duration_text(elapsed) + ")");
  }
}

void LineProgress::blocked(const PlannedRevision& revision, const std::vector<Blocker>& blockers, milliseconds waited) {
  if (time_to_remind()) {
    say("Revision " + name_of(revision) + " waits for a lock held by " + blockers_text(blockers) + " (" +
        duration_text(waited) + ")");
  }
}

void LineProgress::waiting_for_replica(const PlannedRevision& revision, milliseconds lag, milliseconds limit,
                                       milliseconds waited) {
  if (time_to_remind()) {
    say("Revision " + name_of(revision) + " waits for a replica that is " + duration_text(lag) + " behind; the limit is " +
        duration_text(limit) + " (" + duration_text(waited) + ")");
  }
}

void LineProgress::superuser_migrates() {
  clear();
  output_.warn(
      "the role of the run is a superuser, so every function that a revision calls runs with superuser rights; "
      "docs/spec/ledger.md lists the grants that suffice");
}

void LineProgress::index_left(const PlannedRevision& revision, const std::string& index) {
  say("Revision " + name_of(revision) + " leaves the INVALID index " + index +
      " of an interrupted REINDEX: a superuser can drop it with DROP INDEX CONCURRENTLY");
}

void LineProgress::catalog_not_recorded(const Error& error) {
  clear();
  print_catalog_not_recorded(output_, error);
}

void LineProgress::retrying(const PlannedRevision& revision, const Error& error, int attempt, milliseconds delay) {
  say("Revision " + name_of(revision) + ": " + error.describe() + "; attempt " + std::to_string(attempt + 1) + " in " +
      duration_text(delay));
}

void LineProgress::revision_finished(std::size_t /*index*/, const PlannedRevision& revision, milliseconds duration) {
  say("Running " + step_line(revision) + " (" + duration_text(duration) + ")");
}

void LineProgress::server_message(const ServerMessage& message) {
  clear();
  print_server_message(output_, message);
}

void print_catalog_not_recorded(Output& output, const Error& error) {
  output.warn("could not record the schema in the ledger, so the next `athanor drift` cannot compare with it: " +
              error.describe());
}

void print_server_message(Output& output, const ServerMessage& message) {
  const std::string text = message.text + (message.hint.empty() ? "" : " (" + message.hint + ")");
  if (message.is_warning()) {
    output.warn("the server warns: " + text);
    return;
  }
  output.note(message.severity + ": " + text);
  if (output.json()) {
    Json& messages = output.fields()["messages"];
    messages.push_back(
        {{"severity", message.severity}, {"sqlstate", message.sqlstate}, {"text", message.text}, {"hint", message.hint}});
  }
}

namespace {

// Prints nothing.
class SilentProgress final : public ProgressSink {
 public:
  explicit SilentProgress(Output& output) : output_(output) {}
  void server_message(const ServerMessage& message) override { print_server_message(output_, message); }
  void catalog_not_recorded(const Error& error) override { print_catalog_not_recorded(output_, error); }

 private:
  Output& output_;
};

}  // namespace

void BarProgress::say(const std::string& line) {
  clear();
  LineProgress::say(line);
}

void BarProgress::clear() {
  if (drawn_) {
    output().progress("\r\x1b[2K");
    drawn_ = false;
  }
}

void BarProgress::draw(const std::string& now, bool always) {
  const SteadyTime time = clock().steady_now();
  if (!always && drawn_ && time - last_drawn_ < kRedrawInterval) {
    return;
  }
  last_drawn_ = time;
  drawn_ = true;
  const std::size_t filled = total_ == 0 ? kBarWidth : kBarWidth * done_ / total_;
  std::string bar(filled, '#');
  bar.resize(kBarWidth, '.');
  const auto elapsed = std::chrono::duration_cast<milliseconds>(time - started_);
  const std::string head = "[" + bar + "] " + std::to_string(done_) + "/" + std::to_string(total_) + " ";
  const std::string tail = " (" + duration_text(elapsed) + ")";
  const auto columns = static_cast<std::size_t>(std::max(columns_ - 1, 40));
  const std::size_t room = columns > head.size() + tail.size() ? columns - head.size() - tail.size() : 0;
  std::string text = head;
  if (output().style().error_color) {
    text = "[\x1b[32m" + bar + "\x1b[0m] " + std::to_string(done_) + "/" + std::to_string(total_) + " ";
  }
  std::string name = printable(now);
  std::ranges::replace(name, '\n', ' ');
  output().progress("\r\x1b[2K" + text + clipped(name, room) + tail);
}

void BarProgress::run_started(const Plan& plan) {
  LineProgress::run_started(plan);
  total_ = plan.revisions.size();
  done_ = 0;
  started_ = clock().steady_now();
  draw("", true);
}

void BarProgress::revision_started(std::size_t /*index*/, const PlannedRevision& revision) {
  // Always draw the first lines: a revision that runs for an hour must be named. With many revisions the next redraw is never
  // far.
  draw(name_of(revision), total_ <= kFewRevisions);
}

void BarProgress::batch_progress(const PlannedRevision& revision, std::int64_t rows, milliseconds /*elapsed*/) {
  draw(name_of(revision) + ": " + std::to_string(rows) + " rows", false);
}

void BarProgress::revision_finished(std::size_t index, const PlannedRevision& revision, milliseconds duration) {
  ++done_;
  if (output().style().verbose) {
    LineProgress::revision_finished(index, revision, duration);
  }
  draw(name_of(revision), false);
}

void BarProgress::run_finished(const ExecutionReport& /*report*/) {
  clear();
}

std::unique_ptr<ProgressSink> make_progress(Output& output, const Clock& clock, bool terminal, int columns) {
  const OutputStyle& style = output.style();
  if (style.json || style.quiet) {
    return std::make_unique<SilentProgress>(output);
  }
  if (terminal) {
    return std::make_unique<BarProgress>(output, clock, columns);
  }
  return std::make_unique<LineProgress>(output, clock);
}

}  // namespace athanor::cli
