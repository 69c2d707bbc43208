#include "operator/cluster/plan_config_maps.hpp"

#include <utility>

#include "migrations/base/sha256.hpp"
#include "operator/api/status_limits.hpp"
#include "operator/jobs/job_manifest.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

constexpr std::size_t kMostBytes = std::size_t{900} << 10U;  // Kubernetes allows 1 MiB
constexpr std::size_t kMostPages = 99;
constexpr std::size_t kNameInConfigMap = 200;
constexpr std::size_t kLabelledHash = 40;  // a label value has at most 63 characters

std::string metadata_text(const KubeObject& object, const char* name) {
  const auto* const metadata = part_of(object, "metadata");
  return metadata == nullptr ? std::string() : text_of(*metadata, name);
}

std::string page_name(const DatabaseMigration& resource, const std::string& hash, std::size_t number, std::size_t pages) {
  std::string name = resource.metadata.name.substr(0, kNameInConfigMap);
  while (name.ends_with('-') || name.ends_with('.')) {
    name.pop_back();
  }
  name += "-plan-" + hash.substr(0, kShownHash);
  return pages == 1 ? name : name + "-" + (number < 10 ? "0" : "") + std::to_string(number);
}

KubeObject config_map_of(const DatabaseMigration& resource, const std::string& hash, std::string name, std::string text) {
  const KubeObject owner = {{"apiVersion", kApiVersion},
                            {"kind", kDatabaseMigrationKind},
                            {"name", resource.metadata.name},
                            {"uid", resource.metadata.uid}};
  // Immutable, so that the text cannot change after an approver has read it. The owner reference makes Kubernetes delete it
  // with the resource.
  return {{"apiVersion", kube::kConfigMaps.api_version()},
          {"kind", kube::kConfigMaps.kind},
          {"metadata",
           {{"name", std::move(name)},
            {"namespace", resource.metadata.name_space},
            {"labels", {{kPlanOfLabel, migration_label(resource.metadata.name)}, {kPlanLabel, hash.substr(0, kLabelledHash)}}},
            {"ownerReferences", KubeObject::array({owner})}}},
          {"immutable", true},
          {"data", {{"sql", std::move(text)}}}};
}

std::string command_for(const DatabaseMigration& resource, const std::string& hash, const std::string& name,
                        std::size_t pages) {
  const std::string begin = "kubectl get configmap -n " + resource.metadata.name_space + " ";
  return pages == 1 ? begin + name + " -o go-template='{{.data.sql}}'"
                    : begin + "-l " + kPlanLabel + "=" + hash.substr(0, kLabelledHash) +
                          " -o go-template='{{range .items}}{{.data.sql}}{{end}}'";
}

bool is_the_same(const KubeObject& found, const KubeObject& wanted) {
  for (const char* const part : {"data", "immutable"}) {
    if (!found.contains(part) || found[part] != wanted[part]) {
      return false;
    }
  }
  const auto* const metadata = part_of(found, "metadata");
  return metadata != nullptr && !found.contains("binaryData") &&
         metadata->value("labels", KubeObject()) == wanted["metadata"]["labels"] &&
         text_of(*metadata, "deletionTimestamp").empty();
}

// Returns the name of the DatabaseMigration that owns a labelled ConfigMap; empty when none does.
std::string migration_of(const KubeObject& object) {
  const auto* const metadata = part_of(object, "metadata");
  const auto* const labels = metadata == nullptr ? nullptr : part_of(*metadata, "labels");
  if (labels == nullptr || !labels->contains(kPlanLabel)) {
    return {};
  }
  for (const auto& owner : metadata->value("ownerReferences", KubeObject::array())) {
    if (owner.is_object() && text_of(owner, "kind") == kDatabaseMigrationKind) {
      return text_of(owner, "name");
    }
  }
  return {};
}

}  // namespace

Result<PublishedPlan> PlanConfigMaps::publish(const DatabaseMigration& resource, const Plan& plan, const std::string& hash) {
  const ResourceKey key = resource.key();
  {
    const std::lock_guard lock(mutex_);
    if (const auto known = published_.find(key); known != published_.end() && known->second.hash == hash) {
      return known->second.plan;
    }
  }
  auto pages = plan_pages(plan, hash, kMostBytes);
  if (pages.size() > kMostPages) {
    return fail(Error(ErrorCode::FileTooLarge, "the plan's SQL needs more than " + std::to_string(kMostPages) + " ConfigMaps")
                    .advise("read it with `athanor plan upgrade --show-sql`"));
  }
  Published made;
  made.hash = hash;
  Sha256 digest;
  for (std::size_t index = 0; index < pages.size(); ++index) {
    digest.update(pages[index]);
    const std::string name = page_name(resource, hash, index + 1, pages.size());
    TRY_ASSIGN(made.uids[name], store(resource, config_map_of(resource, hash, name, std::move(pages[index]))));
  }
  made.plan = {command_for(resource, hash, made.uids.begin()->first, pages.size()), digest.finish()};
  // Publish first and delete afterwards, so that the text of the current plan is always available.
  remove_others(resource, made.uids);
  const std::lock_guard lock(mutex_);
  return published_.insert_or_assign(key, std::move(made)).first->second.plan;
}

// Creates the ConfigMap, or finds an identical one, and returns its uid. Replaces a different one once.
Result<std::string> PlanConfigMaps::store(const DatabaseMigration& resource, const KubeObject& config_map) {
  const std::string name = metadata_text(config_map, "name");
  const std::string& name_space = resource.metadata.name_space;
  for (const bool again : {false, true}) {
    auto made = client_.create(kube::kConfigMaps, name_space, config_map);
    if (made) {
      return metadata_text(*made, "uid");
    }
    if (made.error().code != ErrorCode::ApiConflict || again) {
      return fail(std::move(made).error().at("ConfigMap " + name));
    }
    const auto found = client_.get(kube::kConfigMaps, name_space, name);
    if (found && is_the_same(*found, config_map)) {
      return metadata_text(*found, "uid");
    }
    if (!found) {
      continue;  // deleted meanwhile, or not readable: the next create reports why
    }
    log_.warn("replacing a ConfigMap that has the name of a plan's ConfigMap",
              {{"resource", resource.key().text()}, {"configMap", name}});
    DeleteOptions options;
    // Delete only the object that was compared: by now the name may belong to another one.
    options.uid = metadata_text(*found, "uid");
    if (auto removed = client_.remove(kube::kConfigMaps, name_space, name, options);
        !removed && removed.error().code != ErrorCode::ApiNotFound) {
      return fail(std::move(removed).error().at("ConfigMap " + name));
    }
  }
  return fail(ErrorCode::ApiConflict, "ConfigMap " + name + " cannot be created");
}

void PlanConfigMaps::remove_others(const DatabaseMigration& resource, const std::map<std::string, std::string>& kept) {
  std::map<std::string, std::string> outdated;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = seen_.find(resource.key()); found != seen_.end()) {
      outdated = found->second;
    }
    if (const auto found = published_.find(resource.key());
        found != published_.end()) {  // the watch may not have delivered these yet
      outdated.insert(found->second.uids.begin(), found->second.uids.end());
    }
  }
  for (const auto& [name, uid] : outdated) {
    if (kept.contains(name)) {
      continue;
    }
    DeleteOptions options;
    options.uid = uid;
    const auto removed = client_.remove(kube::kConfigMaps, resource.metadata.name_space, name, options);
    if (!removed && removed.error().code != ErrorCode::ApiNotFound && removed.error().code != ErrorCode::ApiConflict) {
      log_.warn("failed to delete the SQL of an earlier plan", error_fields(removed.error()));
    }
  }
}

void PlanConfigMaps::remove(const DatabaseMigration& resource) {
  {
    const std::lock_guard lock(mutex_);
    if (!seen_.contains(resource.key()) && !published_.contains(resource.key())) {
      return;
    }
  }
  remove_others(resource, {});
  const std::lock_guard lock(mutex_);
  published_.erase(resource.key());
}

void PlanConfigMaps::applied(const ResourceKey& key, const KubeObject& object) {
  const std::string owner = migration_of(object);
  if (owner.empty()) {
    deleted(key);  // it may have been ours before its labels changed
    return;
  }
  const ResourceKey resource{key.name_space, owner};
  const std::string uid = metadata_text(object, "uid");
  const std::lock_guard lock(mutex_);
  owner_of_.insert_or_assign(key, resource);
  seen_[resource].insert_or_assign(key.name, uid);
  const auto known = published_.find(resource);
  if (known == published_.end()) {
    return;
  }
  const auto page = known->second.uids.find(key.name);
  if (page != known->second.uids.end() && page->second != uid) {
    published_.erase(known);  // recreated: compare its content at the next publish()
  }
}

void PlanConfigMaps::deleted(const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  const auto owner = owner_of_.find(key);
  if (owner == owner_of_.end()) {
    return;
  }
  if (const auto pages = seen_.find(owner->second); pages != seen_.end()) {
    pages->second.erase(key.name);
    if (pages->second.empty()) {
      seen_.erase(pages);
    }
  }
  if (const auto known = published_.find(owner->second); known != published_.end() && known->second.uids.contains(key.name)) {
    published_.erase(known);
  }
  owner_of_.erase(owner);
}

}  // namespace athanor::controller
