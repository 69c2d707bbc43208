// A file descriptor that closes itself.
//
// Threads: one owner at a time. Ownership: owns the descriptor.
#pragma once

#include <unistd.h>

#include <utility>

namespace athanor {

class UniqueFd {
 public:
  UniqueFd() = default;
  // Takes ownership of `number`. A negative number, as a failed open() returns it, means no descriptor.
  explicit UniqueFd(int number) : number_(number) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : number_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset(other.release());
    }
    return *this;
  }

  // -1 when there is no descriptor. This object keeps ownership.
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] explicit operator bool() const { return number_ >= 0; }
  // Gives up ownership: the caller closes the descriptor.
  [[nodiscard]] int release() { return std::exchange(number_, -1); }
  // Closes the current descriptor and takes ownership of `number`.
  void reset(int number = -1) {
    if (const int held = std::exchange(number_, number); held >= 0) {
      ::close(held);
    }
  }

 private:
  int number_ = -1;
};

}  // namespace athanor
