#include "migrations/schema/schema_cache.hpp"

#include <cstdint>
#include <mutex>
#include <set>
#include <utility>

#include "migrations/base/sha256.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kMostBytes = 256U << 20U;
constexpr std::string_view kFormat = "athanor catalog 2\n";
constexpr std::size_t kDigest = 64;

// Attribute names are string constants when a catalog comes from inspect(). Names read from a file need storage that lives as
// long; there are about seventy of them.
std::string_view constant_name(std::string_view name) {
  static std::mutex mutex;
  static std::set<std::string, std::less<>> names;
  const std::scoped_lock lock(mutex);
  const auto found = names.find(name);
  return found != names.end() ? *found : *names.emplace(name).first;
}

class Writer {
 public:
  void number(std::uint64_t value) {
    do {
      const auto low = static_cast<unsigned char>(value & 0x7FU);
      value >>= 7U;
      bytes_ += static_cast<char>(value == 0 ? low : low | 0x80U);
    } while (value != 0);
  }
  void text(std::string_view value) {
    number(value.size());
    bytes_ += value;
  }
  void id(const FactId& id) {
    number(static_cast<std::uint64_t>(id.kind));
    number(static_cast<std::uint64_t>(id.subject));
    for (const std::string* part : {&id.schema, &id.parent, &id.name, &id.arguments, &id.grantee, &id.column}) {
      text(*part);
    }
  }
  [[nodiscard]] std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Reads what Writer wrote. The digest was checked before, so a value out of range means a bug; it ends the reading.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  [[nodiscard]] std::uint64_t number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; at_ < bytes_.size() && shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= static_cast<std::uint64_t>(byte & 0x7FU) << shift;
      if ((byte & 0x80U) == 0) {
        return value;
      }
    }
    failed_ = true;
    return 0;
  }
  [[nodiscard]] std::string_view text() {
    const std::uint64_t size = number();
    if (failed_ || size > bytes_.size() - at_) {
      failed_ = true;
      return {};
    }
    at_ += size;
    return bytes_.substr(at_ - size, size);
  }
  [[nodiscard]] FactId id() {
    FactId id;
    id.kind = static_cast<Kind>(number());
    id.subject = static_cast<Kind>(number());
    for (std::string* part : {&id.schema, &id.parent, &id.name, &id.arguments, &id.grantee, &id.column}) {
      *part = text();
    }
    return id;
  }
  [[nodiscard]] bool done() const { return !failed_ && at_ == bytes_.size(); }
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

void read_attributes(Reader& reader, std::vector<Attribute>& attributes) {
  for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    const std::string_view name = constant_name(reader.text());
    attributes.push_back({name, std::string(reader.text())});
  }
}

Fact read_fact(Reader& reader) {
  Fact fact;
  fact.id = reader.id();
  fact.position = static_cast<int>(reader.number());
  read_attributes(reader, fact.attributes);
  read_attributes(reader, fact.uncompared);
  return fact;
}

void read_unmodelled(Reader& reader, Catalog& catalog) {
  for (std::uint64_t kinds = reader.number(); kinds > 0 && !reader.failed(); --kinds) {
    auto& names = catalog.unmodelled[std::string(reader.text())];
    for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
      names.emplace_back(reader.text());
    }
  }
}

// Reads edges and outside dependents. False if one refers to a fact that does not exist.
bool read_relations(Reader& reader, std::uint64_t facts, Catalog& catalog) {
  for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    const std::uint64_t from = reader.number();
    const std::uint64_t to = reader.number();
    if (from >= facts || to >= facts) {
      return false;
    }
    catalog.add_edge(static_cast<std::uint32_t>(from), static_cast<std::uint32_t>(to));
  }
  for (std::uint64_t left = reader.number(); left > 0 && !reader.failed(); --left) {
    const std::uint64_t on = reader.number();
    if (on >= facts) {
      return false;
    }
    catalog.add_outside({static_cast<std::uint32_t>(on), std::string(reader.text())});
  }
  return true;
}

std::string payload_of(const Catalog& catalog) {
  Writer writer;
  writer.number(static_cast<std::uint64_t>(catalog.server_version));
  writer.number(catalog.unmodelled.size());
  for (const auto& [kind, names] : catalog.unmodelled) {
    writer.text(kind);
    writer.number(names.size());
    for (const std::string& name : names) {
      writer.text(name);
    }
  }
  writer.number(catalog.facts().size());
  for (const Fact& fact : catalog.facts()) {
    writer.id(fact.id);
    writer.number(static_cast<std::uint64_t>(fact.position));
    for (const auto* attributes : {&fact.attributes, &fact.uncompared}) {
      writer.number(attributes->size());
      for (const Attribute& attribute : *attributes) {
        writer.text(attribute.name);
        writer.text(attribute.value);
      }
    }
  }
  writer.number(catalog.edges().size());
  for (const Edge& edge : catalog.edges()) {
    writer.number(edge.from);
    writer.number(edge.to);
  }
  writer.number(catalog.outside().size());
  for (const OutsideDependent& dependent : catalog.outside()) {
    writer.number(dependent.on);
    writer.text(dependent.object);
  }
  return writer.take();
}

}  // namespace

std::string write_catalog(const Catalog& catalog) {
  const std::string payload = payload_of(catalog);
  return std::string(kFormat) + sha256_hex(payload) + payload;
}

std::optional<Catalog> read_catalog(std::string_view bytes) {
  if (!bytes.starts_with(kFormat) || bytes.size() < kFormat.size() + kDigest) {
    return std::nullopt;
  }
  bytes.remove_prefix(kFormat.size());
  const std::string_view digest = bytes.substr(0, kDigest);
  bytes.remove_prefix(kDigest);
  if (sha256_hex(bytes) != digest) {
    return std::nullopt;
  }
  Reader reader(bytes);
  Catalog catalog;
  catalog.server_version = static_cast<int>(reader.number());
  read_unmodelled(reader, catalog);
  const std::uint64_t facts = reader.number();
  for (std::uint64_t left = facts; left > 0 && !reader.failed(); --left) {
    catalog.add(read_fact(reader));
  }
  if (!read_relations(reader, facts, catalog) || !reader.done()) {
    return std::nullopt;
  }
  catalog.seal();
  return catalog;
}

SchemaCache::SchemaCache(const std::string& folder, const Clock& clock) : clock_(clock) {
  if (!folder.empty()) {
    folder_ = CacheFolder::open(folder);
  }
}

std::optional<Catalog> SchemaCache::catalog(const std::string& key) const {
  const auto bytes = text(key);
  return bytes ? read_catalog(*bytes) : std::nullopt;
}

void SchemaCache::keep(const std::string& key, const Catalog& catalog) const {
  keep_text(key, write_catalog(catalog));
}

std::optional<std::string> SchemaCache::text(const std::string& key) const {
  return folder_ ? folder_->read(key + ".schema", kMostBytes) : std::nullopt;
}

void SchemaCache::keep_text(const std::string& key, std::string_view text) const {
  if (folder_) {
    (void)folder_->replace(key + ".schema", text, clock_.wall_now());
    folder_->forget_old(clock_.wall_now());
  }
}

}  // namespace athanor::schema
