// Publishes the SQL of plans that wait for approval, in ConfigMaps of the resource's namespace.
//
// A plan takes as many ConfigMaps as its text needs. They are named after the resource and the plan's hash, immutable, owned by
// the resource and labelled with the plan. ConfigMaps of other plans of the resource are deleted. A foreign ConfigMap with such
// a name is replaced: the content is compared when publishing, and a watch reports when one is deleted or recreated. In
// between, a reader may still see foreign content, so the status contains the digest of the text.
//
// Threads: safe from any thread; applied() and deleted() are called from the informer's. Ownership: borrows the client.
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

  // Receive the metadata of all ConfigMaps in the watched namespaces; ignore those that are not ours.
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
