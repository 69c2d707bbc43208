#include "operator/serve/resource_series.hpp"

#include <array>
#include <cstdint>
#include <string_view>

#include "migrations/base/utf8.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kLongestLabel = 200;

enum Family : std::uint8_t { Info, Pending, Ready, Stalled, Waiting, BackupTime, BackupSize, Drifted, Count };

struct Description {
  const char* name;
  const char* help;
};
constexpr std::array<Description, Count> kFamilies{{
    {"athanor_revision_info", "Current and target revision of a database; always 1."},
    {"athanor_pending_revisions", "Revisions between a database and its declared target."},
    {"athanor_ready", "1: the condition Ready is True."},
    {"athanor_stalled", "1: the condition Stalled is True; someone must change something."},
    {"athanor_waiting", "1: the declared target is not reached yet, for this reason."},
    {"athanor_backup_timestamp_seconds", "Start time of the last verified backup, in seconds since the epoch."},
    {"athanor_backup_size_bytes", "Size of the last verified backup."},
    {"athanor_schema_drifted", "1: the schema was changed by hand since the last run; absent if unknown."},
}};

// One byte of invalid UTF-8 would make Prometheus reject the whole page.
void write_label(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append("=\"");
  for (const char c : well_formed(cut_at_character(value, kLongestLabel))) {
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
  void add(const ResourceKey& key, const StatusDigest& digest) {
    if (!digest.observed) {
      return;
    }
    names_.clear();
    write_label(names_, "name", key.name);
    names_ += ',';
    write_label(names_, "namespace", key.name_space);
    revisions_.clear();
    write_label(revisions_, ",current", digest.current);
    write_label(revisions_, ",target", digest.target);
    line(Info, 1, revisions_);
    if (digest.pending) {
      line(Pending, *digest.pending);
    }
    line(Ready, digest.ready ? 1 : 0);
    line(Stalled, digest.stalled ? 1 : 0);
    if (digest.waiting) {
      reason_.clear();
      write_label(reason_, ",reason", reason_name(*digest.waiting));
      line(Waiting, 1, reason_);
    }
    if (digest.backup_begun != 0) {
      line(BackupTime, digest.backup_begun);
      line(BackupSize, digest.backup_bytes);
    }
    if (digest.drifted) {
      line(Drifted, *digest.drifted ? 1 : 0);
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
  std::string revisions_;
  std::string reason_;
  // One text per family: the exposition format requires all lines of a family together, but the resources come one by one.
  std::array<std::string, Count> lines_;
};

}  // namespace

std::string resource_series(const MigrationStore& store) {
  Series series;
  store.for_each([&series](const ResourceKey& key, const StatusDigest& digest) { series.add(key, digest); });
  return series.text();
}

}  // namespace athanor::controller
