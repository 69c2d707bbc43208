#include "operator/reconcile/resource_store.hpp"

namespace athanor::controller {

Result<bool> StatusWriter::write(const ResourceKey& key, const DatabaseMigrationStatus& status) {
  const auto stored = store_.find(key);
  if (!stored || stored->status == status) {
    return false;
  }
  TRY(store_.write_status(key, status));
  ++writes_;
  return true;
}

}  // namespace athanor::controller
