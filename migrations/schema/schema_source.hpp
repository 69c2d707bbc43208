// Where a schema comes from: SQL files, models, a command, or another database.
//
// Threads: plain values and pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace athanor::schema {

struct SchemaSource {
  enum class Kind { None, Files, Models, Command, Database };
  Kind kind = Kind::None;
  std::vector<std::string> files{};   // files and folders, in order
  std::vector<std::string> models{};  // "shop.models:SQLModel.metadata"
  std::string command{};              // split into words like in a shell, but run without one
  std::string url{};

  // "db/schema.sql", "the models of shop.models:metadata"; never a URL.
  [[nodiscard]] std::string describe() const;
};

// Interprets one word: a PostgreSQL URL, package.module:attribute, or else a path. Empty: None.
[[nodiscard]] SchemaSource source_of_text(std::string_view text);

}  // namespace athanor::schema
