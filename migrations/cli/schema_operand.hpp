// The schemas that `diff` and `inspect` name: a database, a revision, a file, models.
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

// `database` is the configured one, `desired` what desired_schema says, then URLs, package.module:metadata, paths that exist,
// and what the revision graph knows. Usage, with what can be named, for anything else.
[[nodiscard]] Result<SchemaOperand> read_operand(CommandContext& context, const Configuration& configuration,
                                                 std::optional<Project>& project, const std::string& text);

// The version of the server that operands live on, so that both sides are of one major version; 0 when none does.
[[nodiscard]] Result<int> server_version_of(CommandContext& context, const Configuration& configuration,
                                            const SchemaOperand& operand);

struct OperandSchema {
  schema::Catalog catalog;
  std::vector<schema::RenameHint> renames{};
  bool from_models = false;
};
[[nodiscard]] Result<OperandSchema> load_operand(SchemaWork& work, std::optional<Project>& project,
                                                 const SchemaOperand& operand);

}  // namespace athanor::cli
