#include "operator/serve/resource_series.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace athanor::controller {
namespace {

constexpr std::size_t kLongestLabel = 200;

enum Family : std::uint8_t { Info, Pending, Ready, Stalled, BackupTime, BackupSize, Count };

struct Description {
  const char* name;
  const char* help;
};
constexpr std::array<Description, Count> kFamilies{{
    {"athanor_revision_info", "Where a database is and where it shall be; always 1."},
    {"athanor_pending_revisions", "Revisions between a database and its declared target."},
    {"athanor_ready", "1: the condition Ready is True."},
    {"athanor_stalled", "1: nothing goes on without a change by a person."},
    {"athanor_backup_timestamp_seconds", "When the last verified backup was begun, since the epoch."},
    {"athanor_backup_size_bytes", "Size of the last verified backup."},
}};

void write_label(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append("=\"");
  for (const char c : value.substr(0, kLongestLabel)) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') {
      text += '\\';
    }
    text += c;
  }
  text += '"';
}

class Series {
 public:
  void add(const DatabaseMigration& resource) {
    const DatabaseMigrationStatus& status = resource.status;
    if (status.observed_generation < 0) {
      return;
    }
    names_.clear();
    write_label(names_, "name", resource.metadata.name);
    names_ += ',';
    write_label(names_, "namespace", resource.metadata.name_space);
    std::string revisions;
    write_label(revisions, ",current", status.current_revision);
    write_label(revisions, ",target", status.target_revision);
    line(Info, 1, revisions);
    line(Pending, status.pending_count);
    line(Ready, is_true(status.conditions, ConditionType::Ready) ? 1 : 0);
    line(Stalled, is_true(status.conditions, ConditionType::Stalled) ? 1 : 0);
    if (!status.last_backup) {
      return;
    }
    if (const auto started = parse_iso8601(status.last_backup->started_at)) {
      line(BackupTime, std::chrono::duration_cast<std::chrono::seconds>(started->time_since_epoch()).count());
      line(BackupSize, status.last_backup->size_bytes);
    }
  }

  [[nodiscard]] std::string text() const {
    std::string whole;
    for (std::size_t family = 0; family < kFamilies.size(); ++family) {
      if (!lines_[family].empty()) {
        const std::string name = kFamilies[family].name;
        whole += "# HELP " + name + " " + kFamilies[family].help + "\n# TYPE " + name + " gauge\n" + lines_[family];
      }
    }
    return whole;
  }

 private:
  void line(Family family, std::int64_t value, std::string_view more = {}) {
    lines_[family].append(kFamilies[family].name).append("{").append(names_).append(more).append("} ");
    lines_[family].append(std::to_string(value)).append("\n");
  }

  std::string names_;
  std::array<std::string, Count> lines_;
};

}  // namespace

std::string resource_series(const ResourceStore& store) {
  Series series;
  store.each([&series](const DatabaseMigration& resource) { series.add(resource); });
  return series.text();
}

}  // namespace athanor::controller
