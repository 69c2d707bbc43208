// A backup store in memory. It records the calls that change it, and can run out of space.
//
// Threads: one thread. Ownership: owns the stored bytes; readers hold a copy, writers must not outlive the store.
#pragma once

#include <algorithm>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "migrations/backup/backup_store.hpp"

namespace athanor::test {

class MemoryStore final : public BackupStore {
 public:
  std::map<std::string, std::string> files;
  std::vector<std::string> calls;
  std::optional<std::uint64_t> free;  // the answer of free_space()
  std::uint64_t room = UINT64_MAX;    // bytes that one writer accepts before it fails

  std::string describe() const override { return "memory"; }
  std::string location(std::string_view name) const override { return "memory/" + std::string(name); }
  Result<std::vector<StoredFile>> list() override {
    std::vector<StoredFile> list;
    for (const auto& [name, bytes] : files) {
      list.push_back({name, bytes.size()});
    }
    return list;
  }
  Result<std::unique_ptr<BackupWriter>> create(const std::string& name) override {
    calls.push_back("create " + name);
    if (name.empty() || name.front() == '.' || name.find('/') != std::string::npos) {
      return fail(ErrorCode::BackupRefused, "no name");
    }
    return std::make_unique<Writer>(*this, name);
  }
  Result<std::unique_ptr<BackupReader>> open(const std::string& name) override {
    const auto found = files.find(name);
    if (found == files.end()) {
      return fail(ErrorCode::BackupNotFound, "there is no " + name);
    }
    return std::make_unique<Reader>(found->second);
  }
  Result<void> remove(const std::string& name) override {
    calls.push_back("remove " + name);
    files.erase(name);
    return {};
  }
  Result<std::optional<std::uint64_t>> free_space() override { return free; }
  Result<int> clean(WallTime) override { return 0; }
  std::string local_path(const std::string&) const override { return {}; }

 private:
  class Reader final : public BackupReader {
   public:
    explicit Reader(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read(std::span<char> buffer) override {
      const std::size_t count = std::min(buffer.size(), bytes_.size() - at_);
      std::memcpy(buffer.data(), bytes_.data() + at_, count);
      at_ += count;
      return count;
    }

   private:
    std::string bytes_;
    std::size_t at_ = 0;
  };
  class Writer final : public BackupWriter {
   public:
    Writer(MemoryStore& store, std::string name) : store_(store), name_(std::move(name)) {}
    Result<void> write(std::string_view bytes) override {
      if (bytes_.size() + bytes.size() > store_.room) {
        return fail(ErrorCode::BackupFailed, "No space left on device");
      }
      bytes_ += bytes;
      return {};
    }
    Result<void> finish() override { return {}; }
    Result<std::unique_ptr<BackupReader>> read_back() override { return std::make_unique<Reader>(bytes_); }
    Result<void> publish(std::string_view manifest) override {
      const std::string side = name_.substr(0, name_.rfind('.')) + ".json";
      if (store_.files.contains(name_) || store_.files.contains(side)) {
        return fail(ErrorCode::BackupFailed, "File exists");
      }
      store_.calls.push_back("publish " + name_);
      store_.files[side] = manifest;
      store_.files[name_] = bytes_;
      return {};
    }

   private:
    MemoryStore& store_;
    std::string name_;
    std::string bytes_;
  };
};

}  // namespace athanor::test
