#include "operator/sources/cache_quota.hpp"

namespace athanor::controller {

CacheQuota::Item::~Item() {
  empty();
}

Result<void> CacheQuota::Item::hold(const std::string& name_space, std::uint64_t bytes, SteadyTime now) {
  const std::lock_guard lock(counts_->mutex);
  if (counts_->most == 0) {
    return {};
  }
  counts_->items.insert(this);
  bytes_ = bytes;
  used_[name_space] = now;
  std::uint64_t sum = 0;
  for (const Item* const item : counts_->items) {
    const auto used = item->used_.find(name_space);
    if (used != item->used_.end() && (item->use_ == Use::Own || now - used->second <= counts_->recent)) {
      sum += item->bytes_;
    }
  }
  if (sum <= counts_->most) {
    return {};
  }
  return fail(Error(ErrorCode::FileTooLarge, "the sources of namespace " + name_space + " use more than " +
                                                 std::to_string(counts_->most) + " bytes of the operator's cache")
                  .advise("use fewer or smaller repositories and artifacts, or have the quota raised (--max-cache-size)"));
}

void CacheQuota::Item::empty() {
  const std::lock_guard lock(counts_->mutex);
  counts_->items.erase(this);
  bytes_ = 0;
  used_.clear();
}

}  // namespace athanor::controller
