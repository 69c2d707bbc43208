// Random schemas that resemble each other: SQL of every kind of object, decided choice by choice.
//
// Each choice has a name ("t1.c3.type") and is drawn from the seed and that name alone, so that a schema is its seed. mutate()
// draws some of the choices anew and keeps the others: the pairs differ as two versions of one schema do.
//
// Threads and ownership: plain values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace athanor::test {

class RandomSchema {
 public:
  explicit RandomSchema(std::uint64_t seed) : seed_(seed) {}
  // The same schema with about `percent` of its choices drawn again.
  [[nodiscard]] RandomSchema mutate(std::uint64_t seed, unsigned percent) const;
  // Everything in the schemas app and aux, for a database that has neither.
  [[nodiscard]] std::string sql() const;
  // Empties a database of what sql() makes.
  [[nodiscard]] static std::string clean_up();

 private:
  struct Layer {
    std::uint64_t seed;
    unsigned percent;
  };
  friend class SchemaText;
  [[nodiscard]] unsigned draw(const std::string& name, unsigned count) const;

  std::uint64_t seed_;
  std::vector<Layer> layers_{};
};

}  // namespace athanor::test
