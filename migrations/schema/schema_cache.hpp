// A cache of catalogs between commands, so that a repeated check loads nothing. A key is the digest of everything that
// determines a catalog: texts, server version, filters, and the version of this program's format.
//
// The cache never causes an error: entries that are missing, damaged or in another format are recomputed.
//
// Threads: one thread. Ownership: owns the folder's descriptor.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "migrations/base/clock.hpp"
#include "migrations/revision/cache_folder.hpp"
#include "migrations/schema/catalog.hpp"

namespace athanor::schema {

class SchemaCache {
 public:
  // An empty `folder` disables the cache.
  SchemaCache(const std::string& folder, const Clock& clock);

  // The sealed catalog under this key, if there is a valid one.
  [[nodiscard]] std::optional<Catalog> catalog(const std::string& key) const;
  void keep(const std::string& key, const Catalog& catalog) const;
  // The same for any other text.
  [[nodiscard]] std::optional<std::string> text(const std::string& key) const;
  void keep_text(const std::string& key, std::string_view text) const;

 private:
  std::optional<CacheFolder> folder_;
  const Clock& clock_;
};

// Converts a sealed catalog to bytes and back. read_catalog() rejects bytes that another format version wrote.
[[nodiscard]] std::string write_catalog(const Catalog& catalog);
[[nodiscard]] std::optional<Catalog> read_catalog(std::string_view bytes);

}  // namespace athanor::schema
