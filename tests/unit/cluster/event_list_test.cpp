// The events in the specification are those that the code writes.
#include <gtest/gtest.h>

#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "operator/cluster/event_reporter.hpp"
#include "tests/support/temp_folder.hpp"

namespace athanor::controller {
namespace {

using Events = std::set<std::string>;  // "Applied Normal Migrate"

std::string section(const std::string& page, const std::string& from) {
  const std::string text = test::read_file(std::string(ATHANOR_SOURCE_DIR "/docs/spec/") + page);
  const auto begin = text.find(from);
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find("\n## ", begin) - begin);
}

std::vector<std::string> cells_of(const std::string& row) {
  std::vector<std::string> cells;
  std::istringstream stream(row);
  for (std::string cell; std::getline(stream, cell, '|');) {
    cells.push_back(cell);
  }
  return cells;
}

std::vector<std::string> words_in(const std::string& cell) {
  static const std::regex kWord("`(\\w+)`");
  std::vector<std::string> words;
  for (std::sregex_iterator match(cell.begin(), cell.end(), kWord), end; match != end; ++match) {
    words.push_back((*match)[1]);
  }
  return words;
}

Events documented(const std::string& page, const std::string& heading) {
  Events events;
  std::istringstream lines(section(page, heading));
  for (std::string line; std::getline(lines, line);) {
    const auto cells = cells_of(line);
    if (line.starts_with("| `") && cells.size() >= 5) {
      for (const auto& reason : words_in(cells[1])) {
        events.insert(reason + " " + (cells[2] == " Warning " ? "Warning " : "Normal ") + words_in(cells[3]).at(0));
      }
    }
  }
  return events;
}

std::string kind_of(Reason reason) {
  const std::string reasons = section("database-migration.md", "## Reasons");
  const std::string name = "\n| `" + std::string(reason_name(reason)) + "` |";
  const auto row = reasons.find(name);
  EXPECT_NE(row, std::string::npos) << name;
  return reasons.substr(row + name.size(), reasons.find('|', row + name.size()) - row - name.size());
}

void add(const std::optional<EventRecord>& event, Events& events) {
  if (event) {
    events.insert(event->reason + (event->type == EventType::Warning ? " Warning " : " Normal ") + event->action);
  }
}

void add(Verdict::Kind kind, Reason reason, Events& events) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.reason = reason;
  outcome.report.emplace();
  add(event_of(outcome, true), events);
}

TEST(Events, AreDocumentedOneByOne) {
  Events written;
  Outcome backed_up;
  backed_up.review.emplace().backup.emplace();
  add(backup_event_of(backed_up), written);
  backed_up.review->backup_error = Error(ErrorCode::BackupFailed, "the disk is full");
  add(backup_event_of(backed_up), written);
  for (const Reason reason : all_reasons()) {
    DatabaseMigrationStatus running;
    set_condition(running.conditions, {ConditionType::Ready, ConditionStatus::False, reason, "", "", 1}, "");
    add(wait_event_of(running), written);
    add(Verdict::Kind::Done, reason, written);
    add(Verdict::Kind::Waiting, reason, written);
    const std::string kind = kind_of(reason);
    if (kind.find("stalled") != std::string::npos) {
      add(Verdict::Kind::Stalled, reason, written);
    }
    if (kind.find("failed") != std::string::npos) {
      add(Verdict::Kind::Failed, reason, written);
    }
  }
  for (const Reason reason : {Reason::SchemaChanged, Reason::DriftCheckFailed, Reason::SchemaUnchanged}) {
    Outcome compared;
    compared.observed.drift.emplace();
    compared.observed.drift->changed = true;
    compared.observed.drift->reason = reason;
    compared.observed.drift->drifted = reason == Reason::SchemaUnchanged ? ConditionStatus::False : ConditionStatus::Unknown;
    add(drift_event_of(compared), written);
  }
  Outcome linted;
  linted.review.emplace();
  linted.review->lint_is_new = true;
  linted.review->lint.emplace();
  linted.review->lint->warnings = 1;
  add(lint_event_of(linted), written);
  EXPECT_EQ(documented("database-migration.md", "## Events"), written);
  EXPECT_GT(written.size(), 25U);
}

TEST(Events, OfAnApprovalAreThoseOfItsMigration) {
  const Events all = documented("database-migration.md", "## Events");
  const Events some = documented("migration-approval.md", "## Lifecycle");
  EXPECT_EQ(some.size(), 4U);
  for (const auto& event : some) {
    EXPECT_TRUE(all.contains(event)) << event;
  }
}

}  // namespace
}  // namespace athanor::controller
