#include "tests/support/fake_kube.hpp"

#include <algorithm>
#include <utility>

namespace athanor::test {

using controller::WatchEvent;

namespace {

std::string id_of(const ResourceType& type) {
  return type.plural + "." + type.group;
}

ResourceKey key_in(const ResourceType& type, const std::string& name_space, const std::string& name) {
  return {type.namespaced ? name_space : std::string(), name};
}

ResourceKey key_of(const KubeObject& object) {
  const KubeObject& metadata = object.at("metadata");
  return {metadata.value("namespace", std::string()), metadata.value("name", std::string())};
}

std::string uid_of(const KubeObject& object) {
  return object.value("/metadata/uid"_json_pointer, std::string());
}

std::string version_of(const KubeObject& object) {
  return object.value("/metadata/resourceVersion"_json_pointer, std::string());
}

tl::unexpected<Error> not_found(const ResourceType& type, const ResourceKey& key) {
  return athanor::fail(Error(ErrorCode::ApiNotFound, type.plural + " \"" + key.name + "\" not found (status 404)"));
}

// Restores the fields that an API server does not let clients change.
void keep_system_fields(const KubeObject& before, KubeObject& next) {
  for (const char* field : {"name", "namespace", "uid", "creationTimestamp", "generation", "resourceVersion",
                            "deletionTimestamp", "deletionGracePeriodSeconds"}) {
    const auto found = before.at("metadata").find(field);
    if (found == before.at("metadata").end()) {
      next["metadata"].erase(field);
    } else {
      next["metadata"][field] = *found;
    }
  }
  next["apiVersion"] = before.at("apiVersion");
  next["kind"] = before.at("kind");
}

KubeObject declared_part(KubeObject object) {
  object.erase("metadata");
  object.erase("status");
  return object;
}

}  // namespace

// --- plumbing

std::optional<KubeFault> FakeKube::enter(KubeCall call) {
  std::optional<KubeFault> fault;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find_if(faults_, [&call](const KubeFault& each) {
      return (each.verb.empty() || each.verb == call.verb) && (each.plural.empty() || each.plural == call.plural) &&
             (each.name.empty() || each.name == call.key.name);
    });
    if (found != faults_.end()) {
      fault = *found;
      if (--found->times <= 0) {
        faults_.erase(found);
      }
    }
    calls_.push_back(call);
    changed_.notify_all();
  }
  if (on_call) {
    on_call(call);
  }
  return fault;
}

void FakeKube::stamp(KubeObject& object) {
  object["metadata"]["resourceVersion"] = std::to_string(++version_);
}

void FakeKube::tell(Change change) {
  change.version = version_;
  history_.push_back(std::move(change));
  changed_.notify_all();
}

KubeObject* FakeKube::stored(const ResourceType& type, const ResourceKey& key) {
  const auto found = objects_.find({id_of(type), key});
  return found == objects_.end() ? nullptr : &found->second;
}

Result<KubeObject> FakeKube::made_of(const ResourceType& type, const std::string& name_space, KubeObject object) {
  KubeObject& metadata = object["metadata"];
  if (object.value("apiVersion", type.api_version()) != type.api_version() || object.value("kind", type.kind) != type.kind) {
    return athanor::fail(ErrorCode::ApiInvalid, "the object is not a " + type.kind + " (status 400)");
  }
  if (metadata.contains("resourceVersion")) {
    return athanor::fail(ErrorCode::ApiInvalid, "resourceVersion should not be set on objects to be created (status 400)");
  }
  if (type.namespaced) {
    if (name_space.empty() || metadata.value("namespace", name_space) != name_space) {
      return athanor::fail(ErrorCode::ApiInvalid, "the namespace of the object is not that of the request (status 400)");
    }
    metadata["namespace"] = name_space;
  }
  if (!metadata.contains("name") && metadata.contains("generateName")) {
    metadata["name"] = metadata["generateName"].get<std::string>() + std::to_string(uids_ + 10'000);
  }
  const ResourceKey key = key_of(object);
  if (key.name.empty()) {
    return athanor::fail(ErrorCode::ApiInvalid, "metadata.name: Required value (status 422)");
  }
  if (stored(type, key) != nullptr) {
    return athanor::fail(ErrorCode::ApiConflict, type.plural + " \"" + key.name + "\" already exists (status 409)");
  }
  if (has_status(type)) {
    object.erase("status");
  }
  object["apiVersion"] = type.api_version();
  object["kind"] = type.kind;
  metadata["uid"] = "00000000-0000-4000-8000-" + std::to_string(100'000'000'000 + ++uids_);
  metadata["creationTimestamp"] = "2026-01-01T00:00:00Z";
  if (counts_generations(type)) {
    metadata["generation"] = 1;
  }
  return object;
}

Result<KubeObject> FakeKube::store_new(const ResourceType& type, const std::string& name_space, KubeObject object) {
  TRY_ASSIGN(KubeObject made, made_of(type, name_space, std::move(object)));
  stamp(made);
  objects_[{id_of(type), key_of(made)}] = made;
  tell({0, id_of(type), made, nullptr, false});
  return made;
}

Result<KubeObject> FakeKube::store_change(const ResourceType& type, KubeObject& stored, KubeObject next,
                                          const std::string& subresource) {
  const KubeObject before = stored;
  if (!subresource.empty() && (subresource != "status" || !has_status(type))) {
    return athanor::fail(ErrorCode::ApiNotFound, "the server could not find the requested resource (status 404)");
  }
  if (has_status(type)) {
    KubeObject kept = subresource == "status" ? before : std::move(next);
    const KubeObject& from = subresource == "status" ? next : before;
    if (from.contains("status")) {
      kept["status"] = from["status"];
    } else {
      kept.erase("status");
    }
    next = std::move(kept);
  }
  keep_system_fields(before, next);
  if (next == before) {
    return before;
  }
  if (counts_generations(type) && declared_part(next) != declared_part(before)) {
    next["metadata"]["generation"] = before["metadata"]["generation"].get<int>() + 1;
  }
  stamp(next);
  // As an API server does: removing the last finalizer of an object that is being deleted deletes it.
  const bool last =
      next["metadata"].contains("deletionTimestamp") && next["metadata"].value("finalizers", KubeObject::array()).empty();
  stored = next;
  tell({0, id_of(type), next, before, last});
  if (last) {
    objects_.erase({id_of(type), key_of(next)});
  }
  return next;
}

void FakeKube::erase(const ResourceType& type, const ResourceKey& key) {
  KubeObject object = *stored(type, key);
  const KubeObject before = object;
  stamp(object);
  objects_.erase({id_of(type), key});
  tell({0, id_of(type), object, before, true});
}

// --- reading

Result<KubeObject> FakeKube::get(const ResourceType& type, const std::string& name_space, const std::string& name) {
  const ResourceKey key = key_in(type, name_space, name);
  if (const auto fault = enter({"get", type.plural, key, {}, {}, {}}); fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  const std::lock_guard lock(mutex_);
  const KubeObject* found = stored(type, key);
  if (found == nullptr) {
    return not_found(type, key);
  }
  return *found;
}

Result<std::string> FakeKube::list(const ResourceType& type, const controller::ListOptions& options,
                                   const ObjectHandler& on_object) {
  if (const auto fault = enter({"list", type.plural, {options.name_space, ""}, {}, {}, options.resource_version});
      fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  std::vector<KubeObject> found;
  std::string version;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [id, each] : objects_) {
      if (id.first == id_of(type) && (options.name_space.empty() || id.second.name_space == options.name_space) &&
          matches_selectors(each, options.label_selector, options.field_selector)) {
        found.push_back(options.metadata_only ? metadata_of(each) : each);
      }
    }
    version = std::to_string(version_);
  }
  for (KubeObject& object : found) {
    on_object(std::move(object));
  }
  return version;
}

// --- writing

// "token 3 of shop/orders for AUDIENCE".
Result<KubeObject> FakeKube::token_of(const ResourceType& type, const ResourceKey& key, KubeObject request) {
  if (stored(type, key) == nullptr) {
    return athanor::fail(ErrorCode::ApiNotFound, "there is no such object");
  }
  const std::string audience = request.value("/spec/audiences/0"_json_pointer, std::string());
  request["status"] = {{"token", "token " + std::to_string(++tokens_) + " of " + key.text() + " for " + audience},
                       {"expirationTimestamp", "2026-11-30T22:00:00Z"}};
  return request;
}

Result<KubeObject> FakeKube::create(const ResourceType& type, const std::string& name_space, const KubeObject& object,
                                    const controller::CreateOptions& options) {
  const std::string name = object.value("/metadata/name"_json_pointer, std::string());
  const auto fault = enter({options.dry_run ? "dry-run" : "create",
                            type.plural,
                            key_in(type, name_space, options.name.empty() ? name : options.name),
                            options.subresource,
                            object,
                            {}});
  if (fault && fault->error && !fault->afterwards) {
    return athanor::fail(*fault->error);
  }
  const std::lock_guard lock(mutex_);
  if (options.subresource == "token") {
    return token_of(type, key_in(type, name_space, options.name), object);
  }
  if (options.dry_run) {
    return made_of(type, name_space, object);
  }
  Result<KubeObject> made = store_new(type, name_space, object);
  if (fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  return made;
}

Result<KubeObject> FakeKube::replace(const ResourceType& type, const std::string& name_space, const std::string& name,
                                     const KubeObject& object, const std::string& subresource) {
  const ResourceKey key = key_in(type, name_space, name);
  const auto fault = enter({"update", type.plural, key, subresource, object, {}});
  if (fault && fault->error && !fault->afterwards) {
    return athanor::fail(*fault->error);
  }
  const std::lock_guard lock(mutex_);
  KubeObject* found = stored(type, key);
  if (found == nullptr) {
    return not_found(type, key);
  }
  if (version_of(object).empty()) {
    return athanor::fail(ErrorCode::ApiInvalid, "metadata.resourceVersion: Invalid value: must be specified (status 422)");
  }
  if (version_of(object) != version_of(*found)) {
    return athanor::fail(ErrorCode::ApiConflict, "the object has been modified; please apply your changes (status 409)");
  }
  if (const std::string uid = uid_of(object); !uid.empty() && uid != uid_of(*found)) {
    return athanor::fail(ErrorCode::ApiConflict, "Precondition failed: UID in precondition (status 409)");
  }
  Result<KubeObject> changed = store_change(type, *found, object, subresource);
  if (fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  return changed;
}

Result<KubeObject> FakeKube::patch(const ResourceType& type, const std::string& name_space, const std::string& name,
                                   const KubeObject& body, const std::string& subresource) {
  const ResourceKey key = key_in(type, name_space, name);
  const auto fault = enter({"patch", type.plural, key, subresource, body, {}});
  if (fault && fault->error && !fault->afterwards) {
    return athanor::fail(*fault->error);
  }
  const std::lock_guard lock(mutex_);
  KubeObject* const found = stored(type, key);
  Result<KubeObject> changed;
  if (found == nullptr) {
    changed = not_found(type, key);
  } else if (!version_of(body).empty() && version_of(body) != version_of(*found)) {
    changed = athanor::fail(ErrorCode::ApiConflict, "the object has been modified; please apply your changes (status 409)");
  } else {
    KubeObject next = *found;
    next.merge_patch(body);
    changed = store_change(type, *found, std::move(next), subresource);
  }
  if (fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  return changed;
}

Result<void> FakeKube::remove(const ResourceType& type, const std::string& name_space, const std::string& name,
                              const controller::DeleteOptions& options) {
  const ResourceKey key = key_in(type, name_space, name);
  const auto fault = enter({"delete", type.plural, key, {}, {}, {}});
  if (fault && fault->error && !fault->afterwards) {
    return athanor::fail(*fault->error);
  }
  const std::lock_guard lock(mutex_);
  KubeObject* found = stored(type, key);
  if (found == nullptr) {
    return not_found(type, key);
  }
  const KubeObject& metadata = (*found)["metadata"];
  if ((!options.uid.empty() && options.uid != metadata["uid"]) ||
      (!options.resource_version.empty() && options.resource_version != metadata["resourceVersion"])) {
    return athanor::fail(ErrorCode::ApiConflict, "the precondition of the removal does not hold (status 409)");
  }
  if (metadata.value("finalizers", KubeObject::array()).empty()) {
    erase(type, key);
  } else if (!metadata.contains("deletionTimestamp")) {
    const KubeObject before = *found;
    (*found)["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:01Z";
    (*found)["metadata"]["deletionGracePeriodSeconds"] = 0;
    if (counts_generations(type)) {
      (*found)["metadata"]["generation"] = before["metadata"]["generation"].get<int>() + 1;
    }
    stamp(*found);
    tell({0, id_of(type), *found, before, false});
  }
  if (fault && fault->error) {
    return athanor::fail(*fault->error);
  }
  return {};
}

// --- other clients

KubeObject FakeKube::put(const ResourceType& type, KubeObject object) {
  const std::lock_guard lock(mutex_);
  const ResourceKey key = key_of(object);
  if (KubeObject* found = stored(type, key); found != nullptr) {
    return *store_change(type, *found, std::move(object), {});
  }
  const KubeObject status = object.value("status", KubeObject());
  KubeObject made = *store_new(type, key.name_space, std::move(object));
  if (!status.is_null()) {
    KubeObject next = made;
    next["status"] = status;
    made = *store_change(type, *stored(type, key), std::move(next), has_status(type) ? "status" : "");
  }
  return made;
}

KubeObject FakeKube::put_status(const ResourceType& type, const ResourceKey& key, KubeObject status) {
  const std::lock_guard lock(mutex_);
  KubeObject* found = stored(type, key);
  KubeObject next = *found;
  next["status"] = std::move(status);
  return *store_change(type, *found, std::move(next), "status");
}

void FakeKube::drop(const ResourceType& type, const ResourceKey& key) {
  const std::lock_guard lock(mutex_);
  if (stored(type, key) != nullptr) {
    erase(type, key);
  }
}

std::optional<KubeObject> FakeKube::find(const ResourceType& type, const ResourceKey& key) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find({id_of(type), key});
  return found == objects_.end() ? std::nullopt : std::optional(found->second);
}

std::vector<KubeObject> FakeKube::all(const ResourceType& type) const {
  const std::lock_guard lock(mutex_);
  std::vector<KubeObject> found;
  for (const auto& [id, each] : objects_) {
    if (id.first == id_of(type)) {
      found.push_back(each);
    }
  }
  return found;
}

std::string FakeKube::version() const {
  const std::lock_guard lock(mutex_);
  return std::to_string(version_);
}

void FakeKube::fail(KubeFault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FakeKube::compact() {
  const std::lock_guard lock(mutex_);
  compacted_ = ++version_;  // as if another object had been written: every version a watch knows is now too old
}

void FakeKube::end_watches(std::optional<Error> error) {
  const std::lock_guard lock(mutex_);
  ++endings_;
  ending_ = std::move(error);
  changed_.notify_all();
}

void FakeKube::send_bookmarks() {
  const std::lock_guard lock(mutex_);
  ++bookmarks_;
  changed_.notify_all();
}

void FakeKube::set_watch_list(bool known, bool end_mark) {
  const std::lock_guard lock(mutex_);
  watch_list_ = known;
  end_mark_ = end_mark;
}

std::vector<KubeCall> FakeKube::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t FakeKube::count(const std::string& verb, const std::string& plural) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count_if(
      calls_, [&](const KubeCall& call) { return call.verb == verb && (plural.empty() || call.plural == plural); }));
}

void FakeKube::forget_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

std::size_t FakeKube::open_watches() const {
  const std::lock_guard lock(mutex_);
  return open_watches_;
}

bool FakeKube::wait_until(const std::function<bool()>& condition, milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    std::unique_lock lock(mutex_);
    if (std::chrono::steady_clock::now() >= deadline) {
      return false;
    }
    changed_.wait_for(lock, milliseconds(5));  // poll: the condition may depend on state outside the fake
  }
  return true;
}

}  // namespace athanor::test
