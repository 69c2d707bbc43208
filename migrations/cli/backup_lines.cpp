#include "migrations/cli/backup_lines.hpp"

#include "migrations/backup/backup_record.hpp"
#include "migrations/cli/progress.hpp"

namespace athanor::cli {
namespace {

constexpr milliseconds kReminderInterval{5'000};
constexpr milliseconds kRedrawInterval{200};

std::string_view verb_of(BackupStage stage) {
  switch (stage) {
    case BackupStage::Dumping:
      return "Dumping into";
    case BackupStage::Verifying:
      return "Verifying";
    case BackupStage::Publishing:
      return "Publishing";
    case BackupStage::Pruning:
      return "Deleting old backups in";
    case BackupStage::Restoring:
      return "Restoring";
    case BackupStage::Analyzing:
      return "Analysing";
    case BackupStage::Swapping:
      return "Renaming the database to";
  }
  return "Working on";
}

class BackupLines final : public BackupProgress {
 public:
  BackupLines(Output& output, const Clock& clock, bool terminal) : output_(output), clock_(clock), terminal_(terminal) {}
  ~BackupLines() override { clear(); }
  BackupLines(const BackupLines&) = delete;
  BackupLines& operator=(const BackupLines&) = delete;

  void stage(BackupStage stage, const std::string& what) override {
    clear();
    stage_ = std::string(verb_of(stage)) + " " + what;
    output_.note(stage_);
  }

  void waiting(const std::vector<Blocker>& dumps, milliseconds waited) override {
    const SteadyTime now = clock_.steady_now();
    if (reminded_ && now - last_ < kReminderInterval) {
      return;
    }
    reminded_ = true;
    last_ = now;
    clear();
    const std::string who = dumps.empty() ? "an unknown session" : blocker_text(dumps.front());
    output_.note("Waiting for another dump of this database: " + who + " (" + duration_text(waited) + ")");
  }

  void bytes(std::uint64_t done, std::uint64_t expected, milliseconds elapsed) override {
    const SteadyTime now = clock_.steady_now();
    if (!terminal_ || done == 0 || output_.json() || output_.style().quiet || (drawn_ && now - last_ < kRedrawInterval)) {
      return;
    }
    last_ = now;
    drawn_ = true;
    std::string text = "  " + size_text(done);
    if (expected > 0) {
      text += " of about " + size_text(expected);
    }
    output_.progress("\r\x1b[2K" + text + " (" + duration_text(elapsed) + ")");
  }

  void warning(const std::string& text) override {
    clear();
    output_.warn(text);
  }

 private:
  void clear() {
    if (drawn_) {
      output_.progress("\r\x1b[2K");
      drawn_ = false;
    }
  }

  Output& output_;
  const Clock& clock_;
  bool terminal_;
  std::string stage_;
  bool reminded_ = false;
  bool drawn_ = false;
  SteadyTime last_{};
};

}  // namespace

std::unique_ptr<BackupProgress> make_backup_lines(Output& output, const Clock& clock, bool terminal) {
  return std::make_unique<BackupLines>(output, clock, terminal);
}

}  // namespace athanor::cli
