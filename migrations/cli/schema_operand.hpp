// The operands of `diff` and `inspect`: a database, a revision, a file, models.
//
// Threads: one thread. Ownership: borrows the context.
#pragma once

#include <optional>
#include <string>

#include "migrations/cli/schema_work.hpp"

namespace athanor::cli {

struct SchemaOperand {
  enum class Kind { Live, Url, Desired, Revisions, Source };
  Kind kind = Kind::Live;
  std::string text{};
  schema::SchemaSource source{};     // Source
  std::vector<std::string> heads{};  // Revisions: ids

  // "the database", "revision 8c1f0a2b7d3e", "db/schema.sql"; never a URL.
  [[nodiscard]] std::string describe() const;
};

// Interprets an operand: `database` is the configured one, `desired` is desired_schema; then URLs, package.module:metadata,
// existing paths, and symbols of the revision graph. Error: Usage, with the possible operands, for anything else.
[[nodiscard]] Result<SchemaOperand> read_operand(CommandContext& context, const Configuration& configuration,
                                                 std::optional<Project>& project, const std::string& text);

// The server version of an operand that is a live database, so that scratch databases get the same major version; 0 for other
// operands. For the configured database it calls take_search_path() too.
[[nodiscard]] Result<int> server_version_of(CommandContext& context, Configuration& configuration,
                                            const SchemaOperand& operand);

struct OperandSchema {
  schema::Catalog catalog;
  std::vector<schema::RenameHint> renames{};
  bool from_models = false;
};
[[nodiscard]] Result<OperandSchema> load_operand(SchemaWork& work, std::optional<Project>& project,
                                                 const SchemaOperand& operand);

}  // namespace athanor::cli
