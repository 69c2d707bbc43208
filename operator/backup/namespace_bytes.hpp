// What the files of each namespace take, together with those that are just being written: two writers at a time must not each
// take what is left.
//
// The files are measured when nothing of the namespace is being written; what is written from then on is counted on top, also
// after it was given up, until the last writer has ended. So the count may be too high for a while, and is never too low.
//
// Threads: safe from any thread.
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

  // One file while it is written. Ends with its life, whatever became of the file.
  class Growing {
   public:
    // `measure`: the bytes of all files of the namespace, as they are.
    Growing(NamespaceBytes& all, const std::string& name_space, const std::function<std::uint64_t()>& measure);
    ~Growing();
    Growing(const Growing&) = delete;
    Growing& operator=(const Growing&) = delete;
    // False: the namespace would have more than it may. `bytes` never shrinks.
    [[nodiscard]] bool grow_to(std::uint64_t bytes);

   private:
    NamespaceBytes& all_;
    std::string name_space_;
    std::uint64_t bytes_ = 0;
  };

 private:
  struct Taken {
    std::uint64_t bytes = 0;  // measured, and written since
    int writers = 0;
  };
  std::uint64_t most_;
  std::mutex mutex_;
  std::map<std::string, Taken> taken_;  // of namespaces with writers
};

}  // namespace athanor::controller
