// Which objects an informer has told of, and in which version: the least that finds out what vanished between two lists.
//
// An open hash table of 16-byte entries, each with one small text of its own ("namespace/name"): about 75 bytes for an object,
// where a tree of strings takes 220. Versions are numbers in every API server there is; another text is kept as its hash, so
// that equal stays equal.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operator/api/database_migration.hpp"

namespace athanor::controller {

class KnownObjects {
 public:
  // Begins a list: what is not seen until finish_list() is gone.
  void begin_list();
  // True when the object is new, or known in another version.
  bool see(const ResourceKey& key, std::string_view resource_version);
  // True when it was known.
  bool erase(const ResourceKey& key);
  // Forgets and returns what was not seen since begin_list().
  [[nodiscard]] std::vector<ResourceKey> finish_list();

  [[nodiscard]] std::size_t size() const { return size_; }
  // Memory taken, as far as it is asked for here.
  [[nodiscard]] std::size_t bytes() const;

 private:
  struct Entry {
    std::unique_ptr<char[]> text;  // "namespace/name", ends with a zero; null: free
    std::uint64_t version : 63 = 0;
    std::uint64_t seen : 1 = 0;
  };
  [[nodiscard]] std::size_t slot_of(std::string_view text) const;
  void grow();
  void free_slot(std::size_t slot);

  std::vector<Entry> entries_;  // a power of two
  std::size_t size_ = 0;
  unsigned list_ : 1 = 0;
};

}  // namespace athanor::controller
