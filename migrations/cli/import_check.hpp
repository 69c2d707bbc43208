// Proves an import: Alembic migrates one empty database, Athanor another, and the two are compared.
//
// begin() copies the empty database of `--against` before Alembic runs there, so that the copy has the same owner, encoding and
// extensions. compare() applies the generated files to the copy, with this program, and compares the output of `pg_dump
// --schema-only`, every table's rows and every sequence. The copy is dropped at the end.
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
  std::vector<std::string> lines;    // "only Alembic: …", "rows of public.users: …"; empty: no difference
  std::vector<std::string> allowed;  // random ids and times, which differ in every run
};

class ImportCheck {
 public:
  // Errors: PolicyRefused if the database is not empty; otherwise the server's message, with what the check needs.
  [[nodiscard]] static Result<std::unique_ptr<ImportCheck>> begin(CommandContext& context, const std::string& url);
  ~ImportCheck();
  ImportCheck(const ImportCheck&) = delete;
  ImportCheck& operator=(const ImportCheck&) = delete;

  // `folder` contains the generated files. Error: NotRenderable if Athanor cannot apply them.
  [[nodiscard]] Result<ImportDifferences> compare(const std::string& folder, const RenderedProject& project);

 private:
  explicit ImportCheck(CommandContext& context) : context_(context) {}

  [[nodiscard]] Result<void> copy();
  [[nodiscard]] Result<void> apply(const std::string& folder, const RenderedProject& project);
  [[nodiscard]] Result<std::vector<std::string>> dump(const std::string& database, int server_version);

  CommandContext& context_;
  std::string url_;
  std::vector<std::pair<std::string, std::string>> keywords_;
  std::string name_;  // the database of `--against`
  std::string copy_;  // empty: not created yet
};

}  // namespace athanor::cli
