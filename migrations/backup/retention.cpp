#include "migrations/backup/retention.hpp"

#include <algorithm>
#include <map>

namespace athanor {

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
      if (text.error().code != ErrorCode::BackupNotFound) {  // pruned meanwhile
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
    return fail(Error(ErrorCode::Usage, std::to_string(found.size()) + " backups begin with '" + reference + "'")
                    .advise("give more characters of the id; `athanor backups` lists them"));
  }
  if (found.empty()) {
    return fail(Error(ErrorCode::BackupNotFound, "there is no backup '" + reference + "' in " + store.describe())
                    .advise("`athanor backups` lists what there is"));
  }
  return *found.front();
}

const BackupRecord* newest_acceptable(const std::vector<StoredBackup>& backups, const DatabaseIdentity& database,
                                      const std::string& version_table, const std::vector<std::string>& revisions,
                                      milliseconds max_age, WallTime now) {
  const auto found = std::ranges::find_if(backups, [&](const StoredBackup& backup) {
    const BackupRecord& record = backup.record;
    return backup.complete && record.verified && record.database.same_as(database) && record.version_table == version_table &&
           record.revisions == revisions && now - record.started <= max_age;
  });
  return found == backups.end() ? nullptr : &found->record;
}

std::vector<BackupRecord> expired_backups(const std::vector<StoredBackup>& backups, const DatabaseIdentity& database,
                                          const BackupRetention& retention, WallTime now) {
  std::vector<BackupRecord> expired;
  const BackupRecord* newest = nullptr;
  int kept = 0;
  for (const StoredBackup& backup : backups) {
    const BackupRecord& record = backup.record;
    if (!record.database.same_as(database)) {
      continue;
    }
    const bool good = backup.complete && record.verified.has_value();
    if (good && newest == nullptr) {
      newest = &record;
      ++kept;
      continue;
    }
    const bool too_many = retention.keep > 0 && kept >= retention.keep;
    const bool too_old = retention.max_age.count() > 0 && now - record.started > retention.max_age;
    // What is broken takes no place among those that are kept, and stays until a good one is there.
    const bool goes = newest != nullptr && (too_many || too_old);
    kept += good && !goes ? 1 : 0;
    if (goes) {
      expired.push_back(record);
    }
  }
  std::ranges::reverse(expired);
  return expired;
}

Result<void> delete_backup(BackupStore& store, const BackupRecord& record) {
  TRY(store.remove(record.file));
  return store.remove(manifest_name(record.file));
}

}  // namespace athanor
