// The text of plans that wait for approvals, in ConfigMaps of the resource's namespace.
//
// A plan takes as many ConfigMaps as its text needs, named by the resource and the plan's hash, immutable, owned by the
// resource and labelled with the plan. Those of another plan are removed. What somebody else puts under such a name is
// replaced: the content is compared, and a watch tells when one of them is deleted or made again. Between two looks a reader
// may still be shown something else, so the status has the digest of the text.
//
// Threads: safe from any thread; applied() and deleted() come from the informer's. Ownership: borrows the client.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "operator/kube/informer.hpp"
#include "operator/log/log.hpp"
#include "operator/reconcile/plan_text.hpp"

namespace athanor::controller {

inline constexpr const char* kPlanOfLabel = "athanor.dev/plan-of";  // the resource
inline constexpr const char* kPlanLabel = "athanor.dev/plan";       // the beginning of the hash

class PlanConfigMaps final : public PlanTexts, public InformerHandler {
 public:
  explicit PlanConfigMaps(KubeClient& client, Log log = {}) : client_(client), log_(std::move(log)) {}

  [[nodiscard]] Result<PublishedPlan> publish(const DatabaseMigration& resource, const Plan& plan,
                                              const std::string& hash) override;
  void remove(const DatabaseMigration& resource) override;

  // Metadata of the ConfigMaps of all watched namespaces; those of others are passed over.
  void applied(const ResourceKey& key, const KubeObject& object) override;
  void deleted(const ResourceKey& key) override;

 private:
  struct Published {
    std::string hash;
    PublishedPlan plan;
    std::map<std::string, std::string> uids;  // by name
  };
  [[nodiscard]] Result<std::string> store(const DatabaseMigration& resource, const KubeObject& config_map);
  void remove_others(const DatabaseMigration& resource, const std::map<std::string, std::string>& kept);

  KubeClient& client_;
  Log log_;
  std::mutex mutex_;
  std::map<ResourceKey, Published> published_;                      // by resource
  std::map<ResourceKey, std::map<std::string, std::string>> seen_;  // by resource: uids by name
  std::map<ResourceKey, ResourceKey> owner_of_;                     // by ConfigMap
};

}  // namespace athanor::controller
