#include "migrations/schema/proof.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <utility>

#include "migrations/schema/attributes.hpp"
#include "migrations/schema/difference.hpp"
#include "migrations/schema/run_script.hpp"
#include "migrations/schema/sample_rows.hpp"
#include "migrations/schema/unspoken.hpp"
#include "migrations/text/quoting.hpp"

namespace athanor::schema {
namespace {

constexpr std::size_t kShownLines = 20;

Error proof_failed(std::string message, const std::vector<std::string>& lines = {}) {
  for (std::size_t index = 0; index < std::min(lines.size(), kShownLines); ++index) {
    message += "\n  " + lines[index];
  }
  if (lines.size() > kShownLines) {
    message += "\n  and " + std::to_string(lines.size() - kShownLines) + " more";
  }
  return Error(ErrorCode::ProofFailed, std::move(message))
      .advise("nothing was written; print the SQL with --sql, and write this revision by hand");
}

class Prover {
 public:
  explicit Prover(const ProofRequest& request) : request_(request) {}

  Result<Proof> run() {
    TRY(prove_structure());
    TRY(prove_rows());
    return std::move(proof_);
  }

 private:
  Result<void> run_on(const ScratchDatabase& database, const std::vector<ScriptStep>& steps) const {
    TRY_ASSIGN(const auto session, database.open(request_.search_path));
    return run_steps(*session, steps);
  }

  // A statement that the server rejects fails the proof; a lost connection does not.
  static Error failed_on_copy(Error error, const std::string& direction) {
    if (error.sqlstate.empty() || error.code == ErrorCode::Interrupted) {
      return error;
    }
    Error failed = proof_failed("the " + direction + " fails on a copy of the schema: " + error.message);
    failed.context = error.context;
    failed.sqlstate = error.sqlstate;
    return failed;
  }

  [[nodiscard]] std::vector<std::string> difference(const Catalog& have, const Catalog& want, Derived derived) const {
    switch (request_.grants) {
      case ProofRequest::Grants::Known:
        return describe_difference(without_grants(have, want), want, derived);
      case ProofRequest::Grants::Ignored:
        return describe_difference(without_grants(have), without_grants(want), derived);
      case ProofRequest::Grants::Compared:
        break;
    }
    return describe_difference(have, want, derived);
  }

  Result<void> prove_structure() {
    TRY_ASSIGN(const auto copy, request_.server.create(&request_.start));
    if (auto done = run_on(*copy, request_.script.upgrade); !done) {
      return fail(failed_on_copy(std::move(done).error(), "upgrade"));
    }
    TRY_ASSIGN(const Catalog reached, request_.inspect(*copy));
    if (const auto lines = difference(reached, request_.after, Derived::Ignored); !lines.empty()) {
      return fail(proof_failed("the upgrade does not produce the desired schema:", lines));
    }
    if (request_.script.irreversible) {
      return {};
    }
    if (auto done = run_on(*copy, request_.script.downgrade); !done) {
      return fail(failed_on_copy(std::move(done).error(), "downgrade"));
    }
    TRY_ASSIGN(const Catalog returned, request_.inspect(*copy));
    if (const auto lines = difference(returned, request_.before, Derived::Compared); !lines.empty()) {
      return fail(proof_failed("the downgrade does not restore the schema from before the upgrade:", lines));
    }
    proof_.downgrade = true;
    return {};
  }

  Result<void> prove_rows() {
    TRY_ASSIGN(const auto copy, request_.server.create(&request_.start));
    std::map<TableName, std::int64_t> rows;
    {
      TRY_ASSIGN(const auto session, copy->open(request_.search_path));
      TRY_ASSIGN(rows, add_sample_rows(*session, request_.before));
    }
    find_tables_without_rows(rows);
    if (rows.empty()) {
      return {};
    }
    proof_.tables_with_rows = rows.size();
    if (auto done = run_on(*copy, request_.script.upgrade); !done) {
      const Error& error = done.error();
      if (error.sqlstate.empty() || error.code == ErrorCode::Interrupted) {
        return done;
      }
      proof_.warnings.push_back("with a row in each table, the upgrade fails at " + error.context + ": " + error.message +
                                "; check whether the actual rows allow it");
      return {};
    }
    TRY_ASSIGN(const auto session, copy->open(request_.search_path));
    return compare_rows(*session, rows);
  }

  void find_tables_without_rows(const std::map<TableName, std::int64_t>& rows) {
    std::set<TableName> changed;
    for (const PlannedStep& step : request_.plan.steps) {
      for (const PlannedStatement& statement : step.statements) {
        const FactId& id = statement.subject;
        changed.emplace(id.schema, id.parent.empty() ? id.name : id.parent);
      }
    }
    for (const Fact& fact : request_.before.facts()) {
      const TableName table{fact.id.schema, fact.id.name};
      if (fact.id.kind == Kind::Table && !fact.has(attribute::kServer) && !fact.has(attribute::kPartitionKey) &&
          !rows.contains(table) && changed.contains(renamed(table))) {
        proof_.tables_without_rows.push_back(qualified_name(table.first, table.second));
      }
    }
  }

  Result<void> compare_rows(Session& session, const std::map<TableName, std::int64_t>& rows) {
    std::map<TableName, std::int64_t> expected;
    for (const auto& [table, count] : rows) {
      const TableName name = renamed(table);
      const bool stays = request_.after.find({.kind = Kind::Table, .schema = name.first, .name = name.second}) != nullptr;
      if (stays && !may_lose_rows(name)) {
        expected.emplace(name, count);
      }
    }
    TRY_ASSIGN(const auto counted, count_rows(session, expected));
    std::vector<std::string> lost;
    for (const auto& [table, count] : expected) {
      const auto found = counted.find(table);
      if (found == counted.end() || found->second < count) {
        lost.push_back("- rows of " + describe({.kind = Kind::Table, .schema = table.first, .name = table.second}));
      }
    }
    return lost.empty() ? Result<void>() : fail(proof_failed("the upgrade loses rows that its plan does not mention:", lost));
  }

  [[nodiscard]] TableName renamed(const TableName& table) const {
    for (const Rename& rename : request_.renames) {
      if (rename.from.kind == Kind::Table && rename.from.schema == table.first && rename.from.name == table.second) {
        return {rename.to.schema, rename.to.name};
      }
    }
    return table;
  }

  [[nodiscard]] bool may_lose_rows(const TableName& table) const {
    for (const PlannedStep& step : request_.plan.steps) {
      for (const PlannedStatement& statement : step.statements) {
        if (statement.loss == DataLoss::Certain && statement.subject.kind == Kind::Table &&
            statement.subject.schema == table.first && statement.subject.name == table.second) {
          return true;
        }
      }
    }
    return false;
  }

  const ProofRequest& request_;
  Proof proof_;
};

}  // namespace

Result<Proof> prove(const ProofRequest& request) {
  return Prover(request).run();
}

}  // namespace athanor::schema
