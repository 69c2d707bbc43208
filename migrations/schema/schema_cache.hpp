// Catalogs kept between commands, so that a repeated check loads nothing. A key is the digest of everything a catalog was made
// of: texts, server version, filters, and the version of this program's format.
//
// A cache is never an error: what is missing, damaged or of another format is made again.
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
  // `folder` may be empty: nothing is kept.
  SchemaCache(const std::string& folder, const Clock& clock);

  [[nodiscard]] std::optional<Catalog> catalog(const std::string& key) const;
  void keep(const std::string& key, const Catalog& catalog) const;
  // Any other text under a key.
  [[nodiscard]] std::optional<std::string> text(const std::string& key) const;
  void keep_text(const std::string& key, std::string_view text) const;

 private:
  std::optional<CacheFolder> folder_;
  const Clock& clock_;
};

// The bytes of a sealed catalog, and back; nothing for bytes that were not written by this version of the program.
[[nodiscard]] std::string write_catalog(const Catalog& catalog);
[[nodiscard]] std::optional<Catalog> read_catalog(std::string_view bytes);

}  // namespace athanor::schema
