// Random schemas for testing diffs between similar schemas. They contain every kind of object.
//
// Each choice has a name ("t1.c3.type") and depends only on the seed and that name, so the seed determines the schema. mutate()
// draws a part of the choices again and keeps the others, so the two schemas differ as two versions of one schema do.
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
  // SQL that creates everything in the schemas app and aux, for a database that has neither. `server_version` is
  // server_version_num: a choice that an older server does not know is left out.
  [[nodiscard]] std::string sql(int server_version) const;
  // SQL that drops everything that sql() creates.
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
