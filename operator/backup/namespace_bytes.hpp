// Tracks how many bytes the backup files of each namespace take, including files that are being written, so that concurrent
// writers cannot both use the same remaining quota.
//
// The files are measured when the first writer of a namespace begins. All bytes written after that are added, also those of a
// write that failed, until its last writer has ended. The count may therefore be too high for a while, but is never too low.
//
// Threads: safe from any thread. Ownership: must outlive its Growing objects.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>

namespace athanor::controller {

class NamespaceBytes {
 public:
  explicit NamespaceBytes(std::uint64_t most) : most_(most) {}

  // One file while it is written. Its bytes stay counted until the namespace's last Growing is destroyed.
  class Growing {
   public:
    // `measure` returns the bytes of all existing files of the namespace. It is called when no other file of the namespace is
    // being written.
    Growing(NamespaceBytes& all, const std::string& name_space, const std::function<std::uint64_t()>& measure);
    ~Growing();
    Growing(const Growing&) = delete;
    Growing& operator=(const Growing&) = delete;
    // Counts the file as `bytes` long, which must not shrink. Returns false if the namespace then exceeds its quota.
    [[nodiscard]] bool grow_to(std::uint64_t bytes);

   private:
    NamespaceBytes& all_;
    std::string name_space_;
    std::uint64_t bytes_ = 0;
  };

 private:
  struct Taken {
    std::uint64_t bytes = 0;  // measured at the start, plus written since
    int writers = 0;
  };
  std::uint64_t most_;
  std::mutex mutex_;
  std::map<std::string, Taken> taken_;  // only namespaces with writers
};

}  // namespace athanor::controller
