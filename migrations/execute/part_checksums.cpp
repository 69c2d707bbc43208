#include "migrations/execute/part_checksums.hpp"

#include "migrations/base/sha256.hpp"

namespace athanor {
namespace {

// The properties of a step that decide the effect of its statements. Pace and size of batches do not.
std::string surroundings(const ScriptStep& step) {
  std::string text(step_kind_name(step.kind));
  if (step.kind == StepKind::Batch) {
    text += " " + step.batch.table + " " + step.batch.key;
  }
  return text;
}

std::string extended(std::string_view digest, std::string_view around, std::string_view sql) {
  // A NUL cannot occur in SQL text, so moving text between parts changes the digest.
  constexpr std::string_view kSeparator("\0", 1);
  Sha256 next;
  for (const std::string_view part : {digest, around, sql}) {
    next.update(part);
    next.update(kSeparator);
  }
  return next.finish();
}

}  // namespace

PartChecksums::PartChecksums(std::string_view file, const std::vector<ScriptStep>& steps) : file_(file), steps_(steps) {
  std::string digest;
  for (const ScriptStep& step : steps) {
    const std::string around = surroundings(step);
    std::vector<std::string>& parts = digests_.emplace_back();
    for (const SqlStatement& statement : step.statements) {
      digest = extended(digest, around, statement.sql);
      parts.push_back(digest);
    }
    if (step.statements.empty()) {
      digest = extended(digest, around, {});
      parts.push_back(digest);
    }
    if (step.kind != StepKind::Autocommit) {
      parts.assign(1, digest);
    }
  }
}

const std::string* PartChecksums::digest(std::size_t step, std::size_t statement) const {
  return step < digests_.size() && statement < digests_[step].size() ? &digests_[step][statement] : nullptr;
}

std::string PartChecksums::of(std::size_t step, std::size_t statement) const {
  const std::string* const found = digest(step, statement);
  return found == nullptr ? file_ : file_ + ":" + *found;
}

// The line of the first statement after `part` (null: of the first statement); the last step's line when there is none.
int PartChecksums::line_behind(const UnfinishedStep::Part* part) const {
  std::size_t step = 0;
  std::size_t statement = 0;
  if (part != nullptr) {
    step = static_cast<std::size_t>(part->step);
    statement = static_cast<std::size_t>(part->statement) + 1;
    if (step < steps_.size() && steps_[step].kind != StepKind::Autocommit) {
      statement = steps_[step].statements.size();
    }
  }
  for (; step < steps_.size(); ++step, statement = 0) {
    if (statement < steps_[step].statements.size()) {
      return steps_[step].statements[statement].line;
    }
  }
  return steps_.empty() ? 0 : steps_.back().line;
}

std::optional<int> PartChecksums::changed_at(const std::vector<UnfinishedStep::Part>& parts) const {
  const UnfinishedStep::Part* last_same = nullptr;
  for (const auto& part : parts) {
    if (part.state == "begun") {
      continue;  // nothing of it ran
    }
    const std::size_t colon = part.checksum.find(':');
    // An equal file checksum is enough. A row of version 0.1.0 has no other, so a different file cannot be judged further.
    if (part.checksum.substr(0, colon) != file_) {
      if (colon == std::string::npos) {
        return 0;
      }
      const std::string* const now = digest(static_cast<std::size_t>(part.step), static_cast<std::size_t>(part.statement));
      if (now == nullptr || part.checksum.compare(colon + 1, std::string::npos, *now) != 0) {
        return line_behind(last_same);
      }
    }
    last_same = &part;
  }
  return std::nullopt;
}

}  // namespace athanor
