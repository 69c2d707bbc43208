#include "migrations/backup/retention.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "migrations/backup/dump_content.hpp"

namespace athanor {
namespace {

bool is_good(const StoredBackup& backup) {
  return backup.complete && backup.record.verified.has_value();
}

// Acceptance is stricter than ownership: a dump from another place may contain other rows, even if the same resource requested
// it.
bool would_do(const StoredBackup& backup, const BackupNeed& need, milliseconds max_age, WallTime now) {
  const BackupRecord& record = backup.record;
  return is_good(backup) && record.database.same_as(need.subject.database) && record.place == need.subject.place &&
         record.version_table == need.version_table && record.revisions == need.revisions && now - record.started <= max_age;
}

struct OwnBackup {
  const BackupRecord* record = nullptr;
  bool good = false;
  std::size_t point = 0;  // equal for good dumps of the same restore point
};

// Newest first, like the list.
std::vector<OwnBackup> own_backups(const std::vector<StoredBackup>& backups, const BackupSubject& subject) {
  std::vector<OwnBackup> own;
  for (const StoredBackup& backup : backups) {
    if (subject.owns(backup.record)) {
      own.push_back({&backup.record, is_good(backup), own.size()});
    }
  }
  std::map<std::string, const OwnBackup*> last;  // the previous dump before a migration, by version table
  // Oldest first: each dump is compared with the one taken before it.
  for (auto each = own.rbegin(); each != own.rend(); ++each) {
    OwnBackup& backup = *each;
    if (!backup.good || !backup.record->target) {
      continue;
    }
    const OwnBackup*& before = last[backup.record->version_table];
    if (before != nullptr &&
        (before->record->target == backup.record->target || before->record->revisions == backup.record->revisions)) {
      backup.point = before->point;
    }
    before = &backup;
  }
  return own;
}

// Among dumps with the same heads in one restore point, only the first and the last are worth keeping: the first predates
// changes of half-done steps, the last has the latest data.
bool is_between(const std::vector<OwnBackup>& own, std::size_t index) {
  const auto alike = [&](const OwnBackup& other) {
    return other.good && other.point == own[index].point && other.record->revisions == own[index].record->revisions;
  };
  const auto here = own.begin() + static_cast<std::ptrdiff_t>(index);
  return own[index].good && std::any_of(own.begin(), here, alike) && std::any_of(here + 1, own.end(), alike);
}

}  // namespace

Result<BackupList> list_backups(BackupStore& store) {
  TRY_ASSIGN(const auto files, store.list());
  std::map<std::string, std::uint64_t> sizes;
  for (const StoredFile& file : files) {
    sizes.emplace(file.name, file.size);
  }
  BackupList list;
  for (const StoredFile& file : files) {
    if (!file.name.ends_with(".json")) {
      continue;
    }
    auto text = read_small(store, file.name);
    if (!text) {
      if (text.error().code != ErrorCode::BackupNotFound) {  // deleted meanwhile
        list.warnings.push_back(text.error().describe());
      }
      continue;
    }
    auto record = read_manifest(*text, file.name);
    if (!record) {
      list.warnings.push_back(record.error().describe());
      continue;
    }
    record->location = store.location(record->file);
    const auto size = sizes.find(record->file);
    const bool complete = size != sizes.end() && size->second == record->size;
    list.backups.push_back({std::move(*record), complete});
  }
  std::ranges::sort(list.backups, [](const StoredBackup& a, const StoredBackup& b) {
    return a.record.started != b.record.started ? a.record.started > b.record.started : a.record.file > b.record.file;
  });
  return list;
}

Result<StoredBackup> find_backup(BackupStore& store, const std::string& reference) {
  TRY_ASSIGN(const BackupList list, list_backups(store));
  const std::string name = reference.substr(reference.rfind('/') + 1);
  std::vector<const StoredBackup*> found;
  for (const StoredBackup& backup : list.backups) {
    const BackupRecord& record = backup.record;
    if (record.file == name || manifest_name(record.file) == name || record.id == reference) {
      return backup;
    }
    if (!reference.empty() && record.id.starts_with(reference)) {
      found.push_back(&backup);
    }
  }
  if (found.size() > 1) {
    return fail(Error(ErrorCode::Usage, std::to_string(found.size()) + " backups have ids that begin with '" + reference + "'")
                    .advise("give more characters of the id; `athanor backups` lists them"));
  }
  if (found.empty()) {
    return fail(Error(ErrorCode::BackupNotFound, "there is no backup '" + reference + "' in " + store.describe())
                    .advise("`athanor backups` lists the backups"));
  }
  return *found.front();
}

bool BackupSubject::owns(const BackupRecord& record) const {
  if (!record.database.same_as(database)) {
    return false;
  }
  if (resource.empty() || record.resource.empty()) {
    return record.place == place;
  }
  // The same uid is the same resource. Without one, an equal name may belong to another cluster, so the place must match, too.
  const bool same_uid = !resource_uid.empty() && record.resource_uid == resource_uid;
  return record.resource == resource && (same_uid || record.place == place);
}

const BackupRecord* newest_acceptable(const std::vector<StoredBackup>& backups, const BackupNeed& need, milliseconds max_age,
                                      WallTime now) {
  const auto found =
      std::ranges::find_if(backups, [&](const StoredBackup& backup) { return would_do(backup, need, max_age, now); });
  return found == backups.end() ? nullptr : &found->record;
}

const BackupRecord* of_earlier_attempt(const std::vector<StoredBackup>& backups, const BackupNeed& need, milliseconds max_age,
                                       WallTime now) {
  // The latest backup for any migration of this version table. If it is for another migration, an earlier attempt is outdated.
  const auto last = std::ranges::find_if(backups, [&](const StoredBackup& backup) {
    return is_good(backup) && backup.record.target && backup.record.version_table == need.version_table &&
           need.subject.owns(backup.record);
  });
  const bool ours = need.target && last != backups.end() && last->record.target == need.target;
  return ours && would_do(*last, need, max_age, now) ? &last->record : nullptr;
}

std::vector<BackupRecord> expired_backups(const std::vector<StoredBackup>& backups, const BackupSubject& subject,
                                          const BackupRetention& retention, WallTime now) {
  const std::vector<OwnBackup> own = own_backups(backups, subject);
  std::vector<BackupRecord> expired;
  std::vector<std::size_t> kept;  // restore points, newest first
  for (auto backup = own.begin(); backup != own.end(); ++backup) {
    const bool known = backup->good && std::ranges::find(kept, backup->point) != kept.end();
    const bool too_many = retention.keep > 0 && !known && kept.size() >= static_cast<std::size_t>(retention.keep);
    const bool too_old = retention.max_age.count() > 0 && now - backup->record->started > retention.max_age;
    const bool of_newest = backup->good && (kept.empty() || backup->point == kept.front());
    // A broken backup does not count towards `keep`, and stays until a good one exists.
    const bool goes = (!kept.empty() && !of_newest && (too_many || too_old)) ||
                      (retention.keep > 0 && is_between(own, static_cast<std::size_t>(backup - own.begin())));
    if (goes) {
      expired.push_back(*backup->record);
    } else if (backup->good && !known) {
      kept.push_back(backup->point);
    }
  }
  std::ranges::reverse(expired);
  return expired;
}

namespace {

// Reads the dump. Any error except Interrupted means that it cannot be restored.
Result<void> read_dump(BackupStore& store, const BackupRecord& record, const StopToken& stop) {
  TRY_ASSIGN(const auto reader, store.open(record.file));
  TRY_ASSIGN(const DumpContent content, read_content(*reader, stop));
  return require_same(content, {record.sha256, record.size}, record.location);
}

}  // namespace

Result<ProvenExpiry> proven_expiry(BackupStore& store, std::vector<StoredBackup> backups, const BackupSubject& subject,
                                   const BackupRetention& retention, WallTime now, const std::string& known,
                                   const StopToken& stop) {
  ProvenExpiry result;
  while (true) {
    result.expired = expired_backups(backups, subject, retention, now);
    if (result.expired.empty()) {
      return result;
    }
    const auto stays = [&](const StoredBackup& backup) {
      return is_good(backup) && subject.owns(backup.record) &&
             std::ranges::find(result.expired, backup.record.file, &BackupRecord::file) == result.expired.end();
    };
    const auto newest = std::ranges::find_if(backups, stays);
    if (newest == backups.end() || (!known.empty() && newest->record.id == known)) {
      return result;
    }
    // A matching size proves nothing about the bytes.
    const auto whole = read_dump(store, newest->record, stop);
    if (whole) {
      return result;
    }
    if (whole.error().code == ErrorCode::Interrupted) {
      return fail(whole.error());
    }
    result.damaged.push_back(whole.error());
    newest->complete = false;
  }
}

Result<void> delete_backup(BackupStore& store, const BackupRecord& record) {
  TRY(store.remove(record.file));
  return store.remove(manifest_name(record.file));
}

}  // namespace athanor
