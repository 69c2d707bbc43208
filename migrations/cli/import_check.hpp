// The proof of an import: Alembic migrates one empty database, Athanor another, and the two are compared.
//
// begin() copies the empty database of `--against` before Alembic runs there; the copy is its twin, with the same owner,
// encoding and extensions. compare() applies the files that were written to the copy, with this program itself, and compares
// what `pg_dump --schema-only` says of both, every table's rows and every sequence. The copy is dropped at the end.
//
// Threads: one thread. Ownership: owns the copy; borrows the context.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "migrations/cli/command_context.hpp"
#include "migrations/import/alembic_project.hpp"

namespace athanor::cli {

struct ImportDifferences {
  std::vector<std::string> lines;    // "only Alembic: …", "rows of public.users: …"; empty: the two are equal
  std::vector<std::string> allowed;  // values of the moment: random ids and times, which no two runs share
};

class ImportCheck {
 public:
  // PolicyRefused when the database is not empty; otherwise what the server said, with what the check needs.
  [[nodiscard]] static Result<std::unique_ptr<ImportCheck>> begin(CommandContext& context, const std::string& url);
  ~ImportCheck();
  ImportCheck(const ImportCheck&) = delete;
  ImportCheck& operator=(const ImportCheck&) = delete;

  // `folder` holds the files. NotRenderable when Athanor cannot apply them.
  [[nodiscard]] Result<ImportDifferences> compare(const std::string& folder, const RenderedProject& project);

 private:
  explicit ImportCheck(CommandContext& context) : context_(context) {}

  [[nodiscard]] Result<void> copy();
  [[nodiscard]] Result<void> apply(const std::string& folder, const RenderedProject& project);
  [[nodiscard]] Result<std::vector<std::string>> dump(const std::string& database, int server_version);

  CommandContext& context_;
  std::string url_;
  std::vector<std::pair<std::string, std::string>> keywords_;
  std::string name_;  // of the database of `--against`
  std::string copy_;  // empty: not made
};

}  // namespace athanor::cli
