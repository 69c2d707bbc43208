#include "operator/cluster/packed_resource.hpp"

#include <zlib.h>

#include <cstdint>
#include <cstring>
#include <new>
#include <stdexcept>
#include <utility>

#include "operator/api/spec_codec.hpp"
#include "operator/api/status_codec.hpp"
#include "operator/kube/object_fields.hpp"

namespace athanor::controller {
namespace {

// What most resources say somewhere: deflating begins with this in its window, so that only what differs is written out.
std::string common_words() {
  KubeObject conditions = KubeObject::array();
  for (const char* const type : {"BackedUp", "Approved", "Reconciling", "Stalled", "Ready"}) {
    conditions.push_back({{"lastTransitionTime", "2026-11-21T08:00:00Z"},
                          {"message", "the database is at its target"},
                          {"observedGeneration", 1},
                          {"reason", "UpToDate"},
                          {"status", "True"},
                          {"type", type}});
  }
  const KubeObject key = {{"secretKeyRef", {{"key", "password"}, {"name", "postgres"}}}};
  const KubeObject status = {{"conditions", conditions},
                             {"currentRevision", "head"},
                             {"currentRevisions", KubeObject::array()},
                             {"history", {{{"direction", "upgrade"}, {"outcome", "applied"}, {"revisions", 1}}}},
                             {"lastBackup", KubeObject::object()},
                             {"observedGeneration", 1},
                             {"pendingCount", 0},
                             {"pendingRevisions", KubeObject::array()},
                             {"phase", "Ready"},
                             {"source", {{"revision", ""}}},
                             {"targetRevision", "head"}};
  const KubeObject declaration = {
      {"metadata",
       {{"labels", {{"app.kubernetes.io/part-of", ""}}}, {"generation", 1}, {"namespace", "default"}, {"name", ""}}},
      {"spec",
       {{"backup", {{"when", "Never"}}},
        {"database",
         {{"host", "postgres.default.svc"},
          {"name", "app"},
          {"passwordFrom", key},
          {"port", 5432},
          {"schema", "public"},
          {"urlFrom", key},
          {"user", "postgres"},
          {"versionTable", "alembic_version"}}},
        {"deletionPolicy", "Retain"},
        {"dryRun", false},
        {"execution", {{"lockRetryBudget", "10m"}, {"lockTimeout", "2s"}, {"mode", "InProcess"}, {"statementTimeout", "0s"}}},
        {"policy", {{"allowDowngrade", false}, {"approval", "Never"}}},
        {"source", {{"configMaps", {{{"name", "migrations"}}}}, {"path", "/migrations/versions"}}},
        {"suspend", false},
        {"targetRevision", "head"}}}};
  std::string bytes;
  KubeObject::to_cbor(declaration, bytes);
  KubeObject::to_cbor(status, bytes);
  return bytes;
}

Bytef* bytes_of(std::string& text) {
  return reinterpret_cast<Bytef*>(text.data());
}
const Bytef* bytes_of(const std::string& text) {
  return reinterpret_cast<const Bytef*>(text.data());
}

// A window as large as a dictionary and what is packed as a rule, and no header: raw deflate.
constexpr int kWindowBits = -12;
constexpr std::size_t kMostLearned = 2'000;  // bytes: a larger one would push the words that all have in common out
constexpr int kMemoryLevel = 4;
constexpr std::size_t kLengthBytes = sizeof(std::uint32_t);

// The length, then the deflated bytes.
std::string deflated(const std::string& plain, const std::string& known) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kWindowBits, kMemoryLevel, Z_DEFAULT_STRATEGY) != Z_OK) {
    throw std::bad_alloc();
  }
  deflateSetDictionary(&stream, bytes_of(known), static_cast<uInt>(known.size()));
  std::string out(kLengthBytes + deflateBound(&stream, plain.size()), '\0');
  const auto length = static_cast<std::uint32_t>(plain.size());
  std::memcpy(out.data(), &length, kLengthBytes);
  stream.next_in = const_cast<Bytef*>(bytes_of(plain));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = bytes_of(out) + kLengthBytes;
  stream.avail_out = static_cast<uInt>(out.size() - kLengthBytes);
  const int ended = ::deflate(&stream, Z_FINISH);
  out.resize(kLengthBytes + stream.total_out);
  deflateEnd(&stream);
  if (ended != Z_STREAM_END) {
    throw std::logic_error("a resource does not fit into what it must fit into");
  }
  out.shrink_to_fit();
  return out;
}

std::string inflated(const std::string& bytes, const std::string& known) {
  std::uint32_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  std::string plain(length, '\0');
  z_stream stream{};
  if (inflateInit2(&stream, kWindowBits) != Z_OK) {
    throw std::bad_alloc();
  }
  inflateSetDictionary(&stream, bytes_of(known), static_cast<uInt>(known.size()));
  stream.next_in = const_cast<Bytef*>(bytes_of(bytes)) + kLengthBytes;
  stream.avail_in = static_cast<uInt>(bytes.size() - kLengthBytes);
  stream.next_out = bytes_of(plain);
  stream.avail_out = length;
  const int ended = ::inflate(&stream, Z_FINISH);
  inflateEnd(&stream);
  if (ended != Z_STREAM_END) {
    throw std::logic_error("a packed resource is not what was packed");
  }
  return plain;
}

void copy_part(const KubeObject& from, const char* name, KubeObject& to) {
  if (const auto found = from.find(name); found != from.end()) {
    to.emplace(name, bearable_copy(*found));
  }
}

KubeObject used_metadata(const KubeObject& object) {
  KubeObject used = KubeObject::object();
  if (const auto* const metadata = part_of(object, "metadata")) {
    for (const char* const name : {"name", "namespace", "generation", "labels", "annotations"}) {
      copy_part(*metadata, name, used);
    }
    if (const auto annotations = used.find("annotations"); annotations != used.end() && annotations->is_object()) {
      annotations->erase("kubectl.kubernetes.io/last-applied-configuration");
    }
  }
  return used;
}

}  // namespace

std::string PackingDictionary::pack(const KubeObject& object) {
  std::string plain;
  KubeObject::to_cbor(object, plain);
  std::call_once(learned_, [&] { known_ = common_words() + (plain.size() > kMostLearned ? std::string() : plain); });
  return deflated(plain, known_);
}

KubeObject PackingDictionary::unpack(const std::string& bytes) const {
  return bytes.empty() ? KubeObject::object() : KubeObject::from_cbor(inflated(bytes, known_), true, false);
}

PackedResource::PackedResource(const KubeObject& object, PackingDictionaries& dictionaries) : dictionaries_(&dictionaries) {
  KubeObject declaration = {{"metadata", used_metadata(object)}};
  copy_part(object, "spec", declaration);
  declaration_ = dictionaries.declarations.pack(declaration);
  if (const auto* const status = part_of(object, "status")) {
    pack_status(bearable_copy(*status));
  }
  if (const auto* const metadata = part_of(object, "metadata")) {
    mark_ = {text_of(*metadata, "uid"), text_of(*metadata, "resourceVersion")};
  }
}

// The one that the API server gives a new resource says nothing, and others would learn nothing from it.
void PackedResource::pack_status(const KubeObject& status) {
  const bool says_nothing = status == KubeObject{{"observedGeneration", DatabaseMigrationStatus{}.observed_generation}};
  status_ = says_nothing ? std::string() : dictionaries_->statuses.pack(status);
}

DatabaseMigration PackedResource::unpack(std::optional<Error>* unreadable) const {
  const KubeObject object = declaration();
  auto read = read_object(object);
  DatabaseMigration resource;
  if (read) {
    resource = std::move(*read);
  } else {
    resource = readable_part(object);
    if (unreadable != nullptr) {
      *unreadable = std::move(read).error();
    }
  }
  resource.metadata.uid = mark_.uid;
  resource.metadata.resource_version = mark_.resource_version;
  if (!status_.empty()) {
    resource.status = status_from_json(Json(dictionaries_->statuses.unpack(status_)));
  }
  return resource;
}

Metadata PackedResource::metadata() const {
  Metadata metadata = metadata_of(declaration());
  metadata.uid = mark_.uid;
  metadata.resource_version = mark_.resource_version;
  return metadata;
}

void PackedResource::set_status(const DatabaseMigrationStatus& status, std::string resource_version) {
  mark_.resource_version = std::move(resource_version);
  pack_status(KubeObject(status_to_json(status)));
}

KubeObject PackedResource::declaration() const {
  return dictionaries_ == nullptr ? KubeObject::object() : dictionaries_->declarations.unpack(declaration_);
}

}  // namespace athanor::controller
