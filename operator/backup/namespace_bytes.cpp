#include "operator/backup/namespace_bytes.hpp"

#include <utility>

namespace athanor::controller {

NamespaceBytes::Growing::Growing(NamespaceBytes& all, const std::string& name_space,
                                 const std::function<std::uint64_t()>& measure)
    : all_(all), name_space_(name_space) {
  const std::lock_guard lock(all_.mutex_);
  Taken& taken = all_.taken_[name_space_];
  if (taken.writers == 0) {
    taken.bytes = measure();
  }
  ++taken.writers;
}

NamespaceBytes::Growing::~Growing() {
  const std::lock_guard lock(all_.mutex_);
  const auto taken = all_.taken_.find(name_space_);
  if (--taken->second.writers == 0) {
    all_.taken_.erase(taken);
  }
}

bool NamespaceBytes::Growing::grow_to(std::uint64_t bytes) {
  const std::lock_guard lock(all_.mutex_);
  Taken& taken = all_.taken_.find(name_space_)->second;
  taken.bytes += bytes - bytes_;
  bytes_ = bytes;
  return taken.bytes <= all_.most_;
}

}  // namespace athanor::controller
